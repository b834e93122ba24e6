"""Initial values of a new translation row besides its texts, on the real Directus, in both layouts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import LanguageRow, read_translated_collections
from directus_assets.errors import ConfigurationError
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import upload
from directus_assets.local.server import LocalDirectus
from directus_assets.settings import TranslationOptions
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.items import read_items
from directus_assets.translation.languages import language
from directus_assets.translation.row_writer import RowWriter
from directus_assets.translation.scope import plan_scopes
from tests.translation import shapes
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

SHAPES = ["articles", "stories"]
"""Articles are the original themselves, and stories have it in a row."""
CONFIG: dict[str, Any] = {"translations": {"source_language": "en-US", "languages": ["de-DE"]}}
CARRIED = {"featured": True, "sort": 7, "layout": {"columns": 2}, "colour": "#ff0000", "opens": "2026-01-02"}


def others() -> list[dict[str, Any]]:
    """Fields without text."""
    return [
        shapes.text("featured", "boolean", "boolean", special=["cast-boolean"]),
        shapes.text("sort", "integer"),
        shapes.text("layout", "json", "select-multiple-checkbox-tree", special=["cast-json"]),
        shapes.text("colour", "string", "select-color"),
        shapes.text("opens", "date", "datetime"),
        shapes.text("image", "uuid", "file-image", special=["file"]),
        {**shapes.text("status", "string", "select-dropdown"), "schema": {"default_value": "draft"}},
        {**shapes.text("rating", "integer"), "schema": {"default_value": 3}},
        {**shapes.text("number", "string", "select-dropdown"), "schema": {"is_unique": True}},
        shapes.text("created", "timestamp", "datetime", special=["date-created"]),
        shapes.text("pin", "hash", "input-hash", special=["hash", "conceal"]),
    ]


@pytest.fixture(scope="module")
def newsroom(directus: LocalDirectus, studio: DirectusClient) -> DirectusClient:
    for collection in SHAPES:
        shapes.create(
            studio, collection, [shapes.text(), shapes.text("summary"), *others()] if collection == "articles" else []
        )
        shapes.translate(studio, collection, [shapes.text(), shapes.text("summary"), *others()])
        for table in (collection, f"{collection}_translations"):
            if table != "stories":
                body = {"collection": table, "field": "image", "related_collection": "directus_files", "meta": {}}
                studio.post("/relations", {**body, "schema": {"on_delete": "SET NULL"}})
    create_bot(studio, token=directus.bot_token)
    return studio


@pytest.fixture(scope="module")
def image(directus: LocalDirectus, newsroom: DirectusClient, admin: httpx.Client) -> str:
    return upload(admin, b"<svg xmlns='http://www.w3.org/2000/svg'/>", filename="a.svg", type="image/svg+xml")


@pytest.fixture
def pipeline(
    directus: LocalDirectus, newsroom: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path, CONFIG) as pipeline:
        for collection in SHAPES:
            assert pipeline.tick(collection) == []
        yield pipeline


def write(studio: DirectusClient, collection: str, **values: Any) -> str:
    """Create an item as an editor, whose original has these values."""
    original = {"title": "Rye", **values}
    body = original if collection == "articles" else {"translations": [{"language": "en-US", **original}]}
    return str(studio.post(f"/items/{collection}", body)["id"])


def german(studio: DirectusClient, collection: str, item: str) -> dict[str, Any]:
    condition = {"item": {"_eq": item}, "language": {"_eq": "de-DE"}}
    (row,) = studio.get(f"/items/{collection}_translations", filter=condition)
    return dict(row)


def in_german(text: str) -> str:
    return pseudo(text, target=language("de-DE"))


@pytest.mark.parametrize("collection", SHAPES)
def test_a_new_row_begins_with_what_the_source_has_apart_from_texts(
    pipeline: Pipeline, newsroom: DirectusClient, image: str, collection: str
) -> None:
    values = {**CARRIED, "image": image, "status": "published", "number": f"N-{collection}", "pin": "1234"}
    item = write(newsroom, collection, **values)

    pipeline.settle(collection)

    row = german(newsroom, collection, item)
    assert row["title"] == in_german("Rye")
    assert {name: row[name] for name in CARRIED} == CARRIED
    assert row["image"] == image
    # What is each row's own, or filled in by Directus, is not the source's; nor is a status published by accident.
    assert (row["number"], row["pin"], row["status"]) == (None, None, "draft")
    assert row["created"]


@pytest.mark.parametrize("collection", SHAPES)
def test_what_the_source_leaves_empty_has_the_default_of_its_field(
    pipeline: Pipeline, newsroom: DirectusClient, collection: str
) -> None:
    item = write(newsroom, collection, rating=None)

    pipeline.settle(collection)

    row = german(newsroom, collection, item)
    assert (row["rating"], row["featured"], row["layout"], row["image"]) == (3, None, None, None)


@pytest.mark.parametrize("collection", SHAPES)
def test_a_row_that_is_there_keeps_what_it_has(pipeline: Pipeline, newsroom: DirectusClient, collection: str) -> None:
    item = write(newsroom, collection, **CARRIED)
    newsroom.post(f"/items/{collection}_translations", {"item": int(item), "language": "de-DE", "sort": 1})

    pipeline.settle(collection)

    row = german(newsroom, collection, item)
    assert row["title"] == in_german("Rye")
    assert (row["sort"], row["colour"], row["layout"]) == (1, None, None)


@pytest.mark.parametrize(
    ("common", "own", "status"),
    [
        ("in_review", None, "in_review"),
        ("source", None, "published"),
        ("in_review", "source", "published"),
        ("source", "archived", "archived"),
    ],
)
def test_the_status_of_a_new_row_is_what_the_yaml_file_says(
    pipeline: Pipeline, newsroom: DirectusClient, common: str, own: str | None, status: str
) -> None:
    collections = {collection: {"status": own} for collection in SHAPES}
    pipeline.configure({"translations": {**CONFIG["translations"], "status": common, "collections": collections}})
    for collection in SHAPES:
        item = write(newsroom, collection, status="published")

        pipeline.settle(collection)

        assert german(newsroom, collection, item)["status"] == status


def test_what_the_yaml_file_excludes_is_left_alone(pipeline: Pipeline, newsroom: DirectusClient) -> None:
    options = {"collections": {"stories": {"exclude": ["colour"]}}}
    pipeline.configure({"translations": {**CONFIG["translations"], **options}})
    item = write(newsroom, "stories", **CARRIED)

    pipeline.settle("stories")

    row = german(newsroom, "stories", item)
    assert (row["colour"], row["sort"]) == (None, 7)


def test_a_field_without_text_that_directus_refuses_keeps_no_text_back(
    pipeline: Pipeline, newsroom: DirectusClient
) -> None:
    item = write(newsroom, "stories", **CARRIED)
    rule = {"_and": [{"sort": {"_lt": 5}}]}
    newsroom.patch("/fields/stories_translations/sort", {"meta": {"validation": rule}})
    try:
        (run,) = pipeline.tick("stories")
    finally:
        newsroom.patch("/fields/stories_translations/sort", {"meta": {"validation": None}})

    assert run.success
    row = german(newsroom, "stories", item)
    assert (row["title"], row["sort"], row["colour"]) == (in_german("Rye"), None, "#ff0000")


class TextsOnly(httpx.HTTPTransport):
    """Directus for a token that may only write text fields."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and b'"colour"' in request.read():
            message = 'You don\'t have permission to access field "colour" in collection "stories_translations".'
            error = {"message": message, "extensions": {"code": "FORBIDDEN", "reason": message}}
            return httpx.Response(403, json={"errors": [error]})
        return super().handle_request(request)


def test_a_token_that_may_write_texts_only_writes_them(directus: LocalDirectus, newsroom: DirectusClient) -> None:
    item = write(newsroom, "stories", **CARRIED)
    with DirectusClient(directus.url, directus.bot_token, transport=TextsOnly()) as client:
        found = plan_scopes(read_translated_collections(client), TranslationOptions(), default_language="en-US")
        scope = next(each for each in found if each.name == "stories")
        (read,) = read_items(client, scope, [item])
        assert read.carried["colour"] == "#ff0000"

        assert RowWriter(client, scope).write(read, LanguageRow(key="de-DE", code="de-DE"), {"title": "Roggen"})

    row = german(newsroom, "stories", item)
    assert (row["title"], row["colour"]) == ("Roggen", None)


def test_a_field_without_text_cannot_be_translated(pipeline: Pipeline) -> None:
    with pytest.raises(ConfigurationError, match="colour"):
        pipeline.configure({"translations": {"collections": {"stories": {"fields": ["colour"]}}}})


def test_a_row_that_an_enrichment_makes_begins_alike(pipeline: Pipeline, newsroom: DirectusClient) -> None:
    summary = {"input": ["title"], "languages": ["de-DE"]}
    pipeline.configure({"translations": {"enabled": False}, "enrichments": {"stories": {"summary": summary}}})
    pipeline.tick("stories")
    item = write(newsroom, "stories", **CARRIED)

    pipeline.settle("stories")

    row = german(newsroom, "stories", item)
    assert row["summary"]
    assert {name: row[name] for name in CARRIED} == CARRIED
    assert row["status"] == "draft"
