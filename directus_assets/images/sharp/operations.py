"""sharp's methods (its `lib/resize`, `lib/operation`, `lib/colour` and `lib/channel`): converts calls to options.

The order of calls matters for operations whose meaning in sharp depends on earlier calls: rotation, resize, extract and
trim.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from directus_assets.directus.models import MISSING
from directus_assets.errors import BadInput
from directus_assets.images.cache_name import Transform
from directus_assets.images.sharp import NotReproducible, adjustments, formats
from directus_assets.images.sharp.arguments import (
    Check,
    boolean,
    checked,
    colour,
    expected,
    integer,
    is_defined,
    is_integer,
    number,
    one_of,
    word,
)
from directus_assets.images.sharp.options import Options, Region

_SIDE = integer(1, 100_000_000)
_PADDING = integer(0, 10_000)
_CANVAS = {"contain": "embed", "cover": "crop", "fill": "ignore_aspect", "inside": "max", "outside": "min"}
_KERNELS = one_of("nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3", "mks2013", "mks2021")
_POSITIONS = {
    "center": 0, "centre": 0, "north": 1, "east": 2, "south": 3, "west": 4,
    "northeast": 5, "southeast": 6, "southwest": 7, "northwest": 8,
    "top": 1, "right": 2, "bottom": 3, "left": 4,
    "right top": 5, "right bottom": 6, "left bottom": 7, "left top": 8,
    "entropy": 16, "attention": 17,
}  # fmt: skip


def read_options(transforms: Sequence[Transform]) -> Options:
    """The options of Directus' sharp pipeline: every picture is oriented by its own tag, unless `transforms` contains a
    `rotate`.

    Raises:
        BadInput: an operation or an argument that sharp refuses.
        NotReproducible: an operation that sharp supports and this package does not.
    """
    options = Options(auto_orient=all(transform[0] != "rotate" for transform in transforms))
    for name, *arguments in transforms:
        method = _METHODS.get(str(name))
        if method is None:
            raise NotReproducible(f"The operation {name!r} is left to Directus.")
        try:
            options = dataclasses.replace(options, **method(options, *arguments))
        except BadInput as error:
            raise BadInput(f"`{name}`: {error.message}", remedy=error.remedy) from None
    return options


def _position(name: str, value: object) -> int:
    if is_integer(value) and (0 <= value <= 8 or 16 <= value <= 17):
        return int(value)
    return word(_POSITIONS)(name, value)  # type: ignore[no-any-return]


_RESIZE: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "width": ("width", _SIDE),
        "height": ("height", _SIDE),
        "fit": ("canvas", word(_CANVAS)),
        "position": ("position", _position),
        "background": ("resize_background", colour),
        "kernel": ("kernel", _KERNELS),
        "withoutEnlargement": ("without_enlargement", boolean),
        "withoutReduction": ("without_reduction", boolean),
        "fastShrinkOnLoad": ("fast_shrink_on_load", boolean),
    }
)


def _resize(
    options: Options, first: object = MISSING, height: object = MISSING, settings: object = MISSING, *_: object
) -> dict[str, Any]:
    changes: dict[str, Any] = {"height": _SIDE("height", height) if is_defined(height) else None}
    if isinstance(first, Mapping) and not is_defined(settings):
        settings = first
    else:
        changes["width"] = _SIDE("width", first) if is_defined(first) else None
    changes |= checked(settings, _RESIZE)
    after = dataclasses.replace(options, **changes)
    return changes | {"rotate_before": options.rotate_before or (after.is_rotated and after.is_resized)}


def _extract(options: Options, region: object = MISSING, *_: object) -> dict[str, Any]:
    given: Mapping[str, object] = region if isinstance(region, Mapping) else {}
    rectangle = Region(*(integer(0, 100_000_000)(name, given.get(name, MISSING)) for name in Region._fields))
    # After a resize, or a first extract, the region refers to the resized picture.
    if options.is_resized or options.pre_extract is not None:
        after = dataclasses.replace(options, post_extract=rectangle)
    else:
        after = dataclasses.replace(options, pre_extract=rectangle)
    has_both = after.pre_extract is not None and after.post_extract is not None
    return {
        "pre_extract": after.pre_extract,
        "post_extract": after.post_extract,
        "rotate_before": options.rotate_before or (after.is_rotated and not after.is_resized and not has_both),
        "orient_before": options.orient_before or options.auto_orient,
    }


_EXTEND: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "top": ("extend_top", _PADDING),
        "bottom": ("extend_bottom", _PADDING),
        "left": ("extend_left", _PADDING),
        "right": ("extend_right", _PADDING),
        "background": ("extend_background", colour),
        "extendWith": ("extend_with", one_of("background", "copy", "repeat", "mirror")),
    }
)


def _extend(_options: Options, padding: object = MISSING, *_: object) -> dict[str, Any]:
    if isinstance(padding, Mapping):
        return checked(padding, _EXTEND)
    return dict.fromkeys(
        ("extend_top", "extend_bottom", "extend_left", "extend_right"), integer(1, 10_000)("extend", padding)
    )


_TRIM: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "background": ("trim_background", colour),
        "threshold": ("trim_threshold", number(0)),
        "lineArt": ("trim_line_art", boolean),
        "margin": ("trim_margin", integer(0, 10_000_000)),
    }
)


def _trim(options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    if is_defined(settings) and not isinstance(settings, Mapping):
        raise expected("an object of options", "trim", settings)
    before = options.rotate_before or options.is_rotated
    return {"trim_threshold": 10, **checked(settings, _TRIM), "rotate_before": before}


def _rotate(_options: Options, angle: object = MISSING, settings: object = MISSING, *_: object) -> dict[str, Any]:
    if not is_defined(angle):
        return {"auto_orient": True}
    degrees = number()("angle", angle)
    if is_integer(degrees) and degrees % 90 == 0:
        return {"angle": int(degrees), "rotation_angle": 0}
    return {"angle": 0, "rotation_angle": degrees, **checked(settings, {"background": ("rotation_background", colour)})}


_METHODS: Final[Mapping[str, Callable[..., dict[str, Any]]]] = MappingProxyType(
    {
        "toFormat": formats.to_format,
        "jpeg": formats.jpeg,
        "png": formats.png,
        "webp": formats.webp,
        "tiff": formats.tiff,
        "avif": formats.avif,
        "resize": _resize,
        "extract": _extract,
        "extend": _extend,
        "trim": _trim,
        "rotate": _rotate,
        **adjustments.METHODS,
    }
)
