from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from directus_assets.directus.models import Preset
from directus_assets.directus.version import Version
from directus_assets.images.sample import Sample
from directus_assets.images.transforms import derivatives
from tests.images.scripted_directus import ScriptedDirectus, picture

CARD = Preset.parse({"key": "card", "fit": "cover", "width": 30, "height": 20, "format": "webp", "quality": 80})
COUNT = 30


@pytest.fixture
def directus(tmp_path: Path) -> ScriptedDirectus:
    return ScriptedDirectus(tmp_path, [CARD])


def heads(directus: ScriptedDirectus, *, are_served: bool = True) -> list[str]:
    """The files requested from Directus while all derivatives are made."""
    asked = []

    def note(request: httpx.Request) -> httpx.Response | None:
        if request.method != "HEAD":
            return None
        asked.append(request.url.path)
        return (
            None if are_served else httpx.Response(200, headers={"content-length": "7", "content-type": "image/webp"})
        )

    directus.trouble = note
    work = {directus.file(file_id): [CARD] for file_id in directus.rows}
    list(directus.maker({"card": "storage"}, workers=1).make(work))
    return asked


def test_one_derivative_that_directus_serves_vouches_for_nine_of_its_kind(directus: ScriptedDirectus) -> None:
    for number in range(COUNT):
        directus.add(f"f{number:02}", picture())

    asked = heads(directus)

    assert len(asked) == 1 + COUNT // 10
    assert len(directus.stored()) == COUNT


def test_each_kind_of_file_is_proved_on_its_own(directus: ScriptedDirectus) -> None:
    directus.add("plain", picture())
    directus.add("other", picture(kind="PNG"), type="image/png", filename_disk="other.png")
    directus.add("focal", picture(), focal_point_x=3, focal_point_y=4)

    assert len(heads(directus)) == 3


def test_a_name_on_disk_that_somebody_chose_is_always_proved(directus: ScriptedDirectus) -> None:
    for number in range(5):
        directus.add(f"f{number}", picture(), filename_disk=f"holiday {number}.jpg")

    assert len(heads(directus)) == 5


def test_a_name_within_a_folder_is_always_proved(directus: ScriptedDirectus) -> None:
    sample, file = Sample(), directus.add("f0", picture())
    elsewhere = replace(file, filename_disk=f"2024/{file.filename_disk}")
    (derivative,) = derivatives(CARD, elsewhere)
    sample.learn(elsewhere, derivative, is_served=True)

    assert sample.includes(elsewhere, derivative)


def test_where_directus_serves_something_else_every_derivative_is_proved(directus: ScriptedDirectus) -> None:
    for number in range(5):
        directus.add(f"f{number}", picture())

    # Once to prove what was stored, and once to have Directus make it instead.
    assert len(heads(directus, are_served=False)) == 10


def test_after_a_proof_that_failed_all_of_the_kind_are_proved_again(directus: ScriptedDirectus) -> None:
    sample, file = Sample(), directus.add("f0", picture())
    (derivative,) = derivatives(CARD, file)
    sample.learn(file, derivative, is_served=True)
    before = sample.includes(file, derivative)

    sample.learn(file, derivative, is_served=False)

    assert (before, sample.includes(file, derivative), sample.includes(file, derivative)) == (False, True, True)


def test_the_numbers_of_a_crop_make_no_other_kind(directus: ScriptedDirectus) -> None:
    sample, file = Sample(), directus.add("f0", picture(), focal_point_x=3, focal_point_y=4)
    (derivative,) = derivatives(CARD, file)
    other = replace(file, focal_point_x=9)
    sample.learn(file, derivative, is_served=True)

    assert not sample.includes(other, *derivatives(CARD, other))


def test_a_number_that_is_no_whole_one_makes_another_kind(directus: ScriptedDirectus) -> None:
    sample, file = Sample(), directus.add("f0", picture())
    whole, broken = (derivatives(replace(CARD, transforms=(("blur", number),)), file)[0] for number in (2, 2.5))
    sample.learn(file, whole, is_served=True)

    assert sample.includes(file, broken)


@pytest.mark.parametrize("version", ["11.14.1", "12.4.1"])
def test_a_picture_that_is_not_to_be_enlarged_is_another_kind_than_one_that_is_large_enough(
    directus: ScriptedDirectus, version: str
) -> None:
    bounded = replace(CARD, without_enlargement=True, directus=Version.parse(version))
    sample, large = Sample(), directus.add("f0", picture())
    small = replace(large, width=29)
    sample.learn(large, *derivatives(bounded, large), is_served=True)

    assert sample.includes(small, *derivatives(bounded, small))
    assert not sample.includes(replace(large, width=70), *derivatives(bounded, replace(large, width=70)))
