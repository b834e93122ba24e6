from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from directus_assets.cli import _Commands, main

ENVIRONMENT = {"DIRECTUS_URL": "http://127.0.0.1:1", "DIRECTUS_TOKEN": "t0ken"}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, **environment: str | None) -> Result:
    names = ("DIRECTUS_URL", "DIRECTUS_TOKEN", "DAGSTER_HOME", "DIRECTUS_ASSETS_CONFIG")
    return CliRunner(env={**dict.fromkeys(names), **environment}).invoke(main, arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["backfil"],
        ["backfill", "--presets", "card"],
        ["demo", "--port", "http"],
        ["prune", "--undo", "directus_assets.yaml"],
        ["prune", "--undo", ".", "--dry-run"],
        ["xliff", "export", "--item", "1"],
        ["xliff", "import", "nowhere.xlf"],
    ],
)
def test_wrong_use_ends_with_status_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_help_and_version_end_with_status_0() -> None:
    assert run("--help").exit_code == 0
    assert run("--version").exit_code == 0


def test_a_command_says_which_variables_are_missing() -> None:
    result = run("backfill")

    assert result.exit_code == 1
    assert result.stderr == (
        "Error: DIRECTUS_URL and DIRECTUS_TOKEN not set. Copy .env.example to .env and set DIRECTUS_URL. "
        "`make setup` (`directus-assets setup --write-env`) makes a user and puts its token into .env.\n"
    )


def test_a_command_says_that_there_is_no_pipeline_here() -> None:
    result = run("backfill", **ENVIRONMENT)

    assert result.exit_code == 1
    assert "DAGSTER_HOME is not set. Start the pipeline first" in result.stderr


def test_a_plan_needs_no_home_of_dagster_and_makes_none(tmp_path: Path) -> None:
    result = run("plan", **ENVIRONMENT)

    assert "There is no DAGSTER_HOME yet" in result.stdout
    assert result.exit_code == 1
    assert "on Directus at http://127.0.0.1:1 failed" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_home_of_dagster_that_is_not_there_is_told() -> None:
    result = run("backfill", **ENVIRONMENT, DAGSTER_HOME="/nonexistent/dagster")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: DAGSTER_HOME is /nonexistent/dagster, which is not a folder.")


def test_an_error_is_one_line_and_shows_brackets_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "directus_assets.yaml").write_text("images:\n  workers: [/red]\n")

    result = run("backfill", **ENVIRONMENT)

    assert result.exit_code == 1
    assert result.stderr == (
        "Error: directus_assets.yaml, line 2: `images.workers`: Input should be a valid integer (found ['/red']).\n"
    )


def test_of_several_projects_a_command_wants_to_know_which(tmp_path: Path) -> None:
    (tmp_path / "directus_assets.yaml").write_text("projects: {default: {}, shop: {}}\n")

    unnamed, unknown = run("backfill", **ENVIRONMENT), run("backfill", "--project", "web", **ENVIRONMENT)
    incomplete = run("status", **ENVIRONMENT)

    assert "There are several projects: default, shop. Choose one with --project." in unnamed.stderr
    assert "There is no project 'web'. The YAML file has: default, shop." in unknown.stderr
    assert "SHOP_DIRECTUS_URL and SHOP_DIRECTUS_TOKEN not set" in incomplete.stderr
    assert {unnamed.exit_code, unknown.exit_code, incomplete.exit_code} == {1}


def test_doctor_looks_at_one_project_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "directus_assets.yaml").write_text("projects: {shop: {}, web: {}}\n")

    everything, one = run("doctor"), run("doctor", "--project", "web")

    assert "SHOP_DIRECTUS_URL and SHOP_DIRECTUS_TOKEN" in " ".join(everything.stdout.split())
    assert "WEB_DIRECTUS_URL and WEB_DIRECTUS_TOKEN" in " ".join(everything.stdout.split())
    assert "SHOP_" not in one.stdout


def test_of_several_projects_one_with_a_wrong_variable_is_told_and_the_others_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "directus_assets.yaml").write_text("projects: {shop: {}, web: {}}\n")

    everything, one = (
        run("doctor", SHOP_DIRECTUS_URL="ftp://shop"),
        run("doctor", "--project", "web", SHOP_DIRECTUS_URL="x"),
    )

    assert "SHOP_DIRECTUS_URL is not a web address" in everything.stderr
    assert "WEB_DIRECTUS_URL and WEB_DIRECTUS_TOKEN" in " ".join(everything.stdout.split())
    assert "WEB_DIRECTUS_URL and WEB_DIRECTUS_TOKEN" in " ".join(one.stdout.split())
    assert one.stderr == ""
    assert everything.exit_code == one.exit_code == 1


def test_what_nobody_has_foreseen_is_told_without_credentials() -> None:
    @click.group(cls=_Commands)
    def commands() -> None: ...

    @commands.command()
    def fails() -> None:
        raise KeyError("https://me:hunter2-hunter2@s3.example.com/bucket")

    result = CliRunner().invoke(commands, ["fails"])

    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "Error: KeyError: 'https://***@s3.example.com/bucket'" in result.stderr
    assert "hunter2" not in result.output
