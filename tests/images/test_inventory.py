import datetime as dt
from dataclasses import replace

import pytest

from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import Entry
from directus_assets.directus.version import Version
from directus_assets.images.inventory import Inventory, Stock
from directus_assets.images.transforms import derivatives

ID = "3f0c8a51-0000-4000-8000-000000000001"
HASH = "a" * 40
CARD = Preset(key="card", fit="cover", width=20, height=20, format="webp")
AUTO = Preset(key="auto", fit="cover", width=16, height=16, format="auto")
BROKEN = Preset(key="broken", transforms=(("explode",),))
FILE = File(
    id=ID,
    storage="local",
    filename_disk=f"{ID}.jpg",
    filename_download="harbour.jpg",
    title="Harbour",
    type="image/jpeg",
    filesize=1000,
    width=800,
    height=600,
    focal_point_x=None,
    focal_point_y=None,
    uploaded_on="2026-01-01T00:00:00.000Z",
    modified_on=None,
)
NAMES = [each.stored_name for preset in (CARD, AUTO) for each in derivatives(preset, FILE)]


def listing(**sizes: int) -> dict[str, Entry]:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return {name: Entry(name=name, size=size, modified=moment) for name, size in sizes.items()}


def inventory(sizes: dict[str, int], *files: File, presets: tuple[Preset, ...] = (CARD, AUTO)) -> Inventory:
    made = Inventory(presets=presets, listings={"local": listing(**sizes)})
    for file in files:
        made.count(file, {})
    return made


def unclaimed(made: Inventory) -> list[str]:
    return [each.entry.name for each in made.unclaimed()]


@pytest.mark.parametrize(
    ("sizes", "card", "auto"),
    [
        ({}, Stock(wanted=1, missing=1, files_to_make=1), Stock(wanted=3, missing=3, files_to_make=1)),
        (
            {NAMES[0]: 7, NAMES[1]: 5},
            Stock(wanted=1, present=1, bytes=7),
            Stock(wanted=3, present=1, missing=2, bytes=5, files_to_make=1),
        ),
        (
            {NAMES[0]: 0, NAMES[1]: 5, NAMES[2]: 5, NAMES[3]: 5},
            Stock(wanted=1, empty=1, files_to_make=1),
            Stock(wanted=3, present=3, bytes=15),
        ),
    ],
)
def test_derivatives_are_present_missing_or_empty(sizes: dict[str, int], card: Stock, auto: Stock) -> None:
    assert inventory(sizes, FILE).stocks == {"card": card, "auto": auto}


def test_what_cannot_be_looked_up_is_counted_as_recorded() -> None:
    made = Inventory(presets=(CARD, AUTO), listings={})

    made.count(FILE, {"card": [7], "auto": None})

    assert made.stocks["card"] == Stock(wanted=1, present=1, bytes=7)
    assert made.stocks["auto"] == Stock(wanted=3, missing=3, files_to_make=1)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (f"{ID}__{HASH}.webp", True),
        (f"{ID}__{HASH}", True),
        (f"my harbour__{HASH}.jpg", True),
        (NAMES[0], False),
        (f"{ID}.jpg", False),
        (f"{ID}__{HASH}.webp.1a2b3c4d.tmp", False),
        (f"{ID}__{HASH[:-1]}.webp", False),
        (f"{ID}__{HASH.upper()}.webp", False),
        (f"folder/{ID}__{HASH}.webp", False),
        (f"{ID}_{HASH}.webp", False),
        (f"__{HASH}.webp", False),
    ],
)
def test_only_what_is_named_like_a_derivative_and_wanted_by_nobody_is_unclaimed(name: str, is_one: bool) -> None:
    assert unclaimed(inventory({name: 5}, FILE)) == ([name] if is_one else [])


def test_an_original_that_is_named_like_a_derivative_is_never_one() -> None:
    name = f"{ID}__{HASH}.webp"

    made = inventory({name: 5}, replace(FILE, filename_disk=name, type="application/pdf"))

    assert unclaimed(made) == []


def test_files_that_share_a_name_on_disk_claim_together() -> None:
    jpeg = replace(FILE, filename_disk="a.jpg")
    png = replace(FILE, id="2", filename_disk="a.png", type="image/png")
    name = derivatives(CARD, png)[0].stored_name

    made = inventory({name: 5, f"a__{HASH}.webp": 5}, jpeg, png)

    assert [(each.entry.name, each.files) for each in made.unclaimed()] == [(f"a__{HASH}.webp", (ID, "2"))]


def test_a_preset_that_cannot_be_carried_out_leaves_the_others_counted() -> None:
    made = inventory({}, FILE, presets=(BROKEN, CARD))

    assert made.unresolved == {ID}
    assert made.stocks["card"].wanted == 1
    assert made.stocks["broken"].wanted == 0


def test_what_another_project_makes_is_neither_missing_nor_unclaimed() -> None:
    made = inventory({NAMES[0]: 7})

    made.count(FILE, {}, is_wanted=False)

    assert made.stocks["card"] == Stock()
    assert unclaimed(made) == []


@pytest.mark.parametrize("version", ["11.14.1", "11.16.1"])
def test_where_it_is_not_known_which_of_two_names_directus_takes_either_will_do(version: str) -> None:
    bounded = Preset(key="card", width=9000, without_enlargement=True)
    preset, other = (replace(bounded, directus=Version.parse(text)) for text in ("11.15.1", version))
    (derivative,) = derivatives(other, FILE)

    made = inventory({derivative.stored_name: 7}, FILE, presets=(preset,))

    assert made.stocks["card"] == Stock(wanted=1, present=1, bytes=7)
    assert unclaimed(made) == []
