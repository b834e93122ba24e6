"""Digests of values: equal for equal values, and safe for any value."""

import pytest
from pydantic import TypeAdapter

from directus_assets.directus.models import JsonValue
from directus_assets.json_text import read_json
from directus_assets.ownership.field_records import FieldRecord, canonical, digest
from directus_assets.ownership.protection import Standing, standing
from directus_assets.translation.records import Arrived, TranslationRecord

FORM = TypeAdapter(TranslationRecord)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("Straße 🚲\x00", "Straße 🚲\x00"),
        ({"b": 1, "a": ["é", None]}, '{"a": ["é", null], "b": 1}'),
        ("bicycle \ud83d", "bicycle \ufffd"),
        ({"\ud83d": ["\ude00"]}, '{"\ufffd": ["\ufffd"]}'),
        (float("inf"), "Infinity"),
        (10**300, f"1{'0' * 300}"),
    ],
)
def test_a_value_has_one_text(value: JsonValue, text: str) -> None:
    assert canonical(value) == text


@pytest.mark.parametrize("value", [{1: "a", "b": 2}, [10**5_000]])
def test_what_no_json_holds_has_a_text_as_well(value: JsonValue) -> None:
    assert canonical(value) == canonical(value)


@pytest.mark.parametrize("depth", [150, 1_500, 100_000])
def test_what_is_nested_too_deeply_has_a_text_that_stays_the_same(depth: int) -> None:
    text = "[" * depth + "]" * depth

    assert canonical(read_json(text)) == canonical(read_json(text))
    assert digest(read_json(text)) != digest([])


def test_a_half_that_a_database_has_replaced_is_no_edit_of_a_human() -> None:
    ours = FieldRecord(source="bicycle", written=digest("Fahrrad \ud83d"))

    assert standing(ours, source="bicycle", target="Fahrrad \ufffd") is Standing.OURS


def test_a_record_of_a_text_with_half_an_emoji_can_be_kept() -> None:
    record = TranslationRecord(
        collection="posts",
        item="1",
        language="de-DE",
        fields={"tags": FieldRecord(source=canonical(["bicycle \ud83d"]), written=digest(["Fahrrad \ud83d"]))},
        answers=(Arrived(texts={"k": "Fahrrad"}, engine="pseudo"),),
    )

    assert FORM.validate_json(FORM.dump_json(record)) == record


@pytest.mark.parametrize(
    ("row", "known", "expected"),
    [
        (None, FieldRecord(source="a"), False),
        (None, FieldRecord(source="a", written="w"), True),
        (None, FieldRecord(source="a", intended="w"), True),
        (None, FieldRecord(source="a", seen_target="h"), True),
        ("", FieldRecord(source="a", intended="w"), False),
        ("7", FieldRecord(source="a"), True),
    ],
)
def test_a_row_was_there_as_far_as_anybody_remembers(row: str | None, known: FieldRecord, *, expected: bool) -> None:
    record = TranslationRecord(collection="posts", item="1", language="de-DE", fields={"title": known}, row=row)

    assert record.has_seen_a_row is expected


def test_a_record_of_the_version_before_knows_of_no_row() -> None:
    known = b'{"collection": "posts", "item": "1", "language": "de-DE", "segments": {}, "fields": {}, "version": 1}'

    assert FORM.validate_json(known).row is None
