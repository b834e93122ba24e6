"""Several instances of the pipeline run on one project by mistake, each with its own daemon and DAGSTER_HOME."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import httpx
import numpy as np
import pytest
from PIL import Image

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import upload
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.runs.unfinished import unfinished_runs
from directus_assets.orchestration.webserver import Webserver
from directus_assets.ownership.record_store import RecordStore
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from directus_assets.translation.records import TranslationRecord
from tests.translation.scripted_openai import ScriptedOpenAI

NAMES = Names()

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 400
TARGETS = ("de-DE", "fr-FR")
CARD = {"key": "card", "fit": "cover", "width": 60, "height": 60, "quality": 80, "format": "webp"}
CONFIG = """
translations:
  records: {{folder: "{records}"}}
  collections: {{posts: {{languages: [de-DE, fr-FR]}}, pages: {{enabled: false}}}}
reconcile: {{cron: "0 0 1 1 *"}}
"""
HUMAN = "Von einem Menschen"
ASSETS = {NAMES.preset("card"): "directus_files"} | {
    NAMES.translation("posts", code): "directus_posts" for code in TARGETS
}


@pytest.fixture
def engine() -> Iterator[ScriptedOpenAI]:
    """A slow engine, so that all instances request the same before there is an answer."""
    with ScriptedOpenAI(delay_seconds=1) as server:
        yield server


@pytest.fixture
def pipelines(
    empty_directus: LocalDirectus, admin: httpx.Client, engine: ScriptedOpenAI, tmp_path: Path
) -> Iterator[list[LocalPipeline]]:
    """Two pipelines with common translation records, and a third with its own."""
    with DirectusClient(empty_directus.url, empty_directus.admin_token, timeout_seconds=120) as client:
        create_collections(client)
        create_bot(client, token=empty_directus.bot_token)
    admin.patch("/settings", json={"storage_asset_presets": [CARD]}).raise_for_status()
    environment = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": engine.url, "OPENAI_MODEL": "tiny"}
    made = [
        LocalPipeline(
            empty_directus,
            tmp_path / name,
            config=CONFIG.format(records=tmp_path / records),
            environment=environment,
        )
        for name, records in {"first": "shared", "second": "shared", "third": "own"}.items()
    ]
    with ExitStack() as stack:
        for pipeline in made:
            stack.enter_context(pipeline)
        yield made


def test_several_instances_make_no_row_twice_and_corrupt_no_file(
    pipelines: list[LocalPipeline], empty_directus: LocalDirectus, admin: httpx.Client, tmp_path: Path
) -> None:
    wait(lambda: all(has_ticked(pipeline) for pipeline in pipelines))
    files = [upload(admin, picture(seed), filename=f"{seed}.jpg") for seed in range(4)]
    posts = [create_post(admin, f"The dough number {number} has to rest.") for number in range(6)]
    wait(lambda: all(is_done(pipeline, files=len(files), posts=len(posts)) for pipeline in pipelines))
    set_title(admin, posts[0], "de-DE", HUMAN)
    for post in posts[:2]:
        set_title(admin, post, "en-US", f"The dough of {post} has rested.")
    wanted = {post: f"The dough of {post} has rested." for post in posts[:2]} | {
        post: f"The dough number {number} has to rest." for number, post in enumerate(posts) if number > 1
    }

    def titles() -> dict[tuple[str, str], str]:
        return {(post, code): title_of(admin, post, code) for post in posts for code in TARGETS}

    right = {(post, code): pseudo(text, target=language(code)) for post, text in wanted.items() for code in TARGETS}
    right[posts[0], "de-DE"] = HUMAN
    wait(lambda: titles() == right)
    wait(lambda: all(is_done(pipeline, files=len(files), posts=len(posts)) for pipeline in pipelines))

    assert titles() == right
    stored = [path for path in empty_directus.uploads.iterdir() if "__" in path.name]
    assert len(stored) == len(files)
    for path in stored:
        served = admin.get(f"/assets/{path.name[:36]}", params={"key": "card"}).content
        assert served == path.read_bytes()
        assert Image.open(io.BytesIO(served)).size == (60, 60)
    for folder in ("shared", "own"):
        records = RecordStore(LocalStorage(tmp_path / folder), TranslationRecord)
        assert all(records.is_known("posts", post, code) for post in posts for code in TARGETS)


def picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((160, 120)).save(buffer, "JPEG")
    return buffer.getvalue()


def create_post(admin: httpx.Client, title: str) -> str:
    answer = admin.post("/items/posts", json={"translations": [{"languages_code": "en-US", "title": title}]})
    answer.raise_for_status()
    return str(answer.json()["data"]["id"])


def row_of(admin: httpx.Client, post: str, code: str) -> dict[str, str]:
    params = {"filter[posts_id][_eq]": post, "filter[languages_code][_eq]": code, "fields": "id,title"}
    (row,) = admin.get("/items/posts_translations", params=params).json()["data"]
    return dict(row)


def title_of(admin: httpx.Client, post: str, code: str) -> str:
    return row_of(admin, post, code)["title"]


def set_title(admin: httpx.Client, post: str, code: str, title: str) -> None:
    path = f"/items/posts_translations/{row_of(admin, post, code)['id']}"
    admin.patch(path, json={"title": title}).raise_for_status()


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "It did not happen."
        time.sleep(1)


def has_ticked(pipeline: LocalPipeline) -> bool:
    """Whether the sensors have stored their position in the feed."""
    query = """{ sensorsOrError(repositorySelector: {
        repositoryLocationName: "directus_assets", repositoryName: "__repository__"
    }) { ... on Sensors { results { name sensorState { ticks(limit: 1) { status } } } } } }"""
    sensors = Webserver(pipeline.url)._ask(query)["sensorsOrError"]["results"]
    ticks = {sensor["name"]: [tick["status"] for tick in sensor["sensorState"]["ticks"]] for sensor in sensors}
    return all(ticks[name] == ["SKIPPED"] for name in (NAMES.files_sensor, NAMES.items_sensor("posts")))


def is_done(pipeline: LocalPipeline, *, files: int, posts: int) -> bool:
    """Whether everything is made on an instance, and nothing is running."""
    counts = {"directus_files": files, "directus_posts": posts}
    with open_instance(pipeline.home) as instance:
        for asset_key, name in ASSETS.items():
            keys = instance.get_dynamic_partitions(name)
            definition = dg.DynamicPartitionsDefinition(name=name)
            found = instance.get_status_by_partition(asset_key, keys, definition) or {}
            if [status.value for status in found.values() if status] != ["MATERIALIZED"] * counts[name]:
                return False
        return unfinished_runs(instance) == 0
