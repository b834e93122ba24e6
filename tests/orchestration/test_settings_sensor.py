import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest

from directus_assets.directus.version import NEWEST
from directus_assets.errors import ConfigurationError, Rejected
from directus_assets.orchestration.sensors.settings import build_settings_sensor
from directus_assets.settings import load_settings
from directus_assets.snapshot import Snapshot, Wanted, read_snapshot, take_snapshot
from tests.orchestration.scripted_project import LOCATIONS, ScriptedDirectus, ScriptedProject

URL = "http://directus.example.com"
CARD = {"key": "card", "fit": "cover", "width": 200}


class Webserver(BaseHTTPRequestHandler):
    """Dagster's webserver, reduced to reloading."""

    reloads: list[str]
    answer: dict[str, Any]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "name" in asked["variables"]:
            self.reloads.append(asked["variables"]["name"])
        data = {"reloadRepositoryLocation": self.answer, "workspaceOrError": LOCATIONS}
        content = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name of the base class)
        pass


@pytest.fixture
def webserver() -> Iterator[str]:
    Webserver.reloads = []
    Webserver.answer = {"__typename": "WorkspaceLocationEntry", "locationOrLoadError": {"__typename": "X"}}
    with ThreadingHTTPServer(("127.0.0.1", 0), Webserver) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Sensor:
    """The sensor of definitions built from the snapshot `loaded`."""

    def __init__(self, directus: ScriptedDirectus, folder: Path, webserver: str) -> None:
        self.project = ScriptedProject(directus)
        environment = replace(self.project.settings.environment, state_folder=folder, webserver_url=webserver)
        self.project.settings = replace(self.project.settings, environment=environment)
        self.loaded = Snapshot(url=URL, rows=directus.settings_row)
        self.cursor: str | None = None

    def tick(self) -> str:
        """Tick; return the skip message."""
        sensor = build_settings_sensor(self.loaded, self.project)
        with dg.DagsterInstance.ephemeral() as instance:
            result = sensor(dg.build_sensor_context(instance=instance, cursor=self.cursor))
        assert isinstance(result, dg.SensorResult)
        assert isinstance(result.skip_reason, dg.SkipReason)
        self.cursor = result.cursor
        return str(result.skip_reason.skip_message)


@pytest.fixture
def directus() -> ScriptedDirectus:
    return ScriptedDirectus()


@pytest.fixture
def sensor(directus: ScriptedDirectus, tmp_path: Path, webserver: str) -> Sensor:
    return Sensor(directus, tmp_path, webserver)


def change_presets(directus: ScriptedDirectus, *presets: Any, log: bool = True) -> None:
    directus.settings = {"storage_asset_presets": list(presets)}
    if log:
        directus.log("update", "1")
        directus.activity[-1]["collection"] = "directus_settings"


def test_where_nothing_changed_nothing_is_read_but_the_feed(sensor: Sensor, directus: ScriptedDirectus) -> None:
    sensor.tick()
    directus.requests.clear()

    assert sensor.tick() == "Nothing changed."
    assert [path for path in directus.requests if path != "/server/info"] == ["/activity"]


def test_an_upgrade_of_directus_is_part_of_what_definitions_are_built_from(directus: ScriptedDirectus) -> None:
    before = take_snapshot(directus.client(), Wanted())
    directus.server["version"] = "12.9.0"

    after = take_snapshot(directus.client(), Wanted())

    assert (str(before.settings.directus), str(after.settings.directus)) == (NEWEST, "12.9.0")
    assert before.digest != after.digest


def test_changed_settings_have_the_definitions_built_anew(
    sensor: Sensor, directus: ScriptedDirectus, tmp_path: Path
) -> None:
    sensor.tick()
    change_presets(directus, CARD)

    assert "reloading the definitions" in sensor.tick()
    assert Webserver.reloads == ["directus_assets"]
    assert read_snapshot(tmp_path, url=URL).rows == directus.settings_row


def test_a_log_that_has_gone_back_has_the_settings_compared(
    sensor: Sensor, directus: ScriptedDirectus, tmp_path: Path
) -> None:
    directus.upload("f1", "f2")
    sensor.tick()
    del directus.activity[1]
    change_presets(directus, CARD, log=False)

    assert "reloading the definitions" in sensor.tick()
    assert read_snapshot(tmp_path, url=URL).rows == directus.settings_row


def test_it_is_patient_until_the_new_definitions_are_there(sensor: Sensor, directus: ScriptedDirectus) -> None:
    sensor.tick()
    change_presets(directus, CARD)
    sensor.tick()

    sensor.tick()
    assert len(Webserver.reloads) == 1

    sensor.loaded = Snapshot(url=URL, rows=directus.settings_row)
    assert sensor.tick() == "Nothing changed."


def test_a_start_with_an_old_snapshot_is_noticed_without_any_change(sensor: Sensor, directus: ScriptedDirectus) -> None:
    """Directus was down while the definitions were loaded."""
    change_presets(directus, CARD)
    sensor.loaded = Snapshot(url=URL, rows=directus.settings_row)
    sensor.tick()

    sensor.loaded = Snapshot(url=URL)
    sensor.tick()

    assert Webserver.reloads == ["directus_assets"]


def test_a_webserver_that_does_not_answer_is_asked_again_by_the_next_tick(
    sensor: Sensor, directus: ScriptedDirectus
) -> None:
    sensor.tick()
    environment = sensor.project.settings.environment
    nowhere = replace(environment, webserver_url="http://127.0.0.1:1")
    sensor.project.settings = replace(sensor.project.settings, environment=nowhere)
    change_presets(directus, CARD)

    before = sensor.cursor
    assert "DAGSTER_WEBSERVER_URL" in sensor.tick()
    assert sensor.cursor == before

    sensor.project.settings = replace(sensor.project.settings, environment=environment)
    sensor.tick()
    assert Webserver.reloads == ["directus_assets"]


def test_definitions_that_cannot_be_built_are_told(sensor: Sensor, directus: ScriptedDirectus) -> None:
    sensor.tick()
    change_presets(directus, CARD)
    Webserver.answer = {
        "__typename": "WorkspaceLocationEntry",
        "locationOrLoadError": {"__typename": "PythonError", "message": "line 2: `delivry` is not a setting"},
    }

    with pytest.raises(Rejected, match="`delivry` is not a setting"):
        sensor.tick()


def test_a_malformed_preset_is_no_obstacle_to_the_others(sensor: Sensor, directus: ScriptedDirectus) -> None:
    sensor.tick()
    change_presets(directus, CARD, {"key": "poster", "transforms": ["blur"]}, {"width": 5}, "hero")

    sensor.tick()

    assert Webserver.reloads == ["directus_assets"]
    kept = read_snapshot(sensor.project.settings.environment.state_folder, url=sensor.project.directus.url)
    assert [(preset.key, bool(preset.fault)) for preset in kept.settings.presets] == [("card", False), ("poster", True)]


def test_presets_that_are_no_list_are_told_and_leave_the_definitions_as_they_are(
    sensor: Sensor, directus: ScriptedDirectus
) -> None:
    sensor.tick()
    change_presets(directus)
    directus.settings["storage_asset_presets"] = {"key": "card"}

    with pytest.raises(Rejected, match="Directus responds to every asset request with an error"):
        sensor.tick()
    assert Webserver.reloads == []


def test_what_cannot_be_described_is_told_and_looked_at_again_until_it_can(
    sensor: Sensor, directus: ScriptedDirectus
) -> None:
    sensor.project.__dict__["engine"] = object()
    answers = {"/relations": RELATIONS, "/fields": FIELDS, "/collections": [], "/items/languages": [7]}
    directus.further = answers
    assert "The schema of 'posts' could not be read: " in sensor.tick()
    assert "The schema of 'posts' could not be read: " in sensor.tick()
    assert Webserver.reloads == []

    directus.further = {**answers, "/items/languages": [{"code": "en-US"}, {"code": "de-DE"}]}
    sensor.tick()

    assert Webserver.reloads == ["directus_assets"]


META = {"one_field": "translations", "junction_field": "languages_code"}
RELATIONS = [
    {"collection": "posts_rows", "field": "posts_id", "related_collection": "posts", "meta": META},
    {"collection": "posts_rows", "field": "languages_code", "related_collection": "languages", "meta": {}},
]
FIELDS = [
    {"collection": "languages", "field": "code", "type": "string", "schema": {"is_primary_key": True}},
    {"collection": "posts", "field": "translations", "type": "alias", "meta": {"special": ["translations"]}},
    {"collection": "posts_rows", "field": "title", "type": "string", "meta": {"interface": "input"}},
]


def test_a_cursor_that_cannot_be_read_counts_as_lost(sensor: Sensor) -> None:
    sensor.tick()
    first = sensor.cursor

    sensor.cursor = '{"feed": {"last_id": "many"}}'

    assert "Nothing changed." in sensor.tick()
    assert sensor.cursor == first


def test_a_changed_yaml_file_is_loaded_again_and_a_mistake_in_it_is_not(
    directus: ScriptedDirectus, tmp_path: Path, webserver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("images: {workers: 2}\n")
    monkeypatch.setenv("DIRECTUS_ASSETS_CONFIG", str(file))
    sensor = Sensor(directus, tmp_path, webserver)
    loaded = load_settings()
    sensor.project.settings = replace(sensor.project.settings, config=loaded.config, is_from_file=True)

    same = sensor.tick()
    file.write_text("# A comment changes nothing.\nimages: {workers: 2}\n")
    commented = sensor.tick()
    file.write_text("images: {wokers: 3}\n")
    with pytest.raises(ConfigurationError, match="line 1"):
        sensor.tick()
    file.write_text("images: {workers: 3}\n")
    changed = sensor.tick()

    assert same == commented == "Nothing changed."
    assert changed == "The YAML file has changed: reloading the definitions."
    assert Webserver.reloads == ["directus_assets"]


def test_another_dagster_on_the_address_is_told_nothing(
    directus: ScriptedDirectus, tmp_path: Path, webserver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor(directus, tmp_path, webserver)
    sensor.tick()
    stranger = {"name": "directus_settings_sensor", "tags": [{"key": "directus_assets/place", "value": "elsewhere"}]}
    entry = {"name": "theirs", "locationOrLoadError": {"repositories": [{"sensors": [stranger]}]}}
    monkeypatch.setitem(LOCATIONS, "locationEntries", [entry])
    change_presets(directus, CARD)

    with pytest.raises(Rejected, match=r"works for another Directus.*Set DAGSTER_WEBSERVER_URL"):
        sensor.tick()

    assert Webserver.reloads == []
