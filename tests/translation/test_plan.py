"""The output of `plan` for translations, on the real Directus: discovered fields, waiting and failed items, and
costs.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from rich.console import Console

from directus_assets.commands.plan.translations import places_of, show_translations
from directus_assets.directus.client import DirectusClient
from directus_assets.errors import Rejected
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import translated_items
from directus_assets.orchestration.runs.history import try_metadata
from directus_assets.snapshot import take_snapshot
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI, answer_right, unauthorized

pytestmark = pytest.mark.integration

PRICES = {"tiny": {"input": "1000", "output": "1000"}}
CONFIG: dict[str, Any] = {"translations": {"languages": ["de-DE", "es-ES"], "prices": PRICES}}


@pytest.fixture
def pipeline(directus: LocalDirectus, server: ScriptedOpenAI, tmp_path: Path) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path) as pipeline:
        yield pipeline


def write(studio: DirectusClient, title: str) -> str:
    row = {"languages_code": "en-US", "title": title}
    return str(studio.post("/items/posts", {"translations": [row]})["id"])


def plan(pipeline: Pipeline, **options: Any) -> str:
    out = io.StringIO()
    chosen = {"collections": ["posts"], "languages": [], "missing_only": True, **options}
    show_translations(Console(file=out, width=250), pipeline.project, instance=pipeline.instance, **chosen)
    return out.getvalue()


def row(shown: str, *cells: str) -> list[str]:
    """The cells of the line that starts with these."""
    lines = ([cell.strip() for cell in line.strip("│ \n").split("│")] for line in shown.splitlines())
    return next(line for line in lines if line[: len(cells)] == list(cells))


def test_a_new_language_is_priced_and_failures_are_told_apart(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    pipeline.configure({"translations": {**CONFIG["translations"], "languages": ["de-DE"]}})
    pipeline.tick()
    good = write(studio, "Bread")
    pipeline.settle()
    server.always(unauthorized)
    write(studio, "Rye")
    given_up = write(studio, "Oats")
    pipeline.settle()
    _give_up(pipeline, given_up)
    server.always(answer_right)
    studio.post("/items/languages", {"code": "es-ES", "name": "Spanish"})
    pipeline.configure(CONFIG)
    pipeline.settle()
    asked = len(server.asked)
    try:
        shown = plan(pipeline)
        only = plan(pipeline, languages=["es-ES"])
    finally:
        studio.delete("/items/languages/es-ES")

    assert good in pipeline.partitions()
    assert row(shown, "posts", "de-DE")[2:6] == ["2", "0", "2", "2"]
    assert row(shown, "posts", "es-ES")[2:6] == ["3", "3", "0", "3"]
    assert float(row(shown, "posts", "es-ES")[-1].replace(",", "")) > 0
    assert "Waiting: 3 that existed before the pipeline or their language was added (posts in es-ES). They" in shown
    assert "Failed: 2; the reconcile retries 1 automatically, at an estimated cost of " in shown
    assert "; 1 would fail again in their present state" in shown
    assert "de-DE" not in only.partition("Translations by")[2]
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("waiting", "told"),
    [
        ([("posts", "de-DE")], "posts in de-DE"),
        ([("posts", "de-DE"), ("posts", "fr-FR")], "posts in de-DE, fr-FR"),
        ([(name, code) for name in ("pages", "posts") for code in ("de", "fr")], "pages, posts in de, fr"),
        ([("pages", "de"), ("posts", "de"), ("posts", "fr"), ("news", "de")], "pages, news in de; posts in de, fr"),
    ],
)
def test_what_waits_in_the_same_languages_is_told_together(waiting: list[tuple[str, str]], told: str) -> None:
    assert places_of(waiting) == told


def _give_up(pipeline: Pipeline, key: str) -> None:
    """Record a permanent failure like a run."""
    snapshot = take_snapshot(pipeline.project.directus, pipeline.project.wanted)
    (items,) = (each for each in translated_items(pipeline.project, snapshot) if each.name == "posts")
    wanted = items.examine([key], ["de-DE"]).wanted["de-DE", key]
    metadata = {"failed": "No.", **try_metadata(Rejected("No."), fingerprint=wanted)}
    pipeline.instance.report_runless_asset_event(
        dg.AssetObservation(items.assets["de-DE"], partition=key, metadata=metadata)
    )


def test_what_was_discovered_is_told_in_short_and_by_field(pipeline: Pipeline, studio: DirectusClient) -> None:
    short = plan(pipeline)
    each = plan(pipeline, fields=True)

    assert row(short, "posts", "en-US")[3].startswith("title, ")
    assert "`directus-assets plan --fields`" in short
    assert row(each, "posts", "id")[2:] == ["left", "the primary key"]
    assert row(each, "posts", "title")[2:] == ["translated", "text, recognized by its interface"]
    assert "Translations by" not in each
