import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from directus_assets.directus.models import File, Preset
from directus_assets.images.plan import code_version, examine_files, fingerprint

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
FILE = File(
    id="f1",
    storage="local",
    filename_disk="f1.jpg",
    filename_download="harbour.jpg",
    title="Harbour",
    type="image/jpeg",
    filesize=1000,
    width=800,
    height=600,
    focal_point_x=None,
    focal_point_y=None,
    uploaded_on="2026-01-01T00:00:00.000Z",
    modified_on="2026-01-01T00:00:00.000Z",
)
CARD = Preset(key="card", fit="cover", width=200, height=200, quality=80, format="webp")
INSIDE = Preset(key="inside", fit="inside", width=200, height=200, format="webp")
WIDE = Preset(key="wide", fit="cover", width=200, format="webp")


@pytest.mark.parametrize(
    ("change", "presets"),
    [
        ({"title": "Port", "filename_download": "port.jpg", "modified_on": "2026-02-02T00:00:00.000Z"}, set()),
        ({"focal_point_x": 10, "focal_point_y": 20}, {"card"}),
        ({"focal_point_x": 10}, set()),
        ({"uploaded_on": "2026-02-02T00:00:00.000Z"}, {"card", "inside", "wide"}),
        ({"filesize": 1001}, {"card", "inside", "wide"}),
        ({"filename_disk": "g1.jpg"}, {"card", "inside", "wide"}),
        ({"storage": "s3"}, {"card", "inside", "wide"}),
        ({"type": "image/png"}, {"card", "inside", "wide"}),
    ],
    ids=["words", "focal point", "half a focal point", "content", "size", "name on disk", "storage", "type"],
)
def test_a_change_of_a_file_changes_the_derivatives_that_depend_on_it(
    change: dict[str, Any], presets: set[str]
) -> None:
    changed = replace(FILE, **change)

    assert {p.key for p in (CARD, INSIDE, WIDE) if fingerprint(changed, p) != fingerprint(FILE, p)} == presets


def test_a_focal_point_at_the_edge_counts() -> None:
    assert fingerprint(replace(FILE, focal_point_x=0, focal_point_y=0), CARD) != fingerprint(FILE, CARD)


@pytest.mark.parametrize("change", [{"width": 201}, {"quality": 81}, {"format": "jpeg"}, {"fit": "contain"}])
def test_a_change_of_a_preset_changes_its_derivatives_and_its_code_version(change: dict[str, Any]) -> None:
    changed = replace(CARD, **change)

    assert fingerprint(FILE, changed) != fingerprint(FILE, CARD)
    assert code_version(changed) != code_version(CARD)


def test_a_preset_that_cannot_work_has_a_fingerprint_too_so_that_its_repair_is_noticed() -> None:
    broken = replace(CARD, transforms=(("explode",),))

    assert fingerprint(FILE, broken) == fingerprint(FILE, broken)
    assert fingerprint(FILE, broken) != fingerprint(FILE, CARD)


def test_a_name_on_disk_that_leaves_its_folder_has_a_fingerprint_too() -> None:
    assert fingerprint(replace(FILE, filename_disk="../f1.jpg"), CARD) != fingerprint(FILE, CARD)


def test_files_that_directus_does_not_transform_are_unfit() -> None:
    # `image/jpg` is no registered type: Directus takes it for something else, and serves the file unchanged.
    types = ("application/pdf", "image/svg+xml", None, "image/jpg", "image/x-icon", "image/gif", "image/heic")
    unfit = [replace(FILE, id=str(i), type=t) for i, t in enumerate(types)]

    found = examine_files([FILE, *unfit], [CARD, WIDE], now=NOW)

    assert (found.present, found.unfit) == (("f1",), tuple(file.id for file in unfit))
    assert set(found.wanted) == {("card", "f1"), ("wide", "f1")}


@pytest.mark.parametrize(
    ("uploaded_on", "modified_on", "is_ready"),
    [
        ("2026-01-01T00:00:00.000Z", "2026-01-01T11:59:59.000Z", True),
        ("", "2026-01-01T11:59:59.000Z", False),
        ("", "2026-01-01T11:59:59", False),
        ("", "2026-01-01T12:00:30.000Z", False),
        ("", "2026-01-01T10:59:59.000Z", True),
        ("", None, True),
        ("", "0000-00-00", True),
    ],
    ids=[
        "uploaded",
        "under way",
        "no time zone",
        "clocks differ",
        "made without an upload",
        "no dates at all",
        "no date",
    ],
)
def test_a_file_waits_until_all_of_it_has_arrived(uploaded_on: str, modified_on: str | None, is_ready: bool) -> None:
    file = replace(FILE, uploaded_on=uploaded_on, modified_on=modified_on, filesize=1 if uploaded_on else None)

    found = examine_files([file], [CARD], now=NOW)

    assert (found.present, found.unready) == ((("f1",), ()) if is_ready else ((), ("f1",)))
    assert bool(found.wanted) == is_ready


def test_a_file_that_came_in_chunks_is_listed_when_all_of_it_has_arrived_though_without_a_date() -> None:
    file = replace(FILE, uploaded_on="", modified_on="2026-01-01T11:59:59.000Z", filesize=1000)

    assert examine_files([file], [CARD], now=NOW).present == ("f1",)
