"""Awkward pictures and presets for which our derivatives have to equal those of Directus.

Everything is generated, except two photographs from scikit-image and scikit-learn. Nothing is larger than needed.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvips
from PIL import Image, ImageCms, JpegImagePlugin  # noqa: F401 - registers what MPO needs
from PIL.TiffImagePlugin import ImageFileDirectory_v2

_ORIENTATION = 0x0112

PRESETS: list[dict[str, Any]] = [
    {"key": "thumbnail", "fit": "cover", "width": 64, "height": 64},
    {"key": "card", "fit": "cover", "width": 120, "height": 80, "format": "webp", "quality": 70},
    {"key": "no-fit", "width": 90, "height": 110, "format": "jpeg", "quality": 80},
    {"key": "null-fit", "fit": None, "width": 70, "height": 70, "quality": None, "format": "png"},
    {"key": "contain", "fit": "contain", "width": 100, "height": 100, "format": "png"},
    {"key": "contain-jpeg", "fit": "contain", "width": 61, "height": 97, "format": "jpg", "quality": 55},
    {"key": "inside", "fit": "inside", "width": 90, "height": 90, "quality": 60},
    {"key": "outside", "fit": "outside", "width": 71, "height": 53, "format": "webp"},
    {"key": "wide", "width": 150, "withoutEnlargement": True, "format": "jpeg"},
    {"key": "tall", "height": 75, "withoutEnlargement": False},
    {"key": "enlarged", "fit": "cover", "width": 700, "height": 20, "quality": 90},
    {"key": "bounded", "fit": "cover", "width": 900, "height": 40, "withoutEnlargement": True, "format": "webp"},
    {"key": "only-quality", "quality": 40},
    {"key": "only-format", "format": "png"},
    {"key": "tiff", "fit": "inside", "width": 80, "height": 80, "format": "tiff"},
    {"key": "avif", "fit": "cover", "width": 50, "height": 40, "format": "avif", "quality": 45},
    {"key": "auto", "fit": "cover", "width": 48, "height": 64, "format": "auto"},
    {"key": "auto-inside", "fit": "inside", "width": 60, "height": 60, "format": "auto", "quality": 75},
    {"key": "turned", "width": 80, "transforms": [["rotate", 90], ["flip"], ["modulate", {"brightness": 1.1}]]},
    {"key": "leaning", "width": 90, "transforms": [["rotate", 17, {"background": "#336699"}]], "format": "png"},
    {"key": "soft", "width": 100, "height": 60, "transforms": [["blur", 2], ["sharpen", {"sigma": 1}]]},
    {"key": "grey", "width": 64, "transforms": [["greyscale"], ["normalise"], ["linear", 1.1, -5]], "format": "webp"},
    {"key": "framed", "height": 50, "transforms": [["extend", {"top": 4, "left": 9, "background": "tomato"}]]},
    {"key": "tinted", "width": 55, "transforms": [["flatten", {"background": "#fff"}], ["tint", "#2040ff"]]},
    {"key": "cut", "width": 40, "transforms": [["extract", {"left": 0, "top": 0, "width": 1, "height": 1}], ["blur"]]},
    {"key": "attention", "transforms": [["resize", {"width": 40, "height": 40, "position": "attention"}]]},
    {"key": "webp-in-disguise", "transforms": [["webp", {"quality": 50, "smartSubsample": True}]], "width": 66},
    {"key": "mozjpeg", "transforms": [["jpeg", {"mozjpeg": True}]], "width": 77},
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One file to upload."""

    name: str
    content: bytes
    focal_point: tuple[int, int] | None = None

    @property
    def type(self) -> str:
        """The MIME type of the upload."""
        extension = self.name.rpartition(".")[2]
        return {"jpg": "image/jpeg", "tif": "image/tiff"}.get(extension, f"image/{extension}")


def pictures() -> list[Picture]:
    """The corpus, in a fixed order."""
    focal_points = {"photo.jpg": (10, 400), "photo.png": (600, 30), "rgba.png": (0, 0), "oriented-6.jpg": (300, 10)}
    made = [*_jpegs(), *_oriented(), *_pngs(), *_webps(), *_tiffs(), *_avifs(), *_extremes()]
    return [Picture(name=name, content=content, focal_point=focal_points.get(name)) for name, content in made]


def damaged() -> list[Picture]:
    """Files that have to be refused."""
    noise = _saved(_noise(), "JPEG")
    png = _saved(_noise(), "PNG")
    made = [
        ("truncated.jpg", noise[: len(noise) // 2]),
        ("truncated.png", png[: len(png) // 2]),
        ("truncated.webp", _saved(_noise(), "WEBP")[:-900]),
        ("header-only.jpg", noise[:200]),
        ("garbage.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8),
        ("text.png", b"this is no picture"),
        ("trailing.jpg", noise + b"appended" * 100),
        ("too-wide.png", _saved(Image.new("1", (6001, 2), 1), "PNG")),
    ]
    return [Picture(name=name, content=content) for name, content in made]


def mistyped() -> list[Picture]:
    """Pictures declared as another type, for each of the five types."""
    gradient, alpha, small = _gradient(), _with_alpha(), _gradient(161, 120)
    made = [
        ("png-as-jpeg.jpg", _saved(alpha, "PNG")),
        ("sixteen-bit-png-as-jpeg.jpg", _sixteen_bits(gradient).pngsave_buffer()),
        ("webp-as-jpeg.jpg", _saved(_photo(), "WEBP", quality=80)),
        ("jpeg-as-png.png", _saved(_photo(), "JPEG", quality=88)),
        ("jpeg-as-webp.webp", _saved(gradient, "JPEG")),
        ("tiff-as-png.png", _saved(gradient, "TIFF", compression="tiff_lzw")),
        ("avif-as-jpeg.jpg", _saved(small, "AVIF", quality=60)),
        ("png-as-avif.avif", _saved(alpha, "PNG")),
        ("webp-as-tiff.tif", _saved(gradient, "WEBP", lossless=True)),
    ]
    return [Picture(name=name, content=content, focal_point=(20, 30)) for name, content in made]


def _saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _gradient(width: int = 343, height: int = 231) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    bands = [x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), (x + y) * 7 % 256]
    return Image.fromarray(np.stack(bands, -1).astype("uint8"))


def _noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (97, 131, 3), dtype="uint8"))


def _disc(width: int = 343, height: int = 231) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot(x - width / 2, y - height / 2)
    return Image.fromarray(np.clip(distance * 2, 0, 255).astype("uint8"))


def _with_alpha() -> Image.Image:
    picture = _gradient()
    picture.putalpha(_disc())
    return picture


def _photo() -> Image.Image:
    from skimage import data

    return Image.fromarray(data.astronaut()).resize((700, 525))


def _other_photo() -> Image.Image:
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image("flower.jpg"))


def _vips(picture: Image.Image) -> Any:
    return pyvips.Image.new_from_array(np.asarray(picture)).copy(interpretation="srgb")


def _sixteen_bits(picture: Image.Image) -> Any:
    return (_vips(picture).cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")


def _srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _in_profile(profile: str) -> Any:
    return _vips(_gradient()).icc_transform(profile, input_profile="srgb")


def _jpegs() -> Iterator[tuple[str, bytes]]:
    gradient = _gradient()
    yield "photo.jpg", _saved(_photo(), "JPEG", quality=88)
    yield "gradient.jpg", _saved(gradient, "JPEG", quality=95, subsampling=0)
    yield "noise.jpg", _saved(_noise(), "JPEG", quality=70)
    yield "progressive.jpg", _saved(_other_photo(), "JPEG", quality=85, progressive=True)
    yield "large.jpg", _saved(gradient.resize((2050, 1531)), "JPEG", quality=80)
    yield "grey.jpg", _saved(gradient.convert("L"), "JPEG")
    yield "cmyk.jpg", _saved(gradient.convert("CMYK"), "JPEG")
    yield "cmyk-profile.jpg", _in_profile("cmyk").jpegsave_buffer()
    yield "display-p3.jpg", _in_profile("p3").jpegsave_buffer()
    yield "srgb.jpg", _saved(gradient, "JPEG", icc_profile=_srgb())
    yield "broken-profile.jpg", _saved(gradient, "JPEG", icc_profile=b"no profile at all" * 20)
    yield "rgb-coded.jpg", _saved(gradient, "JPEG", keep_rgb=True)
    yield "gain-map.jpg", _vips(gradient).colourspace("scrgb").uhdrsave_buffer()


def _oriented() -> Iterator[tuple[str, bytes]]:
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        yield f"oriented-{orientation}.jpg", _saved(_gradient(), "JPEG", exif=exif)
    exif = Image.Exif()
    exif[_ORIENTATION] = 8
    yield "oriented.png", _saved(_with_alpha(), "PNG", exif=exif)
    yield "oriented.webp", _saved(_gradient(), "WEBP", exif=exif)
    directory = ImageFileDirectory_v2()
    directory[_ORIENTATION] = 6
    yield "oriented.tif", _saved(_gradient(), "TIFF", tiffinfo=directory)


def _pngs() -> Iterator[tuple[str, bytes]]:
    gradient = _gradient()
    yield "photo.png", _saved(_photo(), "PNG")
    yield "rgba.png", _saved(_with_alpha(), "PNG")
    yield "grey-alpha.png", _saved(_with_alpha().convert("LA"), "PNG")
    yield "palette.png", _saved(gradient.quantize(16), "PNG")
    yield "palette-transparent.png", _saved(gradient.quantize(64), "PNG", transparency=bytes(range(0, 256, 4)))
    yield "colour-key.png", _saved(gradient, "PNG", transparency=gradient.getpixel((5, 5)))
    yield "grey-key.png", _saved(gradient.convert("L"), "PNG", transparency=100)
    yield "two-colours.png", _saved(gradient.convert("1"), "PNG")
    yield "sixteen-bit.png", _sixteen_bits(gradient).pngsave_buffer()
    yield "sixteen-bit-alpha.png", _sixteen_bits(gradient).bandjoin(40_000).pngsave_buffer()
    yield (
        "sixteen-bit-grey.png",
        _saved(Image.fromarray(np.outer(np.arange(90), np.arange(120)).astype("uint16")), "PNG"),
    )
    yield "interlaced.png", _vips(gradient).pngsave_buffer(interlace=True)
    yield "display-p3.png", _in_profile("p3").pngsave_buffer()
    yield "animated.png", _saved(gradient, "PNG", save_all=True, append_images=[_noise().resize(gradient.size)])


def _webps() -> Iterator[tuple[str, bytes]]:
    gradient = _gradient()
    yield "lossy.webp", _saved(_photo(), "WEBP", quality=80)
    yield "lossless.webp", _saved(gradient, "WEBP", lossless=True)
    yield "alpha.webp", _saved(_with_alpha(), "WEBP", quality=75)
    yield "animated.webp", _saved(gradient, "WEBP", save_all=True, append_images=[_noise().resize(gradient.size)])
    yield "profile.webp", _saved(gradient, "WEBP", icc_profile=_srgb())


def _tiffs() -> Iterator[tuple[str, bytes]]:
    gradient = _gradient()
    yield "lzw.tif", _saved(gradient, "TIFF", compression="tiff_lzw")
    yield "jpeg-coded.tif", _vips(gradient).tiffsave_buffer(compression="jpeg", Q=90)
    yield "cmyk.tif", _saved(gradient.convert("CMYK"), "TIFF")
    yield "sixteen-bit.tif", _sixteen_bits(gradient).tiffsave_buffer(compression="deflate")
    yield "alpha.tif", _saved(_with_alpha(), "TIFF", compression="packbits")
    yield "lab.tif", _vips(gradient).colourspace("lab").tiffsave_buffer()
    yield "float.tif", _saved(Image.fromarray(np.linspace(0, 1, 9000, dtype="float32").reshape(90, 100)), "TIFF")
    yield "fax.tif", _saved(gradient.convert("1"), "TIFF", compression="group4")
    yield "pages.tif", _saved(gradient, "TIFF", save_all=True, append_images=[_noise()])
    yield "pyramid.tif", _vips(gradient).tiffsave_buffer(tile=True, pyramid=True, tile_width=64, tile_height=64)


def _avifs() -> Iterator[tuple[str, bytes]]:
    small = _gradient(161, 120)
    yield "plain.avif", _saved(small, "AVIF", quality=60)
    yield "alpha.avif", _saved(_with_alpha().resize((161, 120)), "AVIF", quality=60)
    yield "ten-bit.avif", _sixteen_bits(small).heifsave_buffer(compression="av1", bitdepth=10, effort=2)
    yield "grey.avif", _saved(small.convert("L"), "AVIF")


def _extremes() -> Iterator[tuple[str, bytes]]:
    make: Callable[[tuple[int, int]], Image.Image] = lambda size: _gradient(*size)  # noqa: E731
    for width, height in [(1, 1), (2, 3), (1, 500), (901, 3), (3, 901)]:
        yield f"{width}x{height}.png", _saved(make((width, height)), "PNG")
        yield f"{width}x{height}.jpg", _saved(make((width, height)), "JPEG")
    yield "transparent.png", _saved(Image.new("RGBA", (50, 40), (255, 0, 0, 0)), "PNG")
