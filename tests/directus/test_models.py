from typing import Any

import pytest

from directus_assets.directus.models import MISSING, Activity, File, Preset, ProjectSettings
from directus_assets.errors import Rejected

FILE: dict[str, Any] = {"id": "f1", "storage": "local", "filename_disk": "f1.jpg", "type": "image/jpeg"}
ACTIVITY: dict[str, Any] = {
    "id": 1,
    "action": "create",
    "collection": "directus_files",
    "item": 5,
    "timestamp": "2026-01-01T00:00:00.000Z",
}


def nested(levels: int) -> list[Any]:
    """An empty list nested this deeply."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(("row", "fit"), [({}, MISSING), ({"fit": None}, None), ({"fit": "cover"}, "cover")])
def test_a_fit_that_is_absent_is_not_one_that_is_null(row: dict[str, Any], fit: object) -> None:
    assert Preset.parse({"key": "card", **row}).fit is fit


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"width": "wide"}, "`width` is 'wide', which is not a number that sharp accepts"),
        ({"height": "0"}, "`height` is '0'"),
        ({"width": {"px": 5}}, "`width` is {'px': 5}"),
        ({"width": float("inf")}, "`width` is inf"),
        ({"quality": "0"}, "`quality` is '0'"),
        ({"quality": "high", "width": "1_0"}, "`width` is '1_0', which is not a number that sharp accepts; `quality`"),
        ({"focal_point_x": "left"}, "`focal_point_x` is 'left'"),
        ({"format": 5}, "`format` is 5, which is not a format name"),
        ({"format": {"id": "webp"}}, "`format` is {'id': 'webp'}"),
        ({"transforms": ["blur"]}, "`transforms` is not a list of [operation, argument, ...]"),
        ({"transforms": {"blur": 5}}, "`transforms` is not a list of"),
        ({"transforms": {}}, "`transforms` is not a list of"),
        ({"transforms": "blur"}, "`transforms` is not a list of"),
        ({"transforms": [[]]}, "`transforms` is not a list of"),
        ({"transforms": [None]}, "`transforms` is not a list of"),
        ({"transforms": [[["rotate"], 90]]}, "`transforms` is not a list of"),
        ({"transforms": [["rotate", nested(5000)]]}, "`transforms` is nested too deeply"),
    ],
)
def test_a_preset_that_directus_can_make_nothing_of_says_so_and_stops_no_other(row: dict[str, Any], fault: str) -> None:
    rows = [{"key": "card", **row}, {"key": "hero", "width": 5}]

    card, hero = ProjectSettings.parse({"storage_asset_presets": rows}).presets

    assert card.fault.startswith(fault)
    assert (hero.width, hero.fault) == (5, "")


@pytest.mark.parametrize("nothing", [None, [], "", 0, False])
def test_a_preset_without_transforms_has_none(nothing: object) -> None:
    preset = Preset.parse({"key": "card", "transforms": nothing})

    assert (preset.transforms, preset.fault) == ((), "")


@pytest.mark.parametrize(
    ("value", "width"),
    [("200", 200), (" 77 ", 77), ("0x10", 16), ("1e2", 100), ("50.5", 50.5), ([60], 60), (True, 1), ("", None), (0, 0)],
)
def test_a_number_is_what_javascript_makes_of_it(value: object, width: float | None) -> None:
    preset = Preset.parse({"key": "card", "width": value})

    assert (preset.width, preset.fault) == (width, "")


@pytest.mark.parametrize(("value", "point"), [(0, None), ("", None), (None, None), ("0", 0), (12, 12), ("7.5", 7.5)])
def test_a_focal_point_of_zero_counts_in_a_preset_only_as_a_text(value: object, point: float | None) -> None:
    assert Preset.parse({"key": "card", "focal_point_x": value}).focal_point_x == point


@pytest.mark.parametrize(
    ("value", "is_set"), [("false", True), ([], True), ({}, True), (1, True), (0, False), ("", False), (None, False)]
)
def test_enlargement_is_forbidden_by_whatever_javascript_takes_for_true(value: object, is_set: bool) -> None:
    assert bool(Preset.parse({"key": "card", "withoutEnlargement": value}).without_enlargement) is is_set


def test_the_text_of_a_preset_stays_what_digests_were_made_of() -> None:
    """Users upgrade: a change here has all of their derivatives shown as made by another version of the preset."""
    row = {"key": "card", "fit": "cover", "width": 20, "height": None, "quality": 0, "format": "webp", "transforms": []}

    assert repr(Preset.parse(row)) == (
        "Preset(key='card', fit='cover', width=20, height=None, quality=0, without_enlargement=None, format='webp', "
        "transforms=())"
    )


@pytest.mark.parametrize("nobody_asks_for", [{}, {"width": 5}, {"key": None}, {"key": 5}, {"key": ["card"]}, "card", 7])
def test_what_nobody_can_ask_for_is_no_preset(nobody_asks_for: object) -> None:
    settings = ProjectSettings.parse({"storage_asset_presets": [nobody_asks_for, {"key": "card"}]})

    assert [preset.key for preset in settings.presets] == ["card"]
    assert len(settings.faults) == 1


@pytest.mark.parametrize("presets", [[{"key": "card"}, None], {"key": "card"}, "card"])
def test_presets_that_stop_every_asset_of_directus_are_told(presets: object) -> None:
    with pytest.raises(Rejected, match="Directus responds to every asset request with an error"):
        ProjectSettings.parse({"storage_asset_presets": presets})


def test_of_two_presets_with_the_same_key_the_first_counts_as_in_directus() -> None:
    rows = [{"key": "card", "width": 1}, {"key": "hero", "width": 2}, {"key": "card", "width": 3}]

    settings = ProjectSettings.parse({"storage_asset_presets": rows})

    assert [(preset.key, preset.width) for preset in settings.presets] == [("card", 1), ("hero", 2)]


def test_a_project_without_presets_has_none() -> None:
    assert ProjectSettings.parse({"storage_asset_presets": None}).presets == ()


def test_of_a_glossary_what_is_no_term_is_passed_over() -> None:
    entries = [
        "bread",
        None,
        7,
        {},
        {"term": " "},
        {"term": ["a"]},
        {"term": 12},
        {"term": "oven", "translation_note": 5},
    ]

    settings = ProjectSettings.parse({"storage_asset_presets": [], "ai_translation_glossary": entries})

    assert [(each.term, each.translation_note) for each in settings.glossary] == [
        ("['a']", ""),
        ("12", ""),
        ("oven", "5"),
    ]
    for odd in ("bread", 7, {"term": "bread"}):
        assert not ProjectSettings.parse({"storage_asset_presets": [], "ai_translation_glossary": odd}).glossary


def test_half_an_emoji_in_what_describes_a_file_is_a_sign_that_can_be_printed() -> None:
    file = File.parse({**FILE, "title": "Boat \ud83d", "filename_disk": "b\ud83d.jpg"})

    assert (file.title, file.filename_disk) == ("Boat \ufffd", "b\ufffd.jpg")


def test_a_file_may_lack_all_that_directus_may_leave_empty() -> None:
    file = File.parse({"id": "f1", "storage": "local"})

    assert (file.filename_disk, file.type, file.width, file.uploaded_on) == ("", None, None, "")
    assert not file.is_transformable


@pytest.mark.parametrize(
    ("row", "name"), [({"title": "Harbour"}, "Harbour"), ({"filename_download": "h.jpg"}, "h.jpg")]
)
def test_a_file_is_called_what_editors_call_it(row: dict[str, Any], name: str) -> None:
    assert File.parse({**FILE, **row}).name == name
    assert File.parse(FILE).name == "f1"


def test_large_files_come_with_their_size_as_text() -> None:
    assert File.parse({**FILE, "filesize": "5000000000"}).filesize == 5_000_000_000


def test_a_size_that_is_no_number_is_told() -> None:
    with pytest.raises(Rejected, match="`width` of directus_files that is not a whole number"):
        File.parse({**FILE, "width": "wide"})


@pytest.mark.parametrize("timestamp", ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00", "2026-01-01T01:00:00+01:00"])
def test_moments_are_aware(timestamp: str) -> None:
    entry = Activity.parse({**ACTIVITY, "timestamp": timestamp})

    assert entry.timestamp.isoformat() in ("2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+01:00")
    assert entry.item == "5"


@pytest.mark.parametrize("field", ["id", "action", "collection", "item", "timestamp"])
def test_an_entry_without_a_field_names_the_right_that_is_missing(field: str) -> None:
    with pytest.raises(Rejected, match=f"permission to read the field `{field}` of directus_activity"):
        Activity.parse({name: value for name, value in ACTIVITY.items() if name != field})


@pytest.mark.parametrize("entry", ["card", 5, [], {}, {"width": 5}, {"key": None}])
def test_a_preset_that_nobody_can_ask_for_is_passed_over_and_told(entry: object) -> None:
    settings = ProjectSettings.parse({"storage_asset_presets": [entry, {"key": "card"}]})

    assert [preset.key for preset in settings.presets] == ["card"]
    assert settings.faults == ("Skipped an image preset without a key.",)


def test_entries_of_the_glossary_that_are_none_are_passed_over() -> None:
    row = {"storage_asset_presets": None, "ai_translation_glossary": [None, "bread", {"term": None}, {"term": "rye"}]}

    assert [entry.term for entry in ProjectSettings.parse(row).glossary] == ["rye"]


def test_a_fault_is_no_part_of_what_decides_the_version_of_a_preset() -> None:
    assert "fault" not in repr(Preset(key="card"))
