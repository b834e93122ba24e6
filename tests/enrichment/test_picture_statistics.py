"""Measurements of pictures."""

import io

import pytest
from PIL import Image, ImageDraw

from directus_assets.enrichment.picture_statistics import colour_name, measure
from directus_assets.errors import BadInput


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ("#000000", "black"),
        ("#ffffff", "white"),
        ("#808080", "grey"),
        ("#d02020", "red"),
        ("#2040c0", "blue"),
        ("#102060", "dark blue"),
        ("#a0d0f8", "light blue"),
        ("#5a3618", "dark brown"),
        ("#9b6a33", "brown"),
        ("#30a040", "green"),
    ],
)
def test_colours_have_the_names_that_people_use(colour: str, name: str) -> None:
    assert colour_name(colour) == name


@pytest.mark.parametrize("colour", ["", "#12", "blue", "#1122334455"])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(BadInput, match="not a colour"):
        colour_name(colour)


@pytest.mark.parametrize(("box", "across", "down"), [((20, 20, 40, 40), 0.15, 0.3), ((150, 70, 180, 90), 0.82, 0.8)])
def test_the_focus_is_where_the_detail_is(box: tuple[int, int, int, int], across: float, down: float) -> None:
    picture = Image.new("RGB", (200, 100), "white")
    ImageDraw.Draw(picture).ellipse(box, fill="navy")

    found = measure(png(picture)).focus

    assert found[0] == pytest.approx(across, abs=0.05)
    assert found[1] == pytest.approx(down, abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (50, 50)])
def test_a_picture_without_detail_has_its_focus_in_the_middle(size: tuple[int, int]) -> None:
    assert measure(png(Image.new("RGB", size, "teal"))).focus == (0.5, 0.5)


def test_skin_is_told_by_its_colours() -> None:
    half = Image.new("RGB", (80, 80), "navy")
    half.paste((224, 172, 138), (0, 0, 40, 80))

    assert measure(png(half)).skin == pytest.approx(0.5, abs=0.03)
    assert measure(png(Image.new("RGB", (80, 80), "navy"))).skin == 0


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadInput):
        measure(b"text")
