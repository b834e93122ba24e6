"""Directus' transformations derived from preset and file."""

import dataclasses

import pytest

from directus_assets.directus.models import MISSING, File, Preset
from directus_assets.errors import BadInput
from directus_assets.images.transforms import SizesUnknown, derivatives, uses_focal_point

PHOTO = File(
    id="0b9d2f0e-6f5e-4f0c-9d64-1f3b9f0f2a11",
    storage="local",
    filename_disk="photo.jpg",
    filename_download="photo.jpg",
    title="A photo",
    type="image/jpeg",
    filesize=1000,
    width=4000,
    height=3000,
    focal_point_x=None,
    focal_point_y=None,
    uploaded_on="2026-01-01T00:00:00Z",
    modified_on=None,
)


def resolved(preset: Preset, **file):
    [derivative] = derivatives(preset, dataclasses.replace(PHOTO, **file))
    return derivative.transforms


def resize(**options):
    return ("resize", {"width": MISSING, "height": MISSING, "fit": MISSING, "withoutEnlargement": MISSING} | options)


def test_sizes_become_a_resize_with_all_four_keys():
    assert resolved(Preset(key="card", width=300, fit="cover")) == (resize(width=300, fit="cover"),)


def test_an_absent_fit_is_undefined_and_a_null_fit_is_null():
    assert resolved(Preset(key="card", width=300)) == (resize(width=300),)
    assert resolved(Preset(key="card", width=300, fit=None)) == (resize(width=300, fit=None),)


def test_operations_come_first_then_the_format_then_the_size():
    preset = Preset(key="card", width=300, format="webp", quality=70, transforms=(("blur", 5),))

    assert resolved(preset) == (("blur", 5), ("toFormat", "webp", {"quality": 70}), resize(width=300))


def test_quality_without_format_keeps_the_format_of_the_file():
    assert resolved(Preset(key="card", quality=70)) == (("toFormat", "jpeg", {"quality": 70}),)


def test_without_quality_it_is_undefined():
    assert resolved(Preset(key="card", format="avif")) == (("toFormat", "avif", {"quality": MISSING}),)


def test_zero_sizes_and_quality_are_as_good_as_none():
    assert resolved(Preset(key="card", width=300, height=0, quality=0)) == (resize(width=300),)


def test_without_enlargement_the_targets_stop_at_the_size_of_the_file():
    preset = Preset(key="wide", width=5000, height=200, without_enlargement=True)

    assert resolved(preset) == (resize(width=4000, height=200, withoutEnlargement=True),)


@pytest.mark.parametrize("sizes", [{"width": None}, {"height": None}, {"width": None, "height": None}, {"width": 0}])
@pytest.mark.parametrize("asked", [{"width": 300}, {"height": 300}, {"width": 300, "format": "auto"}])
def test_a_file_without_sizes_has_no_derivative_of_a_size(asked, sizes):
    """Directus leaves the size out."""
    with pytest.raises(SizesUnknown, match=r"no width and height for this picture.*the preset's size"):
        resolved(Preset(key="card", **asked), **sizes)


def test_a_file_without_sizes_has_the_derivatives_that_need_none():
    assert resolved(Preset(key="card", format="webp"), width=None) == (("toFormat", "webp", {"quality": MISSING}),)


def test_the_refusal_of_a_picture_without_sizes_does_not_depend_on_its_title():
    """It is part of the fingerprint: another title is no reason to try again."""
    texts = set()
    for title in ("Harbour", "Port"):
        with pytest.raises(SizesUnknown) as caught:
            resolved(Preset(key="card", width=300), width=None, title=title)
        texts.add(str(caught.value))

    assert len(texts) == 1


@pytest.mark.parametrize(
    ("own", "file", "left"),
    [
        ({"focal_point_x": 3900, "focal_point_y": 0}, (None, None), 100),
        ({"focal_point_x": 3900, "focal_point_y": 0}, (0, 0), 100),
        ({"focal_point_x": 3900}, (0, 0), 100),
        ({"focal_point_x": 3900}, (None, 0), 100),
        ({"focal_point_x": 3900}, (0, None), None),
        ({"focal_point_y": 10}, (3900, 20), 100),
    ],
)
def test_a_focal_point_of_the_preset_stands_before_that_of_the_file(own, file, left):
    preset = Preset(key="card", width=300, height=300, **own)

    extracts = [
        transform[1]["left"]
        for transform in resolved(preset, focal_point_x=file[0], focal_point_y=file[1])
        if transform[0] == "extract"
    ]

    assert extracts == ([] if left is None else [left])


def test_a_focal_point_adds_an_extract_around_it():
    preset = Preset(key="card", width=300, height=300)

    transforms = resolved(preset, focal_point_x=3900, focal_point_y=0)

    assert transforms == (
        resize(width=400, height=300),
        ("extract", {"left": 100, "top": 0, "width": 300, "height": 300}),
    )


def test_the_extract_is_rounded_as_javascript_rounds():
    preset = Preset(key="card", width=100, height=75)

    transforms = resolved(preset, width=333, height=1000, focal_point_x=0, focal_point_y=500)

    assert transforms == (
        resize(width=100, height=300),
        ("extract", {"left": 0, "top": 113, "width": 100, "height": 75}),
    )


@pytest.mark.parametrize(
    ("preset", "follows"),
    [
        (Preset(key="a", width=300, height=300), True),
        (Preset(key="a", width=300, height=300, fit="cover"), True),
        (Preset(key="a", width=300, height=300, fit=None), False),
        (Preset(key="a", width=300, height=300, fit="inside"), False),
        (Preset(key="a", width=300), False),
        (Preset(key="a", format="webp"), False),
    ],
)
def test_the_derivative_follows_the_focal_point_only_where_directus_crops(preset, follows):
    moved = dataclasses.replace(PHOTO, focal_point_x=10, focal_point_y=20)

    assert uses_focal_point(preset) is follows
    assert (derivatives(preset, moved) != derivatives(preset, PHOTO)) is follows


@pytest.mark.parametrize(
    ("source_type", "formats"),
    [
        ("image/jpeg", ["avif", "webp", "jpeg"]),
        ("image/png", ["avif", "webp", "png"]),
        ("image/webp", ["avif", "webp", "png"]),
        ("image/tiff", ["avif", "webp", "png"]),
        ("image/avif", ["avif", "webp", "png"]),
    ],
)
def test_auto_makes_one_derivative_per_kind_of_browser(source_type, formats):
    made = derivatives(Preset(key="card", width=300, format="auto"), dataclasses.replace(PHOTO, type=source_type))

    assert [derivative.format for derivative in made] == formats
    assert [derivative.accept for derivative in made] == ["image/avif", "image/webp", "*/*"]
    assert [derivative.label for derivative in made] == [f"card [{name}]" for name in formats]
    assert len({derivative.stored_name for derivative in made}) == 3


def test_an_operation_that_names_a_format_changes_the_bytes_but_not_the_name_or_type():
    [derivative] = derivatives(Preset(key="card", transforms=(("webp", {}),)), PHOTO)

    assert (derivative.format, derivative.mime_type) == ("webp", "image/jpeg")
    assert derivative.stored_name.endswith(".jpg")


def test_jpg_and_jpeg_are_the_same_format_under_two_names():
    [jpg] = derivatives(Preset(key="card", format="jpg"), PHOTO)
    [jpeg] = derivatives(Preset(key="card", format="jpeg"), PHOTO)

    assert (jpg.format, jpg.mime_type) == (jpeg.format, jpeg.mime_type) == ("jpeg", "image/jpeg")
    assert jpg.stored_name != jpeg.stored_name


def test_nothing_is_derived_where_directus_answers_with_the_original():
    assert derivatives(Preset(key="as-it-is"), PHOTO) == ()
    assert derivatives(Preset(key="card", width=300), dataclasses.replace(PHOTO, type="image/svg+xml")) == ()


def test_a_preset_with_the_key_of_a_built_in_one_is_refused():
    with pytest.raises(BadInput, match="system-small-cover"):
        derivatives(Preset(key="system-small-cover", width=10), PHOTO)


def test_a_preset_with_a_fault_is_refused_by_that():
    with pytest.raises(BadInput, match=r"'card': `width` is 'wide'.*Correct it in Directus"):
        derivatives(Preset.parse({"key": "card", "width": "wide"}), PHOTO)


@pytest.mark.parametrize("name", ["gif", "dilate", "withMetadata"])
def test_an_operation_that_directus_permits_to_presets_alone_has_a_derivative(name):
    assert resolved(Preset(key="card", transforms=((name,),))) == ((name,),)


def test_an_unknown_operation_is_refused_by_name():
    with pytest.raises(BadInput, match=r"'card'.*'explode'.*Remove it"):
        derivatives(Preset(key="card", transforms=(("explode", 1),)), PHOTO)


def test_a_malformed_preset_makes_nothing_and_says_why():
    with pytest.raises(BadInput, match=r"Preset 'odd': `width` is no number\. Correct it in Directus under Settings"):
        derivatives(Preset(key="odd", fault="`width` is no number"), PHOTO)
