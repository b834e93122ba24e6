"""ThumbHash (https://evanw.github.io/thumbhash/): a picture in about 25 bytes, with aspect ratio and transparency."""

import math

import numpy as np
from numpy.typing import NDArray

LARGEST_SIDE = 100
"""Pixels; more would add nothing that the hash can hold."""

_Channel = NDArray[np.float64]


def thumbhash(pixels: NDArray[np.uint8]) -> bytes:
    """The hash of a picture.

    Args:
        pixels: RGBA pixels by rows, not premultiplied; at most `LARGEST_SIDE` per side.
    """
    height, width = pixels.shape[:2]
    values = pixels.astype(np.float64)
    alpha = values[:, :, 3] / 255
    opaque = _total(alpha)
    averages = [_total(alpha / 255 * values[:, :, band]) / (opaque or 1) for band in range(3)]
    is_clear = bool(opaque < width * height)
    red, green, blue = (
        average * (1 - alpha) + alpha / 255 * values[:, :, band] for band, average in enumerate(averages)
    )
    most = 5 if is_clear else 7
    across, down = (max(1, _round(most * side / max(width, height))) for side in (width, height))
    light, light_terms, light_scale = _encode((red + green + blue) / 3, max(3, across), max(3, down))
    yellow, yellow_terms, yellow_scale = _encode((red + green) / 2 - blue, 3, 3)
    pink, pink_terms, pink_scale = _encode(red - green, 3, 3)
    is_wide = width > height
    first = _round(63 * light) | _round(31.5 + 31.5 * yellow) << 6 | _round(31.5 + 31.5 * pink) << 12
    first |= _round(31 * light_scale) << 18 | is_clear << 23
    second = (down if is_wide else across) | _round(63 * yellow_scale) << 3 | _round(63 * pink_scale) << 9
    second |= is_wide << 15
    head: bytes = first.to_bytes(3, "little") + second.to_bytes(2, "little")
    terms = [*light_terms, *yellow_terms, *pink_terms]
    if is_clear:
        clear, clear_terms, clear_scale = _encode(alpha, 5, 5)
        head += bytes([_round(15 * clear) | _round(15 * clear_scale) << 4])
        terms += clear_terms
    halves = [_round(15 * term) for term in terms] + [0] * (len(terms) % 2)
    return head + bytes(low | high << 4 for low, high in zip(halves[::2], halves[1::2], strict=True))


def _encode(channel: _Channel, across: int, down: int) -> tuple[float, list[float], float]:
    """A channel's mean, and the other terms of its cosine transform, relative to the largest of them."""
    height, width = channel.shape
    columns = [np.cos(math.pi / width * x * (np.arange(width) + 0.5)) for x in range(across)]
    rows = [np.cos(math.pi / height * y * (np.arange(height) + 0.5)) for y in range(down)]
    places = [(x, y) for y in range(down) for x in range(across) if x * down < across * (down - y)]
    mean, *terms = [_total(channel * columns[x] * rows[y][:, None]) / (width * height) for x, y in places]
    scale = max(map(abs, terms), default=0.0)
    return mean, [0.5 + 0.5 / scale * term if scale else term for term in terms], scale


def _total(values: _Channel) -> float:
    """Sum in the order of the reference implementation, so that terms close to zero round the same way."""
    return float(np.cumsum(values)[-1])


def _round(value: float) -> int:
    """Round like JavaScript: halves go up."""
    return math.floor(value + 0.5)
