"""Stored names, compared with values from the npm package object-hash and Node."""

import pytest

from directus_assets.directus.models import MISSING
from directus_assets.errors import BadInput
from directus_assets.images.cache_name import javascript_number, object_hash, stored_name

WEBP = ("toFormat", "webp", {"quality": 80})
COVER = ("resize", {"width": 300, "height": 200, "fit": "cover", "withoutEnlargement": MISSING})


@pytest.mark.parametrize(
    ("value", "sha1"),
    [
        ([], "989db2448f309bfdd99b513f37c84b8f5794d2b5"),
        ([[], []], "4e8ed5e9fef8d729e4136e7e0c5f16c7f9553def"),
        ([{}], "ee83b4bea6b17b1b9533ed28f3ff65823d58960b"),
        ([{}, {}], "8a96841a6f2474d03379efcd2e185a3820cc74c3"),
        ({"b": 1, "a": None}, "8698343ef3dbeb80b26a6b10204162dbcf1f64c8"),
        ("é😀", "a8dff17f499fa8a2e4e7c29db159856a23a21fbe"),
        ([1e21, 1e-7, -0.0, 0.1, 123456.75, 1e20, -1.5e-9], "793976ee4010dbd51119285f39db124d8c61e702"),
        ([WEBP, COVER], "2c3b61d98da4c3158482b916fd446a79e54a4acc"),
    ],
)
def test_a_value_has_the_hash_that_the_npm_package_gives(value, sha1):
    assert object_hash(value) == sha1


def test_equal_values_that_python_shares_are_written_in_full():
    shared = ("flip",)

    assert object_hash([shared, shared]) == object_hash([["flip"], ["flip"]])


def test_undefined_and_null_are_different():
    assert object_hash({"fit": MISSING}) != object_hash({"fit": None})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (80, "80"),
        (80.0, "80"),
        (-2.5, "-2.5"),
        (1e21, "1e+21"),
        (123456789012345680000, "123456789012345680000"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-9, "1.25e-9"),
    ],
)
def test_a_number_is_printed_as_javascript_prints_it(value, text):
    assert javascript_number(value) == text


@pytest.mark.parametrize(
    ("filename_disk", "transforms", "start", "end"),
    [
        ("photo.jpg", [COVER], "photo__", ".jpg"),
        ("photo.jpg", [WEBP, COVER], "photo__", ".webp"),
        ("photo.JPG", [COVER], "photo__", ".JPG"),
        ("photo.jpg", [("toFormat", "png", {}), WEBP], "photo__", ".webp"),
        ("photo.jpg", [("webp", {})], "photo__", ".jpg"),
        ("photo", [COVER], "photo__", ""),
        ("a.b.jpg", [COVER], "a.b__", ".jpg"),
        (".hidden", [COVER], ".hidden__", ""),
        ("..hidden", [COVER], ".__", ".hidden"),
        ("2026/11/photo.jpg", [COVER], "photo__", ".jpg"),
    ],
)
def test_the_stored_name_follows_node_and_the_last_to_format(filename_disk, transforms, start, end):
    assert stored_name(filename_disk, transforms) == f"{start}{object_hash(transforms)}{end}"


@pytest.mark.parametrize("filename_disk", ["", "/", "/etc/passwd", "../photo.jpg", "a/../../photo.jpg", "..", "a\0b"])
def test_a_file_name_that_leaves_its_storage_is_refused(filename_disk):
    with pytest.raises(BadInput, match="filename_disk"):
        stored_name(filename_disk, [COVER])
