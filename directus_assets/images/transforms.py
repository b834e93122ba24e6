"""Determines what Directus would do to a file for a preset: the resolved sharp operations and the resulting
derivatives.

A pure reimplementation of Directus' `utils/transformations` and of the part of its assets controller that chooses the
format for `auto`. What the operations do to pixels is decided elsewhere.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from directus_assets.directus.models import MISSING, TRANSFORMED_TYPES, File, Preset
from directus_assets.errors import BadInput
from directus_assets.images.cache_name import Argument, Transform, stored_name

# fmt: off
OPERATIONS: Final = frozenset({
    "toFormat", "jpeg", "png", "tiff", "webp", "avif", "resize", "extend", "extract", "trim", "rotate", "flip", "flop",
    "sharpen", "median", "blur", "flatten", "gamma", "negate", "normalise", "normalize", "clahe", "convolve",
    "threshold", "linear", "recomb", "modulate", "tint", "greyscale", "grayscale", "toColorspace", "toColourspace",
    "removeAlpha", "ensureAlpha", "extractChannel", "bandbool",
})
"""The sharp methods that Directus permits in asset requests (its `TransformationMethods`)."""

OTHER_OPERATIONS: Final = frozenset({
    "affine", "autoOrient", "dilate", "erode", "gif", "heif", "keepExif", "keepIccProfile", "keepMetadata", "keepXmp",
    "pipelineColorspace", "pipelineColourspace", "raw", "timeout", "unflatten", "withExif", "withExifMerge",
    "withIccProfile", "withMetadata", "withXmp",
})
# fmt: on
"""Further methods that work in presets, since Directus does not check those.

Methods that read another picture (`composite`) are excluded: it would come from the server's disk.
"""

SYSTEM_PRESETS: Final = frozenset(
    f"system-{size}-{fit}" for size in ("small", "medium", "large") for fit in ("cover", "contain")
)
"""Keys of Directus' built-in presets, which take precedence over own presets with the same key."""

OUTPUT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "png": "image/png",
        "webp": "image/webp",
        "tiff": "image/tiff",
        "tif": "image/tiff",
        "avif": "image/avif",
    }
)
"""MIME types by the names that `toFormat` accepts, which are also the extensions of stored derivatives."""


UNKNOWN_SIZES_REMEDY: Final = (
    "By default, Directus only reads the size of uploads up to 36 megapixels. Replace the "
    "picture with a smaller one; or raise ASSETS_TRANSFORM_IMAGE_MAX_DIMENSION in Directus' environment, restart "
    "Directus, and upload the same picture again as a replacement."
)


class SizesUnknown(BadInput):
    """Directus has no width and height for a picture, and a preset requires a size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Derivative:
    """One file for one preset in one output format.

    Attributes:
        preset_key: the preset.
        file_id: the file's id in Directus.
        file_name: the file's name for editors, for messages.
        accept: the `Accept` header that makes Directus choose exactly this derivative of the preset.
        transforms: the resolved sharp operations; `MISSING` stands for JavaScript's `undefined`.
        format: of the encoded pixels: `jpeg`, `png`, `webp`, `tiff`, `avif`, or another sharp format.
        mime_type: the content type with which Directus serves the derivative.
        stored_name: its name in the storage that holds the original.
        label: for people: the preset's key, plus the format if there are several.
        other_name: if it is unknown which of two naming rules this Directus uses: the name by the other rule.
    """

    preset_key: str
    file_id: str
    file_name: str
    accept: str
    transforms: tuple[Transform, ...]
    format: str
    mime_type: str
    stored_name: str
    label: str
    other_name: str = ""


def derivatives(preset: Preset, file: File) -> tuple[Derivative, ...]:
    """The derivatives that Directus would make of `file` for `preset`.

    Returns:
        One derivative, or three for `format: auto` (avif, webp, and the one for all other browsers). None if Directus
        answers with the original: for files of other types, and presets without effect.

    Raises:
        BadInput: a preset that Directus cannot apply or never reaches, or a `filename_disk` that leaves its folder.
        SizesUnknown: Directus would ignore the size in the preset, and serve the picture in full size.
    """
    _refuse_impossible(preset)
    if file.type not in TRANSFORMED_TYPES:
        return ()
    if (preset.width or preset.height) and not (file.width and file.height):
        raise SizesUnknown(
            "Directus has no width and height for this picture, so it ignores the preset's size, and visitors would "
            "get the picture in full size.",
            remedy=UNKNOWN_SIZES_REMEDY,
        )
    subtype = file.type.removeprefix("image/")
    if not preset.is_auto:
        made = _derivative(preset, file, output=preset.format or subtype, accept="*/*", label=preset.key)
        return (made,) if made.transforms else ()
    fallback = "png" if subtype in {"avif", "webp", "tiff"} else subtype
    choices = [("image/avif", "avif"), ("image/webp", "webp"), ("*/*", fallback)]
    return tuple(
        _derivative(preset, file, output=output, accept=accept, label=f"{preset.key} [{output}]")
        for accept, output in choices
    )


def asks_for_nothing(preset: Preset) -> bool:
    """Whether Directus answers with the original for every file."""
    return not (preset.transforms or preset.format or preset.quality or preset.width or preset.height)


def uses_focal_point(preset: Preset) -> bool:
    """Whether the derivatives for `preset` depend on the focal point, if there is one."""
    return preset.fit in (MISSING, "cover") and bool(preset.width and preset.height)


def _refuse_impossible(preset: Preset) -> None:
    if preset.key in SYSTEM_PRESETS:
        raise BadInput(
            f"Preset '{preset.key}' has the same key as one of Directus' built-in presets, which takes precedence.",
            remedy="Give the preset another key in Directus under Settings > Files & Storage > Asset presets.",
        )
    if preset.fault:
        raise BadInput(
            f"Preset '{preset.key}': {preset.fault}.",
            remedy="Correct it in Directus under Settings > Files & Storage > Asset presets.",
        )
    for name, *_ in preset.transforms:
        if name not in OPERATIONS and name not in OTHER_OPERATIONS:
            raise BadInput(
                f"Preset '{preset.key}': {name!r} is not a sharp operation that Directus allows.",
                remedy=f"Remove it from the preset's transforms, or use one of: {', '.join(sorted(OPERATIONS))}.",
            )


def _derivative(preset: Preset, file: File, *, output: str, accept: str, label: str) -> Derivative:
    limits = preset.directus.limits_targets
    transforms = _resolve(preset, file, output, limits=bool(limits))
    name = stored_name(file.filename_disk, transforms)
    other = "" if limits is not None else stored_name(file.filename_disk, _resolve(preset, file, output, limits=True))
    renamed = [transform for transform in transforms if transform[0] == "toFormat"]
    return Derivative(
        preset_key=preset.key,
        file_id=file.id,
        file_name=file.name,
        accept=accept,
        transforms=transforms,
        format=encoding(transforms, str(file.type)),
        mime_type=OUTPUT_TYPES.get(name.rpartition(".")[2].lower(), "") if renamed else str(file.type),
        stored_name=name,
        label=label,
        other_name="" if other == name else other,
    )


def encoding(transforms: tuple[Transform, ...], source_type: str) -> str:
    """The format of the bytes; `["webp", {}]` determines it just as `toFormat` does, but keeps the extension."""
    encoding = source_type.removeprefix("image/")
    for name, *arguments in transforms:
        if name == "toFormat" and arguments:
            encoding = str(arguments[0]).lower()
        elif name in {"jpeg", "png", "webp", "tiff", "avif"}:
            encoding = str(name)
    return OUTPUT_TYPES.get(encoding, encoding).removeprefix("image/")


def _resolve(preset: Preset, file: File, output: str, *, limits: bool) -> tuple[Transform, ...]:
    transforms: list[Transform] = list(preset.transforms)
    if preset.format or preset.quality:
        transforms.append(("toFormat", output, {"quality": preset.quality or MISSING}))
    return (*transforms, *_resize(preset, file, limits=limits))


def _target_size(preset: Preset, file: File, *, limits: bool) -> tuple[float | None, float | None]:
    """Width and height of the resize."""
    width, height = preset.width or None, preset.height or None
    if preset.without_enlargement and limits:
        return width and min(width, file.width or width), height and min(height, file.height or height)
    return width, height


def _resize(preset: Preset, file: File, *, limits: bool) -> list[Transform]:
    width, height = _target_size(preset, file, limits=limits)
    if width is None and height is None:
        return []
    focus = _focus(preset, file)
    extract: list[Transform] = []
    if focus and width is not None and height is not None:
        width, height, region = _around(focus, (file.width or 0, file.height or 0), (width, height))
        extract = [("extract", region)]
    options: dict[str, Argument] = {
        "width": MISSING if width is None else width,
        "height": MISSING if height is None else height,
        "fit": preset.fit,
        "withoutEnlargement": True if preset.without_enlargement else MISSING,
    }
    return [("resize", options), *extract]


def _focus(preset: Preset, file: File) -> tuple[float, float] | None:
    x = file.focal_point_x if preset.focal_point_x is None else preset.focal_point_x
    y = file.focal_point_y if preset.focal_point_y is None else preset.focal_point_y
    return None if x is None or y is None or not uses_focal_point(preset) else (x, y)


def _around(
    focus: tuple[float, float], source: tuple[float, float], target: tuple[float, float]
) -> tuple[int, int, dict[str, Argument]]:
    """The size of the resize, and the region of it that centres `focus` as far as possible (`getResizeArguments`)."""
    horizontal, vertical = source[0] / target[0], source[1] / target[1]
    factor = min(horizontal, vertical)
    width = _round(source[0] / factor if vertical < horizontal else target[0])
    height = _round(target[1] if vertical < horizontal else source[1] / factor)
    return (
        width,
        height,
        {
            "left": _clamp(_round(focus[0] / factor - target[0] / 2), width - target[0]),
            "top": _clamp(_round(focus[1] / factor - target[1] / 2), height - target[1]),
            "width": target[0],
            "height": target[1],
        },
    )


def _round(value: float) -> int:
    """JavaScript's Math.round: halves go up."""
    whole = math.floor(value)
    return whole + (value - whole >= 0.5)


def _clamp(value: float, highest: float) -> float:
    # lodash's order: the upper bound first, so that 0 wins if the picture is smaller than the region.
    return max(min(value, highest), 0)
