"""Encodes pictures with sharp's settings; none of the source's metadata is kept."""

from types import MappingProxyType
from typing import Final

from directus_assets.errors import BadInput
from directus_assets.images.sharp.colours import is_16_bit
from directus_assets.images.sharp.load import Image
from directus_assets.images.sharp.options import Options

_MAX_SIDE: Final = MappingProxyType({"jpeg": 65_535, "webp": 16_383, "heif": 16_384})


def encode(image: Image, form: str, options: Options) -> bytes:
    """Encode `image` to the bytes of a file.

    Args:
        image: the result of the pipeline.
        form: `jpeg`, `png`, `webp`, `tiff` or `heif`.
        options: contain the settings of that format.

    Raises:
        BadInput: the picture is too large for the format.
        pyvips.Error: the source turns out to be corrupt during decoding.
    """
    limit = _MAX_SIDE.get(form)
    if limit is not None and max(image.width, image.height) > limit:
        raise BadInput(f"{image.width} x {image.height} pixels are too large for the format {form} ({limit} a side).")
    image = image.copy()
    for name in ("page-height", "delay", "loop"):
        if image.get_typeof(name):
            image.remove(name)
    if form == "jpeg":
        return _bytes(image.jpegsave_buffer(keep="none", **options.jpeg))
    if form == "png":
        bitdepth = {"bitdepth": 16} if is_16_bit(image) else {}
        return _bytes(image.pngsave_buffer(keep="none", **{**options.png, **bitdepth}))
    if form == "webp":
        return _bytes(image.webpsave_buffer(keep="none", **options.webp))
    if form == "tiff":
        if options.tiff["predictor"] == "float":
            image = image.cast("float")
        return _bytes(image.tiffsave_buffer(keep="none", **options.tiff))
    return _bytes(image.heifsave_buffer(keep="none", **options.heif))


def _bytes(buffer: bytes) -> bytes:
    return bytes(buffer)
