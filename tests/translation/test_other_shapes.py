"""Less common content structures on the real Directus: a singleton, tags as CSV, repeaters, custom names."""

from pathlib import Path
from typing import Any

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.local import schema
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

MEMBERS = [
    {"field": "question", "type": "string", "meta": {"interface": "input"}},
    {"field": "answer", "type": "text", "meta": {"interface": "input-rich-text-html"}},
    {"field": "icon", "type": "string", "meta": {"interface": "select-icon"}},
]
FAQ = [
    {"question": "How long does it take?", "answer": '<p>All <a href="/day">day</a>.</p>', "icon": "bread_slice"},
    {"question": "Is it worth it?", "answer": None, "icon": "check"},
]


def create_home(studio: DirectusClient) -> None:
    """A singleton with other names for its fields, whose texts are tags as CSV and a repeater."""
    field = schema._field
    key = field("id", "integer", hidden=True, schema=schema._SERIAL)
    texts = [
        field("topics", "csv", interface="tags", special=["cast-csv"]),
        field("faq", "json", interface="list", special=["cast-json"], options={"fields": MEMBERS}),
    ]
    schema._create(studio, "home", [key], singleton=True)
    rows = "texts_of_home"
    identity = field("number", "integer", hidden=True, schema=schema._SERIAL)
    keys = [field("home", "integer", hidden=True), field("lang", "string", hidden=True)]
    schema._create(studio, rows, [identity, *keys, *texts])
    alias = field("texts", "alias", interface="translations", special=["translations"])
    studio.post("/fields/home", {**alias, "schema": None})
    schema._relate(studio, rows, "home", "home", one_field="texts", junction_field="lang", on_delete="CASCADE")
    schema._relate(studio, rows, "lang", "languages", one_field=None, junction_field="home")


def test_a_singleton_with_csv_tags_and_a_repeater_under_names_of_its_own(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    create_home(studio)
    create_bot(studio, token=directus.bot_token)
    with Pipeline(directus, server, tmp_path) as pipeline:
        assert pipeline.tick("home") == []
        studio.patch("/items/home", {"texts": [{"lang": "en-US", "topics": ["rye bread", "hot oven"], "faq": FAQ}]})

        pipeline.settle("home")

        german, original = row_of(studio, "de-DE"), row_of(studio, "en-US")
        assert german["topics"] == [in_german("rye bread"), in_german("hot oven")]
        assert german["faq"] == [
            {**FAQ[0], "question": in_german("How long does it take?"), "answer": german["faq"][0]["answer"]},
            {**FAQ[1], "question": in_german("Is it worth it?")},
        ]
        assert german["faq"][0]["answer"].startswith("<p>")
        assert '<a href="/day">' in german["faq"][0]["answer"]
        server.asked.clear()
        studio.patch(f"/items/texts_of_home/{original['number']}", {"topics": ["rye bread", "cold oven"]})
        pipeline.settle("home")
        assert set(server.texts_sent) == {"cold oven"}
        assert row_of(studio, "de-DE") == {**german, "topics": [in_german("rye bread"), in_german("cold oven")]}
        assert pipeline.tick("home") == []


@pytest.mark.parametrize("key", ["../posts_translations/1", "..", "a/b?fields=id#c d", "100%"])
def test_a_row_whose_key_could_lead_elsewhere_is_written_and_nothing_else(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path, key: str
) -> None:
    name = create_labels(studio)
    create_bot(studio, token=directus.bot_token)
    with Pipeline(directus, server, tmp_path) as pipeline:
        assert pipeline.tick(name) == []
        rows = [
            {"languages_code": "en-US", "id": f"original {key}", "title": "Bread"},
            {"languages_code": "de-DE", "id": key},
        ]
        studio.post(f"/items/{name}", {"translations": rows})
        before = studio.get("/items/posts_translations", limit=-1)

        pipeline.tick(name)

        (row,) = studio.get(f"/items/{name}_translations", filter={"id": {"_eq": key}})
        assert row["title"] == in_german("Bread")
        assert studio.get("/items/posts_translations", limit=-1) == before


def create_labels(studio: DirectusClient) -> str:
    """Create a new collection whose translations have manually entered keys."""
    name = f"labels_{len(studio.get('/collections'))}"
    schema._create(studio, name, [schema._field("id", "integer", hidden=True, schema=schema._SERIAL)])
    key = schema._field("id", "string", schema={"is_primary_key": True, "length": 255})
    keys = [schema._field(f"{name}_id", "integer", hidden=True), schema._field("languages_code", "string", hidden=True)]
    schema._create(studio, f"{name}_translations", [key, *keys, schema._field("title", "string", interface="input")])
    alias = schema._field("translations", "alias", interface="translations", special=["translations"])
    studio.post(f"/fields/{name}", {**alias, "schema": None})
    rows = f"{name}_translations"
    schema._relate(studio, rows, f"{name}_id", name, one_field="translations", junction_field="languages_code")
    schema._relate(studio, rows, "languages_code", "languages", one_field=None, junction_field=f"{name}_id")
    return name


def row_of(studio: DirectusClient, code: str) -> dict[str, Any]:
    (row,) = studio.get("/items/texts_of_home", filter={"lang": {"_eq": code}}, limit=-1)
    return dict(row)


def in_german(text: str) -> str:
    return pseudo(text, target=language("de-DE"))
