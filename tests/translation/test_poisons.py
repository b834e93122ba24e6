"""One unforeseen item among healthy ones, on a real Directus: it fails alone, once, with the reason."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds
from directus_assets.orchestration.reconcile.report import Report
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.ownership.record_store import record_name
from directus_assets.planning.verdicts import Verdict
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from tests.orchestration.test_reconcile_on_directus import Inline
from tests.translation.pipeline import NAMES, Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

HEALTHY = 12


class PoisonedPipeline(Pipeline):
    """A pipeline with a reconcile whose backfills are executed at once."""

    def reconcile(self) -> Report:
        self.snapshot = take_snapshot(self.project.directus, self.project.wanted)
        return Reconcile(
            instance=self.instance,
            memory=self.project.memory,
            webserver=Inline(self),
            names=NAMES,
            kinds=all_kinds(self.project, self.snapshot),
            seconds=600,
            first_wait_seconds=self.project.settings.config.reconcile.look_again_after_minutes * 60,
        ).run()

    def statuses(self, collection: str, code: str = "de-DE") -> dict[str, str]:
        partitions = NAMES.items_partitions(collection)
        keys = self.instance.get_dynamic_partitions(str(partitions.name))
        found = self.instance.get_status_by_partition(NAMES.translation(collection, code), keys, partitions) or {}
        return {key: status.value for key, status in found.items() if status}


@pytest.fixture
def pipeline(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[PoisonedPipeline]:
    config = {"translations": {"backfill_on_start": True}}
    with PoisonedPipeline(directus, server, tmp_path, config) as pipeline:
        for collection in ("posts", "pages"):
            pipeline.settle(collection)
        yield pipeline


@pytest.fixture
def studio_text(directus: LocalDirectus) -> Iterator[httpx.Client]:
    """Send JSON exactly as written, including what Python's encoder would not produce."""
    headers = {"authorization": f"Bearer {directus.admin_token}", "content-type": "application/json"}
    with httpx.Client(base_url=directus.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def nested(depth: int) -> str:
    blocks = '[{"type": "paragraph", "data": {"text": "Hello"}}]'
    return f'{{"time": 1, "version": "2", "blocks": {blocks}, "x": {"[" * depth}{"]" * depth}}}'


@pytest.mark.parametrize("depth", [300, 850, 900, 940, 1500])
def test_a_page_whose_json_is_nested_ever_so_deeply_is_nobody_elses_failure(
    pipeline: PoisonedPipeline, studio: DirectusClient, studio_text: httpx.Client, depth: int
) -> None:
    pages = [str(studio.post("/items/pages", {"title": f"Page {number}"})["id"]) for number in range(HEALTHY)]
    poison = pages[HEALTHY // 2]
    studio_text.patch(f"/items/pages/{poison}", content=f'{{"notice": {nested(depth)}}}').raise_for_status()

    pipeline.settle("pages")

    statuses = {key: status for key, status in pipeline.statuses("pages").items() if key in pages}
    healthy = dict.fromkeys(pages, "MATERIALIZED")
    assert {key: status for key, status in statuses.items() if key != poison} == {
        key: status for key, status in healthy.items() if key != poison
    }
    assert statuses[poison] == "FAILED"
    assert "nested more than 100 levels deep" in pipeline.reason(poison, "de-DE", "pages")
    runs = pipeline.instance.get_runs_count()
    report = pipeline.reconcile()
    assert report.troubles == []
    assert report.asked == []
    assert pipeline.instance.get_runs_count() == runs

    studio_text.patch(f"/items/pages/{poison}", content='{"notice": null, "title": "Healthy"}').raise_for_status()
    pipeline.settle("pages")
    assert pipeline.statuses("pages")[poison] == "MATERIALIZED"
    assert {verdict for _, verdict in pipeline.reconcile().verdicts} == {Verdict.RIGHT}


def test_half_an_emoji_in_the_tags_of_one_post_is_nobody_elses_failure(
    pipeline: PoisonedPipeline, studio: DirectusClient, studio_text: httpx.Client
) -> None:
    rows = [{"languages_code": "en-US", "title": f"Post {number}", "tags": ["bread"]} for number in range(HEALTHY)]
    posts = [str(studio.post("/items/posts", {"translations": [row]})["id"]) for row in rows]
    poison = posts[HEALTHY // 2]
    condition = {"posts_id": {"_eq": poison}, "languages_code": {"_eq": "en-US"}}
    row = studio.get("/items/posts_translations", filter=condition, fields=["id"], limit=1)[0]["id"]
    tags = json.dumps({"title": "Post", "tags": ["bicycle \ud83d", "repair"]})
    studio_text.patch(f"/items/posts_translations/{row}", content=tags).raise_for_status()

    pipeline.settle("posts")

    statuses = {key: status for key, status in pipeline.statuses("posts").items() if key in posts}
    assert [key for key, status in statuses.items() if status == "MATERIALIZED" and key != poison] == [
        key for key in posts if key != poison
    ]
    assert statuses[poison] in ("MATERIALIZED", "FAILED")
    if statuses[poison] == "FAILED":
        assert "emoji" in pipeline.reason(poison, "de-DE")
    assert pipeline.reconcile().asked == []


def test_a_record_that_was_cut_off_counts_as_lost_and_is_nobody_elses_failure(
    pipeline: PoisonedPipeline, studio: DirectusClient
) -> None:
    rows = [{"languages_code": "en-US", "title": f"Bread {number}"} for number in range(HEALTHY)]
    posts = [str(studio.post("/items/posts", {"translations": [row]})["id"]) for row in rows]
    pipeline.settle("posts")
    poison = posts[HEALTHY // 2]
    memory = pipeline.project.memory
    assert isinstance(memory, LocalStorage)
    record = memory.root / record_name("posts", poison, "de-DE")
    record.write_bytes(record.read_bytes()[:30])
    rows_of = {"posts_id": {"_in": posts}, "languages_code": {"_eq": "en-US"}}
    keys = [row["id"] for row in studio.get("/items/posts_translations", filter=rows_of, fields=["id"], limit=-1)]
    studio.patch("/items/posts_translations", {"keys": keys, "data": {"title": "Other bread"}})

    pipeline.settle("posts")

    assert {pipeline.statuses("posts")[key] for key in posts} == {"MATERIALIZED"}
    german = {"posts_id": {"_in": posts}, "languages_code": {"_eq": "de-DE"}}
    found = studio.get("/items/posts_translations", filter=german, fields=["posts_id", "title"], limit=-1)
    other = pseudo("Other bread", target=language("de-DE"))
    assert {str(row["posts_id"]) for row in found if row["title"] != other} == {poison}
    assert len(list(record.parent.glob(f"{record.name}.unreadable-*"))) == 1
    assert pipeline.reconcile().asked == []
