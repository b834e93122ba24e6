"""The findings of `doctor` about a Dagster that is more open, or slower, than necessary."""

import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from directus_assets.commands.doctor.dagster import check_guard, check_home
from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.commands.home import INSTANCE_FILE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, '{"data": {"__typename": "Query"}}', ["webserver"]),
        (403, "Only POST requests are accepted here.", []),
        (404, "", []),
    ],
)
def test_a_webserver_that_takes_graphql_by_get_is_named(
    imaginary: Callable[..., Checkup], status: int, body: str, told: list[str]
) -> None:
    subject = imaginary(lambda _: httpx.Response(status, text=body))

    findings = list(check_guard(subject))

    assert [finding.what for finding in findings] == told
    assert all("directus_assets.fast.webserver" in finding.remedy for finding in findings)


def test_variables_that_mean_nothing_any_more_are_named(imaginary: Callable[..., Checkup]) -> None:
    subject = imaginary(lambda _: httpx.Response(403), unused=("DAGSTER_FLOWS_URL",))

    (finding,) = check_guard(subject)

    assert (finding.what, finding.status) == ("DAGSTER_FLOWS_URL", Status.WARNING)
    assert "close any network access" in finding.remedy


def test_a_webserver_that_is_away_is_told_elsewhere(imaginary: Callable[..., Checkup]) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert list(check_guard(imaginary(away))) == []


@pytest.mark.parametrize(
    ("text", "news"),
    [
        ("telemetry: {enabled: false}\n", "storage, run_launcher, run_coordinator"),
        (
            "run_launcher: {module: directus_assets.orchestration.launcher, class: WarmRunLauncher}",
            "storage, run_coord",
        ),
        ("", "storage, run_launcher, run_coordinator"),
    ],
)
def test_what_a_dagster_yaml_of_an_earlier_version_lacks_is_told_and_it_is_left(
    imaginary: Callable[..., Checkup], tmp_path: Path, text: str, news: str
) -> None:
    (tmp_path / "dagster.yaml").write_text(text)

    findings = list(check_home(imaginary(lambda _: httpx.Response(404), state_folder=tmp_path)))

    assert [finding.what for finding in findings] == ["DAGSTER_HOME", "dagster.yaml"]
    assert f"It does not use these faster settings: {news}" in findings[1].text
    assert (tmp_path / "dagster.yaml").read_text() == text


@pytest.mark.parametrize("file", [INSTANCE_FILE, ROOT / "deploy" / "dagster.yaml"])
def test_of_ours_nothing_is_new(imaginary: Callable[..., Checkup], tmp_path: Path, file: Path) -> None:
    shutil.copy(file, tmp_path / "dagster.yaml")

    findings = list(check_home(imaginary(lambda _: httpx.Response(404), state_folder=tmp_path)))

    assert [finding.what for finding in findings] == ["DAGSTER_HOME"]
