"""A look at a picture before anything is decoded: what it really is, how large, and whether to touch it at all."""

import io
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from PIL import Image, UnidentifiedImageError

from directus_assets.directus.models import TRANSFORMED_TYPES, File
from directus_assets.errors import BadInput

MAX_PIXELS: Final = 268_000_000
"""The largest picture that is rendered here unless set otherwise: 16,384 x 16,384, about 800 MB once decoded."""

DIRECTUS_MAX_SIDE: Final = 6000
"""The default of Directus' ASSETS_TRANSFORM_IMAGE_MAX_DIMENSION, in pixels a side."""

_TYPES: Final = MappingProxyType(
    {
        "JPEG": "image/jpeg",
        "MPO": "image/jpeg",  # several JPEGs in one file; Pillow opens it as JPEG and finds out
        "PNG": "image/png",
        "WEBP": "image/webp",
        "TIFF": "image/tiff",
        "AVIF": "image/avif",
    }
)
_ORIENTATION_TAG: Final = 0x0112

# Pillow's own limit cannot be set for one call. Ours is checked before anything is decoded, and nothing else in this
# package decodes with Pillow.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the header of a picture says. Sizes in pixels, as stored: before any orientation is applied."""

    mime_type: str
    width: int
    height: int
    frames: int
    orientation: int
    """The EXIF orientation, 1 to 8; 1 where the picture has none."""
    mode: str
    """Pillow's name for the channels and their depth, such as `RGB`, `RGBA`, `CMYK`, `I;16`."""

    @property
    def is_refused_by_directus(self) -> bool:
        """Whether Directus, as it is set by default, would not transform a picture of this size itself."""
        return max(self.width, self.height) > DIRECTUS_MAX_SIDE


def inspect(content: bytes, file: File, *, max_pixels: int = MAX_PIXELS) -> Facts:
    """What `content` is, from its header alone.

    Args:
        content: the whole file.
        file: the row that describes it in Directus.
        max_pixels: the largest picture, in pixels, that is worth decoding.

    Raises:
        BadInput: nothing there, cut off, no picture, another format than the row says, or too large. Names the file
            and the way out.
    """
    subject = f"{file.name} ({file.id})"
    if not content:
        raise BadInput(f"{subject} is empty (0 bytes).", remedy="Upload the file again.")
    if file.filesize is not None and len(content) < file.filesize:
        raise BadInput(
            f"{subject} is cut off: {len(content)} bytes of {file.filesize} (`filesize`) are in the storage.",
            remedy="Replace the file in Directus with a complete copy.",
        )
    facts = _read_header(content, subject)
    if file.type in TRANSFORMED_TYPES and facts.mime_type != file.type:
        raise BadInput(
            f"{subject} is {facts.mime_type}, but its `type` in Directus is {file.type}.",
            remedy="Replace the file in Directus, so that its type is detected anew.",
        )
    if facts.width * facts.height > max_pixels:
        raise BadInput(
            f"{subject} has {facts.width} x {facts.height} pixels, more than the limit of {max_pixels}.",
            remedy="Upload a smaller version, or raise the limit if the machine has the memory.",
        )
    return facts


def _read_header(content: bytes, subject: str) -> Facts:
    try:
        with Image.open(io.BytesIO(content), formats=[name for name in _TYPES if name != "MPO"]) as picture:
            return Facts(
                mime_type=_TYPES[picture.format or ""],
                width=picture.width,
                height=picture.height,
                frames=getattr(picture, "n_frames", 1),
                orientation=_orientation(picture),
                mode=picture.mode,
            )
    except UnidentifiedImageError:
        raise BadInput(
            f"{subject} is no JPEG, PNG, WebP, TIFF or AVIF picture, or its beginning is damaged.",
            remedy="Open it in an image editor, save it again, and replace the file in Directus.",
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadInput(
            f"{subject} has a damaged header: {error}",
            remedy="Open it in an image editor, save it again, and replace the file in Directus.",
        ) from None


def _orientation(picture: Image.Image) -> int:
    value = picture.getexif().get(_ORIENTATION_TAG, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
