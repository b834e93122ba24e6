import base64

import numpy as np
import pytest

from directus_assets.errors import BadInput
from directus_assets.images.previews import thumbhash_of
from directus_assets.images.thumbhash import thumbhash
from tests.images.scripted_directus import picture


def pattern(width: int, height: int, *, is_clear: bool = False) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    alpha = np.where((x + y) % 5 == 0, 40, 255) if is_clear else np.full((height, width), 255)
    return np.stack([(x * 7 + y * 3) % 256, (x * x + y) % 256, (200 - y * 2 - x) % 256, alpha], axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (pattern(100, 67), "3BgGLYKahCadZAZZaGZaaUIw1L9E"),
        (pattern(40, 100), "nRgGMwYizOMQc2ykVkDArG8="),
        (pattern(100, 1), "3xY+SYR4d4eIiAiHYoePhAg="),
        (pattern(30, 30, is_clear=True), "4DaKPQQMMHdneYeHd0BjF19CeHiX93eHjw=="),
        (pattern(2, 3), "EQIiDQJ3CIeIeIiIiIeICIJwCDd3"),
    ],
    ids=["wide", "tall", "a line", "transparent", "tiny"],
)
def test_the_hash_is_that_of_the_reference(pixels: np.ndarray, expected: str) -> None:
    """What `rgbaToThumbHash` of the npm package `thumbhash` gives for the same pixels."""
    assert base64.b64encode(thumbhash(pixels)).decode() == expected


def test_a_picture_of_one_colour_and_one_without_any_have_a_hash() -> None:
    for alpha in (255, 0):
        assert len(thumbhash(np.full((10, 20, 4), alpha, np.uint8))) > 5


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGBA"), ("PNG", "L"), ("JPEG", "CMYK")])
def test_any_picture_has_a_hash(kind: str, mode: str) -> None:
    hashed = base64.b64decode(thumbhash_of(picture((300, 200), kind=kind, mode=mode)))

    assert hashed[4] & 0x80, "It is wide."
    assert bool(hashed[2] & 0x80) is False, "It is opaque."


def test_what_is_no_picture_has_none() -> None:
    with pytest.raises(BadInput, match="Could not open"):
        thumbhash_of(b"no picture")
