"""Inspection of pictures before decoding, and refusals."""

import io

import pytest
from PIL import Image

from directus_assets.directus.models import File
from directus_assets.errors import BadInput
from directus_assets.images.inspection import inspect
from directus_assets.images.sharp import NotReproducible


def picture(form: str = "JPEG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, form, **options)
    return buffer.getvalue()


def row(type: str | None = "image/jpeg", filesize: int | None = None) -> File:  # noqa: A002 - Directus' name
    return File(
        id="0b9d2f0e",
        storage="local",
        filename_disk="photo.jpg",
        filename_download="photo.jpg",
        title="A photo",
        type=type,
        filesize=filesize,
        width=40,
        height=30,
        focal_point_x=None,
        focal_point_y=None,
        uploaded_on="",
        modified_on=None,
    )


def test_the_header_tells_format_size_orientation_and_colours():
    exif = Image.Exif()
    exif[0x0112] = 6

    facts = inspect(picture(exif=exif), row())

    assert (facts.mime_type, facts.width, facts.height) == ("image/jpeg", 40, 30)
    assert (facts.frames, facts.orientation, facts.interpretation) == (1, 6, "srgb")
    assert not facts.is_refused_by_directus


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_format_that_directus_transforms_is_known(form):
    facts = inspect(picture(form), row(f"image/{form.lower()}"))

    assert facts.mime_type == f"image/{form.lower()}"


def test_frames_are_counted():
    content = picture("WEBP", save_all=True, append_images=[Image.new("RGB", (40, 30), "red")])

    assert inspect(content, row("image/webp")).frames == 2


def test_an_empty_file_is_refused():
    with pytest.raises(BadInput, match=r"A photo \(0b9d2f0e\) is empty"):
        inspect(b"", row())


def test_a_file_that_is_no_picture_is_refused():
    with pytest.raises(BadInput, match=r"A photo .* is not a JPEG, PNG, WebP, TIFF or AVIF picture"):
        inspect(b"hello, I am a text", row())


@pytest.mark.parametrize("form", ["BMP", "PDF", "JPEG2000"])
def test_a_picture_of_a_format_that_directus_leaves_alone_is_refused(form):
    with pytest.raises(BadInput, match="is not a JPEG"):
        inspect(picture(form), row("image/png"))


def test_a_picture_of_a_format_that_only_directus_opens_is_left_to_it():
    with pytest.raises(NotReproducible, match="is actually a GIF, despite its `type`"):
        inspect(picture("GIF"), row("image/png"))


def test_a_file_shorter_than_directus_says_is_refused():
    with pytest.raises(BadInput, match=r"incomplete: the storage has \d+ of 999999 bytes"):
        inspect(picture(), row(filesize=999_999))


def test_the_content_tells_the_type_whatever_the_row_says():
    assert inspect(picture("PNG"), row()).mime_type == "image/png"


@pytest.mark.parametrize(("orientation", "sizes"), [(1, (40, 30)), (4, (40, 30)), (5, (30, 40)), (8, (30, 40))])
def test_sizes_are_those_of_the_upright_picture_as_in_directus(orientation, sizes):
    exif = Image.Exif()
    exif[0x0112] = orientation

    sized = inspect(picture(exif=exif), row()).sized(row())

    assert (sized.width, sized.height) == sizes


def test_a_decompression_bomb_is_refused_by_its_header():
    with pytest.raises(BadInput, match="30000 x 30000 pixels, more than the limit of 268000000"):
        inspect(picture("PNG", size=(30_000, 30_000), mode="1"), row("image/png"))


def test_the_limit_can_be_set():
    with pytest.raises(BadInput, match="more than the limit of 1000"):
        inspect(picture(), row(), max_pixels=1000)


def test_a_side_beyond_directus_own_limit_is_told_and_not_refused():
    assert inspect(picture("PNG", size=(6001, 1)), row("image/png")).is_refused_by_directus


def test_a_header_cut_in_the_middle_is_refused():
    with pytest.raises(BadInput, match="A photo"):
        inspect(picture("PNG")[:20], row("image/png"))
