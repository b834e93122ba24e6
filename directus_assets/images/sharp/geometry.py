"""Sizes and positions, as in sharp's `common.cc`: pure arithmetic."""

from typing import NamedTuple


class Shrink(NamedTuple):
    """The shrink factor of each axis; a factor below 1 enlarges."""

    horizontal: float
    vertical: float


def resolve_shrink(
    size: tuple[int, int],
    target: tuple[int | None, int | None],
    *,
    canvas: str,
    without_enlargement: bool,
    without_reduction: bool,
) -> Shrink:
    """The shrink that takes `size` (width, height) to `target`; a side that is `None` follows from the other one."""
    (width, height), (target_width, target_height) = size, target
    horizontal = width / target_width if target_width else 1.0
    vertical = height / target_height if target_height else 1.0
    if target_width and target_height:
        if canvas in {"crop", "min"}:
            horizontal = vertical = min(horizontal, vertical)
        elif canvas in {"embed", "max"}:
            horizontal = vertical = max(horizontal, vertical)
    elif canvas != "ignore_aspect":
        horizontal = vertical = horizontal if target_width else vertical
    if without_reduction:
        horizontal, vertical = min(1.0, horizontal), min(1.0, vertical)
    elif without_enlargement:
        horizontal, vertical = max(1.0, horizontal), max(1.0, vertical)
    # No axis is shrunk to zero.
    return Shrink(min(horizontal, width), min(vertical, height))


def jpeg_shrink_on_load(shrink: float, *, is_fast: bool) -> int:
    """The factor (1, 2, 4 or 8) by which a JPEG is shrunk during decoding."""
    margin = 1 if is_fast else 2
    factor = next((factor for factor in (8, 4, 2) if shrink >= factor * margin), 1)
    # libjpeg rounds up if the factor is the whole shrink.
    return factor // 2 if factor > 1 and int(shrink) == factor else factor


def crop_position(size: tuple[int, int], region: tuple[int, int], gravity: int) -> tuple[int, int]:
    """Left and top of a region with that size within `size` (`CalculateCrop`)."""
    spare = (size[0] - region[0], size[1] - region[1])
    return _placed(spare, ((spare[0] + 1) // 2, (spare[1] + 1) // 2), gravity)


def embed_position(size: tuple[int, int], canvas: tuple[int, int], gravity: int) -> tuple[int, int]:
    """Left and top of a picture with `size` on a canvas of that size (`CalculateEmbedPosition`)."""
    spare = (canvas[0] - size[0], canvas[1] - size[1])
    # C++ integer division rounds towards zero; one side of the canvas may be the smaller one.
    return _placed(spare, (int(spare[0] / 2), int(spare[1] / 2)), gravity)


def _placed(spare: tuple[int, int], centre: tuple[int, int], gravity: int) -> tuple[int, int]:
    left, top = centre
    if gravity in {2, 5, 6}:
        left = spare[0]
    elif gravity in {4, 7, 8}:
        left = 0
    if gravity in {3, 6, 7}:
        top = spare[1]
    elif gravity in {1, 5, 8}:
        top = 0
    return left, top
