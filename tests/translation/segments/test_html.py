from collections.abc import Callable

import pytest

from directus_assets.translation.segments import Document, TextKind, cut
from directus_assets.translation.segments.html_tokens import tokens

CASES = {
    "blocks": ("<h1>One</h1><p>Two</p>three", ["One", "Two", "three"]),
    "outer pairs are left out": ("<p><b><i>All of it</i></b></p>", ["All of it"]),
    "inline pairs": ("Hello <b>big <i>old</i></b> world", ["Hello <g1>big <g2>old</g2></g1> world"]),
    "a line break is one placeholder": ("One<br>\ntwo<br/><br />three", ["One<x1/> two<x2/>three"]),
    "white space is one space": ("<p>\n  One\n\t two  three\n</p>", ["One two three"]),
    "references are decoded": (
        "caf&eacute; &amp; t&#233; &#x41; &copy 1 &unknown; AT&T",
        ["café & té A © 1 &unknown; AT&T"],
    ),
    "pictures at the ends are no part": ("<p><img src=a> One <img src=b></p>", ["One"]),
    "a picture within": ("One <img src=a> two", ["One <x1/> two"]),
    "alt and title": ("<img src=a.jpg alt=\"A &quot;cat&quot;\" title='Cat'>", ['A "cat"', "Cat"]),
    "unquoted": ("<img alt=Cat/ src=x>", ["Cat/"]),
    "aria-label and placeholder": ('<nav aria-label="Main"><input placeholder="Your name">', ["Main", "Your name"]),
    "attributes of components stay": ('<x-card title="T">One</x-card><Card title="T" />', ["One"]),
    "attributes within inline markup": ('See <a title="Tip" href="#">here</a> now', ["See <g1>here</g1> now", "Tip"]),
    "file names are no text": ('<img alt="IMG_1234.JPG">', []),
    "nothing to read": ("<p>&nbsp;</p> <td>12,5 %</td> --- <p></p>", []),
    "inline code": ("Run <code>a < b</code> or <kbd>Ctrl</kbd> now", ["Run <x1/> or <x2/> now"]),
    "code blocks": ("<pre>int <b>x</b>;</pre>One", ["One"]),
    "scripts": ("<script>if (a<b) '<p>no</p>'</script><style>p{}</style>One<textarea><b>no</b></textarea>", ["One"]),
    "an unclosed script": ("One<script>let a = '<p>no</p>'", ["One"]),
    "embedded content": ("<svg><title>No</title><text>no</text></svg>One<iframe src=x title=no>no</iframe>", ["One"]),
    "a formula": ("Let <math><mi>x</mi></math> be one", ["Let <x1/> be one"]),
    "translate=no": ('<p translate="no">Acme</p><p>By <b translate=NO>Acme <b>x</b></b> now</p>', ["By <x1/> now"]),
    "notranslate": ('<div class="a notranslate"><div>no</div>no</div>One', ["One"]),
    "comments": ("One <!-- <p>no</p> -- > --> two<!-->three<!--->four", ["One <x1/> two<x2/>three<x3/>four"]),
    "an unclosed comment": ("One <!-- no", ["One"]),
    "doctype and instructions": ("<!DOCTYPE html><?xml no?><html><title>One</title><body>Two", ["One", "Two"]),
    "lists without end tags": ("<ul><li>One<li>Two</ul>", ["One", "Two"]),
    "crossing tags": ("<b>a <i>b</b> c</i>", ["<g1>a <x2/>b</g1> c"]),
    "a lonely tag": ("One </b> two <i> three", ["One <x1/> two <x2/> three"]),
    "signs that are no tags": ("a < b > c <3 & d </", ["a < b > c <3 & d </"]),
    "an unclosed tag": ("One <a href=x", ["One"]),
    "an unclosed attribute": ('One <a title="no>no', ["One"]),
    "angle brackets in attributes": ('One <a data-x="<p>no</p>">two</a> three', ["One <g1>two</g1> three"]),
    "empty pairs": ('<i class="icon"></i> Save <a id="x"></a>it', ["Save <x1/>it"]),
    "variables": (
        "Hi {{ name }}, {% if a %}${x}{% endif %} %s %(n)s {0}",
        ["Hi <x1/>, <x2/><x3/><x4/> <x5/> <x6/> <x7/>"],
    ),
    "URLs and addresses": ("See https://a.b/?c=1&amp;d=2. Write x@y.zz!", ["See <x1/>. Write <x2/>!"]),
    "only a URL": ('<a href="https://a.b">https://a.b</a>', []),
    "shortcodes": ("One [gallery id=1 x='2'] [box]two[/box] [sic]", ["One <x1/> <x2/>two<x3/> [sic]"]),
    "upper case": ("<P>One <B>two</B></P><IMG ALT=Cat>", ["One <g1>two</g1>", "Cat"]),
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_text_is_found(source: str, expected: list[str], texts: Callable[[str, TextKind], list[str]]) -> None:
    assert texts(source, TextKind.HTML) == expected


@pytest.mark.parametrize("source", [source for source, _ in CASES.values()], ids=CASES)
def test_the_same_answer_gives_the_same_bytes(source: str) -> None:
    document = cut(source, TextKind.HTML)

    assert document.splice({segment.id: segment.text for segment in document.segments}) == source
    assert document.splice({}) == source


@pytest.mark.parametrize(
    ("source", "answer", "expected"),
    [
        ("<p>One</p>", "a < b & c > d", "<p>a &lt; b &amp; c &gt; d</p>"),
        ("<p>One</p>", "<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("<p>One</p>", '&amp; "it\'s"', '<p>&amp;amp; "it\'s"</p>'),
        ("<p>\n One&nbsp;two&mdash;</p>", "Eins\xa0zwei—drei é", "<p>\n Eins&nbsp;zwei&mdash;drei é</p>"),
        ("<p>One</p>", "Eins\n\nzwei", "<p>Eins zwei</p>"),
        ('<img alt="One">', '"it\'s" <1>', '<img alt="&quot;it\'s&quot; &lt;1&gt;">'),
        ("<img alt='One'>", '"it\'s"', "<img alt='\"it&#39;s\"'>"),
        ("<img alt=One>", "eins 'zwei'=>", "<img alt=eins&#32;&#39;zwei&#39;&#61;&gt;>"),
        ("<p> One <b>two</b>. </p>", "<g1>Zwei</g1> eins.", "<p> <b>Zwei</b> eins. </p>"),
        ("Use &lt;b&gt; {{a}}", "<x1/> <b>", "{{a}} &lt;b&gt;"),
    ],
)
def test_an_answer_is_written_as_text(source: str, answer: str, expected: str) -> None:
    document = cut(source, TextKind.HTML)

    assert document.splice({document.segments[0].id: answer}) == expected


def test_attributes_change_within_markup_that_moves() -> None:
    document = cut('See <a title="Tip" href="#">this</a> <img alt="Cat" src=x> now', TextKind.HTML)
    answers = ["<x2/> jetzt <g1>dies</g1>", "Rat", "Katze"]

    spliced = document.splice({segment.id: answer for segment, answer in zip(document.segments, answers, strict=True)})

    assert spliced == '<img alt="Katze" src=x> jetzt <a title="Rat" href="#">dies</a>'


def test_contexts_tell_what_a_text_is() -> None:
    document = cut('<h2>A</h2><p>B</p><ul><li>C</li></ul><td>D</td><img alt="E" title="F">', TextKind.HTML)

    assert {segment.text: segment.context for segment in document.segments} == {
        "A": "heading",
        "B": "text",
        "C": "list item",
        "D": "table cell",
        "E": "alt text",
        "F": "tooltip",
    }


def test_a_long_paragraph_is_cut_between_sentences(pseudo: Callable[[Document], str]) -> None:
    source = "<p>" + "One more sentence, said <b>once</b>. " * 1000 + "</p>"

    document = cut(source, TextKind.HTML)

    assert 5 < len(document.segments) < 20
    assert all(segment.text.endswith(".") for segment in document.segments)
    assert pseudo(document) == source.replace("One more sentence, said", "Öñé möré séñtéñçé, sàïd").replace(
        ">once", ">öñçé"
    )


def test_tokens_tile_the_text() -> None:
    source = "".join(source for source, _ in CASES.values())

    stream = list(tokens(source, 0, len(source)))

    assert "".join(source[token.start : token.end] for token in stream) == source
