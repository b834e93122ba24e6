"""HTML attributes that are human-readable, and those that state a language or its direction."""

# ruff: noqa: E501 - tables

import pytest

from directus_assets.translation.segments import TextKind, cut
from directus_assets.translation.segments.model import Document


def told(document: Document, target: str) -> object:
    """The document in the target language, with every text in capitals."""
    capitals = {
        each.id: "".join(each.text.upper().replace("<G", "<g").replace("</G", "</g").replace("<X", "<x"))
        for each in document.segments
    }
    return document.splice(capitals, language=target)


@pytest.mark.parametrize(
    ("source", "pair", "expected"),
    [
        ('<p lang="en">a</p>', "en de", '<p lang="de">A</p>'),
        ('<p lang="en-US">a</p>', "en-US de-DE", '<p lang="de-DE">A</p>'),
        ('<p lang="en">a</p>', "en-US pt-BR", '<p lang="pt-BR">A</p>'),
        ("<p LANG=EN xml:lang='en'>a</p>", "en fr", "<p LANG=fr xml:lang='fr'>A</p>"),
        ('<p lang="en-GB">a</p>', "en-US de", '<p lang="de">A</p>'),
        ('<p lang="en">a</p>', "en-US en-GB", '<p lang="en">A</p>'),
        ('<p lang="en-US">a</p>', "en-US en-GB", '<p lang="en-GB">A</p>'),
        ('<p lang="zh-Hans">a</p>', "zh-CN zh-TW", '<p lang="zh-TW">A</p>'),
        ('<p lang="zh-Hant">a</p>', "zh-CN en", '<p lang="zh-Hant">A</p>'),
        # a third language, none, and nonsense
        ('<p>a <i lang="la">b</i> c</p>', "en de", '<p>A <i lang="la">B</i> C</p>'),
        ('<p>a <i lang="en">b</i> c</p>', "en de", '<p>A <i lang="de">B</i> C</p>'),
        ('<p>a <img alt="b" lang="en"> c</p>', "en de", '<p>A <img alt="B" lang="de"> C</p>'),
        ('<p lang="">a</p>', "en de", '<p lang="">A</p>'),
        ('<p lang="english">a</p>', "en de", '<p lang="english">A</p>'),
        ('<a hreflang="en" href="/en">a</a>', "en de", '<a hreflang="en" href="/en">A</a>'),
        # direction
        ('<p dir="ltr">a</p>', "en ar", '<p dir="rtl">A</p>'),
        ('<p dir="ltr" lang="en">a</p>', "en-US he-IL", '<p dir="rtl" lang="he-IL">A</p>'),
        ("<p dir=LTR>a</p>", "en fa", "<p dir=rtl>A</p>"),
        ('<p dir="ltr">a</p>', "en ur", '<p dir="rtl">A</p>'),
        ('<p dir="ltr">a</p>', "en de", '<p dir="ltr">A</p>'),
        ('<p dir="rtl">a</p>', "ar en", '<p dir="ltr">A</p>'),
        ('<p dir="rtl">a</p>', "ar he", '<p dir="rtl">A</p>'),
        ('<p dir="auto">a</p>', "en ar", '<p dir="auto">A</p>'),
        ('<p dir="rtl">a</p>', "en ar", '<p dir="rtl">A</p>'),
        ('<p>a <span dir="ltr">b</span> c</p>', "ar en", '<p>A <span dir="ltr">B</span> C</p>'),
        ('<p dir="ltr" lang="fr">a</p>', "en ar", '<p dir="ltr" lang="fr">A</p>'),
        ('<p>a <bdo dir="ltr">b</bdo></p>', "en ar", '<p>A <bdo dir="ltr">B</bdo></p>'),
        ('<input type="tel" dir="ltr" placeholder="a">', "en ar", '<input type="tel" dir="ltr" placeholder="A">'),
        # what stays in the source language says so
        ('<p>a</p><pre lang="en" dir="ltr">b</pre>', "en ar", '<p>A</p><pre lang="en" dir="ltr">b</pre>'),
        ('<p>a <span translate="no" lang="en">b</span></p>', "en de", '<p>A <span translate="no" lang="en">b</span></p>'),
        ('<my-card lang="en" title="b">a</my-card>', "en de", '<my-card lang="de" title="b">A</my-card>'),
    ],
)  # fmt: skip
def test_language_and_direction_follow_the_text_and_only_that(source: str, pair: str, expected: str) -> None:
    before, after = pair.split()

    assert told(cut(source, TextKind.HTML, language=before), after) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('a <span lang="en" dir="ltr">b</span> c\n', 'A <span lang="ar" dir="rtl">B</span> C\n'),
        ('<div dir="ltr">\n\na\n\n</div>\n', '<div dir="rtl">\n\nA\n\n</div>\n'),
        ('a\n\n```html\n<p lang="en">b</p>\n```\n', 'A\n\n```html\n<p lang="en">b</p>\n```\n'),
        ('a `<p lang="en">`\n', 'A `<p lang="en">`\n'),
    ],
)
def test_html_within_markdown_follows_too_and_code_does_not(source: str, expected: str) -> None:
    assert told(cut(source, TextKind.MARKDOWN, language="en"), "ar") == expected


def test_html_within_blocks_and_fields_with_a_rule_follow_too() -> None:
    blocks = cut(
        {"blocks": [{"type": "paragraph", "data": {"text": '<i lang="en">a</i> b'}}]}, TextKind.BLOCKS, language="en"
    )

    assert told(blocks, "de") == {"blocks": [{"type": "paragraph", "data": {"text": '<i lang="de">A</i> B'}}]}
    assert told(cut('<p lang="en">a</p>', TextKind.HTML, longest=100, language="en"), "de") == '<p lang="de">A</p>'


def test_without_a_translation_and_without_languages_everything_stays() -> None:
    document = cut('<p lang="en" dir="ltr">a</p>', TextKind.HTML)

    assert document.splice({}) == document.splice({}, language="ar") == '<p lang="en" dir="ltr">a</p>'
    assert cut('<p lang="en"></p>', TextKind.HTML, language="en").splice({}, language="ar") == '<p lang="en"></p>'


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('<img alt="a" title="b"><area alt="c"><input type="image" alt="d">', ["a", "b", "c", "d"]),
        ('<input placeholder="a"><textarea placeholder="b"></textarea>', ["a", "b"]),
        ('<div aria-label="a" aria-description="b" aria-roledescription="c" aria-valuetext="d" aria-placeholder="e"></div>', ["a", "b", "c", "d", "e"]),
        ('<div aria-labelledby="a" aria-describedby="b" aria-live="c" data-label="d" class="e"></div>', []),
        ('<select><optgroup label="a"><option label="b" value="c">d</option></optgroup></select>', ["a", "b", "d"]),
        ('<track label="a" srclang="en" kind="captions"><div label="b"></div>', ["a"]),
        ('<table summary="a"><tr><th abbr="b">c</th><td abbr="d">e</td></tr></table>', ["a", "b", "c", "e"]),
        ('<meta name="description" content="a"><meta property="og:title" content="b"><meta name="Keywords" content="c">', ["a", "b", "c"]),
        ('<meta name="viewport" content="a"><meta http-equiv="refresh" content="b"><meta charset="c" content="d">', []),
        ('<input type="submit" value="a"><input type="Button" value="b"><input type=reset value=c>', ["a", "b", "c"]),
        ('<input type="hidden" value="a"><input value="b"><button value="c">d</button><li value="e">f</li>', ["d", "f"]),
        ('<a download="a.pdf" href="b" target="c">d</a>', ["d"]),
        ('<My-Button label="a" placeholder="b"></My-Button>', []),
    ],
)  # fmt: skip
def test_attributes_that_people_read_are_cut_and_no_others(source: str, texts: list[str]) -> None:
    document = cut(source, TextKind.HTML)

    assert [each.text for each in document.segments] == texts
    assert document.splice({}) == source


def test_an_attribute_is_written_as_its_quotes_need() -> None:
    document = cut("<input type=submit value=Send><option label='Blue'>", TextKind.HTML)

    answers = dict(zip((each.id for each in document.segments), ["Jetzt senden", "L'azur"], strict=True))
    assert document.splice(answers) == "<input type=submit value=Jetzt&#32;senden><option label='L&#39;azur'>"
