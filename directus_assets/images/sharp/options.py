"""The options of one pipeline, with the initial values from sharp's `lib/constructor`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from directus_assets.images.sharp.arguments import Colour

_BLACK: Colour = (0, 0, 0, 255)


class Region(NamedTuple):
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


class Kernel(NamedTuple):
    """A convolution: `width` x `height` factors by rows."""

    width: int
    height: int
    factors: tuple[float, ...]
    scale: float
    offset: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """The operations for one picture; the pipeline determines their order.

    The names are sharp's. `None` means *not requested*; `jpeg`, `png`, `webp`, `tiff` and `heif` hold the arguments of
    libvips' save operations.
    """

    auto_orient: bool = False
    orient_before: bool = False
    angle: int = 0
    rotation_angle: float = 0
    rotation_background: Colour = _BLACK
    rotate_before: bool = False
    flip: bool = False
    flop: bool = False

    pre_extract: Region | None = None
    post_extract: Region | None = None
    width: int | None = None
    height: int | None = None
    canvas: str = "crop"
    position: int = 0
    resize_background: Colour = _BLACK
    kernel: str = "lanczos3"
    without_enlargement: bool = False
    without_reduction: bool = False
    fast_shrink_on_load: bool = True

    extend_top: int = 0
    extend_bottom: int = 0
    extend_left: int = 0
    extend_right: int = 0
    extend_background: Colour = _BLACK
    extend_with: str = "background"

    trim_threshold: float | None = None
    trim_background: Colour | None = None
    trim_line_art: bool = False
    trim_margin: int = 0

    flatten: bool = False
    flatten_background: Colour = _BLACK
    gamma: float | None = None
    gamma_out: float | None = None
    greyscale: bool = False
    median_size: int = 0
    threshold: int = 0
    threshold_greyscale: bool = True
    blur_sigma: float = 0
    blur_precision: str = "integer"
    blur_min_amplitude: float = 0.2
    convolve: Kernel | None = None
    recomb: tuple[float, ...] = ()
    brightness: float = 1
    saturation: float = 1
    hue: int = 0
    lightness: float = 0
    sharpen_sigma: float = 0
    sharpen_m1: float = 1
    sharpen_m2: float = 2
    sharpen_x1: float = 2
    sharpen_y2: float = 10
    sharpen_y3: float = 20
    linear_a: tuple[float, ...] = ()
    linear_b: tuple[float, ...] = ()
    normalise: bool = False
    normalise_lower: float = 1
    normalise_upper: float = 99
    clahe_width: int = 0
    clahe_height: int = 0
    clahe_max_slope: int = 3
    bandbool: str | None = None
    tint: Colour | None = None
    remove_alpha: bool = False
    ensure_alpha: float | None = None
    colourspace: str = "srgb"
    extract_channel: int | None = None
    negate: bool = False
    negate_alpha: bool = True

    format: str | None = None
    jpeg: Mapping[str, Any] = field(default_factory=lambda: {"Q": 80, "optimize_coding": True, "subsample_mode": "on"})
    png: Mapping[str, Any] = field(
        default_factory=lambda: {
            "compression": 6,
            "filter": "none",
            "palette": False,
            "Q": 100,
            "effort": 7,
            "bitdepth": 8,
            "dither": 1,
        }
    )
    webp: Mapping[str, Any] = field(default_factory=lambda: {"Q": 80, "alpha_q": 100, "effort": 4})
    tiff: Mapping[str, Any] = field(
        default_factory=lambda: {
            "Q": 80,
            "compression": "jpeg",
            "predictor": "horizontal",
            # Without tiles, the tile height is the height of strips.
            "tile_width": 256,
            "tile_height": 256,
            "xres": 1,
            "yres": 1,
            "resunit": "inch",
        }
    )
    heif: Mapping[str, Any] = field(
        default_factory=lambda: {
            "Q": 50,
            "compression": "av1",
            "effort": 4,
            "bitdepth": 8,
            "subsample_mode": "off",
            "tune": "auto",
        }
    )

    @property
    def is_rotated(self) -> bool:
        """Whether a rotation is requested, apart from the file's own orientation."""
        return self.angle % 360 != 0 or self.rotation_angle != 0

    @property
    def is_resized(self) -> bool:
        """Whether a target size is requested."""
        return self.width is not None or self.height is not None
