"""Fields that the real Directus refuses: for breaking a rule, for not being unique, and for being too long
(PostgreSQL).
"""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import make_url

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import LanguageRow, read_translated_collections
from directus_assets.directus.storage import LocalStorage
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.refusals import FieldsRefused
from directus_assets.settings import TranslationOptions
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.items import read_items
from directus_assets.translation.languages import language
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.row_writer import RowWriter
from directus_assets.translation.scope import Scope, plan_scopes
from directus_assets.translation.translate import Untranslatable
from directus_assets.translation.work import Translator
from tests.postgres import running_postgres
from tests.translation import scripted_openai as scripted
from tests.translation.pipeline import Pipeline
from tests.translation.posts import create_post, read, rows_of
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

GERMAN = LanguageRow(key="de-DE", code="de-DE")
LOWER_CASE = {"_and": [{"summary": {"_regex": "^[a-z ]*$"}}]}


@pytest.fixture(scope="module")
def strict(studio: DirectusClient) -> DirectusClient:
    """A Studio in which summaries have to be lower-case and permalinks unique."""
    studio.patch("/fields/posts_translations/summary", {"meta": {"validation": LOWER_CASE}})
    unique = {"field": "permalink", "type": "string", "schema": {"is_unique": True}, "meta": {"interface": "input"}}
    studio.post("/fields/posts_translations", unique)
    studio.post("/fields/posts_translations", {**unique, "field": "headline"})
    slug = {"interface": "input", "options": {"slug": True}}
    studio.post("/fields/posts_translations", {**unique, "field": "web_slug", "meta": slug})
    return studio


@pytest.fixture
def permalink(strict: DirectusClient) -> str:
    """A permalink that a person has used for a German post."""
    number = len(strict.get("/items/posts", limit=-1))
    post = create_post(strict, title="Taken")
    row = {"posts_id": int(post), "languages_code": "de-DE", "permalink": f"/taken-{number}"}
    strict.post("/items/posts_translations", row)
    return f"/taken-{number}"


@pytest.mark.parametrize("has_row", [True, False])
def test_a_row_gets_what_directus_takes_and_each_refusal_is_told_in_its_own_words(
    strict: DirectusClient, bot: DirectusClient, scopes: dict[str, Scope], permalink: str, *, has_row: bool
) -> None:
    posts = scopes["posts"]
    key = create_post(strict, title="Bread")
    if has_row:
        RowWriter(bot, posts).write(read(bot, posts, key), GERMAN, {"slug": "brot"})
    values = {"title": "Das Brot", "summary": "KURZ", "body": "<p>Gut</p>", "permalink": permalink}
    writer = RowWriter(bot, posts)

    # A row that was made is not what was read: who writes reads it, and decides anew.
    assert has_row or not writer.write(read(bot, posts, key), GERMAN, values)
    with pytest.raises(FieldsRefused) as refusal:
        writer.write(read(bot, posts, key), GERMAN, values)

    (row,) = rows_of(strict, key)
    assert (row["title"], row["summary"], row["body"], row["permalink"]) == ("Das Brot", None, "<p>Gut</p>", None)
    assert refusal.value.fields == {
        "summary": 'Validation failed for field "summary". Value doesn\'t have the correct format.',
        "permalink": f'Value "{permalink}" for field "permalink" in collection "posts_translations" has to be unique.',
    }
    assert all(reason in str(refusal.value) for reason in refusal.value.fields.values())


def test_the_partition_says_which_field_it_is_and_only_that_one_is_left_when_the_rule_is_gone(
    directus: LocalDirectus, strict: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    config: dict[str, Any] = {"translations": {"languages": ["de-DE"]}}
    with Pipeline(directus, server, tmp_path, config) as pipeline:
        pipeline.tick()
        post = create_post(strict, title="Bread", summary="short", body="<p>The dough has to rest.</p>")

        pipeline.tick()

        (row,) = rows_of(strict, post)
        assert row["title"] == pseudo("Bread", target=language("de-DE"))
        assert row["body"]
        assert row["summary"] is None
        assert "field 'summary'" in pipeline.reason(post, "de-DE")
        assert "validation rule in Directus (_regex: " in pipeline.reason(post, "de-DE")
        assert pipeline.made(post, "de-DE") is None
        server.asked.clear()
        strict.patch("/fields/posts_translations/summary", {"meta": {"validation": None}})
        pipeline.load()
        pipeline.run_all(first=post, last=post)
        (after,) = rows_of(strict, post)
        assert after == {**row, "summary": pseudo("short", target=language("de-DE"))}
        assert server.asked == []
        assert pipeline.made(post, "de-DE")


class Writes(httpx.HTTPTransport):
    """A transport that records what was written to translation rows."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method in ("POST", "PATCH") and request.url.path == "/items/posts_translations":
            self.sent.append(request.read().decode())
        return super().handle_request(request)

    def times(self, text: str) -> int:
        return sum(json.dumps(text, ensure_ascii=False) in sent for sent in self.sent)


def better(asked: scripted.Asked) -> scripted.Reply:
    """Answer correctly; in other words if a repair is requested."""
    words = {name: pseudo(each["text"], target=asked.target) for name, each in asked.segments.items()}
    more = " ŵéļļ" if asked.is_repair else ""
    return scripted.completion(asked, json.dumps({name: text + more for name, text in words.items()}))


def test_a_refused_value_is_repaired_once_and_never_sent_again(
    directus: LocalDirectus, strict: DirectusClient, scopes: dict[str, Scope], server: ScriptedOpenAI, tmp_path: Path
) -> None:
    headline = pseudo("Rye loaves", target=language("de-DE"))
    taken = {"posts_id": int(create_post(strict, title="Taken"))}
    strict.post(
        "/items/posts_translations",
        [
            {**taken, "languages_code": "de-DE", "web_slug": "rye-bread-de", "headline": headline},
            {**taken, "languages_code": "fr-FR", "web_slug": "rye-bread-de-2"},
        ],
    )
    key = create_post(strict, title="Bread", web_slug="rye-bread", headline="Rye loaves")
    writes = Writes()
    with (
        DirectusClient(directus.url, directus.bot_token, transport=writes) as client,
        closing(OpenAIEngine(api_key="key", model="tiny", base_url=server.url, timeout_seconds=60)) as engine,
    ):
        translator = Translator(
            client=client,
            scope=scopes["posts"],
            engine=engine,
            gate=RateGate(limit=1, patience_seconds=1, base_seconds=0.01, longest_seconds=0.1),
            records=RecordStore(LocalStorage(tmp_path), TranslationRecord),
            sleep=lambda _: None,
        )
        # The engine knows no other words.
        with pytest.raises(Untranslatable, match="has to be unique"):
            translator.translate(read(client, scopes["posts"], key), GERMAN)

        (row,) = rows_of(strict, key)
        assert (row["title"], row["headline"], row["web_slug"]) == (
            pseudo("Bread", target=language("de-DE")),
            None,
            "rye-bread-de-3",
        )
        assert [each.is_repair for each in server.asked] == [False, True]
        assert "has to be unique" in server.asked[1].prompt
        assert len(server.asked[1].segments) == 1
        assert writes.times("rye-bread-de-2") == 1
        server.asked.clear()
        writes.sent.clear()
        server.always(better)
        result = translator.translate(read(client, scopes["posts"], key), GERMAN)

        (row,) = rows_of(strict, key)
        assert (row["headline"], row["web_slug"], result.written) == (
            f"{headline} ŵéļļ",
            "rye-bread-de-3",
            ("headline",),
        )
        assert [each.is_repair for each in server.asked] == [True]
        again = translator.translate(read(client, scopes["posts"], key), GERMAN)
        assert (again.written, len(server.asked)) == ((), 1)
    assert [value for value in (headline, "rye-bread-de", "rye-bread-de-2") if writes.times(value)] == []


@pytest.fixture
def on_postgres(tmp_path: Path) -> Iterator[DirectusClient]:
    """A Directus on a database that enforces lengths without naming the field."""
    with running_postgres() as address:
        url = make_url(address)
        settings = {"HOST": url.host, "PORT": url.port, "DATABASE": url.database, "USER": url.username, "PASSWORD": "-"}
        environment = {"DB_CLIENT": "pg", **{f"DB_{name}": str(value) for name, value in settings.items()}}
        with (
            LocalDirectus(tmp_path / "directus", environment=environment) as server,
            DirectusClient(server.url, server.admin_token) as client,
        ):
            create_collections(client)
            yield client


def test_a_text_that_is_too_long_for_its_column_is_the_only_one_that_is_not_written(
    on_postgres: DirectusClient,
) -> None:
    studio = on_postgres
    posts = next(
        scope
        for scope in plan_scopes(read_translated_collections(studio), TranslationOptions(), default_language=None)
        if scope.collection == "posts"
    )
    key = create_post(studio, title="Bread")
    values = {"title": "B" * 300, "summary": "Kurz", "body": "<p>Gut</p>"}

    assert not RowWriter(studio, posts).write(read_items(studio, posts, [key])[0], GERMAN, values)
    with pytest.raises(FieldsRefused, match="is too long") as refusal:
        RowWriter(studio, posts).write(read_items(studio, posts, [key])[0], GERMAN, values)

    assert list(refusal.value.fields) == ["title"]
    assert len(str(refusal.value)) < 600
    (row,) = rows_of(studio, key)
    assert (row["title"], row["summary"], row["body"]) == (None, "Kurz", "<p>Gut</p>")
