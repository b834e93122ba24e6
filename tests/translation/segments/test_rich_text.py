# ruff: noqa: E501  # tables: a case to a line
"""Editors' rich text in JSON: whole sentences across marks, put back exactly."""

import cProfile
import json
from collections.abc import Callable
from typing import Any

import pytest

from directus_assets.directus.models import JsonValue
from directus_assets.directus.validation import Rule
from directus_assets.translation.segments import BadAnswer, Document, TextKind, cut, left

Texts = Callable[[JsonValue, TextKind], list[str]]


def node(kind: str, *content: Any, **attributes: Any) -> dict[str, Any]:
    return {"type": kind, **({"attrs": attributes} if attributes else {}), "content": list(content)}


def text(words: str, *marks: Any) -> dict[str, Any]:
    found = [{"type": mark} if isinstance(mark, str) else mark for mark in marks]
    return {"type": "text", "text": words, **({"marks": found} if found else {})}


LINK = {"type": "link", "attrs": {"href": "/about us", "target": "_blank"}}
TIPTAP: JsonValue = node(
    "doc",
    node("heading", text("Hello "), text("world", "bold"), level=2),
    node("paragraph", text("See "), text("our ", LINK), text("team", "bold", LINK), text(", and "), text("npm run", "code"), {"type": "hardBreak"}, text("go on.")),
    node("bulletList", node("listItem", node("paragraph", text("One thing")))),
    node("codeBlock", text("print hello there")),
    {"type": "image", "attrs": {"src": "/red house.png", "alt": "A red house", "class": "wide image"}},
)  # fmt: skip
SLATE: JsonValue = [
    {"type": "h1", "children": [{"text": "Hello "}, {"text": "world", "bold": True}]},
    {"type": "paragraph", "children": [{"text": ""}, {"type": "a", "url": "/about us", "children": [{"text": "Our team"}]}, {"text": ""}]},
    {"type": "p", "children": [{"text": "See "}, {"type": "a", "url": "/x", "children": [{"text": "it"}]}, {"text": " now."}]},
    {"type": "code-block", "children": [{"type": "code_line", "children": [{"text": "print hello there"}]}]},
    {"type": "img", "url": "/a b.png", "caption": [{"text": "A "}, {"text": "red", "italic": True}, {"text": " house"}], "children": [{"text": ""}]},
]  # fmt: skip


def lexical(words: str, style: int = 0) -> dict[str, Any]:
    return {"detail": 0, "format": style, "mode": "normal", "style": "", "text": words, "type": "text", "version": 1}


def block(kind: str, *children: Any, **more: Any) -> dict[str, Any]:
    return {
        "children": list(children),
        "direction": "ltr",
        "format": "",
        "indent": 0,
        "type": kind,
        "version": 1,
        **more,
    }


LEXICAL: JsonValue = {
    "root": block(
        "root",
        block("heading", lexical("Hello "), lexical("world", 1), tag="h1"),
        block("paragraph", lexical("See "), block("link", lexical("our team"), url="/about us"), {"type": "linebreak", "version": 1}, lexical("now", 3), lexical(".")),
        block("code", {**lexical("print hello there"), "type": "code-highlight"}, language="js"),
    )
}  # fmt: skip
PORTABLE_TEXT: JsonValue = [
    {
        "_type": "block", "_key": "a", "style": "normal", "markDefs": [{"_key": "k", "_type": "link", "href": "/about us"}],
        "children": [
            {"_type": "span", "_key": "b", "text": "See ", "marks": []},
            {"_type": "span", "_key": "c", "text": "our team", "marks": ["strong", "k"]},
            {"_type": "span", "_key": "d", "text": ".", "marks": []},
        ],
    },
    {"_type": "callout", "_key": "e", "message": "Good news", "tone": "positive"},
]  # fmt: skip
QUILL: JsonValue = {
    "ops": [
        {"insert": "Hello world"}, {"attributes": {"header": 1}, "insert": "\n"}, {"insert": "See "}, {"attributes": {"bold": True}, "insert": "our team"},
        {"insert": " now.\nNext line\n"}, {"insert": {"image": "/a b.png"}}, {"insert": "print hello there"}, {"attributes": {"code-block": True}, "insert": "\n"},
    ]
}  # fmt: skip
NESTED: JsonValue = {
    "time": 1,
    "blocks": [
        {"id": "a", "type": "columns", "data": {"cols": [{"blocks": [{"type": "paragraph", "data": {"text": "Some <b>words</b>"}}]}]}},
        {"id": "b", "type": "callout", "data": {"title": "Good news", "icon": "mdi:home", "link": "/about us"}},
    ],
}  # fmt: skip
DOCUMENTS = [
    (TIPTAP, ["Hello <g1>world</g1>", "See <g1>our <g2>team</g2></g1>, and <x3/><x4/>go on.", "One thing", "A red house"]),
    (SLATE, ["Hello <g1>world</g1>", "Our team", "See <g1>it</g1> now.", "A <g1>red</g1> house"]),
    (LEXICAL, ["Hello <g1>world</g1>", "See <g1>our team</g1><x2/><g3><g4>now</g4></g3>."]),
    (PORTABLE_TEXT, ["See <g1><g2>our team</g2></g1>.", "Good news"]),
    (QUILL, ["Hello world", "See <g1>our team</g1> now.", "Next line"]),
    (NESTED, ["Some <g1>words</g1>", "Good news"]),
]  # fmt: skip
NAMES = ["tiptap", "slate", "lexical", "portable text", "quill", "editor.js"]


@pytest.mark.parametrize(("document", "expected"), DOCUMENTS, ids=NAMES)
def test_sentences_are_cut_whole_across_marks(document: JsonValue, expected: list[str], texts: Texts) -> None:
    assert texts(document, TextKind.AUTO) == expected
    assert texts(json.dumps(document), TextKind.AUTO) == expected
    assert texts([{"title": "Members too", "rich": document}], TextKind.REPEATER) == ["Members too", *expected]
    assert left(cut(document, TextKind.AUTO)) == ()


@pytest.mark.parametrize("document", [each for each, _ in DOCUMENTS], ids=NAMES)
def test_nothing_but_the_words_changes(document: JsonValue, pseudo: Callable[[Document], JsonValue]) -> None:
    made = cut(document, TextKind.AUTO)
    written = json.dumps(document)

    assert made.splice({segment.id: segment.text for segment in made.segments}) == document
    assert cut(written, TextKind.AUTO).splice({}) == written
    assert _shape(pseudo(made)) == _shape(document)


def _shape(value: Any) -> Any:
    """A value with the words of its texts taken out."""
    if isinstance(value, dict):
        words = ("text", "alt", "insert", "message", "title")
        return {
            name: "…" if name in words and isinstance(own, str) and own.strip() else _shape(own)
            for name, own in value.items()
        }
    return [_shape(own) for own in value] if isinstance(value, list) else value


def test_marks_may_change_their_order() -> None:
    value = node("doc", node("paragraph", text("The "), text("red", "bold"), text(" house "), text("here", LINK)))
    document = cut(value, TextKind.AUTO)
    (segment,) = document.segments

    made = document.splice({segment.id: "<g2>Hier</g2> das <g1>rote</g1> Haus"})

    expected = [text("Hier", LINK), text(" das "), text("rote", "bold"), text(" Haus")]
    assert made == node("doc", node("paragraph", *expected))


def test_an_element_of_slate_stands_between_leaves() -> None:
    value: JsonValue = [
        {
            "type": "p",
            "children": [{"text": "See "}, {"type": "a", "url": "/x", "children": [{"text": "it"}]}, {"text": ""}],
        }
    ]
    document = cut(value, TextKind.AUTO)

    made = document.splice({segment.id: "<g1>Es</g1> sehen" for segment in document.segments})

    link = {"type": "a", "url": "/x", "children": [{"text": "Es"}]}
    assert made == [{"type": "p", "children": [{"text": ""}, link, {"text": " sehen"}]}]


def test_a_mark_that_is_lost_is_refused() -> None:
    document = cut(TIPTAP, TextKind.AUTO)

    with pytest.raises(BadAnswer, match="missing"):
        document.splice({document.segments[0].id: "Hallo Welt"})


def test_leaves_with_a_key_keep_it_and_copies_get_their_own() -> None:
    document = cut(PORTABLE_TEXT, TextKind.AUTO)

    made: Any = document.splice({document.segments[0].id: "Hier ist <g1><g2>unser Team</g2></g1> da"})

    assert [(each["_key"], each["text"]) for each in made[0]["children"]] == [
        ("b", "Hier ist "),
        ("c", "unser Team"),
        ("d", " da"),
    ]
    more: Any = document.splice({document.segments[0].id: "<g1>A<g2>b</g2></g1>, c"})
    keys = [each["_key"] for each in more[0]["children"]]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ({"blocks": [{"type": "raw", "data": {"html": "<p>Some text here</p>"}}]}, ("blocks.data.html",)),
        (node("doc", node("paragraph", text("Go", {"type": "link", "attrs": {"title": "To our team"}}))), ("content.content.marks.attrs.title",)),
        ([{"label": "Size", "value": "Ten metres wide"}], ("value",)),
        (node("doc", node("paragraph", text("odd \ufdd0 text here"))), ("content.content.text",)),
    ],
)  # fmt: skip
def test_what_cannot_be_cut_is_named(value: JsonValue, places: tuple[str, ...]) -> None:
    assert left(cut(value, TextKind.AUTO)) == places


def test_a_menu_is_no_document_of_slate(texts: Texts) -> None:
    menu: JsonValue = [
        {"text": "Company", "url": "/", "children": [{"text": "Team", "url": "/team"}, {"text": "Jobs"}]}
    ]

    assert texts(menu, TextKind.AUTO) == ["Company", "Team", "Jobs"]


def test_code_in_json_is_left_but_for_documents() -> None:
    value: JsonValue = {"query": "select all of it", "rich": TIPTAP}

    document = cut(value, TextKind.AUTO, names=())

    assert [segment.text for segment in document.segments] == DOCUMENTS[0][1]
    assert left(document) == ()


def test_texts_tell_by_themselves_how_they_are_read(texts: Texts) -> None:
    assert texts("# Title\n\nSome **text**", TextKind.AUTO) == ["Title", "Some <g1>text</g1>"]
    assert texts("<p>Some <b>text</b></p>", TextKind.AUTO) == ["Some <g1>text</g1>"]
    assert texts("[Some] text", TextKind.AUTO) == ["[Some] text"]
    assert texts("/about-us", TextKind.AUTO) == []


@pytest.mark.parametrize("value", ["/about-us/team", "#top", "https://a.b/c", "fa fa-home", "../x"])
def test_a_plain_text_that_is_an_address_is_copied(value: str) -> None:
    document = cut(value, TextKind.PLAIN)

    assert document.segments == ()
    assert document.splice({}) == value


def test_members_of_a_repeater_are_read_as_declared() -> None:
    value: JsonValue = [
        {
            "label": "Home", "url": "/about us", "slug": "our-team", "secret": "Nobody reads this", "kind": "Some choice",
            "tags": ["one thing", "mdi:home"], "rows": [{"label": "Size", "href": "#top", "secret": "Nor this"}],
            "text": "See [our team](/about-us)", "url2": "Read all about it",
        }
    ]  # fmt: skip
    names = ("label", "url:address", "url2:address", "slug:copied", "secret:hidden", "tags:tags", "rows.label", "rows.secret:hidden", "text:markdown")  # fmt: skip

    document = cut(value, TextKind.REPEATER, names=names)

    assert [segment.text for segment in document.segments] == [
        "Home", "one thing", "Size", "See <g1>our team</g1>", "Read all about it",
    ]  # fmt: skip
    assert left(document) == ()


def test_a_translation_that_the_rule_of_its_field_refuses_is_asked_for_again() -> None:
    document = cut("Short title", TextKind.PLAIN, rule=Rule("title", '{"title": {"_regex": "^.{0,19}$"}}'))
    (segment,) = document.segments

    assert document.splice({segment.id: "Kurzer Titel"}) == "Kurzer Titel"
    with pytest.raises(BadAnswer, match="validation rule"):
        document.splice({segment.id: "Ein viel zu langer Titel für dieses Feld"})


def test_a_long_paragraph_of_many_marks_takes_work_in_proportion() -> None:
    """Counted in calls, which no busy machine changes."""

    def calls(count: int) -> int:
        document = cut(
            node("doc", node("paragraph", *[text("Some words "), text("here", "bold")] * count)), TextKind.AUTO
        )
        answers = {segment.id: segment.text.replace("e", "é") for segment in document.segments}
        profile = cProfile.Profile()
        profile.runcall(document.splice, answers)
        return sum(each.callcount for each in profile.getstats())

    assert calls(1000) < 15 * calls(100)
