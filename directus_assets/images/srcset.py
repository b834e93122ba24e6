"""Groups derivatives that a browser may choose from: the same picture in different sizes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, TypeAlias, TypeGuard
from urllib.parse import quote

from directus_assets.directus.models import MISSING, File, Preset
from directus_assets.images.transforms import Derivative

Output: TypeAlias = Mapping[str, Any]
"""One derivative in a manifest: `path`, `type`, `width`, `height`, and its `look`."""

WHOLE: Final = "whole"
"""The look of a picture without crops and additions."""

# fmt: off
_SAME_LOOK: Final = frozenset({"toFormat", "jpeg", "png", "webp", "tiff", "avif"})
"""Operations that only determine the encoding."""

_AT_ANY_SIZE: Final = frozenset({
    "bandbool", "ensureAlpha", "extractChannel", "flatten", "flip", "flop", "gamma", "grayscale", "greyscale", "linear",
    "modulate", "negate", "recomb", "removeAlpha", "rotate", "threshold", "tint", "toColorspace", "toColourspace",
})
# fmt: on
"""Operations with the same effect at any size; others are measured in pixels, so that sizes look different."""

_BOXED: Final = ("cover", "contain", "fill")
"""Fits that fill both sides, so that the aspect ratio matters."""


def look_of(preset: Preset, derivative: Derivative, file: File) -> str:
    """Identifies a derivative's appearance apart from its size: derivatives with the same look are interchangeable.

    Args:
        preset: the preset it was made with.
        derivative: the derivative.
        file: the picture, with its own size.

    Returns:
        The aspect ratio and the fit, or `whole`; then a digest of all further operations.
    """
    own = [operation for operation in preset.transforms if operation[0] not in _SAME_LOOK]
    resize = [each for each in derivative.transforms[len(preset.transforms) :] if each[0] != "toFormat"]
    box = resize[-1][1] if resize else {}
    assert isinstance(box, Mapping)  # noqa: S101 - the options of `resize`, or the region of `extract`
    is_turned = any(name == "rotate" for name, *_ in own)
    frame = _frame(preset, box, file, is_turned=is_turned)
    if not all(name in _AT_ANY_SIZE for name, *_ in own) or _has_margins(preset, box, file, is_turned=is_turned):
        own.append(("at", derivative.stored_name))
    if len(resize) > 1 and frame != WHOLE and not (preset.focal_point_x is None and preset.focal_point_y is None):
        own.append(("focus", preset.focal_point_x, preset.focal_point_y))
    return f"{frame} {_digest(own)}" if own else frame


def srcsets(presets: Mapping[str, Sequence[Output]]) -> dict[str, str]:
    """Map `<MIME type> <aspect ratio>` to a `srcset` of all outputs with the same look, by increasing width.

    Outputs without a look were written by an earlier version, and are grouped by their own aspect ratio. If two looks
    have the same ratio, the look is appended.
    """
    groups: dict[tuple[str, str], dict[int, Output]] = {}
    for outputs in presets.values():
        for output in outputs:
            look = output.get("look") or f"= {_ratio(output)}"
            group = groups.setdefault((output["type"], look), {})
            # Two outputs of the same width differ only in quality; the choice does not depend on their order.
            known = group.get(output["width"])
            if known is None or (output["bytes"], output["path"]) > (known["bytes"], known["path"]):
                group[output["width"]] = output
    found: dict[str, str] = {}
    for (kind, look), group in sorted(groups.items(), key=lambda each: (len(each[0][1]), each[0])):
        name = f"{kind} {_ratio(group[max(group)])}"
        found[f"{name} {look}" if name in found else name] = ", ".join(
            f"{quote(output['path'])} {width}w" for width, output in sorted(group.items())
        )
    return found


def _fit(preset: Preset) -> str:
    return "cover" if preset.fit in (MISSING, None) else str(preset.fit)


def _frame(preset: Preset, box: Mapping[str, Any], file: File, *, is_turned: bool) -> str:
    fit, width, height = _fit(preset), box.get("width"), box.get("height")
    if fit not in _BOXED or not (_is_side(width) and _is_side(height)):
        return WHOLE
    if box.get("withoutEnlargement") is True and fit != "contain":
        # Directus before 11.16 leaves this limit to sharp.
        width, height = min(width, file.width or width), min(height, file.height or height)
    ratio = Fraction(str(width)) / Fraction(str(height))
    if file.width and file.height and ratio == Fraction(file.width, file.height) and not is_turned:
        return WHOLE
    return f"{ratio.numerator}:{ratio.denominator} {fit}"


def _has_margins(preset: Preset, box: Mapping[str, Any], file: File, *, is_turned: bool) -> bool:
    """Whether the box may be larger than the picture that `withoutEnlargement` puts into it."""
    if box.get("withoutEnlargement") is not True or _fit(preset) not in _BOXED or not file.width or not file.height:
        return False
    width, height = box.get("width"), box.get("height")
    across, down = (min(file.width, file.height),) * 2 if is_turned else (file.width, file.height)
    is_larger = (_is_side(width) and width > across) or (_is_side(height) and height > down)
    return is_larger and (is_turned or _fit(preset) == "contain")


def _is_side(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and value > 0


def _ratio(output: Output) -> str:
    return f"{output['width'] / output['height']:.2f}"


def _digest(operations: Sequence[Any]) -> str:
    text = json.dumps(list(operations), sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
