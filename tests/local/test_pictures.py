"""The pictures of the local Directus."""

import io

from PIL import Image

from directus_assets.local.pictures import landscape, names, pictures


def test_a_landscape_is_as_large_as_a_camera_makes_it_and_always_the_same() -> None:
    content = landscape(0)

    assert Image.open(io.BytesIO(content)).size == (4000, 3000)
    assert 2_000_000 < len(content) < 8_000_000
    assert landscape(3, (400, 300)) == landscape(3, (400, 300))
    assert landscape(3, (400, 300)) != landscape(4, (400, 300))


def test_photographs_come_from_installed_packages_under_names_of_their_own() -> None:
    shipped = names(0)

    assert {"china.jpg", "flower.jpg", "coffee.png", "hubble_deep_field.jpg"} <= set(shipped)
    assert len(set(names(12))) == len(names(12)) == len(shipped) + 12


def test_every_picture_is_of_the_type_that_it_claims() -> None:
    for picture in pictures(0):
        assert Image.open(io.BytesIO(picture.content)).get_format_mimetype() == picture.type


def test_there_are_pictures_with_orientation_transparency_and_focal_points() -> None:
    everything = {picture.filename: picture for picture in pictures(0)}

    upright = Image.open(io.BytesIO(everything["flower-upright.jpg"].content))
    assert upright.getexif()[0x0112] == 6
    assert Image.open(io.BytesIO(everything["badge.png"].content)).mode == "RGBA"
    assert any(picture.focal_point for picture in everything.values())


def test_pictures_that_are_there_already_are_not_made_again() -> None:
    assert list(pictures(3, without=frozenset(names(3)))) == []
