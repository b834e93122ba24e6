"""What can be told of a picture by measuring: no model, the same answer everywhere; the engine `local` uses it."""

import colorsys
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from directus_assets.errors import BadInput
from directus_assets.images.previews import placeholder, thumbnail_pixels

_SIDE: Final = 96
_HUES: Final = (
    (15, "red"),
    (45, "orange"),
    (70, "yellow"),
    (165, "green"),
    (200, "turquoise"),
    (255, "blue"),
    (290, "violet"),
    (345, "pink"),
    (361, "red"),
)
"""Where hues end, in degrees."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A picture in figures.

    Attributes:
        colour: what most of it is like, in a word or two.
        focus: where most of its detail is, from 0 to 1 to the right and down.
        skin: the share of it that has colours of skin, from 0 to 1.
    """

    colour: str
    focus: tuple[float, float]
    skin: float


def measure(content: bytes) -> Measured:
    """A picture in figures.

    Raises:
        BadInput: `content` is no picture that can be decoded.
        ConfigurationError: there is no libvips on this machine.
    """
    pixels = thumbnail_pixels(content, _SIDE)
    return Measured(colour=colour_name(placeholder(content).colour), focus=_focus(pixels), skin=_skin(pixels))


def colour_name(colour: str) -> str:
    """What people call a colour such as `#2f6f9f`."""
    try:
        red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    except ValueError:
        raise BadInput(f"{colour!r} is not a colour.", remedy="Write it as #rrggbb.") from None
    hue, light, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    if light < 0.12:
        return "black"
    if light > 0.92:
        return "white"
    if saturation < 0.15:
        return "dark grey" if light < 0.35 else "light grey" if light > 0.7 else "grey"
    name = next(name for end, name in _HUES if hue * 360 < end)
    if name == "orange" and light < 0.45:
        name = "brown"
    return f"dark {name}" if light < 0.3 else f"light {name}" if light > 0.75 else name


def _focus(pixels: NDArray[np.uint8]) -> tuple[float, float]:
    """The middle of where brightness changes most; what changes everywhere a little, such as grain, hardly counts."""
    light = pixels.astype(np.float64).mean(axis=2)
    change = np.hypot(*np.gradient(light)) if min(light.shape) > 1 else np.zeros_like(light)
    weight = np.square(np.maximum(0.0, change - np.percentile(change, 75)))
    total = float(weight.sum())
    if not total:
        return 0.5, 0.5
    rows, columns = np.indices(light.shape)
    across = float((weight * columns).sum()) / total / max(1, light.shape[1] - 1)
    down = float((weight * rows).sum()) / total / max(1, light.shape[0] - 1)
    return round(across, 3), round(down, 3)


def _skin(pixels: NDArray[np.uint8]) -> float:
    """A rule of thumb for skin in daylight (Kovač, Peer, Solina 2003): it takes wood and sand for skin, too."""
    red, green, blue = (pixels[:, :, band].astype(np.int16) for band in range(3))
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    is_skin = (red > 95) & (green > 40) & (blue > 20) & (spread > 15) & (red - green > 15) & (red > blue)
    return round(float(is_skin.mean()), 3)
