"""A project of the previous version keeps working: nothing is requested or paid for again, and nothing fails.

`earlier/` contains what that version (commit 038d37f) left: its DAGSTER_HOME and Directus as SQL, its YAML file and its
stored pictures. A real Directus and the current code continue from there. Addresses, tokens and paths are replaced.
"""

import base64
import json
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from dagster._core.scheduler.instigation import SensorInstigatorData

from directus_assets.directus.client import DirectusClient
from directus_assets.fast.batched_records.sqlite import BatchedSqliteEventLog
from directus_assets.fast.coordinator import FreshFirstCoordinator
from directus_assets.fast.launcher import WarmRunLauncher
from directus_assets.local.installation import VERSION_VARIABLE
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds, build_defs
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.orchestration.webserver import Webserver
from directus_assets.planning.verdicts import Verdict
from directus_assets.settings import load_settings
from directus_assets.snapshot import take_snapshot
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

EARLIER = Path(__file__).parent / "earlier"
DIRECTUS = "12.4.1"
"""The version of the recorded Directus: another one would change its tables first."""
ADDRESS = "http://directus.example.com"
SENSORS = ("directus_files_sensor", "directus_posts_sensor", "directus_pages_sensor")
JOBS = {"translate_posts": "directus_posts", "translate_pages": "directus_pages"}
"""The jobs of translations, with their partitions. An enrichment that a person starts by hand is asked for again."""


class Recorded(httpx.HTTPTransport):
    """Routes the recorded address of Directus to the one running here."""

    def __init__(self, directus: LocalDirectus) -> None:
        super().__init__(trust_env=False)
        self._port = directus.port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return super().handle_request(request)


class NoBackfills(Webserver):
    """A webserver that must not receive any request."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.asked: list[Any] = []

    def launch_backfill(self, assets: Any, partitions: Any, *, title: str, tags: Any) -> str:
        self.asked.append((list(assets), list(partitions), title))
        return title


class Upgraded:
    """The recorded project, run by the current code."""

    def __init__(self, directus: LocalDirectus, engine: ScriptedOpenAI, folder: Path) -> None:
        self.directus = directus
        self.engine = engine
        self.home = restore(EARLIER / "home", folder / "home")
        self._stack = ExitStack()
        self.instance = self._stack.enter_context(dg.DagsterInstance.from_config(str(self.home)))
        settings = load_settings(
            {
                "DIRECTUS_URL": ADDRESS,
                "DIRECTUS_TOKEN": directus.bot_token,
                "DIRECTUS_ASSETS_CONFIG": str(EARLIER / "directus_assets.yaml"),
                "DAGSTER_HOME": str(self.home),
                "OPENAI_API_KEY": "key",
                "OPENAI_BASE_URL": engine.url,
                "OPENAI_MODEL": "tiny",
                # Means nothing any more, and is no obstacle.
                "DAGSTER_FLOWS_URL": "http://dagster.example.com",
                **directus.storage_environment,
            }
        )
        self.project = Project(settings)
        client = DirectusClient(ADDRESS, directus.bot_token, transport=Recorded(directus))
        self.project.__dict__["directus"] = self._stack.enter_context(client)
        self.snapshot = take_snapshot(client, self.project.wanted)
        self.defs = build_defs(settings, snapshot=self.snapshot, project=self.project)
        states = {state.instigator_name: state.instigator_data for state in self.instance.all_instigator_state()}
        self.cursors = {name: data.cursor for name in SENSORS if isinstance(data := states[name], SensorInstigatorData)}

    def close(self) -> None:
        self._stack.close()

    def tick(self, sensor: str) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursors[sensor])
        result = self.defs.resolve_sensor_def(sensor)(context)
        assert isinstance(result, dg.SensorResult)
        self.cursors[sensor] = result.cursor
        return list(result.run_requests or [])


def restore(recorded: Path, folder: Path) -> Path:
    """Restore the files of a recorded folder; databases are recorded as SQL."""
    for path in (path for path in recorded.rglob("*") if path.is_file()):
        target = folder / path.relative_to(recorded)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".sql":
            with closing(sqlite3.connect(target.with_suffix(""))) as database:
                database.executescript(path.read_text("utf-8"))
        else:
            target.write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def directus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDirectus]:
    if (os.environ.get(VERSION_VARIABLE) or DIRECTUS) != DIRECTUS:
        pytest.skip(f"recorded with Directus {DIRECTUS}")
    server = LocalDirectus(tmp_path_factory.mktemp("upgrade") / "directus", version=DIRECTUS)
    (server.folder / "data.db").unlink()
    with closing(sqlite3.connect(server.folder / "data.db")) as database, database:
        database.executescript((EARLIER / "directus.sql").read_text("utf-8"))
        for recorded, token in (("<admin token>", server.admin_token), ("<bot token>", server.bot_token)):
            database.execute("UPDATE directus_users SET token = ? WHERE token = ?", (token, recorded))
    for name, content in json.loads((EARLIER / "uploads.json").read_text("utf-8")).items():
        (server.uploads / name).write_bytes(base64.b64decode(content))
    with server:
        yield server


@pytest.fixture
def upgraded(directus: LocalDirectus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upgraded]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with ScriptedOpenAI() as engine, closing(Upgraded(directus, engine, tmp_path)) as upgraded:
        yield upgraded


def test_the_sensors_and_the_reconcile_ask_for_nothing(upgraded: Upgraded) -> None:
    webserver = NoBackfills()
    before = upgraded.project.directus.latest_activity_id()

    requests = [request for _ in range(2) for sensor in SENSORS for request in upgraded.tick(sensor)]
    report = Reconcile(
        instance=upgraded.instance,
        memory=upgraded.project.memory,
        webserver=webserver,
        names=upgraded.project.names,
        kinds=all_kinds(upgraded.project, upgraded.snapshot),
        seconds=600,
    ).run()

    assert requests == []
    assert webserver.asked == []
    assert report.troubles == []
    assert {verdict for _, verdict in report.verdicts} <= {Verdict.RIGHT}
    assert upgraded.engine.asked == []
    assert upgraded.project.directus.latest_activity_id() == before


def test_translations_made_again_cost_nothing_and_write_nothing(upgraded: Upgraded) -> None:
    before = upgraded.project.directus.latest_activity_id()

    for job, partitions in JOBS.items():
        keys = upgraded.instance.get_dynamic_partitions(partitions)
        tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        run = upgraded.defs.resolve_job_def(job).execute_in_process(instance=upgraded.instance, tags=tags)
        assert run.success

    assert upgraded.engine.asked == []
    assert upgraded.project.directus.latest_activity_id() == before


def test_the_names_in_its_dagster_yaml_go_on_working(upgraded: Upgraded) -> None:
    assert "directus_assets.orchestration.batched_records.sqlite" in (upgraded.home / "dagster.yaml").read_text("utf-8")

    assert isinstance(upgraded.instance.event_log_storage, BatchedSqliteEventLog)
    assert isinstance(upgraded.instance.run_launcher, WarmRunLauncher)
    assert isinstance(upgraded.instance.run_coordinator, FreshFirstCoordinator)


def test_its_yaml_file_means_what_it_meant_and_a_warning_names_the_new_place(
    upgraded: Upgraded, caplog: pytest.LogCaptureFixture
) -> None:
    file = (EARLIER / "directus_assets.yaml").read_text("utf-8")
    (upgraded.home / "copy.yaml").write_text(file, "utf-8")

    with caplog.at_level(logging.WARNING):
        settings = load_settings({"DIRECTUS_ASSETS_CONFIG": str(upgraded.home / "copy.yaml")})

    assert (settings.config.engine.concurrency, settings.config.engine.timeout_seconds) == (4, 60)
    assert settings.config.engine.records.folder == "texts"
    assert "`concurrency`, `prices`, `records`, `spending_limit_per_day`, `timeout_seconds`" in caplog.text
    assert "from `translations` to `engine`" in caplog.text


def test_an_edit_after_the_upgrade_asks_for_its_item_alone(upgraded: Upgraded) -> None:
    """Last, since it changes the Directus of the others."""
    headers = {"authorization": f"Bearer {upgraded.directus.admin_token}"}
    with httpx.Client(base_url=upgraded.directus.url, headers=headers, trust_env=False, timeout=60) as admin:
        matching = {"filter[posts_id][_eq]": 2, "filter[languages_code][_eq]": "en-US"}
        (row,) = admin.get("/items/posts_translations", params=matching).json()["data"]
        admin.patch(f"/items/posts_translations/{row['id']}", json={"title": "Old bicycles"}).raise_for_status()

    requests = upgraded.tick("directus_posts_sensor")

    ranges = {request.tags["dagster/asset_partition_range_start"] for request in requests}
    assert ranges == {"2"}
