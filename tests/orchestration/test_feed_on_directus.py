"""What the feed makes of a log that goes back, with the daemon's own ticks, on a real Directus."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import upload
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.server import LocalDirectus
from directus_assets.operations.doctor import examine
from directus_assets.operations.findings import Status, Subject
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.resources import Project
from directus_assets.settings import Environment, Settings
from tests.operations.conftest import picture

NAMES = Names()
CARD = {"key": "card", "fit": "cover", "width": 60, "height": 60, "quality": 80, "format": "webp"}
HERO = {"key": "hero", "fit": "cover", "width": 90, "height": 60, "quality": 80, "format": "webp"}
PATIENCE_SECONDS = 180

pytestmark = pytest.mark.integration


@pytest.fixture
def site(tmp_path: Path) -> Iterator[LocalDirectus]:
    """One of its own, since its database is tampered with."""
    with LocalDirectus(tmp_path / "directus") as server:
        with DirectusClient(server.url, server.admin_token) as client:
            create_bot(client, token=server.bot_token)
            client.patch("/settings", {"storage_asset_presets": [CARD]})
        yield server


def go_back(site: LocalDirectus, number: int) -> None:
    """The log as it was when it had come to this entry; the ids go on from there."""
    with closing(sqlite3.connect(site.folder / "data.db", timeout=30)) as database, database:
        database.execute("DELETE FROM directus_revisions WHERE activity > ?", (number,))
        database.execute("DELETE FROM directus_activity WHERE id > ?", (number,))
        database.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'directus_activity'", (number,))


def wait(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def made(home: Path, preset: str) -> set[str]:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        keys = instance.get_dynamic_partitions(str(NAMES.files_partitions.name))
        found = instance.get_status_by_partition(NAMES.preset(preset), keys, NAMES.files_partitions) or {}
    return {key for key, status in found.items() if status and status.value == "MATERIALIZED"}


def test_a_log_that_has_gone_back_is_found_by_doctor_and_by_the_next_ticks(site: LocalDirectus, tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {site.admin_token}"}
    pipeline = LocalPipeline(site, tmp_path / "pipeline")
    environ = {"DIRECTUS_URL": site.url, "DIRECTUS_TOKEN": site.bot_token, "DAGSTER_HOME": str(pipeline.home)}
    settings = Settings(environment=Environment.read(environ))

    def feed_status() -> Status:
        with closing(Subject(Project(settings))) as subject:
            (finding,) = [each for each in examine(subject) if each.what == "change feed"]
        return finding.status

    with httpx.Client(base_url=site.url, headers=headers, timeout=60) as admin:
        first = upload(admin, picture(), filename="first.jpg")
        backup = max(row["id"] for row in admin.get("/activity?limit=-1").json()["data"])
        with pipeline:
            wait(lambda: "directus_files_sensor" in positions(pipeline.home))
            second = upload(admin, picture(), filename="second.jpg")
            for number in range(30):
                admin.patch(f"/files/{first}", json={"title": f"Title {number}"}).raise_for_status()
            wait(lambda: made(pipeline.home, "card") == {second})
            before = feed_status()
        go_back(site, backup)
        after = feed_status()
        third = upload(admin, picture(), filename="third.jpg")
        admin.patch("/settings", json={"storage_asset_presets": [CARD, HERO]}).raise_for_status()
        with pipeline:
            wait(lambda: made(pipeline.home, "card") >= {second, third})
            wait(lambda: made(pipeline.home, "hero") >= {second, third})
            again = feed_status()

    assert (before, after, again) == (Status.OK, Status.FAILED, Status.OK)


def positions(home: Path) -> dict[str, Any]:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        states = instance.all_instigator_state()
    return {
        state.instigator_name: cursor for state in states if (cursor := getattr(state.instigator_data, "cursor", 0))
    }
