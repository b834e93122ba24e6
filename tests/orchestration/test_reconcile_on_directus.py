"""The reconcile on a real Directus. Backfills are carried out at once, in this process."""

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import dagster as dg
import httpx
import numpy as np
import pytest
from PIL import Image

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import upload
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds, build_defs
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.asked import note_first
from directus_assets.orchestration.reconcile.walk import Reconcile, Report
from directus_assets.orchestration.webserver import BackfillProgress, Webserver
from directus_assets.planning.changes import batches
from directus_assets.planning.verdicts import Verdict
from directus_assets.run_tags import range_tags
from directus_assets.settings import Config, Environment, Settings
from directus_assets.snapshot import Snapshot, Wanted, take_snapshot
from directus_assets.translation.engines.openai import OpenAIEngine
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

PRESETS = [
    {"key": "card", "fit": "cover", "width": 60, "height": 60, "quality": 80, "format": "webp"},
    {"key": "auto", "fit": "cover", "width": 32, "height": 24, "quality": 50, "format": "auto"},
]
FILES, POSTS = "directus_files", "directus_posts"


class Site:
    """A Directus with presets and translated posts, and its pipeline."""

    def __init__(self, directus: LocalDirectus, admin: httpx.Client, engine: ScriptedOpenAI, folder: Path) -> None:
        self.directus = directus
        self.admin = admin
        self.engine = engine
        self.folder = folder
        self.instance = dg.DagsterInstance.ephemeral()
        self.project = self._project()
        self.snapshot = take_snapshot(self.project.directus, Wanted(translations=True))

    def _project(self) -> Project:
        environment = Environment.read(
            {
                "DIRECTUS_URL": self.directus.url,
                "DIRECTUS_TOKEN": self.directus.bot_token,
                "DAGSTER_HOME": str(self.folder),
                "OPENAI_API_KEY": "key",
                "OPENAI_BASE_URL": self.engine.url,
                "OPENAI_MODEL": "tiny",
                **self.directus.storage_environment,
            }
        )
        config = {"translations": {"collections": {"posts": {"languages": ["de-DE", "fr-FR"]}}}}
        return Project(Settings(environment=environment, config=Config.model_validate(config)))

    def reconcile(self) -> Report:
        """Run one reconcile, and everything it requests."""
        return Reconcile(
            instance=self.instance,
            memory=self.project.memory,
            webserver=Inline(self),
            names=self.project.names,
            kinds=all_kinds(self.project, self.snapshot),
            seconds=600,
        ).run()

    def start(self) -> None:
        """Start the pipeline for the first time, without content."""
        for collection in ("directus_files", "posts"):
            note_first(self.project.memory, collection, [])

    def upload(self, name: str, seed: int) -> str:
        pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).resize((160, 120)).save(buffer, "JPEG")
        file_id = upload(self.admin, buffer.getvalue(), filename=name)
        # Directus keeps whole seconds: a derivative of the same second cannot be told from one of an earlier picture.
        time.sleep(1)
        return file_id

    def write(self, title: str, **others: str) -> str:
        rows = [{"languages_code": code, "title": text} for code, text in {"en-US": title, **others}.items()]
        answer = self.admin.post("/items/posts", json={"translations": rows})
        answer.raise_for_status()
        return str(answer.json()["data"]["id"])

    def title(self, post: str, language: str) -> str | None:
        params = {"filter[posts_id][_eq]": post, "filter[languages_code][_eq]": language}
        rows = self.admin.get("/items/posts_translations", params=params).json()["data"]
        return rows[0]["title"] if rows else None

    def derivatives(self) -> dict[str, int]:
        """The stored derivatives, with their modification times."""
        return {path.name: path.stat().st_mtime_ns for path in self.directus.uploads.iterdir() if "__" in path.name}

    def partitions(self, name: str) -> list[str]:
        return list(self.instance.get_dynamic_partitions(name))

    def lose_dagster(self) -> None:
        """Delete all of Dagster's storage and start the sensors again."""
        self.instance.dispose()
        self.instance = dg.DagsterInstance.ephemeral()


class Pipeline(Protocol):
    """The part of the pipeline that `Inline` needs."""

    project: Project
    snapshot: Snapshot
    instance: dg.DagsterInstance

    def partitions(self, name: str) -> list[str]: ...


class Inline(Webserver):
    """A webserver that executes requested backfills at once."""

    def __init__(self, site: Pipeline) -> None:
        super().__init__("http://127.0.0.1:1")
        self.site = site
        self.defs = build_defs(site.project.settings, snapshot=site.snapshot, project=site.project)

    def launch_backfill(self, assets: Any, partitions: Any, *, title: str, tags: Any) -> str:
        keys = list(assets)
        kind, collection, *_ = keys[0].path
        name = FILES if kind == "image_presets" else f"directus_{collection}"
        outputs = {key: frozenset({key.path[-1] for key in keys}) for key in partitions}
        repository = self.defs.get_repository_def()
        for batch in batches(outputs, self.site.partitions(name), size=50):
            # As Dagster does: its backfills are over ranges.
            ranges = [(batch.keys[0], batch.keys[-1])] if batch.is_range else [(key, key) for key in batch.keys]
            for first, last in ranges:
                repository.get_implicit_global_asset_job_def().get_subset(asset_selection=set(keys)).execute_in_process(
                    instance=self.site.instance, tags={**range_tags(first, last), **tags}, raise_on_error=False
                )
        return title

    def backfill(self, backfill_id: str) -> BackfillProgress:
        return BackfillProgress(is_over=True, error="", assets={})


@pytest.fixture(scope="module")
def engine() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def site(
    empty_directus: LocalDirectus,
    admin: httpx.Client,
    engine: ScriptedOpenAI,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token, timeout_seconds=120) as client:
        create_collections(client)
        create_bot(client, token=empty_directus.bot_token)
    admin.patch("/settings", json={"storage_asset_presets": PRESETS}).raise_for_status()
    made = Site(empty_directus, admin, engine, tmp_path_factory.mktemp("pipeline"))
    made.start()
    yield made
    made.instance.dispose()
    made.project.directus.close()
    assert isinstance(made.project.engine, OpenAIEngine)
    made.project.engine.close()


@pytest.fixture
def settled(site: Site) -> Site:
    """A site with two complete pictures and two complete posts."""
    if not site.partitions(FILES):
        site.upload("harbour.jpg", 1)
        site.upload("market.jpg", 2)
        site.write("Good bread takes time")
        site.write("Two pans are enough")
        site.reconcile()
    report = site.reconcile()
    assert {verdict for _, verdict in report.verdicts} == {Verdict.RIGHT}
    return site


def test_what_nobody_was_told_of_is_made(settled: Site) -> None:
    picture, post = settled.upload("bridge.jpg", 3), settled.write("The bridge is open again")

    settled.reconcile()

    assert settled.partitions(FILES)[-1] == picture
    assert len([name for name in settled.derivatives() if name.startswith(picture)]) == 4
    assert settled.title(post, "de-DE") not in (None, "", "The bridge is open again")


def test_where_all_is_right_nothing_is_started(settled: Site) -> None:
    runs, asked, stored = settled.instance.get_runs_count(), len(settled.engine.asked), settled.derivatives()

    report = settled.reconcile()

    assert report.asked == []
    assert settled.instance.get_runs_count() == runs
    assert (len(settled.engine.asked), settled.derivatives()) == (asked, stored)


def test_a_derivative_that_somebody_deleted_or_emptied_is_made_again_and_no_other(settled: Site) -> None:
    before = settled.derivatives()
    deleted, emptied, *untouched = sorted(before)
    (settled.directus.uploads / deleted).unlink()
    (settled.directus.uploads / emptied).write_bytes(b"")
    # A fresh one may be in the making.
    os.utime(settled.directus.uploads / emptied, (time.time() - 120,) * 2)

    settled.reconcile()

    after = settled.derivatives()
    assert after.keys() == before.keys()
    assert all((settled.directus.uploads / name).stat().st_size for name in (deleted, emptied))
    others = [name for name in untouched if not name.startswith((deleted[:36], emptied[:36]))]
    assert {name: after[name] for name in others} == {name: before[name] for name in others}


def test_a_translation_that_a_backup_does_not_have_is_restored_without_paying(settled: Site) -> None:
    post = settled.partitions(POSTS)[0]
    title, asked = settled.title(post, "de-DE"), len(settled.engine.asked)
    params = {"filter[posts_id][_eq]": post, "filter[languages_code][_eq]": "de-DE", "fields": "id"}
    (row,) = settled.admin.get("/items/posts_translations", params=params).json()["data"]
    settled.admin.delete(f"/items/posts_translations/{row['id']}").raise_for_status()

    settled.reconcile()

    assert settled.title(post, "de-DE") == title
    assert len(settled.engine.asked) == asked


def test_partitions_of_deleted_rows_go(settled: Site) -> None:
    picture, post = settled.upload("gone.jpg", 4), settled.write("Soon gone")
    settled.reconcile()
    assert picture in settled.partitions(FILES)

    settled.admin.delete(f"/files/{picture}").raise_for_status()
    settled.admin.delete(f"/items/posts/{post}").raise_for_status()
    settled.reconcile()

    assert picture not in settled.partitions(FILES)
    assert post not in settled.partitions(POSTS)


@pytest.mark.parametrize("records", ["kept", "lost"])
def test_after_the_history_is_lost_nothing_is_made_or_paid_for_that_is_right(settled: Site, records: str) -> None:
    human = settled.write("Written by a human", **{"de-DE": "Von Menschenhand", "fr-FR": "À la main"})
    stored, asked = settled.derivatives(), len(settled.engine.asked)
    titles = {post: settled.title(post, "de-DE") for post in settled.partitions(POSTS)}
    settled.lose_dagster()
    if records == "lost":
        for path in (settled.folder / "translations").rglob("*.json"):
            path.unlink()

    report = settled.reconcile()

    assert {verdict for _, verdict in report.verdicts} == {Verdict.ADOPT}
    assert settled.instance.get_runs_count() == 0
    assert len(settled.engine.asked) == asked
    assert settled.derivatives() == stored
    assert {post: settled.title(post, "de-DE") for post in titles} == titles
    assert settled.title(human, "fr-FR") == "À la main"
    again = settled.reconcile()
    assert {verdict for _, verdict in again.verdicts} == {Verdict.RIGHT}
    settled.start()


def test_a_text_that_changed_while_the_history_was_lost_is_translated_anew(settled: Site) -> None:
    post = settled.write("Before")
    settled.reconcile()
    params = {"filter[posts_id][_eq]": post, "filter[languages_code][_eq]": "en-US", "fields": "id"}
    (row,) = settled.admin.get("/items/posts_translations", params=params).json()["data"]
    settled.admin.patch(f"/items/posts_translations/{row['id']}", json={"title": "Afterwards"}).raise_for_status()
    before = settled.title(post, "de-DE")
    settled.lose_dagster()

    settled.reconcile()

    assert settled.title(post, "de-DE") != before
