"""Measurements of a picture: no model, and the same result everywhere. Used by the engine `local`."""

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
"""The upper ends of hues, in degrees."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """The measurements of a picture.

    Attributes:
        colour: the dominant colour, in a word or two.
        focus: the centre of detail, from 0 to 1 to the right and down.
        skin: the share of skin colours, from 0 to 1.
    """

    colour: str
    focus: tuple[float, float]
    skin: float


def measure(content: bytes) -> Measured:
    """Measure a picture.

    Raises:
        BadInput: `content` is not a picture that can be decoded.
        ConfigurationError: libvips is not installed.
    """
    pixels = thumbnail_pixels(content, _SIDE)
    return Measured(colour=colour_name(placeholder(content).colour), focus=_focus(pixels), skin=_skin(pixels))


def colour_name(colour: str) -> str:
    """The common name of a colour such as `#2f6f9f`."""
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
    """The centre of the strongest changes in brightness; small changes everywhere, such as grain, hardly count."""
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
    """A rule of thumb for skin in daylight (Kovač, Peer, Solina 2003), which also matches wood and sand."""
    red, green, blue = (pixels[:, :, band].astype(np.int16) for band in range(3))
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    is_skin = (red > 95) & (green > 40) & (blue > 20) & (spread > 15) & (red - green > 15) & (red > blue)
    return round(float(is_skin.mean()), 3)
