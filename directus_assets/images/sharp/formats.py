"""sharp's output methods (its `lib/output`): what `toFormat`, `jpeg`, `png`, ... mean for libvips' save operations."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from directus_assets.directus.models import MISSING
from directus_assets.images.sharp import NotReproducible
from directus_assets.images.sharp.arguments import (
    Check,
    boolean,
    checked,
    expected,
    integer,
    is_defined,
    number,
    one_of,
    word,
)
from directus_assets.images.sharp.options import Options

_SUBSAMPLING = word({"4:2:0": "on", "4:4:4": "off"})

_JPEG: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "quality": ("Q", integer(1, 100)),
        "progressive": ("interlace", boolean),
        "chromaSubsampling": ("subsample_mode", _SUBSAMPLING),
        "optimiseCoding": ("optimize_coding", boolean),
        "optimizeCoding": ("optimize_coding", boolean),
        "trellisQuantisation": ("trellis_quant", boolean),
        "trellisQuantization": ("trellis_quant", boolean),
        "overshootDeringing": ("overshoot_deringing", boolean),
        "optimiseScans": ("optimize_scans", boolean),
        "optimizeScans": ("optimize_scans", boolean),
        "quantisationTable": ("quant_table", integer(0, 8)),
        "quantizationTable": ("quant_table", integer(0, 8)),
    }
)
_MOZJPEG: Final = {
    "trellis_quant": True,
    "overshoot_deringing": True,
    "optimize_scans": True,
    "interlace": True,
    "quant_table": 3,
}
_PNG: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "progressive": ("interlace", boolean),
        "compressionLevel": ("compression", integer(0, 9)),
        "adaptiveFiltering": ("filter", lambda name, value: "all" if boolean(name, value) else "none"),
        "palette": ("palette", boolean),
    }
)
_PNG_PALETTE: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {"quality": ("Q", integer(0, 100)), "effort": ("effort", integer(1, 10)), "dither": ("dither", number(0, 1))}
)
_WEBP: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "quality": ("Q", integer(1, 100)),
        "alphaQuality": ("alpha_q", integer(0, 100)),
        "lossless": ("lossless", boolean),
        "nearLossless": ("near_lossless", boolean),
        "smartSubsample": ("smart_subsample", boolean),
        "smartDeblock": ("smart_deblock", boolean),
        "preset": ("preset", one_of("default", "photo", "picture", "drawing", "icon", "text")),
        "effort": ("effort", integer(0, 6)),
        "minSize": ("min_size", boolean),
        "mixed": ("mixed", boolean),
        "exact": ("exact", boolean),
    }
)
_TIFF: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "quality": ("Q", integer(1, 100)),
        "bitdepth": ("bitdepth", integer(1, 4)),
        "tile": ("tile", boolean),
        "tileWidth": ("tile_width", integer(1, 32768)),
        "tileHeight": ("tile_height", integer(1, 32768)),
        "miniswhite": ("miniswhite", boolean),
        "pyramid": ("pyramid", boolean),
        "xres": ("xres", number(0.001, 1_000_000)),
        "yres": ("yres", number(0.001, 1_000_000)),
        "compression": (
            "compression",
            one_of("none", "jpeg", "deflate", "packbits", "ccittfax4", "lzw", "webp", "zstd"),
        ),
        "bigtiff": ("bigtiff", boolean),
        "predictor": ("predictor", one_of("none", "horizontal", "float")),
        "resolutionUnit": ("resunit", one_of("inch", "cm")),
    }
)
_AVIF: Final[Mapping[str, tuple[str, Check]]] = MappingProxyType(
    {
        "quality": ("Q", integer(1, 100)),
        "lossless": ("lossless", boolean),
        "effort": ("effort", integer(0, 9)),
        "chromaSubsampling": ("subsample_mode", _SUBSAMPLING),
        "bitdepth": ("bitdepth", integer(8, 12)),
        "tune": ("tune", one_of("auto", "iq", "psnr", "ssim")),
    }
)


def to_format(options: Options, name: object = MISSING, settings: object = MISSING, *_: object) -> dict[str, Any]:
    """`toFormat(name, settings)`."""
    methods = {
        "jpeg": jpeg,
        "jpg": jpeg,
        "jpe": jpeg,
        "png": png,
        "webp": webp,
        "tiff": tiff,
        "tif": tiff,
        "avif": avif,
    }
    others = {"heic", "heif", "dz", "tile", "raw", "gif"}
    wanted = name.lower() if isinstance(name, str) else ""
    if wanted in others:
        raise NotReproducible(f"The output format {name!r} is left to Directus.")
    # JPEG 2000 and JPEG XL are among them: sharp knows their names, but its bundled libvips cannot write them.
    if wanted not in methods:
        raise expected(f"one of {', '.join(methods)}", "format", name)
    return methods[wanted](options, settings)


def jpeg(options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    """`jpeg(settings)`."""
    own = checked(settings, _JPEG)
    mozjpeg = _MOZJPEG if _flag(settings, "mozjpeg") else {}
    if mozjpeg or own.get("optimize_scans"):
        own["interlace"] = True
    return _chosen("jpeg", settings, {**options.jpeg, **mozjpeg, **own})


def png(options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    """`png(settings)`: any of quality, effort, colours and dither selects a palette."""
    given: Mapping[str, object] = settings if isinstance(settings, Mapping) else {}
    save = {**options.png, **checked(given, _PNG)}
    colours = given.get("colours") or given.get("colors")
    if is_defined(colours):
        save["bitdepth"] = _bits_for(integer(2, 256)("colours", colours))
    palette_options = ("quality", "effort", "colours", "colors", "dither")
    if not is_defined(given.get("palette")) and any(is_defined(given.get(name)) for name in palette_options):
        save["palette"] = True
    if save["palette"]:
        save |= checked(given, _PNG_PALETTE)
    return _chosen("png", settings, save)


def webp(options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    """`webp(settings)`."""
    return _chosen("webp", settings, {**options.webp, **checked(settings, _WEBP)})


def tiff(options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    """`tiff(settings)`."""
    return _chosen("tiff", settings, {**options.tiff, **checked(settings, _TIFF)})


def avif(options: Options, settings: object = MISSING, *_: object) -> dict[str, Any]:
    """`avif(settings)`."""
    save = {**options.heif, **checked(settings, _AVIF)}
    if save.get("lossless") and save["tune"] == "iq":
        save["tune"] = "ssim"
    return _chosen("heif", settings, save)


def _chosen(name: str, settings: object, save: dict[str, Any]) -> dict[str, Any]:
    # `force: false` sets the options without choosing the format.
    is_forced = not (isinstance(settings, Mapping) and settings.get("force") is False)
    return {name: save, "format": name} if is_forced else {name: save}


def _flag(settings: object, name: str) -> bool:
    value = settings.get(name) if isinstance(settings, Mapping) else None
    return boolean(name, value) if is_defined(value) else False


def _bits_for(colours: int) -> int:
    """The bit depth of a palette with this many colours: 1, 2, 4 or 8 (sharp's `bitdepthFromColourCount`)."""
    needed = math.ceil(math.log2(colours))
    return 1 << (needed - 1).bit_length()
