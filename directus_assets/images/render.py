"""Renders a derivative as Directus would: with the same operations and library, to the same bytes."""

import threading
from dataclasses import dataclass, field, replace
from typing import Final

from directus_assets.errors import BadInput, PermanentError, TransientError
from directus_assets.images.inspection import MAX_PIXELS
from directus_assets.images.sharp import NotReproducible
from directus_assets.images.sharp.load import (
    MIME_TYPES,
    Image,
    Opened,
    libvips,
    memory_of,
    open_picture,
    stay_sequential,
)
from directus_assets.images.sharp.operations import read_options
from directus_assets.images.sharp.pipeline import run
from directus_assets.images.sharp.save import encode
from directus_assets.images.transforms import Derivative

__all__ = ["NotReproducible", "Rendered", "Source", "render"]

_MAX_DECODED_BYTES: Final = 256 * 1024 * 1024
"""The largest decoded picture that a `Source` caches for several derivatives."""

_MAX_PIXEL_BYTES: Final = 64 * 1024 * 1024
"""The largest derivative that is kept in memory as a whole during encoding."""

_SYSTEM_ERROR: Final = "system error: "
"""Precedes the operating system's reason in libvips' details. Pictures are in memory, and files only the temporary ones
into which libvips decodes WebP pictures of over 100 MB.
"""

_SCALED_WHILE_DECODED: Final = frozenset({"jpeg", "webp"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """The bytes of one derivative. Sizes in pixels."""

    content: bytes
    width: int
    height: int
    mime_type: str
    pixels: Image | None = field(default=None, repr=False, compare=False)
    """The encoded picture, unless it is very large."""


class Source:
    """A picture from which derivatives are made, one after the other or in several threads.

    A format that cannot be scaled during decoding (PNG, TIFF, AVIF) is decoded once for all derivatives, unless it is
    very large.

    Args:
        content: the file; see `inspection` for the checks to make first.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._decoded: Opened | None = None
        self._turn = threading.Lock()

    def open(self) -> Opened:
        """The picture, for one derivative.

        Raises:
            BadInput: Directus does not transform its format.
            pyvips.Error: it is damaged.
        """
        with self._turn:
            if self._decoded:
                return self._decoded
            opened = open_picture(self.content)
            if opened.format in _SCALED_WHILE_DECODED or memory_of(opened.image) > _MAX_DECODED_BYTES:
                return opened
            self._decoded = replace(opened, image=stay_sequential(opened.image))
            return self._decoded


def render(source: Source, derivative: Derivative, *, max_pixels: int = MAX_PIXELS) -> Rendered:
    """Render the derivative's bytes, equal to those that Directus would store.

    Args:
        source: the original.
        derivative: the derivative to make.
        max_pixels: the largest intermediate picture.

    Raises:
        BadInput: the picture is damaged, or the preset's operations cannot be applied to it. Directus refuses both.
        TransientError: libvips cannot write a temporary file.
        NotReproducible: Directus can make this derivative, but equal bytes cannot be made here.
        ConfigurationError: libvips is not installed.
    """
    subject = f"Preset '{derivative.preset_key}', file {derivative.file_name} ({derivative.file_id})"
    try:
        options = read_options(derivative.transforms)
        opened = source.open()
        form = options.format or opened.format
        image = run(opened, options, max_pixels=max_pixels)
        pixels = image.copy_memory() if memory_of(image) <= _MAX_PIXEL_BYTES else None
        content = encode(image if pixels is None else pixels, form, options)
    except PermanentError as error:
        raise type(error)(f"{subject}: {error.message}", remedy=error.remedy) from None
    except libvips().Error as error:
        raise _explained(error, subject, source.content) from None
    return Rendered(content=content, width=image.width, height=image.height, mime_type=MIME_TYPES[form], pixels=pixels)


def _explained(error: Exception, subject: str, content: bytes) -> BadInput | TransientError:
    """Explain libvips' error: whether the picture, the request or the disk is at fault, and what libvips reports."""
    cause = _cause(error)
    if _SYSTEM_ERROR in str(error):
        return TransientError(
            f"{subject}: libvips needs a temporary file ({cause}).",
            remedy="Make room in the folder for temporary files (TMPDIR), and make it writable.",
        )
    damage = _damage(content)
    if damage is not None:
        return BadInput(
            f"{subject}: the picture is damaged or incomplete ({damage}).",
            remedy="Open it in an image editor, save it again, and replace the file in Directus.",
        )
    return BadInput(
        f"{subject}: the preset's operations failed on this picture ({cause}).",
        remedy="Check that the preset's sizes and transforms suit this picture's size and channels.",
    )


def _damage(content: bytes) -> str | None:
    """What is wrong with the picture itself; None if all of it can be decoded."""
    try:
        open_picture(content).image.avg()
    except libvips().Error as error:
        return _cause(error)
    except BadInput as error:
        return error.message
    return None


def _cause(error: Exception) -> str:
    """The first line of libvips' details, which is the cause of the others; empty if there is none."""
    detail: str = getattr(error, "detail", "")
    return next((line.strip() for line in detail.splitlines() if line.strip()), "no details")
