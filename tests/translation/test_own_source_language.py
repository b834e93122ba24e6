"""Items with a language of their own, on the real Directus, in both layouts."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from directus_assets.commands.backfill_texts import Choice, run_text_backfill
from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.commands.doctor.translations import check_collections
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds
from directus_assets.ownership.record_store import RecordStore
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from directus_assets.translation.records import TranslationRecord
from tests.translation import shapes
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

CONFIG: dict[str, Any] = {"translations": {"source_language": "en-US", "languages": ["en-US", "de-DE", "fr-FR"]}}
SHAPES = ["articles", "stories"]
"""Articles are the original themselves, and stories have it in a row."""


@pytest.fixture(scope="module")
def newsroom(directus: LocalDirectus, studio: DirectusClient) -> DirectusClient:
    for collection in SHAPES:
        shapes.create(studio, collection, [shapes.text()] if collection == "articles" else [])
        shapes.point_to_language(studio, collection, "written_in")
        shapes.translate(studio, collection, [shapes.text()])
    create_bot(studio, token=directus.bot_token)
    return studio


@pytest.fixture
def pipeline(
    directus: LocalDirectus, newsroom: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path, CONFIG) as pipeline:
        for collection in SHAPES:
            assert pipeline.tick(collection) == []
        yield pipeline


def write(studio: DirectusClient, collection: str, title: str, written_in: str | None, **others: str) -> str:
    """Create an item as an editor, with rows of `others` by language."""
    rows = [{"language": code.replace("_", "-"), "title": text} for code, text in others.items()]
    body: dict[str, Any] = {"written_in": written_in}
    if collection == "articles":
        body["title"] = title
    else:
        rows.append({"language": written_in or "en-US", "title": title})
    return str(studio.post(f"/items/{collection}", {**body, "translations": rows})["id"])


def titles(studio: DirectusClient, collection: str, item: str) -> dict[str, str]:
    rows = studio.get(f"/items/{collection}_translations", filter={"item": {"_eq": item}}, limit=-1)
    assert len({row["language"] for row in rows}) == len(rows)
    return {row["language"]: row["title"] for row in rows}


def made(text: str, code: str) -> str:
    return pseudo(text, target=language(code))


def sources_asked(server: ScriptedOpenAI) -> set[str]:
    return {re.search(r"The segments are in .*\(([\w-]+)\)\.", asked.prompt)[1] for asked in server.asked}  # type: ignore[index]


@pytest.mark.parametrize("collection", SHAPES)
def test_an_item_is_translated_from_its_own_language_and_the_partition_of_that_says_source(
    pipeline: Pipeline, newsroom: DirectusClient, server: ScriptedOpenAI, collection: str
) -> None:
    item = write(newsroom, collection, "Brot", "de-DE")

    (run,) = pipeline.tick(collection)

    assert run.success
    found = titles(newsroom, collection, item)
    assert found.pop("de-DE", "Brot") == "Brot"
    assert found == {"en-US": made("Brot", "en-US"), "fr-FR": made("Brot", "fr-FR")}
    assert sources_asked(server) == {"de-DE"}
    assert {asked.target.code for asked in server.asked} == {"en-US", "fr-FR"}
    source = pipeline.made(item, "de-DE", collection)
    assert source is not None
    assert (source.description or "").startswith("Source:")
    assert set(source.metadata) == {"item", "source"}
    assert pipeline.tick(collection) == []
    told = io.StringIO()
    choice = Choice(collections=[collection], items=[item])
    run_text_backfill(
        Console(file=told, width=150), pipeline.project, choice, dry_run=True, confirm=bool, instance=pipeline.instance
    )
    assert "1 of these: in the item's own language, recorded as the source" in told.getvalue()


@pytest.mark.parametrize("collection", SHAPES)
def test_an_item_that_names_none_is_in_the_language_of_the_project(
    pipeline: Pipeline, newsroom: DirectusClient, server: ScriptedOpenAI, collection: str
) -> None:
    items = [write(newsroom, collection, "Bread", None), write(newsroom, collection, "Rye", "en-US")]

    pipeline.settle(collection)

    for item, title in zip(items, ("Bread", "Rye"), strict=True):
        found = titles(newsroom, collection, item)
        assert found.pop("en-US", title) == title
        assert found == {"de-DE": made(title, "de-DE"), "fr-FR": made(title, "fr-FR")}
        source = pipeline.made(item, "en-US", collection)
        assert source is not None
        assert (source.description or "").startswith("Source:")
    assert sources_asked(server) == {"en-US"}


@pytest.mark.parametrize("collection", SHAPES)
def test_an_edit_of_the_text_asks_nothing_of_the_language_it_is_written_in(
    pipeline: Pipeline, newsroom: DirectusClient, collection: str
) -> None:
    item = write(newsroom, collection, "Brot", "de-DE")
    pipeline.settle(collection)
    before = pipeline.made(item, "de-DE", collection)

    if collection == "articles":
        newsroom.patch(f"/items/articles/{item}", {"title": "Rotes Brot"})
    else:
        condition = {"item": {"_eq": item}, "language": {"_eq": "de-DE"}}
        (row,) = newsroom.get("/items/stories_translations", filter=condition)
        newsroom.patch(f"/items/stories_translations/{row['id']}", {"title": "Rotes Brot"})
    (run,) = pipeline.tick(collection)

    keys = {str(step.asset_key.path[-1]) for step in run.get_asset_materialization_events() if step.asset_key}
    assert keys == {"en-US", "fr-FR"}
    assert pipeline.made(item, "de-DE", collection) == before


def test_another_language_moves_the_work_and_what_was_made_from_the_wrong_one_is_asked_for_anew(
    pipeline: Pipeline, newsroom: DirectusClient, server: ScriptedOpenAI
) -> None:
    item = write(newsroom, "articles", "Brot", None)
    pipeline.settle("articles")
    assert titles(newsroom, "articles", item) == {"de-DE": made("Brot", "de-DE"), "fr-FR": made("Brot", "fr-FR")}
    server.asked.clear()

    newsroom.patch(f"/items/articles/{item}", {"written_in": "de-DE"})
    pipeline.settle("articles")

    assert [
        (asked.target.code, len(asked.segments)) for asked in sorted(server.asked, key=lambda a: a.target.code)
    ] == [
        ("en-US", 1),
        ("fr-FR", 1),
    ]
    assert sources_asked(server) == {"de-DE"}
    assert titles(newsroom, "articles", item)["en-US"] == made("Brot", "en-US")
    source = pipeline.made(item, "de-DE", "articles")
    assert source is not None
    assert (source.description or "").startswith("Source:")


@pytest.mark.parametrize("collection", SHAPES)
def test_a_row_of_a_human_in_what_has_become_a_target_language_stays(
    pipeline: Pipeline, newsroom: DirectusClient, collection: str
) -> None:
    item = write(newsroom, collection, "Brot", "de-DE", en_US="Bread, by a human")

    pipeline.settle(collection)

    assert titles(newsroom, collection, item)["en-US"] == "Bread, by a human"
    assert titles(newsroom, collection, item)["fr-FR"] == made("Brot", "fr-FR")


def test_the_former_source_is_a_humans_when_an_item_changes_its_language(
    pipeline: Pipeline, newsroom: DirectusClient
) -> None:
    item = write(newsroom, "stories", "Bread", None)
    pipeline.settle("stories")

    newsroom.patch(f"/items/stories/{item}", {"written_in": "de-DE"})
    pipeline.settle("stories")

    german = made("Bread", "de-DE")
    assert titles(newsroom, "stories", item) == {"en-US": "Bread", "de-DE": german, "fr-FR": made(german, "fr-FR")}


def test_a_record_of_the_version_before_is_read_as_made_from_the_language_of_the_project(
    pipeline: Pipeline, newsroom: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    item = write(newsroom, "articles", "Bread", None)
    pipeline.settle("articles")
    for path in tmp_path.rglob("*.json"):
        path.write_text(re.sub(r',?"source_language":"[^"]*"', "", path.read_text()))
    records = RecordStore(LocalStorage(tmp_path / "translations"), TranslationRecord)
    assert records.is_known("articles", item, "fr-FR")
    server.asked.clear()

    pipeline.run_all("articles", first=item, last=item)

    assert server.asked == []


def test_yaml_can_say_that_all_items_are_in_one_language(
    directus: LocalDirectus, newsroom: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    own = {"articles": {"source_language_field": False}}
    config = {"translations": {**CONFIG["translations"], "collections": own}}
    with Pipeline(directus, server, tmp_path, config) as pipeline:
        pipeline.tick("articles")
        item = write(newsroom, "articles", "Brot", "de-DE")

        pipeline.settle("articles")

        assert titles(newsroom, "articles", item) == {"de-DE": made("Brot", "de-DE"), "fr-FR": made("Brot", "fr-FR")}
        assert sources_asked(server) == {"en-US"}


def test_the_reconcile_adopts_a_source_without_a_run(pipeline: Pipeline, newsroom: DirectusClient) -> None:
    item = write(newsroom, "articles", "Brot", "de-DE")
    snapshot = take_snapshot(pipeline.project.directus, pipeline.project.wanted)
    target = next(t for t in all_kinds(pipeline.project, snapshot) if t.name == "articles")

    page = target.survey().look([item])

    assert [code for code in ("en-US", "de-DE", "fr-FR") if page.is_there(code, item)] == ["de-DE"]
    adopted = page.adopt("de-DE", item)
    assert adopted is not None
    assert adopted.data_version == page.examination.wanted["de-DE", item]
    assert "written in de-DE" in str(adopted.metadata["source"])


def test_an_item_in_a_language_that_there_is_not_is_translated_from_none(
    directus: LocalDirectus, newsroom: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    newsroom.post("/fields/articles", shapes.text("locale"))
    create_bot(newsroom, token=directus.bot_token)
    own = {"articles": {"source_language_field": "locale"}}
    with Pipeline(directus, server, tmp_path, {"translations": {**CONFIG["translations"], "collections": own}}) as p:
        p.tick("articles")
        known = str(newsroom.post("/items/articles", {"title": "Brot", "locale": "de-DE"})["id"])
        unknown = str(newsroom.post("/items/articles", {"title": "Brood", "locale": "nl-NL"})["id"])

        p.tick("articles")

        assert titles(newsroom, "articles", known).keys() == {"en-US", "fr-FR"}
        assert titles(newsroom, "articles", unknown) == {}
        assert "has 'nl-NL' in 'locale'" in p.reason(unknown, "fr-FR", "articles")


def test_doctor_says_what_items_are_translated_from_and_where_that_is_open(
    directus: LocalDirectus, newsroom: DirectusClient, pipeline: Pipeline
) -> None:
    shapes.point_to_language(newsroom, "stories", "fallback")
    create_bot(newsroom, token=directus.bot_token)

    findings = list(check_collections(Checkup(pipeline.project)))

    texts = {finding.what: finding.text for finding in findings if finding.status is Status.OK}
    assert texts["collection articles"].startswith(
        "the language in 'written_in', or en-US if empty (on the item), into en-US, de-DE, fr-FR: title"
    )
    assert texts["collection posts"].startswith("en-US (a row of posts_translations) into de-DE, fr-FR: title")
    (doubt,) = [finding for finding in findings if finding.status is Status.WARNING]
    assert doubt.what == "collection stories"
    assert "written_in, fallback" in doubt.text
    assert "`translations.collections.stories.source_language_field: written_in`" in doubt.remedy
