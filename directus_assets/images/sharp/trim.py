"""Trims borders of a uniform colour, as in sharp's `operations.cc`."""

from typing import NamedTuple

from directus_assets.errors import BadInput
from directus_assets.images.sharp.colours import is_16_bit
from directus_assets.images.sharp.load import Image
from directus_assets.images.sharp.options import Options


class _Box(NamedTuple):
    left: int
    top: int
    width: int
    height: int

    @property
    def is_empty(self) -> bool:
        return self.width <= 0 or self.height <= 0


def trim(image: Image, options: Options) -> Image:
    """Remove the borders of `image` that match the background, or its top left pixel.

    Raises:
        BadInput: the picture is smaller than 3 x 3 pixels.
    """
    if image.width < 3 and image.height < 3:
        raise BadInput("`trim`: the picture is smaller than 3 x 3 pixels.")
    threshold = options.trim_threshold or 0
    background = list(options.trim_background or image.getpoint(0, 0))
    if options.trim_background and is_16_bit(image):
        background = [256.0 * band for band in background]
        threshold *= 256.0
    of_alpha = background[-1]
    colours = background[:-1] if image.hasalpha() else (background + [0.0] * image.bands)[: image.bands]
    box = _find(image, colours, threshold, options)
    if image.hasalpha():
        alpha_box = _find(image[image.bands - 1], [of_alpha], threshold, options)
        if not alpha_box.is_empty:
            box = alpha_box if box.is_empty else _around(box, alpha_box)
    return image if box.is_empty else image.crop(*_with_margin(box, options.trim_margin, image))


def _find(image: Image, background: list[float], threshold: float, options: Options) -> _Box:
    return _Box(*image.find_trim(background=background, threshold=threshold, line_art=options.trim_line_art))


def _around(one: _Box, other: _Box) -> _Box:
    left, top = min(one.left, other.left), min(one.top, other.top)
    right = max(one.left + one.width, other.left + other.width)
    bottom = max(one.top + one.height, other.top + other.height)
    return _Box(left, top, right - left, bottom - top)


def _with_margin(box: _Box, margin: int, image: Image) -> _Box:
    if margin <= 0:
        return box
    left, top = max(0, box.left - margin), max(0, box.top - margin)
    width = min(image.width - left, box.width + 2 * margin)
    height = min(image.height - top, box.height + 2 * margin)
    return _Box(left, top, width, height)
