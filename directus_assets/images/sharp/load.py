"""Sets up libvips, and opens pictures with it the way sharp does."""

import threading
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from directus_assets.errors import BadInput, ConfigurationError

Image: TypeAlias = Any
"""A `pyvips.Image`; the package has no types, and is imported only when pictures are rendered."""

_FORMATS: Final = MappingProxyType(
    {
        "jpegload_buffer": "jpeg",
        "uhdrload_buffer": "jpeg",
        "pngload_buffer": "png",
        "webpload_buffer": "webp",
        "tiffload_buffer": "tiff",
        "heifload_buffer": "heif",
    }
)
MIME_TYPES: Final = MappingProxyType(
    {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "tiff": "image/tiff", "heif": "image/avif"}
)
"""By libvips' format name; of the HEIF family, only AVIF can be read and written."""

_LOADERS: Final = ("Jpeg", "Uhdr", "Png", "Webp", "Tiff", "Heif")

# Directus' settings: its `sequentialRead` and the default of its ASSETS_INVALID_IMAGE_SENSITIVITY_LEVEL.
_HOW: Final = MappingProxyType({"access": "sequential", "fail_on": "warning"})


_SETTING_UP = threading.Lock()


def libvips() -> Any:
    """The module pyvips, set up once per process.

    Raises:
        ConfigurationError: libvips cannot be loaded.
    """
    # Setup blocks every loader for a moment: a second thread repeating it would make the first one's picture look
    # invalid.
    with _SETTING_UP:
        return _set_up()


@cache
def _set_up() -> Any:
    try:
        import pyvips
    except (ImportError, OSError) as error:
        raise ConfigurationError(
            f"libvips cannot be loaded, so nothing can be rendered here: {error}",
            remedy="Install pyvips-binary for this platform, or let Directus render (delivery `warm`).",
        ) from error
    # One thread per picture, as in sharp: AVIF bytes depend on the number of threads.
    pyvips.concurrency_set(1)
    # No operation repeats across pictures; a cache would only keep their pixels in memory.
    pyvips.cache_set_max(0)
    # A hostile upload must not reach loaders for formats that Directus never transforms (SVG, PDF, ImageMagick).
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in _LOADERS:
        pyvips.operation_block_set(f"VipsForeignLoad{loader}", False)
    return pyvips


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A picture whose header has been read; its pixels are decoded on demand, from top to bottom."""

    content: bytes
    image: Image
    format: str
    """`jpeg`, `png`, `webp`, `tiff` or `heif` (which includes AVIF)."""

    def reopened(self, **scaling: float) -> Image:
        """The same picture, scaled during decoding: `shrink` for JPEG, `scale` for WebP."""
        images = libvips().Image
        load = images.jpegload_buffer if self.format == "jpeg" else images.webpload_buffer
        return load(self.content, **_HOW, **scaling)


def open_picture(content: bytes) -> Opened:
    """Open the first frame of the picture in `content`, or the primary image of a HEIF container.

    Raises:
        BadInput: Directus does not transform its format.
        pyvips.Error: its header is corrupt.
    """
    images = libvips().Image
    image = images.new_from_buffer(content, "", **_HOW)
    found = _FORMATS.get(image.get("vips-loader"))
    if found is None:
        raise BadInput(f"Directus does not transform pictures like this one ({image.get('vips-loader')}).")
    primary = int(image.get("heif-primary")) if image.get_typeof("heif-primary") else 0
    if found == "heif" and primary and image.get_n_pages() > 1:
        image = images.new_from_buffer(content, "", page=primary, **_HOW)
    return Opened(content=content, image=image, format=found)


def memory_of(image: Image) -> int:
    """The memory in bytes for all its pixels."""
    sample_bytes = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4}.get(
        image.format, 8
    )
    return int(image.width * image.height * image.bands * sample_bytes)


def stay_sequential(image: Image, *, condition: bool = True) -> Image:
    """`image` copied to memory if later steps need its rows in an order other than the decoder's."""
    if not (condition and image.get_typeof("vips-sequential")):
        return image
    image = image.copy_memory().copy()
    image.remove("vips-sequential")
    return image
