"""Values that Directus has refused: what takes their place, and when nothing does."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from directus_assets.directus.field_kinds import TextField
from directus_assets.ownership.field_records import TranslationRecord
from directus_assets.spending.usage import Usage
from directus_assets.translation.cut_fields import cut_field
from directus_assets.translation.refusals import FieldsRefused
from directus_assets.translation.refused_values import MOST_NUMBERS, RefusedWrite, UnrefusedDocument, refusal_key
from directus_assets.translation.segments.model import BadAnswer, Document
from directus_assets.translation.segments.slug import numbered
from directus_assets.translation.translate import TranslationOutcome

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
    assert TranslationRecord.from_json(record.to_json()) == record
    assert TranslationRecord.from_json(b'{"collection": "posts", "item": "1", "language": "de-DE"}').refused == {}
