"""Inspects a picture before decoding: its real format and size, and whether to open it at all.

libvips reads the header and later decodes the pixels, so nothing else opens what passes here.
"""

from dataclasses import dataclass, replace
from typing import Final

from directus_assets.directus.models import File
from directus_assets.errors import BadInput
from directus_assets.images.sharp import NotReproducible
from directus_assets.images.sharp.load import MIME_TYPES, libvips, memory_of, open_picture

MAX_PIXELS: Final = 268_000_000
"""The largest picture that is rendered here by default: 16,384 x 16,384, about 800 MB once decoded."""

MAX_BYTES: Final = 1_000_000_000
"""The largest original that is read by default: the largest picture takes less in 8 bits, uncompressed."""

BYTES_PER_PIXEL: Final = 4
"""The bytes of a pixel in a typical picture: three channels and transparency, 8 bits each."""

DIRECTUS_MAX_SIDE: Final = 6000
"""The default of Directus' ASSETS_TRANSFORM_IMAGE_MAX_DIMENSION, in pixels per side."""

_LEFT_TO_DIRECTUS: Final = ((b"GIF8", "a GIF"), (b"<svg", "an SVG"), (b"<?xml", "an SVG"))
"""Signatures of formats that sharp reads whatever the file's declared type, and for which there is no decoder here."""

_REPAIR: Final = "Open it in an image editor, save it again, and replace the file in Directus."


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """The data in a picture's header. Sizes are in pixels, as stored: before any orientation is applied."""

    mime_type: str
    width: int
    height: int
    frames: int
    orientation: int
    """The EXIF orientation, 1 to 8; 1 if the picture has none."""
    interpretation: str
    """libvips' name for the meaning of the channels, such as `srgb`, `b-w`, `cmyk`, `rgb16`."""
    decoded_bytes: int
    """The most memory that decoding takes: one frame with all channels in full depth; twice that if it is only complete
    at the end (interlaced, progressive) or composed with the previous one (animated).
    """

    @property
    def is_refused_by_directus(self) -> bool:
        """Whether Directus, with its default settings, would refuse to transform a picture of this size."""
        return max(self.width, self.height) > DIRECTUS_MAX_SIDE

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height after the orientation is applied, as Directus reads them on upload."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    def sized(self, file: File) -> File:
        """The row as it would be if Directus had read the picture's size."""
        width, height = self.upright
        return replace(file, width=width, height=height)


def inspect(content: bytes, file: File, *, max_pixels: int = MAX_PIXELS) -> Facts:
    """Determine what `content` is from its header alone, whichever of the types that Directus transforms the row
    declares.

    Args:
        content: the whole file.
        file: the row that describes it in Directus.
        max_pixels: the largest picture, in pixels, that may be decoded.

    Raises:
        BadInput: empty, truncated, not a picture, or too large. Names the file and the remedy.
        NotReproducible: a format that Directus renders, but that is not opened here.
    """
    subject = f"{file.name} ({file.id})"
    if not content:
        raise BadInput(f"{subject} is empty (0 bytes).", remedy="Upload the file again.")
    if file.filesize is not None and len(content) < file.filesize:
        raise BadInput(
            f"{subject} is incomplete: the storage has {len(content)} of {file.filesize} bytes (`filesize`).",
            remedy="Replace the file in Directus with a complete copy.",
        )
    facts = _read_header(content, subject)
    if facts.width * facts.height > max_pixels:
        raise BadInput(
            f"{subject} has {facts.width} x {facts.height} pixels, more than the limit of {max_pixels}.",
            remedy="Upload a smaller version, or raise the limit if the machine has the memory.",
        )
    if facts.decoded_bytes > max_pixels * BYTES_PER_PIXEL:
        raise BadInput(
            f"{subject} has {facts.width} x {facts.height} pixels that need {facts.decoded_bytes} bytes to decode, as "
            f"many as {facts.decoded_bytes // BYTES_PER_PIXEL} ordinary pixels; the limit is {max_pixels}.",
            remedy=(
                "Upload a version with 8 bits per channel that is neither interlaced nor progressive, upload a "
                "smaller one, or raise the limit if the machine has the memory."
            ),
        )
    return facts


def _read_header(content: bytes, subject: str) -> Facts:
    try:
        opened = open_picture(content)
    except libvips().Error:
        for start, kind in _LEFT_TO_DIRECTUS:
            if content.lstrip()[: len(start)] == start:
                raise NotReproducible(
                    f"{subject} is actually {kind}, despite its `type`. Directus renders such pictures."
                ) from None
        raise BadInput(
            f"{subject} is not a JPEG, PNG, WebP, TIFF or AVIF picture, or its header is damaged.", remedy=_REPAIR
        ) from None
    orientation = opened.image.get("orientation") if opened.image.get_typeof("orientation") else 1
    frames = opened.image.get_n_pages()
    is_late = bool(opened.image.get_typeof("interlaced")) or (frames > 1 and opened.format == "webp")
    return Facts(
        mime_type=MIME_TYPES[opened.format],
        width=opened.image.width,
        height=opened.image.height,
        frames=frames,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        interpretation=opened.image.interpretation,
        decoded_bytes=memory_of(opened.image) * (2 if is_late else 1),
    )
