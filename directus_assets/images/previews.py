"""Small stand-ins for a picture: previews for Dagster's pages, and placeholders for a site while a picture loads."""

import base64
from dataclasses import dataclass
from typing import Final

import blurhash
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from directus_assets.errors import BadInput
from directus_assets.images.sharp.load import Image, libvips
from directus_assets.images.thumbhash import LARGEST_SIDE, thumbhash

_PREVIEW_SIDE: Final = 160
_PLACEHOLDER_SIDE: Final = 24
_COMPARED_SIDE: Final = 96
_UNSEEN: Final = 3.0
"""The largest mean difference between encoders, in levels of 255."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placeholder:
    """A placeholder to show while a picture loads.

    Attributes:
        blurhash: 4 x 3 components (https://blurha.sh).
        colour: the dominant colour, as `#rrggbb`.
    """

    blurhash: str
    colour: str


def preview(content: bytes, pixels: Image | None = None) -> str:
    """Encode a preview of at most 160 pixels per side and a few kilobytes as a `data:` URI.

    Args:
        content: a derivative, in sRGB and without a profile; processing one would take longer than all the rest.
        pixels: the same picture if it is in memory, which saves decoding it.

    Raises:
        BadInput: `content` is not a picture that can be decoded.
        ConfigurationError: libvips is not installed.
    """
    try:
        small = thumbnail(content, _PREVIEW_SIDE, profile=None) if pixels is None else _shrunk(pixels, _PREVIEW_SIDE)
        encoded = small.webpsave_buffer(Q=60, keep="none", effort=2)
    except libvips().Error as error:
        raise BadInput(f"Could not make a preview: {error}") from None
    return f"data:image/webp;base64,{base64.b64encode(encoded).decode()}"


def placeholder(content: bytes) -> Placeholder:
    """BlurHash and dominant colour of a picture; transparent parts count as white.

    Raises:
        BadInput: `content` is not a picture that can be decoded.
        ConfigurationError: libvips is not installed.
    """
    pixels = thumbnail_pixels(content, _PLACEHOLDER_SIDE)
    return Placeholder(
        blurhash=blurhash.encode(pixels, components_x=4, components_y=3),
        colour=_dominant(Pillow.fromarray(pixels)),
    )


def thumbhash_of(content: bytes) -> str:
    """The ThumbHash of a picture, in base64, with transparency.

    Raises:
        BadInput: `content` is not a picture that can be decoded.
        ConfigurationError: libvips is not installed.
    """
    try:
        small = thumbnail(content, LARGEST_SIDE)
        whole = small if small.hasalpha() else small.bandjoin(255)
        pixels = np.frombuffer(whole.write_to_memory(), np.uint8).reshape(whole.height, whole.width, 4)
    except libvips().Error as error:
        raise BadInput(f"Could not open the picture: {error}") from None
    return base64.b64encode(thumbhash(pixels)).decode()


def are_alike(one: bytes, other: bytes) -> bool:
    """Whether two differently encoded pictures look the same.

    Raises:
        BadInput: one of them is not a picture that can be decoded.
        ConfigurationError: libvips is not installed.
    """
    first, second = (thumbnail_pixels(each, _COMPARED_SIDE).astype(np.float64) for each in (one, other))
    return first.shape == second.shape and bool(np.abs(first - second).mean() < _UNSEEN)


def thumbnail_pixels(content: bytes, side: int) -> NDArray[np.uint8]:
    """The RGB pixels of a picture reduced to at most `side` pixels per side, by rows; transparent parts are white.

    Raises:
        BadInput: `content` is not a picture that can be decoded.
        ConfigurationError: libvips is not installed.
    """
    try:
        small = thumbnail(content, side)
        flat = small.flatten(background=255) if small.hasalpha() else small
        return np.frombuffer(flat.write_to_memory(), np.uint8).reshape(flat.height, flat.width, 3)
    except libvips().Error as error:
        raise BadInput(f"Could not open the picture: {error}") from None


def thumbnail(content: bytes, side: int, *, profile: str | None = "srgb") -> Image:
    """An upright `pyvips.Image` of 8 bits in sRGB, decoded no larger than needed."""
    options = {"output_profile": profile} if profile else {}
    # Damage must raise an error: by default the missing rows would be grey. (libvips 8.18 ignores its own option
    # `fail_on` here, and expects it as one of the loader.)
    options["option_string"] = "[fail_on=error]"
    return _as_srgb(libvips().Image.thumbnail_buffer(content, side, height=side, size="down", **options))


def _shrunk(pixels: Image, side: int) -> Image:
    # Whatever the metadata say: they are not encoded.
    return _as_srgb(pixels.thumbnail_image(side, height=side, size="down", no_rotate=True))


def _as_srgb(image: Image) -> Image:
    return image.colourspace("srgb").cast("uchar")


def _dominant(picture: Pillow.Image) -> str:
    """Of the eight colours that describe the picture best, the one that most pixels are closest to."""
    reduced = picture.quantize(colors=8, method=Pillow.Quantize.MEDIANCUT)
    _, red, green, blue = max((count, *_rgb(colour)) for count, colour in reduced.convert("RGB").getcolors() or [])
    return f"#{red:02x}{green:02x}{blue:02x}"


def _rgb(colour: object) -> tuple[int, int, int]:
    assert isinstance(colour, tuple)  # noqa: S101 - Pillow's type also covers pictures with one band
    return colour[0], colour[1], colour[2]
