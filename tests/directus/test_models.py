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


@pytest.mark.parametrize(("row", "fit"), [({}, MISSING), ({"fit": None}, None), ({"fit": "cover"}, "cover")])
def test_a_fit_that_is_absent_is_not_one_that_is_null(row: dict[str, Any], fit: object) -> None:
    assert Preset.parse({"key": "card", **row}).fit is fit


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, "without `key`"),
        ({"key": "card", "width": "wide"}, "`width` = 'wide', which is no number"),
        ({"key": "card", "width": float("inf")}, "`width` = 'inf', which is no number"),
        ({"key": "card", "width": "1e400"}, "`width` = '1e400', which is no number"),
        ({"key": "card", "width": 10**400}, "`width` = '1000"),
        ({"key": "card", "width": {"px": 3}}, "`width` = \"{'px': 3}\", which is no number"),
        ({"key": "card", "transforms": ["blur"]}, "Preset 'card': `transforms` is not a list of"),
        ({"key": "card", "transforms": {"blur": 5}}, "Preset 'card': `transforms` is not a list of"),
        ({"key": "card", "transforms": [[]]}, "Preset 'card': `transforms` is not a list of"),
    ],
)
def test_a_malformed_preset_is_told(row: dict[str, Any], told: str) -> None:
    with pytest.raises(Rejected) as caught:
        Preset.parse(row)

    assert told in str(caught.value)


def test_of_two_presets_with_the_same_key_the_first_counts_as_in_directus() -> None:
    rows = [{"key": "card", "width": 1}, {"key": "hero", "width": 2}, {"key": "card", "width": 3}]

    settings = ProjectSettings.parse({"storage_asset_presets": rows})

    assert [(preset.key, preset.width) for preset in settings.presets] == [("card", 1), ("hero", 2)]


def test_a_project_without_presets_has_none() -> None:
    assert ProjectSettings.parse({"storage_asset_presets": None}).presets == ()


@pytest.mark.parametrize("presets", [7, "card", {"key": "card"}])
def test_presets_that_are_no_list_of_presets_are_told(presets: object) -> None:
    with pytest.raises(Rejected, match="`storage_asset_presets` is not a list of presets"):
        ProjectSettings.parse({"storage_asset_presets": presets})


@pytest.mark.parametrize("entry", ["card", None, 7, {}])
def test_an_entry_that_is_no_preset_is_told_and_stops_no_other(entry: object) -> None:
    settings = ProjectSettings.parse({"storage_asset_presets": [entry, {"key": "hero"}]})

    assert [preset.key for preset in settings.presets] == ["hero"]
    assert len(settings.faults) == 1


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
    with pytest.raises(Rejected, match="`width` of directus_files that is no whole number"):
        File.parse({**FILE, "width": "wide"})


@pytest.mark.parametrize("timestamp", ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00", "2026-01-01T01:00:00+01:00"])
def test_moments_are_aware(timestamp: str) -> None:
    entry = Activity.parse({**ACTIVITY, "timestamp": timestamp})

    assert entry.timestamp.isoformat() in ("2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+01:00")
    assert entry.item == "5"


@pytest.mark.parametrize("field", ["id", "action", "collection", "item", "timestamp"])
def test_an_entry_without_a_field_names_the_right_that_is_missing(field: str) -> None:
    with pytest.raises(Rejected, match=f"the right to read the field `{field}` of directus_activity"):
        Activity.parse({**ACTIVITY, field: None})


def test_a_moment_that_is_no_date_is_told() -> None:
    with pytest.raises(Rejected, match="`timestamp` of directus_activity that is no date: 'yesterday'"):
        Activity.parse({**ACTIVITY, "timestamp": "yesterday"})


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"key": "odd", "width": "wide"}, "`width` = 'wide', which is no number"),
        ({"key": "odd", "transforms": ["blur"]}, "`transforms` is not a list of"),
        ({"key": "odd", "transforms": {"blur": 5}}, "`transforms` is not a list of"),
    ],
)
def test_one_malformed_preset_of_several_says_so_and_is_no_obstacle_to_the_others(
    entry: dict[str, Any], fault: str
) -> None:
    rows = [{"key": "card", "width": 1}, entry, {"key": "hero", "width": 2}]

    card, odd, hero = ProjectSettings.parse({"storage_asset_presets": rows}).presets

    assert (card, hero) == (Preset(key="card", width=1), Preset(key="hero", width=2))
    assert odd.key == "odd"
    assert fault in odd.fault


@pytest.mark.parametrize("entry", [None, "card", 5, [], {}, {"width": 5}, {"key": ""}, {"key": None}])
def test_a_preset_that_nobody_can_ask_for_is_passed_over_and_told(entry: object) -> None:
    settings = ProjectSettings.parse({"storage_asset_presets": [entry, {"key": "card"}]})

    assert [preset.key for preset in settings.presets] == ["card"]
    assert settings.faults == ("An image preset without a key is passed over.",)


def test_entries_of_the_glossary_that_are_none_are_passed_over() -> None:
    row = {"storage_asset_presets": None, "ai_translation_glossary": [None, "bread", {"term": None}, {"term": "rye"}]}

    assert [entry.term for entry in ProjectSettings.parse(row).glossary] == ["rye"]


def test_a_fault_is_no_part_of_what_decides_the_version_of_a_preset() -> None:
    assert "fault" not in repr(Preset(key="card"))
