"""Applies all requested operations to a picture, in the fixed order of sharp's `pipeline.cc`."""

import dataclasses
from dataclasses import dataclass

from directus_assets.errors import BadInput
from directus_assets.images.sharp import effects
from directus_assets.images.sharp.canvas import after_canvas, refuse_beyond, to_canvas
from directus_assets.images.sharp.colours import is_16_bit, on_background, with_alpha, without_alpha
from directus_assets.images.sharp.geometry import Shrink, jpeg_shrink_on_load, resolve_shrink
from directus_assets.images.sharp.load import Image, Opened, libvips, stay_sequential
from directus_assets.images.sharp.options import Options
from directus_assets.images.sharp.trim import trim

_ORIENTATIONS = {
    2: (0, True), 3: (180, False), 4: (180, True), 5: (90, True), 6: (90, False), 7: (270, True), 8: (270, False),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Turns:
    """Pending rotations by quarter turns, and mirrors."""

    orientation: int
    """Degrees, from the picture's own tag."""
    is_mirrored: bool
    """From the picture's own tag."""
    angle: int
    flip: bool
    flop: bool


def run(opened: Opened, options: Options, *, max_pixels: int) -> Image:
    """The picture ready for encoding; nothing is decoded until its pixels are read.

    Args:
        opened: the source.
        options: the operations.
        max_pixels: the largest allowed result of a resize or an extension.

    Raises:
        BadInput: the operations do not fit this picture, or enlarge it beyond `max_pixels`.
        pyvips.Error: libvips refuses, or the picture is corrupt.
    """
    image, turns, is_untouched = _before_resize(opened.image, options)
    image, shrink = _shrunk_on_load(opened, image, options, turns, is_untouched=is_untouched)
    refuse_beyond(max_pixels, image.width / shrink.horizontal, image.height / shrink.vertical)
    image = _oriented_by_pixels_alone(image, options)
    image = _to_device_independent(image)
    image = _before_alpha(image, options)
    image, premultiplied_from = _resized(image, options, shrink)
    is_premultiplied = premultiplied_from is not None
    image = _turned(image, turns)
    image = to_canvas(image, options, is_premultiplied=is_premultiplied, max_pixels=max_pixels)
    image = after_canvas(image, options, is_premultiplied=is_premultiplied, max_pixels=max_pixels)
    image = _filtered(image, options)
    if premultiplied_from is not None:
        image = image.unpremultiply().cast(premultiplied_from)
    image = _graded(image, options)
    return _in_output_colours(image, options)


def _before_resize(image: Image, options: Options) -> tuple[Image, Turns, bool]:
    """Apply the first steps: rotations that later operations depend on, trim and extract; also return whether none were
    needed.
    """
    degrees, is_mirrored = (0, False)
    if options.auto_orient and image.get_typeof("orientation"):
        degrees, is_mirrored = _ORIENTATIONS.get(image.get("orientation"), (0, False))
    turns = Turns(
        orientation=degrees, is_mirrored=is_mirrored, angle=options.angle % 360, flip=options.flip, flop=options.flop
    )
    rotates = options.rotate_before and bool(turns.angle or turns.flip or turns.flop or options.rotation_angle)
    orients = (rotates or options.orient_before) and (degrees != 0 or is_mirrored)
    if orients:
        image = stay_sequential(image, condition=degrees != 0)
        image = _mirrored(_rotated(image, degrees), is_mirrored)
        turns = dataclasses.replace(turns, orientation=0, is_mirrored=False)
    if rotates:
        image = stay_sequential(image, condition=bool(turns.angle or turns.flip or options.rotation_angle))
        image = _mirrored(image.flipver() if turns.flip else image, turns.flop)
        image = _rotated(image, turns.angle)
        if options.rotation_angle:
            image, background = on_background(image, options.rotation_background, premultiply=False)
            image = image.rotate(options.rotation_angle, background=background).copy_memory()
        turns = dataclasses.replace(turns, angle=0, flip=False, flop=False)
    if options.trim_threshold is not None:
        image = trim(stay_sequential(image), options)
    if options.pre_extract:
        image = image.crop(*options.pre_extract)
    return image, turns, not (orients or rotates or options.trim_threshold is not None or options.pre_extract)


def _shrunk_on_load(
    opened: Opened, image: Image, options: Options, turns: Turns, *, is_untouched: bool
) -> tuple[Image, Shrink]:
    """The picture, decoded at a reduced size if the decoder supports that, and the remaining shrink."""
    target = (options.width, options.height)
    if turns.orientation in {90, 270}:
        target = (options.height, options.width)

    def left(image: Image) -> Shrink:
        return resolve_shrink(
            (image.width, image.height),
            target,
            canvas=options.canvas,
            without_enlargement=options.without_enlargement,
            without_reduction=options.without_reduction,
        )

    if options.is_resized and is_untouched and options.gamma is None:
        shrink = min(left(image))
        factor = jpeg_shrink_on_load(shrink, is_fast=options.fast_shrink_on_load)
        if opened.format == "jpeg" and factor > 1:
            image = opened.reopened(shrink=factor)
        elif opened.format == "webp" and options.fast_shrink_on_load and shrink > 1:
            image = opened.reopened(scale=1.0 / shrink)
    return image, left(image)


def _oriented_by_pixels_alone(image: Image, options: Options) -> Image:
    image = image.copy()
    names = ["gainmap", "gainmap-data"] + ["orientation", "exif-ifd0-Orientation"] * options.auto_orient
    for name in names:
        if image.get_typeof(name):
            image.remove(name)
    return image


def _to_device_independent(image: Image) -> Image:
    """Convert the picture to sRGB (to P3 if it has 16 bits), with its embedded profile or libvips' own for CMYK."""
    profile = "p3" if image.interpretation == "rgb16" else "srgb"
    if image.get_typeof("icc-profile-data") and image.interpretation not in {"labs", "grey16"}:
        try:
            depth = 16 if is_16_bit(image) else 8
            return image.icc_transform(profile, embedded=True, depth=depth, intent="perceptual")
        except libvips().Error:
            return image  # like sharp with an unusable profile
    if image.interpretation == "cmyk":
        return image.icc_transform(profile, input_profile="cmyk", intent="perceptual")
    return image


def _before_alpha(image: Image, options: Options) -> Image:
    if options.flatten and image.hasalpha():
        image = effects.flatten(image, options.flatten_background)
    if options.gamma is not None:
        image = effects.gamma(image, 1.0 / options.gamma)
    if options.greyscale:
        image = image.colourspace("b-w")
    return image


def _resized(image: Image, options: Options, shrink: Shrink) -> tuple[Image, str | None]:
    """The resized picture and, if alpha was premultiplied, the band format from before."""
    resizes = shrink != (1.0, 1.0)
    mixes_pixels = resizes or options.blur_sigma != 0 or options.convolve or options.sharpen_sigma != 0
    band_format: str | None = None
    if image.hasalpha() and mixes_pixels:
        band_format = image.format
        image = image.premultiply().cast(band_format)
    if resizes:
        image = image.resize(1.0 / shrink.horizontal, vscale=1.0 / shrink.vertical, kernel=options.kernel)
    return image, band_format


def _turned(image: Image, turns: Turns) -> Image:
    image = stay_sequential(image, condition=bool(turns.orientation or turns.flip or turns.angle))
    image = _rotated(image, turns.orientation)
    image = image.flipver() if turns.flip else image
    image = _mirrored(image, turns.flop != turns.is_mirrored)
    return _rotated(image, turns.angle)


def _filtered(image: Image, options: Options) -> Image:
    """Apply the operations on premultiplied alpha."""
    if options.median_size:
        image = image.rank(options.median_size, options.median_size, options.median_size**2 // 2)
    if options.threshold:
        image = effects.threshold(image, options)
    if options.blur_sigma:
        image = effects.blur(image, options)
    if options.convolve:
        image = effects.convolve(image, options.convolve)
    if options.recomb:
        image = effects.recomb(image, options.recomb)
    if (options.brightness, options.saturation, options.hue, options.lightness) != (1, 1, 0, 0):
        image = effects.modulate(image, options)
    if options.sharpen_sigma:
        image = effects.sharpen(image, options)
    return image


def _graded(image: Image, options: Options) -> Image:
    """Apply the operations on straight alpha."""
    if options.gamma_out is not None:
        image = effects.gamma(image, options.gamma_out)
    if options.linear_a:
        image = effects.linear(image, options.linear_a, options.linear_b)
    if options.normalise:
        image = effects.normalise(stay_sequential(image), int(options.normalise_lower), int(options.normalise_upper))
    if options.clahe_width and options.clahe_height:
        image = stay_sequential(image).hist_local(
            options.clahe_width, options.clahe_height, max_slope=options.clahe_max_slope
        )
    if options.bandbool:
        image = image.bandbool(options.bandbool).copy(interpretation="b-w")
    if options.tint:
        image = effects.tint(image, options.tint)
    if options.remove_alpha:
        image = without_alpha(image)
    if options.ensure_alpha is not None:
        image = with_alpha(image, options.ensure_alpha)
    return image


def _in_output_colours(image: Image, options: Options) -> Image:
    if is_16_bit(image):
        image = image.cast("ushort")
    known = vars(libvips().Interpretation).values()
    wanted = options.colourspace if options.colourspace in known else "srgb"
    if image.interpretation != wanted:
        image = image.colourspace(wanted, source_space=image.interpretation)
    if options.extract_channel is not None:
        image = _channel(image, options.extract_channel)
    if options.negate:
        image = effects.negate(image, alpha_too=options.negate_alpha)
    return image


def _channel(image: Image, index: int) -> Image:
    if index == 3 and index >= image.bands and image.hasalpha():
        index = image.bands - 1
    if index >= image.bands:
        raise BadInput(f"`extractChannel`: there is no channel {index} in a picture with channels 0-{image.bands - 1}.")
    return image.extract_band(index).copy(interpretation="grey16" if is_16_bit(image) else "b-w")


def _rotated(image: Image, degrees: int) -> Image:
    return image.rot(f"d{degrees}") if degrees else image


def _mirrored(image: Image, is_mirrored: bool) -> Image:
    return image.fliphor() if is_mirrored else image
