"""Previews and placeholders."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from directus_assets.errors import BadInput
from directus_assets.images.previews import are_alike, placeholder, preview
from directus_assets.images.sharp.load import libvips
from directus_assets.local.pictures import landscape


def encoded(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def shown(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(("size", "small"), [((1600, 800), (160, 80)), ((90, 300), (48, 160)), ((20, 10), (20, 10))])
def test_a_preview_fits_into_160_pixels_and_is_never_enlarged(size, small):
    assert shown(preview(encoded(Image.new("RGB", size, "teal")))).size == small


def test_a_preview_keeps_transparency_and_is_a_few_kilobytes():
    picture = Image.linear_gradient("L").resize((800, 800))
    picture = Image.merge("RGBA", (picture, picture, picture, picture))

    uri = preview(encoded(picture))

    assert shown(uri).mode == "RGBA"
    assert len(uri) < 8000


def test_a_preview_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 6

    assert shown(preview(encoded(Image.new("RGB", (400, 200)), "JPEG", exif=exif))).size == (80, 160)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "I;16"])
def test_what_is_in_memory_gives_the_same_preview_as_what_was_encoded(mode):
    picture = Image.linear_gradient("L").resize((400, 300)).convert("I;16" if mode == "I;16" else "L")
    content = encoded(picture if mode in {"L", "I;16"} else Image.merge(mode, [picture] * len(mode)))

    made = shown(preview(content, libvips().Image.new_from_buffer(content, "")))

    expected = shown(preview(content))
    assert (made.size, made.mode) == (expected.size, expected.mode)
    assert np.abs(np.asarray(made, int) - np.asarray(expected, int)).max() <= 2


def test_a_preview_does_not_turn_by_a_tag_that_is_not_encoded():
    exif = Image.Exif()
    exif[0x0112] = 6
    tagged = libvips().Image.new_from_buffer(encoded(Image.new("RGB", (400, 200)), "JPEG", exif=exif), "")

    assert shown(preview(tagged.pngsave_buffer(keep="none"), tagged)).size == (160, 80)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "I;16"])
def test_every_kind_of_pixel_has_a_placeholder(mode):
    made = placeholder(encoded(Image.new(mode, (50, 30))))

    assert len(made.blurhash) == 28
    assert made.colour == ("#ffffff" if mode == "RGBA" else "#000000")


def test_the_dominant_colour_is_that_of_most_pixels():
    picture = Image.new("RGB", (300, 100), "#204060")
    picture.paste("#ffcc00", (0, 0, 90, 100))

    assert placeholder(encoded(picture)).colour == "#204060"


def test_what_is_no_picture_is_refused():
    with pytest.raises(BadInput, match="Could not make a preview"):
        preview(b"text")
    with pytest.raises(BadInput, match="Could not open"):
        placeholder(b"text")


def test_the_same_picture_in_another_encoding_looks_the_same_and_another_one_does_not() -> None:
    first, second = landscape(1, (200, 150)), landscape(2, (200, 150))
    buffer = io.BytesIO()
    Image.open(io.BytesIO(first)).save(buffer, "WEBP", quality=70)

    assert are_alike(first, buffer.getvalue())
    assert not are_alike(first, second)
    assert not are_alike(first, landscape(1, (150, 200)))
