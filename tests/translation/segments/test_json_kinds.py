# ruff: noqa: E501  # tables: a case to a line

import copy
import json
from collections.abc import Callable

import pytest

from directus_assets.directus.models import JsonValue
from directus_assets.errors import BadInput
from directus_assets.translation.segments import Document, TextKind, cut, left

Texts = Callable[[JsonValue, TextKind], list[str]]

BLOCKS: JsonValue = {
    "time": 1700000000000,
    "blocks": [
        {"id": "a", "type": "paragraph", "data": {"text": "One <b>two</b>&nbsp;three"}},
        {"id": "b", "type": "header", "data": {"text": "Head", "level": 2}},
        {"id": "c", "type": "nestedlist", "data": {"style": "ordered", "items": [{"content": "I", "items": [{"content": "II", "items": []}]}]}},
        {"id": "d", "type": "list", "data": {"items": ["III", "IV"]}},
        {"id": "e", "type": "checklist", "data": {"items": [{"text": "V", "checked": True}]}},
        {"id": "f", "type": "quote", "data": {"text": "VI", "caption": "VII", "alignment": "left"}},
        {"id": "g", "type": "table", "data": {"withHeadings": True, "content": [["VIII", "1"], ["IX", ""]]}},
        {"id": "h", "type": "image", "data": {"file": {"url": "no", "title": "no"}, "caption": "X", "stretched": False}},
        {"id": "i", "type": "code", "data": {"code": "no"}},
        {"id": "j", "type": "raw", "data": {"html": "<p>no</p>"}},
        {"id": "k", "type": "unknown", "data": {"text": "XI", "link": "no", "icon": "no"}},
        {"id": "l", "type": "delimiter", "data": {}},
        {"type": "paragraph"},
        "odd",
    ],
    "version": "2.31.2",
}  # fmt: skip
BLOCK_TEXTS = ["One <g1>two</g1>\xa0three", "Head", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI"]


def test_blocks_hold_text_by_their_type(texts: Texts) -> None:
    assert texts(BLOCKS, TextKind.BLOCKS) == BLOCK_TEXTS
    assert texts(json.dumps(BLOCKS), TextKind.BLOCKS) == BLOCK_TEXTS


def test_a_value_comes_back_as_a_value(pseudo: Callable[[Document], JsonValue]) -> None:
    before = copy.deepcopy(BLOCKS)

    after = pseudo(cut(BLOCKS, TextKind.BLOCKS))

    expected = json.dumps(before).replace('"One <b>two</b>&nbsp;three"', '"Öñé <b>twö</b>&nbsp;thréé"')
    assert isinstance(after, dict)
    assert isinstance(after["blocks"], list)
    assert after["blocks"][0] == json.loads(expected)["blocks"][0]
    assert after["blocks"][8:10] == json.loads(expected)["blocks"][8:10]
    assert after["blocks"][11:] == json.loads(expected)["blocks"][11:]
    assert before == BLOCKS


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{ "blocks" : [ {"type":"header", "data":{"text":"One\\n"}} ]\n}', '{ "blocks" : [ {"type":"header", "data":{"text":"Öñé\\n"}} ]\n}'),
        ('{"blocks":[{"type":"header","data":{"text":"t\\u00e9 <a href=\\"\\/x\\">one<\\/a>"}}]}',
         '{"blocks":[{"type":"header","data":{"text":"t\\u00e9 <a href=\\"\\/x\\">\\u00f6\\u00f1\\u00e9<\\/a>"}}]}'),
        ('{"blocks":[{"type":"header","data":{"text":"One"}}],"text":"One"}', '{"blocks":[{"type":"header","data":{"text":"Öñé"}}],"text":"One"}'),
    ],
)  # fmt: skip
def test_json_text_keeps_its_bytes(source: str, expected: str, pseudo: Callable[[Document], JsonValue]) -> None:
    document = cut(source, TextKind.BLOCKS)

    assert pseudo(document) == expected
    assert document.splice({segment.id: segment.text for segment in document.segments}) == source


@pytest.mark.parametrize("value", [None, "", {}, {"blocks": None}, {"blocks": {}}, [], "[]", 3])
def test_blocks_without_text_have_no_segments(value: JsonValue) -> None:
    document = cut(value, TextKind.BLOCKS)

    assert document.segments == ()
    assert document.splice({}) == value


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a":' * 200 + "1" + "}" * 200, "text"])
def test_bad_json_is_refused(text: str) -> None:
    for kind in (TextKind.BLOCKS, TextKind.REPEATER, TextKind.TAGS):
        with pytest.raises(BadInput, match="JSON"):
            cut(text, kind)


def test_a_deep_value_is_refused() -> None:
    value: JsonValue = []
    for _ in range(5000):
        value = [value]

    with pytest.raises(BadInput, match="levels"):
        cut(value, TextKind.REPEATER)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_value_that_could_not_be_written_back_is_refused(number: float) -> None:
    with pytest.raises(BadInput, match="cannot be converted to JSON"):
        cut({"title": "Bread", "weight": number}, TextKind.REPEATER)


def test_numbers_of_a_json_text_stay_as_they_are_written(pseudo: Callable[[Document], JsonValue]) -> None:
    source = '{"title": "Bread", "a": 1e400, "b": 1.10, "c": ' + "9" * 5_000 + "}"

    assert pseudo(cut(source, TextKind.REPEATER)) == source.replace("Bread", "Bréàd")


def test_half_an_emoji_stays_where_it_is(pseudo: Callable[[Document], JsonValue]) -> None:
    assert pseudo(cut(["ocean \ud83d"], TextKind.TAGS)) == ["öçéàñ \ud83d"]
    assert (
        pseudo(cut('{"\\ud83d title": "ocean \\ud83d é"}', TextKind.REPEATER)) == '{"\\ud83d title": "öçéàñ \\ud83d é"}'
    )
    assert pseudo(cut({"\ud83d title": "the ocean"}, TextKind.REPEATER)) == {"\ud83d title": "thé öçéàñ"}


def test_an_engine_is_told_the_beginning_of_a_name(texts: Texts) -> None:
    (segment,) = cut({"n" * 10_000: "Some words"}, TextKind.REPEATER).segments

    assert segment.context == "n" * 100


def test_tags_are_a_segment_each(pseudo: Callable[[Document], JsonValue], texts: Texts) -> None:
    assert texts(["coffee", "Slow food", "", "2024"], TextKind.TAGS) == ["coffee", "Slow food"]
    assert pseudo(cut(["coffee", 3, "2024"], TextKind.TAGS)) == ["çöfféé", 3, "2024"]
    assert pseudo(cut('[ "one" ]', TextKind.TAGS)) == '[ "öñé" ]'


def test_tags_that_are_no_list_are_refused() -> None:
    with pytest.raises(BadInput, match="list"):
        cut({"a": "b"}, TextKind.TAGS)


REPEATER: JsonValue = [
    {
        "id": "Not This", "title": "home", "icon": "home", "link": "Not this", "variant": "primary", "color": "#ff0000", "date": "2024-01-01",
        "intro": "Hello <b>you</b> &amp; me", "ref": "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "note": "https://a.b", "camel": "camelCase",
        "count": 3, "rows": [{"label": "Size", "unit": "cm", "other": "Some words"}], "buttonUrl": "No text", "kanji": "日本",
    },
]  # fmt: skip


def test_a_repeater_holds_text_where_it_reads_like_text(texts: Texts) -> None:
    assert texts(REPEATER, TextKind.REPEATER) == ["home", "Hello <g1>you</g1> & me", "Size", "Some words", "日本"]


def test_members_can_be_named() -> None:
    document = cut(REPEATER, TextKind.REPEATER, names=["rows.unit", "variant"])

    assert [segment.text for segment in document.segments] == ["primary", "cm"]


@pytest.mark.parametrize("kind", [TextKind.PLAIN, TextKind.HTML, TextKind.MARKDOWN, TextKind.SLUG])
def test_a_value_that_is_no_text_is_refused(kind: TextKind) -> None:
    with pytest.raises(BadInput, match="must be a string, not int"):
        cut(3, kind)


@pytest.mark.parametrize("kind", list(TextKind))
def test_null_has_no_segments(kind: TextKind) -> None:
    document = cut(None, kind)

    assert document.segments == ()
    assert document.splice({}) is None


@pytest.mark.parametrize(
    ("value", "cut_out", "told"),
    [
        (
            {"blocks": [{"key": "a", "text": "Fresh bread daily", "type": "unstyled", "inlineStyleRanges": [{"offset": 6, "length": 5, "style": "BOLD"}], "entityRanges": []}], "entityMap": {}},
            [],
            ("blocks.text",),
        ),
        (
            {"blocks": [{"key": "a", "text": "Fresh bread daily", "type": "unstyled", "inlineStyleRanges": [], "entityRanges": []}], "entityMap": {}},
            ["Fresh bread daily"],
            (),
        ),
        ([{"type": "paragraph", "text": "Fresh bread daily", "spans": [{"start": 0, "end": 5, "type": "strong"}]}], [], ("text",)),
        ([{"type": "paragraph", "text": "Fresh bread daily", "spans": []}], ["Fresh bread daily"], ()),
        ({"title": "Opening hours", "rows": [{"start": 9, "end": 17, "note": "By the door"}]}, ["Opening hours", "By the door"], ()),
    ],
)  # fmt: skip
def test_text_whose_formatting_counts_characters_is_told_and_not_cut(
    texts: Texts, value: JsonValue, cut_out: list[str], told: tuple[str, ...]
) -> None:
    assert texts(value, TextKind.AUTO) == cut_out
    assert left(cut(value, TextKind.AUTO)) == told
