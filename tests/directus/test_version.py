"""Versions of Directus and their differences."""

from pathlib import Path

import pytest

from directus_assets.directus.models import ProjectSettings
from directus_assets.directus.version import LATEST, NEWEST, TESTED, Version
from directus_assets.images.plan import code_version


@pytest.mark.parametrize("text", ["", "unknown", "None", "v12"])
def test_a_directus_that_does_not_tell_is_taken_for_the_newest(text: str) -> None:
    assert Version.parse(text) == LATEST
    assert str(LATEST) == NEWEST


@pytest.mark.parametrize("text", TESTED)
def test_what_the_tests_run_on_is_supported_and_tested(text: str) -> None:
    version = Version.parse(text)

    assert (version.fault, version.is_untested) == ("", False)


def test_a_major_version_that_came_later_is_supported_and_untested() -> None:
    version = Version.parse("13.0.0-rc.1")

    assert (version.fault, version.is_untested, version.same_bytes) == ("", True, "all")


@pytest.mark.parametrize(
    ("text", "limits", "same_bytes"),
    [
        ("10.13.4", False, "none"),
        ("11.9.2", False, "none"),
        ("11.14.1", False, "some"),
        ("11.15.4", None, "some"),
        ("11.16.0", True, "some"),
        ("12.1.1", True, "some"),
        ("12.2.0", True, "all"),
        ("12.4.1", True, "all"),
    ],
)
def test_names_and_bytes_follow_from_the_version(text: str, limits: bool | None, same_bytes: str) -> None:
    version = Version.parse(text)

    assert version.limits_targets is limits
    assert version.same_bytes == same_bytes


@pytest.mark.parametrize(("text", "has_them"), [("10.13.4", False), ("11.9.2", False), ("11.11.0", True)])
def test_flows_can_answer_with_errors_from_11_11_on(text: str, *, has_them: bool) -> None:
    assert Version.parse(text).has_flow_errors is has_them


def test_the_version_is_no_part_of_what_a_preset_is_known_by() -> None:
    old, new = (
        ProjectSettings.parse({"storage_asset_presets": [{"key": "card", "width": 9}], "directus_version": version})
        for version in ("11.14.1", "12.4.1")
    )

    assert code_version(old.presets[0]) == code_version(new.presets[0])


def test_settings_that_were_kept_without_a_version_are_those_of_the_newest_directus() -> None:
    assert ProjectSettings.parse({"storage_asset_presets": []}).directus == LATEST


@pytest.mark.parametrize("page", ["README.md", "docs/guarantees.md"])
def test_the_docs_name_the_versions_that_the_tests_run_on(page: str) -> None:
    text = " ".join((Path(__file__).parents[2] / page).read_text("utf-8").split())

    assert f"he tests run on {', '.join(TESTED[:-1])} and {NEWEST}" in text
