import ast
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from directus_assets.errors import ConfigurationError, DirectusAssetsError
from directus_assets.fast.worker import FORKED
from directus_assets.orchestration.build import build_defs
from directus_assets.orchestration.several import build_each
from directus_assets.settings import Environment, Settings, parse_config
from directus_assets.snapshot import Snapshot, write_snapshot


def load(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Load the code location as Dagster does, in an empty folder with only this environment."""
    code = """
import directus_assets.definitions as module
repository = module.defs.get_repository_def()
print(sorted(key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()))
print(sorted(sensor.name for sensor in repository.sensor_defs))
print(sorted(job for job in repository.job_names if not job.startswith("__")))
"""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_definitions_load_without_any_environment_and_say_what_to_set(tmp_path: Path) -> None:
    loaded = load(tmp_path)

    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.splitlines() == [
        "['directus/files']",
        "['directus_files_sensor', 'directus_runs_sensor', 'directus_settings_sensor']",
        "['directus_reconcile']",
    ]
    assert "DIRECTUS_URL and DIRECTUS_TOKEN not set" in loaded.stderr
    assert list(tmp_path.iterdir()) == []


def test_definitions_load_while_directus_is_down(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, DIRECTUS_URL="http://127.0.0.1:1", DIRECTUS_TOKEN="s3cr3t-t0ken", DAGSTER_HOME=str(tmp_path)
    )

    assert loaded.returncode == 0, loaded.stderr
    assert "Using the last snapshot of Directus (0 presets)" in loaded.stderr
    assert "s3cr3t" not in loaded.stderr


CARD = {"storage_asset_presets": [{"key": "card", "width": 10}]}
NOBODY = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("of", "is_forked", "asks"),
    [(NOBODY, True, False), (NOBODY, False, True), ("http://another.example", True, True), (None, True, True)],
)
def test_only_a_fork_beside_its_code_location_is_built_without_asking_directus(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    of: str | None,
    is_forked: bool,
    asks: bool,
) -> None:
    """Directus is down here, so that whoever asks it gets the last snapshot as well, and a warning."""
    if of:
        write_snapshot(Snapshot(url=of, rows=CARD), tmp_path)
    if is_forked:
        monkeypatch.setenv(FORKED, "1")
    environment = {"DIRECTUS_URL": NOBODY, "DIRECTUS_TOKEN": "t0ken", "DAGSTER_HOME": str(tmp_path)}

    defs = build_defs(Settings(environment=Environment.read(environment), config=parse_config("")))

    presets = [key.path[1] for key in defs.resolve_all_asset_keys() if key.path[0] == "image_presets"]
    assert presets == (["card"] if of == NOBODY else [])
    assert ("Using the last snapshot" in caplog.text) == asks


def test_a_mistake_in_the_yaml_file_is_what_the_code_location_shows(tmp_path: Path) -> None:
    (tmp_path / "directus_assets.yaml").write_text("images:\n  delivry: warm\n")

    loaded = load(tmp_path)

    assert loaded.returncode == 1
    assert loaded.stderr.rstrip().endswith(
        "directus_assets.yaml, line 2: `images.delivry` is not a setting; did you mean `delivery`?"
    )


def test_a_preset_that_only_the_yaml_file_knows_is_named_in_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(
        environment=Environment.read({}), config=parse_config("images:\n  presets:\n    crad: {delivery: warm}\n")
    )
    snapshot = Snapshot(rows={"storage_asset_presets": [{"key": "card", "width": 10}]})

    build_defs(settings, snapshot=snapshot)

    assert "`images.presets.crad`" in caplog.text
    assert "It has: card" in caplog.text


def test_several_projects_live_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "directus_assets.yaml").write_text("projects: {default: {}, shop: {}}\n")

    loaded = load(tmp_path)

    assert loaded.returncode == 0, loaded.stderr
    assets, sensors, jobs = (set(ast.literal_eval(line)) for line in loaded.stdout.splitlines())
    assert assets == {"directus/files", "shop/directus/files"}
    for names in (sensors, jobs):
        of_shop = {name for name in names if name.startswith("shop_")}
        assert of_shop == {f"shop_{name}" for name in names - of_shop} != set()
    assert "SHOP_DIRECTUS_URL and SHOP_DIRECTUS_TOKEN not set" in loaded.stderr


def test_of_several_projects_one_with_a_wrong_variable_is_no_obstacle_to_the_others(tmp_path: Path) -> None:
    (tmp_path / "directus_assets.yaml").write_text("projects: {default: {}, shop: {}}\n")

    loaded = load(tmp_path, SHOP_DIRECTUS_URL="ftp://shop")

    assert loaded.returncode == 0, loaded.stderr
    assets, sensors, _ = (set(ast.literal_eval(line)) for line in loaded.stdout.splitlines())
    assert assets == {"directus/files"}
    assert {name for name in sensors if name.startswith("shop_")} == {"shop_directus_settings_sensor"}
    assert "The project 'shop' is disabled, because its settings are invalid: SHOP_DIRECTUS_URL is not" in loaded.stderr


@pytest.mark.parametrize("error", [ConfigurationError("`enrichments.posts` fits nothing."), KeyError("posts")])
def test_of_several_projects_one_that_cannot_be_built_says_why_in_its_ticks(error: Exception) -> None:
    def build(settings: Settings) -> dg.Definitions:
        if settings.project == "shop":
            raise error
        return build_defs(settings, snapshot=Snapshot())

    projects = {name: Settings(environment=Environment.read({}), project=name) for name in ("web", "shop")}
    repository = build_each(projects, build).get_repository_def()

    assert repository.has_sensor_def("web_directus_files_sensor")
    with pytest.raises(DirectusAssetsError, match="posts"):
        repository.get_sensor_def("shop_directus_settings_sensor")(dg.build_sensor_context())


def test_the_only_project_is_not_left_out(tmp_path: Path) -> None:
    def build(settings: Settings) -> dg.Definitions:
        raise KeyError(settings.project)

    with pytest.raises(KeyError):
        build_each({"default": Settings(environment=Environment.read({}))}, build)


def test_nothing_is_followed_before_directus_was_ever_seen_so_that_what_exists_waits() -> None:
    settings = Settings(environment=Environment.read({}))

    sensor = build_defs(settings, snapshot=Snapshot()).resolve_sensor_def("directus_files_sensor")
    with dg.DagsterInstance.ephemeral() as instance:
        result = sensor(dg.build_sensor_context(instance=instance))

    assert isinstance(result, dg.SensorResult)
    assert isinstance(result.skip_reason, dg.SkipReason)
    assert (result.cursor, result.skip_reason.skip_message) == (
        None,
        "Directus has not responded yet. Existing content will be recorded once it does.",
    )
