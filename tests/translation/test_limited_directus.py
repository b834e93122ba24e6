"""Keys, languages and rows that exceed `QUERY_LIMIT_MAX` or the length of a URL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from directus_assets.commands.doctor.connection import check_limits, check_long_queries, check_version
from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import read_translated_collections
from directus_assets.enrichment.recommendations import texts_at
from directus_assets.local import schema
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.settings import TranslationOptions
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.items import item_keys, read_items
from directus_assets.translation.languages import language
from directus_assets.translation.scope import Scope, plan_scopes
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

GERMAN = {"translations": {"collections": {"terms": {"languages": ["de-DE"]}, "posts": {"languages": ["de-DE"]}}}}

KEYS = {
    "160 Latin": "a-readable-slug-as-key-" + "word-" * 26 + "end",
    "20 Japanese": "語" * 20,
    "255 emoji": "😀" * 127,
    "quotes and marks": """"'&?=#%+\\ ,;/..""" * 10,
}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDirectus]:
    limits = {"QUERY_LIMIT_MAX": "50", "QUERY_LIMIT_DEFAULT": "20"}
    with LocalDirectus(tmp_path_factory.mktemp("limited"), environment=limits) as server:
        yield server


@pytest.fixture(scope="module")
def studio(limited: LocalDirectus) -> Iterator[DirectusClient]:
    with DirectusClient(limited.url, limited.admin_token, timeout_seconds=60) as client:
        schema.create_collections(client)
        key = schema._field("id", "string", interface="input", schema={"is_primary_key": True, "length": 255})
        schema._create(client, "terms", [key])
        item = schema._field("terms_id", "string", hidden=True, schema={"length": 255})
        schema._translate(client, "terms", key=item, texts=[schema._field("title", "string", interface="input")])
        create_bot(client, token=limited.bot_token)
        yield client


@pytest.fixture
def bot(limited: LocalDirectus, studio: DirectusClient) -> Iterator[DirectusClient]:
    with DirectusClient(limited.url, limited.bot_token) as client:
        yield client


def scope_of(bot: DirectusClient, collection: str) -> Scope:
    found = plan_scopes(read_translated_collections(bot), TranslationOptions(), default_language=None)
    return next(scope for scope in found if scope.collection == collection)


def in_german(text: str) -> str:
    return pseudo(text, target=language("de-DE"))


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_items_with_long_keys_are_translated_and_go(
    limited: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path, key: str
) -> None:
    with Pipeline(limited, server, tmp_path, GERMAN) as pipeline:
        pipeline.tick("terms")
        source = {"languages_code": "en-US", "title": "Bread"}
        keys = [f"{number}{key}"[:255] for number in range(60)]
        studio.post("/items/terms", [{"id": each, "translations": [source]} for each in keys])

        pipeline.settle("terms")

        assert set(keys) <= set(pipeline.partitions("terms"))
        german = {"languages_code": {"_eq": "de-DE"}}
        rows = list(studio.rows("/items/terms_translations", filter=german, fields=["*"], sort="id"))
        assert {row["terms_id"]: row["title"] for row in rows} == dict.fromkeys(keys, in_german("Bread"))
        studio.delete("/items/terms", keys)
        pipeline.settle("terms")
        assert pipeline.partitions("terms") == []


def test_all_existing_items_become_partitions_and_all_changes_are_seen(
    limited: LocalDirectus, studio: DirectusClient, bot: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    source = {"languages_code": "en-US", "title": "Bread"}
    rows = studio.post("/items/posts", [{"translations": [source]} for _ in range(120)])
    keys = {str(row["id"]) for row in rows or studio.rows("/items/posts", fields=["id"], sort="id")}
    posts = scope_of(bot, "posts")

    with Pipeline(limited, server, tmp_path, GERMAN) as pipeline:
        pipeline.tick("posts")
        assert set(pipeline.partitions("posts")) >= keys
        originals = studio.rows("/items/posts_translations", fields=["id"], sort="id")
        studio.patch("/items/posts_translations", {"keys": [row["id"] for row in originals], "data": {"title": "Rye"}})
        pipeline.settle("posts")

    items = read_items(bot, posts, sorted(keys))
    assert {item.key: item.rows["de-DE"].values["title"] for item in items} == dict.fromkeys(keys, in_german("Rye"))
    pages = [item_keys(bot, posts, page=page, size=70) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [70, len(keys) - 70, 0]
    assert {key for page in pages for key in page} == keys


def test_an_item_in_120_languages_is_read_whole(studio: DirectusClient, bot: DirectusClient) -> None:
    codes = [f"de-x-{number:04}" for number in range(120)]
    studio.post("/items/languages", [{"code": code, "name": code} for code in codes])
    texts = [{"languages_code": code, "title": code} for code in ("en-US", *codes)]
    keys = [f"word {number}" for number in range(3)]
    studio.post("/items/terms", [{"id": key, "translations": texts} for key in keys])

    items = read_items(bot, scope_of(bot, "terms"), keys)

    assert {item.key: {code: row.values["title"] for code, row in item.rows.items()} for item in items} == {
        key: {code: code for code in codes} for key in keys
    }
    row = bot.get("/items/terms/word 1", fields=["id", "translations.title"])
    assert len(texts_at(row, "translations.title")) == 121


def test_doctor_tells_of_a_low_limit_and_that_long_queries_arrive(
    limited: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    with Pipeline(limited, server, tmp_path) as pipeline:
        subject = Checkup(pipeline.project)

        findings = [*check_version(subject), *check_limits(subject), *check_long_queries(subject)]

    assert [(finding.what, finding.status) for finding in findings] == [
        ("version", Status.OK),
        ("limits", Status.WARNING),
        ("long queries", Status.OK),
    ]
    assert "at most 50 rows" in findings[1].text
