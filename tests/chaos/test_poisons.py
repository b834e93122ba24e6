"""Poisoned pictures and items among healthy ones, on a real Directus with the pipeline running: each fails alone.

`make chaos` puts them among 200 healthy pictures and 200 healthy items, with the daemon running; the short form puts
them among fewer, in one process.
"""

import json
import os
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import httpx
import pytest
import yaml

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import upload
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.report import Report
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.orchestration.webserver import Webserver
from directus_assets.settings import Config, Environment, Settings
from directus_assets.snapshot import read_snapshot
from tests.chaos.poisons import ITEMS, PICTURES, ItemPoison, PicturePoison, picture, poisoned, title_of
from tests.translation.scripted_openai import ScriptedOpenAI
from tests.translation.test_poisons import PoisonedPipeline

pytestmark = [pytest.mark.integration, pytest.mark.timeout(5400)]

IS_FULL = os.environ.get("CHAOS") == "full"
HEALTHY = 200 if IS_FULL else 16
PATIENCE_SECONDS = 3600
NAMES = Names()
CODE = "de-DE"
PRESETS = [
    {"key": "card", "fit": "cover", "width": 24, "height": 24, "quality": 80, "format": "webp"},
    {"key": "wide", "fit": "inside", "width": 32, "height": None, "quality": 80, "format": "jpeg"},
]
CONFIG = {
    # What has failed is tried again after a while. A full run takes longer than the shortest of these whiles.
    # The tests say when a reconcile runs.
    "reconcile": {"look_again_after_minutes": 1440, "cron": "0 0 1 1 *"},
    "translations": {"languages": ["en-US", CODE]},
    "enrichments": {
        "posts": {"mood": {"prompt": "Judge the mood.", "input": ["title"], "result": {"mood": ["good", "bad"]}}}
    },
}
DONE = {"MATERIALIZED", "FAILED"}
OVER = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}

FILES = NAMES.files_partitions
POSTS = NAMES.items_partitions("posts")
PAGES = NAMES.items_partitions("pages")
ASSETS = {
    **{NAMES.preset(preset["key"]): FILES for preset in PRESETS},
    NAMES.translation("posts", CODE): POSTS,
    NAMES.enrichment("posts", "mood"): POSTS,
    NAMES.translation("pages", CODE): PAGES,
}


class Site(ABC):
    """A Directus, its pipeline, and the content put into it."""

    instance: dg.DagsterInstance

    def __init__(self, directus: LocalDirectus, admin: httpx.Client) -> None:
        self.directus = directus
        self.admin = admin
        self.keys: dict[str, set[str]] = {str(each.name): set() for each in (FILES, POSTS, PAGES)}
        """All that is there, by partitions."""
        self.poisons: dict[tuple[dg.AssetKey, str], str] = {}
        """What is to fail, and the name of the poison."""
        self.told: dict[tuple[dg.AssetKey, str], str] = {}
        """What is to be said of it."""

    def fill(self) -> None:
        """Fill Directus with healthy content and poisons."""
        pictures, items = iter(PICTURES.items()), iter(ITEMS.items())
        for number in range(HEALTHY):
            self._upload(picture(1000 + number), f"healthy{number}.jpg")
            self._write(f"Healthy bread number {number + 301}", page=number % 2 == 1)
            if number % max(1, HEALTHY // (len(ITEMS) + 1)) == 0:
                self._poison_picture(pictures)
                self._poison_item(items)
        while self._poison_picture(pictures) | self._poison_item(items):
            pass

    def _poison_picture(self, poisons: Iterator[tuple[str, PicturePoison]]) -> bool:
        """The next one; whether there was one left."""
        name, poison = next(poisons, ("", None))
        if poison is None:
            return False
        key = self._upload(poison.content, poison.filename, title=name)
        if poison.spoil:
            poison.spoil(self.directus.uploads / self.admin.get(f"/files/{key}").json()["data"]["filename_disk"])
        if poison.fields:
            self.admin.patch(f"/files/{key}", json=dict(poison.fields)).raise_for_status()
        for preset in PRESETS:
            self._expect(NAMES.preset(preset["key"]), key, name, poison.told)
        return True

    def _poison_item(self, poisons: Iterator[tuple[str, ItemPoison]]) -> bool:
        """The next one; whether there was one left."""
        name, poison = next(poisons, ("", None))
        if poison is None:
            return False
        key = self._write(title_of(name), page=bool(poison.page), poison=poison)
        collection = "pages" if poison.page else "posts"
        asset = NAMES.enrichment("posts", "mood") if poison.is_enrichment else NAMES.translation(collection, CODE)
        self._expect(asset, key, name, poison.told)
        return True

    def _expect(self, asset: dg.AssetKey, key: str, name: str, told: str) -> None:
        self.poisons[asset, key], self.told[asset, key] = name, told

    def _upload(self, content: bytes, filename: str, *, title: str | None = None) -> str:
        kind = {"jpg": "jpeg", "tif": "tiff"}.get(ending := filename.rpartition(".")[2], ending)
        key = upload(self.admin, content, filename=filename, title=title, type=f"image/{kind}")
        self.keys[str(FILES.name)].add(key)
        return key

    def _write(self, title: str, *, page: bool, poison: ItemPoison | None = None) -> str:
        rows = [{"languages_code": code, "title": title} for code in (poison.rows if poison else ("en-US",))]
        body = {"title": title} if page else {"translations": rows}
        answer = self.admin.post(f"/items/{'pages' if page else 'posts'}", json=body)
        key = str(answer.raise_for_status().json()["data"]["id"])
        if poison and poison.page:
            headers = {"content-type": "application/json"}
            self.admin.patch(f"/items/pages/{key}", content=poison.page, headers=headers).raise_for_status()
        self.keys[str((PAGES if page else POSTS).name)].add(key)
        return key

    def describe(self, place: tuple[dg.AssetKey, str]) -> str:
        """The poison in words."""
        return f"{place[0].to_user_string()} {place[1]} ({self.poisons.get(place, 'healthy')})"

    def statuses(self) -> dict[tuple[dg.AssetKey, str], str]:
        """The statuses of all partitions of all assets."""
        found = {}
        for asset, partitions in ASSETS.items():
            keys = sorted(self.keys[str(partitions.name)])
            status = self.instance.get_status_by_partition(asset, keys, partitions) or {}
            # Dagster's cache of statuses may pass over what is made while it is read. The reconcile mends that.
            made = self.instance.get_materialized_partitions(asset)
            missing = {key: "MATERIALIZED" if key in made else "" for key in keys}
            found |= {(asset, key): each.value if (each := status.get(key)) else missing[key] for key in keys}
        return found

    def reason(self, asset: dg.AssetKey, key: str) -> str:
        """The reason shown on the page of a failed partition."""
        records = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[key])
        found = self.instance.fetch_observations(records, limit=1).records
        observation = found[0].asset_observation if found else None
        metadata = observation.metadata if observation else {}
        return next((str(metadata[name].value) for name in ("failed", "error") if name in metadata), "")

    @abstractmethod
    def settle(self) -> None:
        """Wait until everything in Directus has been attempted."""

    @abstractmethod
    def failed_ticks(self) -> list[str]:
        """The errors of failed ticks."""

    @abstractmethod
    def reconcile(self) -> Report:
        """Run one reconcile, and everything it requests."""


class Running(Site):
    """With daemon, webserver and code server, as in production."""

    def __init__(self, directus: LocalDirectus, admin: httpx.Client, pipeline: LocalPipeline) -> None:
        super().__init__(directus, admin)
        self.pipeline = pipeline
        self.instance = open_instance(pipeline.home)
        settings = Settings(environment=Environment.read(pipeline.environment), config=Config.model_validate(CONFIG))
        self.project = Project(settings)

    def settle(self) -> None:
        self._wait(self._missing_cursors)
        self._wait(lambda: [self.describe(place) for place, status in self.statuses().items() if status not in DONE])
        self._wait(self._unfinished)

    def failed_ticks(self) -> list[str]:
        return [
            f"{state.instigator_name}: {tick.error}"
            for state in self.instance.all_instigator_state()
            for tick in self.instance.get_ticks(state.instigator_origin_id, state.selector_id)
            if tick.is_failure
        ]

    def reconcile(self) -> Report:
        snapshot = read_snapshot(self.pipeline.home, url=self.project.directus.url)
        report = Reconcile(
            instance=self.instance,
            memory=self.project.memory,
            webserver=Webserver(self.pipeline.url),
            names=NAMES,
            kinds=all_kinds(self.project, snapshot),
            seconds=600,
            first_wait_seconds=self.project.settings.config.reconcile.look_again_after_minutes * 60,
        ).run()
        self._wait(self._unfinished)
        return report

    def _wait(self, left: Callable[[], Collection[str]]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while found := list(left()):
            assert time.monotonic() < deadline, f"{len(found)}: {found[:9]}; the log is {self.pipeline.log}"
            time.sleep(2)

    def _missing_cursors(self) -> set[str]:
        """The sensors that have not polled Directus yet."""
        names = {NAMES.files_sensor, NAMES.items_sensor("posts"), NAMES.items_sensor("pages")}
        states = self.instance.all_instigator_state()
        return names - {state.instigator_name for state in states if getattr(state.instigator_data, "cursor", None)}

    def _unfinished(self) -> list[str]:
        return [run.run_id for run in self.instance.get_runs() if run.status not in OVER]


class InOneProcess(Site):
    """With sensors and runs executed one after the other in this process, which takes only seconds."""

    def __init__(self, directus: LocalDirectus, admin: httpx.Client, pipeline: PoisonedPipeline) -> None:
        super().__init__(directus, admin)
        self.pipeline = pipeline
        self.instance = pipeline.instance

    def settle(self) -> None:
        for collection in ("files", "posts", "pages"):
            self.pipeline.settle(collection)

    def failed_ticks(self) -> list[str]:
        return []  # They raise.

    def reconcile(self) -> Report:
        return self.pipeline.reconcile()


@pytest.fixture(scope="module")
def site(
    empty_directus: LocalDirectus, admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token, timeout_seconds=120) as client:
        create_collections(client)
        create_bot(client, token=empty_directus.bot_token)
    admin.patch("/settings", json={"storage_asset_presets": PRESETS}).raise_for_status()
    folder = tmp_path_factory.mktemp("pipeline")
    with (
        ScriptedOpenAI() as engine,
        (running if IS_FULL else in_one_process)(empty_directus, admin, engine, folder) as made,
    ):
        engine.always(poisoned)
        try:
            made.settle()
            made.fill()
            made.settle()
            yield made
        finally:
            # Others use the same Directus after us.
            for path in empty_directus.uploads.iterdir():
                if path.is_symlink():
                    path.unlink()
                elif path.is_dir():
                    shutil.rmtree(path)


@contextmanager
def running(directus: LocalDirectus, admin: httpx.Client, engine: ScriptedOpenAI, folder: Path) -> Iterator[Site]:
    environment = {
        "TRANSLATION_ENGINE": "openai",
        "OPENAI_API_KEY": "sk-poison-s3cr3t-key",
        "OPENAI_BASE_URL": engine.url,
        "OPENAI_MODEL": "tiny",
    }
    config = yaml.safe_dump(CONFIG)
    with LocalPipeline(directus, folder, config=config, environment=environment) as pipeline:
        made = Running(directus, admin, pipeline)
        with made.instance, made.project.directus:
            yield made


@contextmanager
def in_one_process(
    directus: LocalDirectus, admin: httpx.Client, engine: ScriptedOpenAI, folder: Path
) -> Iterator[Site]:
    with PoisonedPipeline(directus, engine, folder, CONFIG, environment=directus.storage_environment) as pipeline:
        yield InOneProcess(directus, admin, pipeline)


def test_everything_healthy_is_made_and_every_poison_fails_alone_for_its_own_reason(site: Site) -> None:
    wanted = {place: "FAILED" if place in site.poisons else "MATERIALIZED" for place in site.statuses()}
    found = site.statuses()
    wrong = {site.describe(place): found[place] for place, mark in wanted.items() if found[place] != mark}
    assert not wrong, json.dumps(wrong, indent=1)

    reasons = {place: site.reason(*place) for place in site.poisons}
    wrong = {site.describe(place): reason for place, reason in reasons.items() if site.told[place] not in reason}
    assert not wrong, json.dumps(wrong, indent=1)
    assert not [
        reason for reason in reasons.values() if "This error was not foreseen" in reason or "Traceback" in reason
    ]
    assert all(place[1] in reason or site.poisons[place] in reason for place, reason in reasons.items())
    assert site.failed_ticks() == []


def test_the_reconcile_ends_and_a_second_one_asks_for_nothing(site: Site) -> None:
    first = site.reconcile()
    assert (first.troubles, first.is_complete) == ([], True)
    runs = site.instance.get_runs_count()

    second = site.reconcile()

    assert (second.troubles, second.asked, second.is_complete) == ([], [], True)
    assert site.instance.get_runs_count() == runs
    assert site.failed_ticks() == []
