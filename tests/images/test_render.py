"""Rendering: sizes, formats, and refusals. The parity test checks equality with Directus itself."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import pyvips
from PIL import Image

from directus_assets.directus.models import MISSING
from directus_assets.errors import BadInput, TransientError
from directus_assets.images import render as rendering
from directus_assets.images.render import NotReproducible, Rendered, Source
from directus_assets.images.transforms import Derivative


def encoded(picture: Image.Image, form: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def gradient(size: tuple[int, int] = (400, 300)) -> Image.Image:
    return Image.merge("RGB", [Image.linear_gradient("L").rotate(turn).resize(size) for turn in (0, 90, 180)])


def render(content: bytes, wanted: Derivative, **limits: int) -> Rendered:
    return rendering.render(Source(content), wanted, **limits)


def derivative(*transforms) -> Derivative:
    return Derivative(
        preset_key="card",
        file_id="0b9d2f0e",
        file_name="A photo",
        accept="*/*",
        transforms=transforms,
        format="jpeg",
        mime_type="image/jpeg",
        stored_name="photo__0.jpg",
        label="card",
    )


def resize(**options):
    return ("resize", {"width": MISSING, "height": MISSING, "fit": MISSING, "withoutEnlargement": MISSING} | options)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"width": 100}, (100, 75)),
        ({"height": 100}, (133, 100)),
        ({"width": 100, "height": 100}, (100, 100)),
        ({"width": 100, "height": 100, "fit": "contain"}, (100, 100)),
        ({"width": 100, "height": 100, "fit": "inside"}, (100, 75)),
        ({"width": 100, "height": 100, "fit": "outside"}, (133, 100)),
        ({"width": 800}, (800, 600)),
        ({"width": 800, "withoutEnlargement": True}, (400, 300)),
    ],
)
def test_each_fit_gives_its_size(options, size):
    rendered = render(encoded(gradient()), derivative(resize(**options)))

    assert (rendered.width, rendered.height) == size == Image.open(io.BytesIO(rendered.content)).size


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff", "avif"])
def test_each_output_format_is_what_it_says(form):
    rendered = render(encoded(gradient()), derivative(("toFormat", form, {"quality": 70}), resize(width=60)))

    assert rendered.mime_type == f"image/{form}"
    assert Image.open(io.BytesIO(rendered.content)).format == form.upper()


def test_a_picture_without_a_format_keeps_its_own():
    assert render(encoded(gradient(), "PNG"), derivative(("blur",))).mime_type == "image/png"


def test_a_picture_is_turned_upright_before_its_size_is_taken():
    exif = Image.Exif()
    exif[0x0112] = 6

    rendered = render(encoded(gradient(), exif=exif), derivative(resize(width=150)))

    assert (rendered.width, rendered.height) == (150, 200)


def test_metadata_is_gone():
    exif = Image.Exif()
    exif[0x010E] = "a secret place"

    rendered = render(encoded(gradient(), exif=exif), derivative(resize(width=50)))

    assert b"secret" not in rendered.content


def test_contain_is_filled_with_opaque_black():
    source = encoded(Image.new("RGBA", (40, 20), "white"), "PNG")

    rendered = render(source, derivative(resize(width=40, height=40, fit="contain")))

    picture = Image.open(io.BytesIO(rendered.content)).convert("RGBA")
    assert [picture.getpixel((0, 0)), picture.getpixel((20, 20))] == [(0, 0, 0, 255), (255, 255, 255, 255)]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_source_that_is_used_again_gives_the_same_bytes(form):
    content = encoded(gradient(), form)
    wanted = [derivative(resize(width=width)) for width in (50, 200)]

    source = Source(content)
    together = [rendering.render(source, d).content for d in wanted]

    assert together == [render(content, d).content for d in wanted]


def test_pictures_rendered_side_by_side_give_the_same_bytes():
    contents = [encoded(gradient((200 + shift, 150))) for shift in range(8)]
    avif = derivative(("toFormat", "avif", {"quality": 50}), resize(width=64))
    alone = [render(content, avif).content for content in contents]

    with ThreadPoolExecutor(4) as pool:
        together = [rendered.content for rendered in pool.map(lambda content: render(content, avif), contents)]

    assert together == alone
    assert pyvips.concurrency_get() == 1


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_truncated_picture_is_damaged_by_name(form):
    content = encoded(gradient().effect_spread(20), form)[:-4000]

    with pytest.raises(BadInput, match=r"Preset 'card', file A photo \(0b9d2f0e\): .*(damaged|incomplete)"):
        render(content, derivative(resize(width=100)))


def test_a_disk_without_room_to_decode_a_picture_is_no_fault_of_the_picture(monkeypatch, tmp_path):
    content = pyvips.Image.black(6000, 6000, bands=3).webpsave_buffer(effort=0)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "absent"))

    with pytest.raises(TransientError, match=r"Preset 'card', file A photo .*temporary file"):
        render(content, derivative(("toFormat", "jpeg", {})))


def test_what_is_no_picture_is_damaged_by_name():
    with pytest.raises(BadInput, match="A photo"):
        render(b"not a picture at all", derivative(resize(width=100)))


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>',
        b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        b"P5\n2 2\n255\n0000",
        encoded(Image.new("P", (4, 4)), "GIF"),
    ],
)
def test_formats_that_directus_leaves_alone_are_never_decoded(content):
    with pytest.raises(BadInput, match="A photo"):
        render(content, derivative(resize(width=100)))


def test_an_operation_that_does_not_fit_the_picture_names_preset_and_remedy():
    region = {"left": 390, "top": 0, "width": 100, "height": 100}

    with pytest.raises(BadInput, match=r"Preset 'card', file A photo .*extract_area.*Check that the preset"):
        render(encoded(gradient()), derivative(("extract", region)))


@pytest.mark.parametrize(
    "transform",
    [resize(width=20_000), ("extend", 9_000), resize(width=20_000, height=20_000, fit="contain")],
)
def test_a_preset_that_blows_up_a_picture_is_refused_before_it_does(transform):
    with pytest.raises(BadInput, match="more than the limit of 1000000"):
        render(encoded(gradient()), derivative(transform), max_pixels=1_000_000)


def test_a_result_too_large_for_its_format_is_refused():
    with pytest.raises(BadInput, match="too large for the format webp"):
        render(encoded(Image.new("L", (100, 1))), derivative(("toFormat", "webp", {}), resize(width=16_400)))


def test_what_only_directus_can_make_is_told_apart():
    with pytest.raises(NotReproducible, match=r"Preset 'card', file A photo .*'gif'"):
        render(encoded(gradient()), derivative(("toFormat", "gif", {})))


def test_without_libvips_it_is_told_what_to_do():
    program = (
        "import sys; sys.modules['pyvips'] = None\n"
        "from directus_assets.errors import ConfigurationError\n"
        "from directus_assets.images.sharp.load import libvips\n"
        "try: libvips()\n"
        "except ConfigurationError as error: print(error)\n"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "libvips cannot be loaded" in answer.stdout
    assert "pyvips-binary" in answer.stdout
