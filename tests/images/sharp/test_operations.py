"""From a preset's operations to sharp's options."""

import pytest

from directus_assets.directus.models import MISSING
from directus_assets.errors import BadInput
from directus_assets.images.sharp import NotReproducible
from directus_assets.images.sharp.operations import read_options
from directus_assets.images.sharp.options import Options, Region
from directus_assets.images.transforms import OPERATIONS

REGION = {"left": 1, "top": 2, "width": 30, "height": 40}


def options(*transforms) -> Options:
    return read_options(transforms)


def test_every_operation_that_directus_permits_is_known():
    for name in OPERATIONS:
        try:
            options((name,))
        except BadInput as error:
            assert "not a sharp operation" not in error.message  # noqa: PT017 - only an argument may be missing


def test_a_picture_is_oriented_by_its_own_tag_unless_a_rotation_is_given():
    assert options(("flip",)).auto_orient
    assert not options(("rotate", 0)).auto_orient
    assert options(("rotate",)).auto_orient


def test_undefined_null_and_absent_arguments_leave_the_defaults():
    assert options(("resize", {"width": 10, "height": MISSING, "fit": None})) == options(("resize", 10))


def test_a_second_resize_forgets_the_height_but_not_the_width_of_the_first():
    both = options(("resize", 100, 50), ("resize", {"fit": "contain"}))

    assert (both.width, both.height, both.canvas) == (100, None, "embed")


def test_an_extract_before_the_resize_cuts_the_original_and_after_it_the_result():
    assert options(("extract", REGION), ("resize", 10)).pre_extract == Region(1, 2, 30, 40)
    assert options(("resize", 10), ("extract", REGION)).post_extract == Region(1, 2, 30, 40)


def test_a_rotation_comes_before_a_resize_only_if_it_was_asked_for_before():
    assert options(("rotate", 90), ("resize", 10)).rotate_before
    assert not options(("resize", 10), ("rotate", 90)).rotate_before


def test_whole_numbers_may_be_written_as_floats_as_in_javascript():
    assert options(("resize", 10.0)).width == 10
    assert options(("rotate", 90.0)).angle == 90


@pytest.mark.parametrize(
    ("colour", "parsed"),
    [
        ("red", (255, 0, 0, 255)),
        ("#FF8000", (255, 128, 0, 255)),
        ("#f80", (255, 136, 0, 255)),
        ("#ff800080", (255, 128, 0, 128)),
        ("transparent", (0, 0, 0, 0)),
        ({"r": 1, "g": 2, "b": 3}, (1, 2, 3, 255)),
        ({"r": 1, "g": 2, "b": 3, "alpha": 0.5}, (1, 2, 3, 128)),
    ],
)
def test_colours_are_read_as_sharp_reads_them(colour, parsed):
    assert options(("tint", colour)).tint == parsed


def test_a_colour_that_only_sharp_understands_is_left_to_directus():
    with pytest.raises(NotReproducible, match="hsl"):
        options(("tint", "hsl(120, 100%, 50%)"))


@pytest.mark.parametrize("name", ["gif", "heic", "raw"])
def test_an_output_format_beyond_the_five_is_left_to_directus(name):
    with pytest.raises(NotReproducible, match=name):
        options(("toFormat", name))


def test_an_operation_that_is_not_repeated_here_is_left_to_directus():
    with pytest.raises(NotReproducible, match="'dilate' is left to Directus"):
        options(("dilate", 2))


@pytest.mark.parametrize(
    ("transform", "named"),
    [
        (("resize", 0), "`resize`: `width` is 0"),
        (("resize", 10.5), "`resize`: `width` is 10.5"),
        (("resize", True), "`resize`: `width` is True"),
        (("resize", {"width": 10, "fit": "squeeze"}), "`resize`: `fit` is 'squeeze'.*cover"),
        (("extract", {"left": 0}), "`extract`: `top`"),
        (("blur", 0.1), "`blur`: `sigma` is 0.1.*0.3"),
        (("toFormat", "bmp"), "`toFormat`: `format` is 'bmp'"),
        (("toFormat", "jxl"), "`toFormat`: `format` is 'jxl'"),
        (("jpeg", {"quality": 101}), "`jpeg`: `quality` is 101"),
        (("rotate", "left"), "`rotate`: `angle` is 'left'"),
        (("normalise", {"lower": 50, "upper": 50}), "`normalise`: `lower` is 50"),
        (("linear", [1, 2], [1]), "`linear`: `a` holds 2 numbers"),
        (("convolve", {"width": 3, "height": 3, "kernel": [1]}), "`convolve`: `kernel`"),
    ],
)
def test_what_sharp_refuses_is_refused_by_operation_and_argument(transform, named):
    with pytest.raises(BadInput, match=named):
        options(transform)


def test_png_quality_asks_for_a_palette_and_its_absence_does_not():
    assert options(("toFormat", "png", {"quality": 60})).png["palette"] is True
    assert options(("toFormat", "png", {"quality": MISSING})).png["palette"] is False


@pytest.mark.parametrize(("colours", "bits"), [(2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8)])
def test_the_number_of_colours_decides_the_depth_of_a_palette(colours, bits):
    assert options(("png", {"colours": colours})).png["bitdepth"] == bits


def test_settings_without_force_leave_the_format_alone():
    made = options(("jpeg", {"quality": 30, "force": False}))

    assert (made.format, made.jpeg["Q"]) == (None, 30)
