"""Replacements for values that Directus has refused, and when there are none."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.compare_and_set import Values
from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.models import JsonValue
from directus_assets.directus.schema import LanguageRow, TranslatedCollection
from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import Rejected
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.refusals import FieldsRefused, refusal_key, update
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage
from directus_assets.translation.cut_fields import cut_field
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.items import Item, Row
from directus_assets.translation.languages import language
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.refused_values import MOST_NUMBERS, RefusedWrite, UnrefusedDocument
from directus_assets.translation.scope import Scope
from directus_assets.translation.segments.model import BadAnswer, Document
from directus_assets.translation.segments.slug import numbered
from directus_assets.translation.translate import TranslationOutcome, Untranslatable
from directus_assets.translation.work import Translator
from tests.translation import scripted_openai as scripted
from tests.translation.scripted_openai import ScriptedOpenAI

SLUG = TextField(name="slug", kind="slug", is_unique=True)
TITLE = TextField(name="title", kind="plain")
BODY = TextField(name="body", kind="html")
TAKEN = 'Value "brot" for field "slug" in collection "posts_translations" has to be unique.'
TOO_LONG = 'Value for field "title" in collection "posts_translations" is too long.'


def refused(text_field: TextField, source: str, values: Iterable[str], reason: str) -> Document:
    known = {refusal_key(text_field, value): reason for value in values}
    return UnrefusedDocument(cut_field(text_field, source), text_field, known)


def spliced(document: Document, *answers: str) -> object:
    return document.splice({s.id: text for s, text in zip(document.segments, answers, strict=True)}, language="de")


@pytest.mark.parametrize(
    ("taken", "expected"),
    [([], "brot"), (["brot"], "brot-2"), (["brot", "brot-2", "brot-3"], "brot-4"), (["brot-2"], "brot")],
)
def test_a_taken_slug_gets_the_first_number_that_was_not_refused(taken: list[str], expected: str) -> None:
    assert spliced(refused(SLUG, "bread", taken, TAKEN), "Brot") == expected


def test_where_all_numbers_are_taken_the_engine_hears_of_it() -> None:
    every = ["brot", *(f"brot-{number}" for number in range(2, MOST_NUMBERS + 1))]

    with pytest.raises(BadAnswer, match="has to be unique"):
        spliced(refused(SLUG, "bread", every, TAKEN), "Brot")


def test_a_number_passes_the_fields_rule_or_is_not_taken() -> None:
    field = replace(SLUG, rule='{"slug": {"_regex": "^[a-z-]+$"}}')

    with pytest.raises(BadAnswer, match="has to be unique"):
        spliced(refused(field, "bread", ["brot"], TAKEN), "Brot")


@pytest.mark.parametrize(
    ("address", "longest", "expected"),
    [
        ("brot", None, "brot-2"),
        ("gutes_brot", None, "gutes_brot_2"),
        ("/rezepte/brot/", None, "/rezepte/brot-2/"),
        ("/rezepte/brot?a=b#c", None, "/rezepte/brot-2?a=b#c"),
        ("/rezepte/brot.html", None, "/rezepte/brot-2.html"),
        ("/", None, "/2"),
        ("gutes-brot", 10, "gutes-br-2"),
        ("gutes-brot-x", 12, "gutes-brot-2"),
    ],
)
def test_a_number_stands_at_the_end_of_the_path(address: str, longest: int | None, expected: str) -> None:
    assert numbered(address, 2, longest=longest) == expected


def test_a_refused_text_is_blamed_on_its_longest_answer_in_directus_own_words() -> None:
    document = refused(BODY, "<p>One</p><p>Two</p>", ["<p>Eins</p><p>Zweitens</p>"], TOO_LONG)

    with pytest.raises(BadAnswer, match=r"Directus refuses what becomes of it: .* is too long") as bad:
        spliced(document, "Eins", "Zweitens")

    assert bad.value.segment_id == document.segments[1].id
    assert spliced(document, "Eins", "Zwei") == "<p>Eins</p><p>Zwei</p>"


def test_a_text_that_is_not_unique_gets_no_number() -> None:
    with pytest.raises(BadAnswer):
        spliced(refused(TITLE, "Bread", ["Brot"], TAKEN), "Brot")


def test_a_text_without_words_is_not_blamed_on_anybody() -> None:
    assert refused(TITLE, "2024", ["2024"], TOO_LONG).splice({}) == "2024"


@pytest.mark.parametrize("change", [{"longest": 300}, {"rule": "{}"}, {"is_unique": True}])
def test_what_a_field_has_refused_is_forgotten_once_the_field_is_another(change: dict[str, object]) -> None:
    assert refusal_key(TITLE, "Brot") != refusal_key(replace(TITLE, **change), "Brot")  # type: ignore[arg-type]


GERMAN = LanguageRow(key="de-DE", code="de-DE")
ENGLISH = LanguageRow(key="en-US", code="en-US")


class Rows:
    """One item and its German row, in a Directus that refuses duplicates and overlong titles."""

    sees_all_rows = True

    def __init__(self, fields: tuple[TextField, ...], source: dict[str, JsonValue], *taken: str) -> None:
        self.schema = TranslatedCollection(
            collection="posts",
            key_field="id",
            translations="posts_translations",
            translations_key_field="id",
            item_field="posts_id",
            language_field="languages_code",
            languages=(ENGLISH, GERMAN),
            languages_collection="languages",
            fields=fields,
        )
        self.source, self.taken = source, taken
        self.row: dict[str, JsonValue] = {}
        self.sent: list[dict[str, JsonValue]] = []

    @property
    def item(self) -> Item:
        rows = {"de-DE": Row(key="2", values=dict(self.row))} if self.row else {}
        return Item(key="1", source_language="en-US", source=self.source, rows=rows)

    def get(self, _key: str) -> Item:
        return self.item

    def write(self, _item: Item, _language: LanguageRow, values: Values) -> bool:
        if refused := update(self._patch, values):
            raise FieldsRefused("posts_translations", refused, written=[n for n in values if n not in refused])
        return True

    def _patch(self, values: Values) -> None:
        self.sent.append(dict(values))
        fields = {name: TAKEN for name, value in values.items() if value in self.taken}
        if not fields and len(str(values.get("title"))) > 20:
            raise Rejected(TOO_LONG)  # PostgreSQL does not say which field it is
        if fields:
            raise Rejected("refused", fields=fields)
        self.row |= values


def translator(rows: Rows, engine: OpenAIEngine, folder: Path) -> Translator:
    made = Translator(
        client=DirectusClient("http://directus.invalid", "t"),
        scope=Scope(schema=rows.schema, source=ENGLISH, targets=(GERMAN,), filter={}),
        engine=engine,
        gate=RateGate(limit=1),
        records=RecordStore(LocalStorage(folder), TranslationRecord),
        sleep=lambda _: None,
    )
    made.__dict__.update({"_writer": rows, "_present": rows})
    return made


@pytest.fixture
def engine(server: ScriptedOpenAI) -> Iterator[OpenAIEngine]:
    with closing(OpenAIEngine(api_key="key", model="tiny", base_url=server.url)) as engine:
        yield engine


def in_words(server: ScriptedOpenAI, first: str, repaired: str) -> None:
    """Answer these words for titles, and everything else correctly."""

    def answer(asked: scripted.Asked) -> scripted.Reply:
        texts = {name: each["text"] for name, each in asked.segments.items()}
        title = repaired if asked.is_repair else first
        german = {n: title if text == "Bread" else pseudo(text, target=asked.target) for n, text in texts.items()}
        return scripted.completion(asked, json.dumps(german))

    server.always(answer)


def test_a_refused_title_is_repaired_and_a_taken_slug_numbered_while_all_else_is_written(
    server: ScriptedOpenAI, engine: OpenAIEngine, tmp_path: Path
) -> None:
    source: dict[str, JsonValue] = {"title": "Bread", "slug": "good-bread", "body": "<p>Dough rests</p>"}
    rows = Rows((TITLE, SLUG, BODY), source, "good-bread-de", "good-bread-de-2")
    in_words(server, "Brot, das lange gereift ist", "Brot")

    result = translator(rows, engine, tmp_path).translate(rows.item, GERMAN)

    body = f"<p>{pseudo('Dough rests', target=language('de'))}</p>"
    assert rows.row == {"title": "Brot", "slug": "good-bread-de-3", "body": body}
    assert sorted(result.written) == ["body", "slug", "title"]
    assert [asked.is_repair for asked in server.asked] == [False, True]
    assert "is too long" in server.asked[1].prompt
    before = len(rows.sent)
    again = translator(rows, engine, tmp_path).translate(rows.item, GERMAN)
    assert (again.written, len(rows.sent), len(server.asked)) == ((), before, 2)


def test_what_the_engine_insists_on_is_not_sent_to_directus_again(
    server: ScriptedOpenAI, engine: OpenAIEngine, tmp_path: Path
) -> None:
    rows = Rows((TITLE, BODY), {"title": "Bread", "body": "<p>Dough rests</p>"}, "Roggenbrot")
    in_words(server, "Roggenbrot", "Roggenbrot")

    for _ in range(3):
        with pytest.raises(Untranslatable, match="has to be unique"):
            translator(rows, engine, tmp_path).translate(rows.item, GERMAN)

    assert [*rows.row] == ["body"]
    assert sum("Roggenbrot" in sent.values() for sent in rows.sent) == 1
    # One repair each time.
    assert [asked.is_repair for asked in server.asked] == [False, True, True, True]


def test_a_value_that_no_engine_made_is_not_sent_again_either(
    server: ScriptedOpenAI, engine: OpenAIEngine, tmp_path: Path
) -> None:
    rows = Rows((TITLE, BODY), {"title": "2024", "body": "<p>Dough rests</p>"}, "2024")

    for _ in range(2):
        with pytest.raises(FieldsRefused, match="has to be unique"):
            translator(rows, engine, tmp_path).translate(rows.item, GERMAN)

    assert [*rows.row] == ["body"]
    assert sum("2024" in sent.values() for sent in rows.sent) == 1
    assert len(server.asked) == 1


OUTCOME = TranslationOutcome(values={}, segments={}, usage=Usage(), reused=1, sent=1)


def after(
    earlier: RefusedWrite | None, *, can_repair: bool = True, repaired: Iterable[str] = (), **fields: str
) -> RefusedWrite:
    return RefusedWrite.after(
        earlier,
        FieldsRefused("posts", fields),
        OUTCOME,
        fields=[SLUG, TITLE],
        repaired=[*repaired],
        can_repair=can_repair,
    )


def test_a_text_is_repaired_once_and_only_by_an_engine_that_can() -> None:
    first = after(None, title=TOO_LONG)

    assert first.hopeful == {"title"}
    assert after(first, title=TOO_LONG).hopeful == frozenset()
    assert after(None, title=TOO_LONG, can_repair=False).hopeful == frozenset()
    assert after(None, title=TOO_LONG, repaired=["title"]).hopeful == frozenset()


def test_an_address_is_tried_with_every_number_whatever_the_engine_can() -> None:
    tries = [after(None, slug=TAKEN, can_repair=False)]
    while tries[-1].hopeful:
        tries.append(after(tries[-1], slug=TAKEN, can_repair=False))

    assert len(tries) == MOST_NUMBERS


def test_a_record_keeps_the_latest_refusals_and_reads_those_of_earlier_versions() -> None:
    record = TranslationRecord(collection="posts", item="1", language="de-DE")
    for number in range(100):
        record = record.refusing({"title": {str(number): TOO_LONG}})

    assert [*record.refused["title"]][-1] == "99"
    assert len(record.refused["title"]) == 60
    form = TypeAdapter(TranslationRecord)
    assert form.validate_json(form.dump_json(record)) == record
    assert form.validate_json(b'{"collection": "posts", "item": "1", "language": "de-DE"}').refused == {}
