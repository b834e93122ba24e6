"""Pictures for the local Directus: photographs shipped with packages, and generated ones of 12 megapixels."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import httpx
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from directus_assets.errors import from_status

# Shipped inside the packages (their other pictures would be downloaded).
_PHOTOGRAPHS = {
    "sklearn": ("datasets/images", ("china.jpg", "flower.jpg")),
    "skimage": (
        "data",
        (
            "coffee.png",
            "chelsea.png",
            "astronaut.png",
            "rocket.jpg",
            "hubble_deep_field.jpg",
            "motorcycle_left.png",
            "logo.png",
            "camera.png",
        ),
    ),
}
_FOCAL_POINTS = {"chelsea.png": (215, 110), "astronaut.png": (225, 120)}
_CAMERA_SIZE = (4000, 3000)
_EXIF_ORIENTATION = 0x0112
_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture to upload. The focal point is x and y in pixels."""

    filename: str
    content: bytes
    focal_point: tuple[int, int] | None = None

    @property
    def title(self) -> str:
        """The name as an editor would write it."""
        return Path(self.filename).stem.replace("_", " ").replace("-", " ").capitalize()

    @property
    def type(self) -> str:
        """MIME type."""
        return _TYPES[Path(self.filename).suffix]


def names(landscapes: int) -> list[str]:
    """The file names of `pictures(landscapes)`, without making them."""
    return [*_shipped(), "flower-upright.jpg", "badge.png", *map(_landscape_name, range(landscapes))]


def pictures(landscapes: int, *, without: frozenset[str] = frozenset()) -> Iterator[Picture]:
    """All photographs, a few special pictures, and generated landscapes of 12 megapixels.

    Args:
        landscapes: the number of generated pictures. The n-th is always the same.
        without: file names to skip.
    """
    for name in names(landscapes):
        if name not in without:
            yield Picture(filename=name, content=_content(name), focal_point=_FOCAL_POINTS.get(name))


def upload(
    client: httpx.Client,
    content: bytes | Path,
    *,
    filename: str | None = None,
    type: str | None = None,  # noqa: A002 (Directus' name for it)
    title: str | None = None,
    focal_point: tuple[int, int] | None = None,
) -> str:
    """Upload one file and return its id.

    Args:
        client: with the address, and a token that may create files.
        content: the bytes, or the path of a file.
        filename: by default that of the path.
        type: MIME type; by default derived from the file name.
        title: by default derived from the file name by Directus.
        focal_point: x and y in pixels.

    Raises:
        DirectusAssetsError: Directus refused.
    """
    name = filename or (content.name if isinstance(content, Path) else "upload")
    data = content.read_bytes() if isinstance(content, Path) else content
    fields: dict[str, str] = {"title": title} if title else {}
    if focal_point:
        fields |= {"focal_point_x": str(focal_point[0]), "focal_point_y": str(focal_point[1])}
    mime = type or _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
    answer = client.post("/files", data=fields, files={"file": (name, data, mime)})
    if answer.is_error:
        raise from_status(answer.status_code, f"Uploading {name} to Directus failed: {answer.text[:300]}")
    return str(answer.json()["data"]["id"])


def landscape(number: int, size: tuple[int, int] = _CAMERA_SIZE) -> bytes:
    """A generated landscape with sky, ridges and grain, as a JPEG of some megabytes; deterministic for each number.

    Args:
        number: from 0.
        size: width and height in pixels.
    """
    random = np.random.default_rng(number)
    sketch = _sketch(random, 500, 375).resize(size, Image.Resampling.BICUBIC)
    # Repeating the grain is good enough, and drawing 36 million random numbers takes seconds.
    grain = random.normal(0, 9, (509, 503, 1)).astype(np.int16)
    repeats = (-(-size[1] // 509), -(-size[0] // 503), 1)
    noisy = np.asarray(sketch, np.int16) + np.tile(grain, repeats)[: size[1], : size[0]]
    return _encoded(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)), "JPEG", quality=88)


def _sketch(random: np.random.Generator, width: int, height: int) -> Image.Image:
    """Sky with a sun, and four ridges, each darker than the one behind it."""
    top, bottom = random.integers(40, 160, 3), random.integers(150, 255, 3)
    slope = np.linspace(0, 1, height)[:, None, None]
    sky = np.broadcast_to(top * (1 - slope) + bottom * slope, (height, width, 3))
    image = Image.fromarray(sky.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    x, y, radius = (int(random.integers(*span)) for span in ((50, width - 50), (40, height // 2), (12, 35)))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 244, 214))
    image = image.filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(image)
    for ridge in range(4):
        steps = random.normal(0, 1 + ridge, width).cumsum()
        line = height * (0.45 + 0.14 * ridge) + steps - steps.mean()
        colour = tuple(int(channel) for channel in bottom * (0.75 - 0.17 * ridge))
        draw.polygon([(0, height), *enumerate(line), (width, height)], fill=colour)
    return image


def _content(name: str) -> bytes:
    if name == "flower-upright.jpg":
        return _turned(_shipped()["flower.jpg"].read_bytes())
    if name == "badge.png":
        return _badge()
    shipped = _shipped().get(name)
    return shipped.read_bytes() if shipped else landscape(int(name.removeprefix("landscape-").removesuffix(".jpg")) - 1)


def _landscape_name(number: int) -> str:
    return f"landscape-{number + 1:02}.jpg"


def _shipped() -> dict[str, Path]:
    """The available photographs by file name; some versions of the packages lack some."""
    found: dict[str, Path] = {}
    for package, (folder, files) in _PHOTOGRAPHS.items():
        spec = util.find_spec(package)
        if spec and spec.origin:
            paths = (Path(spec.origin).parent / folder / name for name in files)
            found |= {path.name: path for path in paths if path.is_file()}
    return found


def _turned(photograph: bytes) -> bytes:
    """As an upright camera stores it: rotated, with an orientation tag."""
    image = Image.open(io.BytesIO(photograph)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = 6
    return _encoded(image, "JPEG", quality=90, exif=exif)


def _badge() -> bytes:
    """A round badge with a soft edge on a transparent background."""
    image = Image.new("RGBA", (900, 900), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((60, 60, 840, 840), fill=(99, 68, 255, 255))
    draw.regular_polygon((450, 450, 260), 5, rotation=36, fill=(255, 255, 255, 200))
    return _encoded(image.filter(ImageFilter.GaussianBlur(6)), "PNG")


def _encoded(image: Image.Image, encoder: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, encoder, **options)
    return buffer.getvalue()
