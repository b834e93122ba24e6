"""Alpha and background colours, as in sharp's `common.cc`."""

from directus_assets.images.sharp.arguments import Colour
from directus_assets.images.sharp.load import Image, libvips


def is_16_bit(image: Image) -> bool:
    """Whether pixel values range up to 65535."""
    return image.interpretation in {"rgb16", "grey16"}


def split_alpha(image: Image) -> tuple[Image, Image | None]:
    """The picture without alpha, and its alpha channel if it has one."""
    if not image.hasalpha():
        return image, None
    return without_alpha(image), image[image.bands - 1]


def without_alpha(image: Image) -> Image:
    """`image` without its alpha bands."""
    while image.bands > 1 and image.hasalpha():
        image = image.extract_band(0, n=image.bands - 1)
    return image


def with_alpha(image: Image, opacity: float) -> Image:
    """`image` with an alpha band of `opacity` (0 to 1), unless it has one."""
    if image.hasalpha():
        return image
    highest = 65535 if is_16_bit(image) else 1.0 if image.interpretation == "scrgb" else 255
    return image.bandjoin(opacity * highest)


def on_background(image: Image, colour: Colour, *, premultiply: bool) -> tuple[Image, list[float]]:
    """`image`, with alpha added if the colour is transparent, and the colour as a pixel in its format
    (`ApplyAlpha`).
    """
    scale = 256.0 if is_16_bit(image) else 1.0
    red, green, blue, alpha = colour
    if image.bands > 2:
        pixel = [scale * red, scale * green, scale * blue]
    else:
        pixel = [scale * (0.2126 * red + 0.7152 * green + 0.0722 * blue)]
    if alpha < 255 or image.hasalpha():
        pixel += [alpha * scale] * (image.bands - 3 if image.bands > 4 else 1)
    pixel = _in_colourspace(pixel, image.interpretation, premultiply=premultiply)
    if alpha < 255 and not image.hasalpha():
        image = image.bandjoin(255 * scale)
    return image, pixel


def _in_colourspace(pixel: list[float], interpretation: str, *, premultiply: bool) -> list[float]:
    if len(pixel) < 3:
        return pixel
    image = libvips().Image.new_from_array([[0]]).new_from_image(pixel)
    image = image.colourspace(interpretation, source_space="srgb")
    if premultiply:
        image = image.premultiply()
    values: list[float] = image.getpoint(0, 0)
    return values
