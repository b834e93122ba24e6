"""Sizes and positions."""

import pytest

from directus_assets.images.sharp.geometry import crop_position, embed_position, jpeg_shrink_on_load, resolve_shrink


def shrink(target, *, canvas="crop", without_enlargement=False, without_reduction=False):
    return resolve_shrink(
        (400, 300),
        target,
        canvas=canvas,
        without_enlargement=without_enlargement,
        without_reduction=without_reduction,
    )


@pytest.mark.parametrize(
    ("canvas", "expected"),
    [("crop", (3, 3)), ("min", (3, 3)), ("embed", (4, 4)), ("max", (4, 4)), ("ignore_aspect", (4, 3))],
)
def test_the_canvas_decides_which_side_counts(canvas, expected):
    assert shrink((100, 100), canvas=canvas) == expected


def test_a_missing_side_follows_from_the_other():
    assert shrink((100, None)) == (4, 4)
    assert shrink((None, 100)) == (3, 3)
    assert shrink((100, None), canvas="ignore_aspect") == (4, 1)
    assert shrink((None, None)) == (1, 1)


def test_enlargement_and_reduction_can_be_forbidden():
    assert shrink((800, None), without_enlargement=True) == (1, 1)
    assert shrink((100, None), without_reduction=True) == (1, 1)


def test_no_side_is_shrunk_to_nothing():
    narrow = resolve_shrink((4000, 2), (10, None), canvas="crop", without_enlargement=False, without_reduction=False)

    assert narrow == (400, 2)


@pytest.mark.parametrize(
    ("total", "factor"), [(1.9, 1), (2, 1), (2.9, 1), (3, 2), (4.5, 2), (5, 4), (8.9, 4), (9, 8), (40, 8)]
)
def test_a_jpeg_is_shrunk_on_load_by_less_where_the_factor_is_all_of_it(total, factor):
    assert jpeg_shrink_on_load(total, is_fast=True) == factor


def test_a_careful_shrink_on_load_leaves_half_to_the_resize():
    assert jpeg_shrink_on_load(7.9, is_fast=False) == 2


@pytest.mark.parametrize(
    ("gravity", "crop", "embed"),
    [
        (0, (3, 1), (2, 1)),
        (1, (3, 0), (2, 0)),
        (2, (5, 1), (5, 1)),
        (3, (3, 2), (2, 2)),
        (4, (0, 1), (0, 1)),
        (5, (5, 0), (5, 0)),
        (6, (5, 2), (5, 2)),
        (7, (0, 2), (0, 2)),
        (8, (0, 0), (0, 0)),
    ],
)
def test_a_crop_rounds_its_centre_up_and_an_embed_down(gravity, crop, embed):
    assert crop_position((15, 12), (10, 10), gravity) == crop
    assert embed_position((10, 10), (15, 12), gravity) == embed
