"""Crops, extensions and free rotations: changes of size after the resize."""

from directus_assets.errors import BadInput
from directus_assets.images.sharp.colours import on_background
from directus_assets.images.sharp.geometry import crop_position, embed_position
from directus_assets.images.sharp.load import Image, stay_sequential
from directus_assets.images.sharp.options import Options


def to_canvas(image: Image, options: Options, *, is_premultiplied: bool, max_pixels: int) -> Image:
    """Crop or extend the picture to the target size."""
    size = (image.width, image.height)
    target = (options.width or size[0], options.height or size[1])
    if size == target:
        return image
    if options.canvas == "embed":
        width, height = max(size[0], target[0]), max(size[1], target[1])
        refuse_beyond(max_pixels, width, height)
        image, background = on_background(image, options.resize_background, premultiply=is_premultiplied)
        left, top = embed_position(size, target, options.position)
        return image.embed(left, top, width, height, extend="background", background=background)
    if options.canvas != "crop":
        return image
    width, height = min(size[0], target[0]), min(size[1], target[1])
    if options.position < 9:
        left, top = crop_position(size, (width, height), options.position)
        return image.crop(left, top, width, height)
    strategy = "entropy" if options.position == 16 else "attention"
    return stay_sequential(image).smartcrop(width, height, interesting=strategy, premultiplied=is_premultiplied)


def after_canvas(image: Image, options: Options, *, is_premultiplied: bool, max_pixels: int) -> Image:
    """Rotate the picture by any angle, crop it once more, and extend it, in this order."""
    if options.rotation_angle and not options.rotate_before:
        image, background = on_background(
            stay_sequential(image), options.rotation_background, premultiply=is_premultiplied
        )
        image = image.rotate(options.rotation_angle, background=background)
    if options.post_extract:
        image = image.crop(*options.post_extract)
    if options.extend_top or options.extend_bottom or options.extend_left or options.extend_right:
        image = _extended(image, options, is_premultiplied=is_premultiplied, max_pixels=max_pixels)
    return image


def _extended(image: Image, options: Options, *, is_premultiplied: bool, max_pixels: int) -> Image:
    width = image.width + options.extend_left + options.extend_right
    height = image.height + options.extend_top + options.extend_bottom
    refuse_beyond(max_pixels, width, height)
    if options.extend_with == "background":
        image, background = on_background(image, options.extend_background, premultiply=is_premultiplied)
        return image.embed(
            options.extend_left, options.extend_top, width, height, extend="background", background=background
        )
    image = stay_sequential(image)
    return image.embed(options.extend_left, options.extend_top, width, height, extend=options.extend_with)


def refuse_beyond(max_pixels: int, width: float, height: float) -> None:
    """Raise `BadInput` if the picture would exceed this number of pixels."""
    if width * height > max_pixels:
        raise BadInput(
            f"The preset makes this picture {width:.0f} x {height:.0f} pixels, more than the limit of {max_pixels}.",
            remedy="Ask for a smaller size in the preset, or set `withoutEnlargement`.",
        )
