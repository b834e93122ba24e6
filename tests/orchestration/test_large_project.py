"""Many presets and many languages: 40 and 20, on a real Directus with the pipeline running."""

import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import dagster as dg
import httpx
import pytest
from PIL import Image

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import upload
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.schema import LANGUAGES, create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds, image_files
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.asked import keys_at_first
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.orchestration.webserver import Webserver
from directus_assets.run_tags import COLLECTION_TAG, OUTPUTS_TAG
from directus_assets.settings import Config, Environment, Settings
from directus_assets.snapshot import read_snapshot
from tests.orchestration.test_pipeline import NO_SCHEDULE

pytestmark = pytest.mark.integration

NAMES = Names()
PATIENCE_SECONDS = 500
LONG = "a-name-of-a-preset-that-says-all-about-what-it-is-for-and-where-it-stands-on-the-page-and-how-wide-it"[:100]
PRESETS = [
    {"key": key, "fit": "cover", "width": 8 + number, "height": 8, "quality": 50, "format": "webp"}
    for number, key in enumerate([LONG, *(f"size-{number}" for number in range(1, 40))])
]
CODES = ["de-DE", "fr-FR", "ja-JP", "ar-SA", "es-ES", "it-IT", "pt-BR", "nl-NL", "pl-PL", "cs-CZ", "sv-SE", "da-DK"]
CODES += ["fi-FI", "nb-NO", "hu-HU", "ro-RO", "el-GR", "tr-TR", "uk-UA", "ko-KR"]


@pytest.fixture(scope="module")
def pipeline(
    empty_directus: LocalDirectus, admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalPipeline]:
    """A pipeline with two pictures and a post that existed before it, and wait for a backfill."""
    with DirectusClient(empty_directus.url, empty_directus.admin_token, timeout_seconds=120) as client:
        create_collections(client)
        create_bot(client, token=empty_directus.bot_token)
        known = {row["code"] for row in LANGUAGES}
        client.post("/items/languages", [{"code": code, "name": code} for code in CODES if code not in known])
    admin.patch("/settings", json={"storage_asset_presets": PRESETS}).raise_for_status()
    for colour in ("red", "blue"):
        buffer = io.BytesIO()
        Image.new("RGB", (64, 48), colour).save(buffer, "JPEG")
        upload(admin, buffer.getvalue(), filename=f"{colour}.jpg")
    row = {"languages_code": "en-US", "title": "Good bread takes time"}
    admin.post("/items/posts", json={"translations": [row]}).raise_for_status()
    environment = {"TRANSLATION_ENGINE": "pseudo"}
    folder = tmp_path_factory.mktemp("pipeline")
    with LocalPipeline(empty_directus, folder, config=NO_SCHEDULE, environment=environment) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def instance(pipeline: LocalPipeline) -> Iterator[dg.DagsterInstance]:
    with open_instance(pipeline.home) as instance:
        yield instance


@pytest.fixture(scope="module")
def project(pipeline: LocalPipeline) -> Iterator[Project]:
    """The same project with `backfill_on_start`."""
    config = Config.model_validate({"images": {"backfill_on_start": True}, "translations": {"backfill_on_start": True}})
    project = Project(Settings(environment=Environment.read(pipeline.environment), config=config))
    yield project
    project.directus.close()


def wait(pipeline: LocalPipeline, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"The log is {pipeline.log}"
        time.sleep(1)


def reconcile(
    pipeline: LocalPipeline, project: Project, instance: dg.DagsterInstance, kinds: Sequence[Kind]
) -> Reconcile:
    wait(pipeline, lambda: keys_at_first(project.memory, "directus_files") is not None)
    wait(pipeline, lambda: keys_at_first(project.memory, "posts") is not None)
    return Reconcile(
        instance=instance,
        memory=project.memory,
        webserver=Webserver(pipeline.url),
        names=NAMES,
        kinds=kinds,
        seconds=600,
    )


def test_twelve_outputs_of_which_one_has_a_name_of_100_characters_are_asked_for(
    pipeline: LocalPipeline, project: Project, instance: dg.DagsterInstance
) -> None:
    snapshot = read_snapshot(pipeline.home, url=project.directus.url)
    files = Files(project, image_files(project, snapshot).presets[:12])

    report = reconcile(pipeline, project, instance, [files]).run()

    assert report.troubles == []
    (asked,) = report.asked
    assert (len(asked.outputs), LONG in asked.outputs, len(asked.keys)) == (12, True, 2)
    backfill = instance.get_backfill(asked.backfill)
    assert backfill
    assert backfill.title == "Reconcile: missing or stale"
    assert backfill.tags[COLLECTION_TAG] == "directus_files"
    assert LONG in backfill.tags[OUTPUTS_TAG]


def test_everything_of_forty_presets_and_twenty_languages_is_made(
    pipeline: LocalPipeline, project: Project, instance: dg.DagsterInstance
) -> None:
    kinds = all_kinds(project, read_snapshot(pipeline.home, url=project.directus.url))
    assert reconcile(pipeline, project, instance, kinds).run().troubles == []

    assets = [NAMES.preset(preset["key"]) for preset in PRESETS]
    assets += [NAMES.translation("posts", code) for code in CODES]
    counts = {NAMES.preset(preset["key"]): 2 for preset in PRESETS} | dict.fromkeys(assets[40:], 1)
    wait(pipeline, lambda: all(len(instance.get_materialized_partitions(key)) == counts[key] for key in assets))

    report = reconcile(pipeline, project, instance, kinds).run()
    assert report.asked == []


@pytest.mark.parametrize("command", ["status --all", "plan", "doctor"])
def test_the_commands_work_with_so_many(pipeline: LocalPipeline, command: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "directus-assets", *command.split()],
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "300", **pipeline.environment},
        cwd=pipeline.folder,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if command != "doctor":
        assert LONG in done.stdout
        assert "size-39" in done.stdout
        assert "ko-KR" in done.stdout
