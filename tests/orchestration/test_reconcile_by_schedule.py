"""The reconcile as the daemon runs it: schedule, comparison, backfill; and a DAGSTER_HOME that is deleted."""

import io
import shutil
import time
from collections.abc import Callable, Iterator

import dagster as dg
import httpx
import numpy as np
import pytest
from PIL import Image

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import upload
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.names import Names
from tests.translation.scripted_openai import ScriptedOpenAI

NAMES = Names()

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 300
CARD = {"key": "card", "fit": "cover", "width": 60, "height": 60, "quality": 80, "format": "webp"}
CONFIG = """
images: {backfill_on_start: true}
translations:
  backfill_on_start: true
  collections: {posts: {languages: [de-DE]}, pages: {enabled: false}}
reconcile: {cron: "* * * * *"}
"""
ASSETS = {"directus_files": NAMES.preset("card"), "directus_posts": NAMES.translation("posts", "de-DE")}


@pytest.fixture(scope="module")
def engine() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def pipeline(
    empty_directus: LocalDirectus,
    admin: httpx.Client,
    engine: ScriptedOpenAI,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalPipeline]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token, timeout_seconds=120) as client:
        create_collections(client)
        create_bot(client, token=empty_directus.bot_token)
    admin.patch("/settings", json={"storage_asset_presets": [CARD]}).raise_for_status()
    for seed in (1, 2):
        pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).resize((160, 120)).save(buffer, "JPEG")
        upload(admin, buffer.getvalue(), filename=f"picture{seed}.jpg")
        row = {"languages_code": "en-US", "title": f"Good bread takes {seed} days"}
        admin.post("/items/posts", json={"translations": [row]}).raise_for_status()
    environment = {
        "TRANSLATION_ENGINE": "openai",
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": engine.url,
        "OPENAI_MODEL": "tiny",
    }
    folder = tmp_path_factory.mktemp("pipeline")
    with LocalPipeline(empty_directus, folder, config=CONFIG, environment=environment) as pipeline:
        yield pipeline


def wait(pipeline: LocalPipeline, condition: Callable[[dg.DagsterInstance], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with dg.DagsterInstance.from_config(str(pipeline.home)) as instance:
            if condition(instance):
                return
        assert time.monotonic() < deadline, f"The log is {pipeline.log}"
        time.sleep(1)


def all_is_made(instance: dg.DagsterInstance) -> bool:
    """Whether everything is materialized, and the reconcile has compared it since."""
    for name, asset_key in ASSETS.items():
        keys = instance.get_dynamic_partitions(name)
        statuses = instance.get_status_by_partition(asset_key, keys, dg.DynamicPartitionsDefinition(name=name)) or {}
        if len(keys) != 2 or {status.value for status in statuses.values() if status} != {"MATERIALIZED"}:
            return False
        if len([status for status in statuses.values() if status]) != 2:
            return False
    done = dg.RunsFilter(job_name=NAMES.reconcile, statuses=[dg.DagsterRunStatus.SUCCESS])
    return instance.get_runs_count(done) > 0


def derivatives(directus: LocalDirectus) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in directus.uploads.iterdir() if "__" in path.name}


def test_a_deleted_derivative_comes_back_and_the_run_says_what_it_asked_for(
    pipeline: LocalPipeline, empty_directus: LocalDirectus
) -> None:
    wait(pipeline, all_is_made)
    stored = derivatives(empty_directus)
    assert len(stored) == 2
    lost = min(stored)
    (empty_directus.uploads / lost).unlink()

    wait(pipeline, lambda _: (empty_directus.uploads / lost).exists())

    assert derivatives(empty_directus).keys() == stored.keys()
    with dg.DagsterInstance.from_config(str(pipeline.home)) as instance:
        (backfill,) = instance.get_backfills()
        assert backfill.title == "directus_reconcile: 1 of directus_files lost (card)"


def test_after_dagsters_home_is_deleted_nothing_is_rendered_or_paid_for_again(
    pipeline: LocalPipeline, empty_directus: LocalDirectus, engine: ScriptedOpenAI
) -> None:
    wait(pipeline, all_is_made)
    stored, asked = derivatives(empty_directus), len(engine.asked)
    pipeline.stop()
    shutil.rmtree(pipeline.home)

    pipeline.start()
    wait(pipeline, all_is_made)

    assert derivatives(empty_directus) == stored
    assert len(engine.asked) == asked
    assert asked > 0
