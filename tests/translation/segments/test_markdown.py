# ruff: noqa: E501  # tables: a case to a line

import html
from collections.abc import Callable

import pyromark
import pytest

from directus_assets.translation.segments import BadAnswer, Document, TextKind, cut

RENDERED = pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_FOOTNOTES | pyromark.Options.ENABLE_STRIKETHROUGH

CASES = {
    "blocks": ("# One\n\nTwo\n\n- three\n- four\n\n1. five\n", ["One", "Two", "three", "four", "five"]),
    "emphasis": ("a *b* __c__ ***d*** ~~e~~", ["a <g1>b</g1> <g2>c</g2> <g3><g4>d</g4></g3> <g5>e</g5>"]),
    "whole emphasis is left out": ("**One**\n\n_Two_", ["One", "Two"]),
    "lines of a paragraph": ("> One\n> two\n> > three\n", ["One\ntwo", "three"]),
    "lines of a list item": ("- One\n  two\n\n  three\n", ["One\ntwo", "three"]),
    "CRLF": ("One\r\ntwo\r\n\r\n> three\r\n", ["One\ntwo", "three"]),
    "hard breaks": ("One  \ntwo\\\nthree", ["One<x1/>two<x2/>three"]),
    "escapes": (r"1\. a\*b \\ \[c\] &amp; &eacute;", ["1. a*b \\ [c] & é"]),
    "an escape at the start": ("\\<b>one\n\n- \\*two\n\n![\\*three](x)", ["<b>one", "*two", "*three"]),
    "links": (
        "See [this *one*](http://a.b 'Tip') and <http://c.d>.",
        ["See <g1>this <g2>one</g2></g1> and <x3/>.", "Tip"],
    ),
    "references": ("[one][a] [b]\n\n[a]: /a\n[b]: /b (Tip)\n", ["<g1>one</g1> <g2>b</g2>", "Tip"]),
    "pictures": ('![A *cat*](a.png "Cat") here', ["A <g1>cat</g1>", "Cat", "here"]),
    "a picture in a link": ("See [![Cat](a.png)](/b) now", ["See <x1/> now", "Cat"]),
    "a picture in a picture": ("![one ![two](a.png)](b.png)", ["one"]),
    "code": ("Run `a *b*` now\n\n    code\n\n```js\nlet a = 'code'\n```\n", ["Run <x1/> now"]),
    "tables": ("| One | `x` |\n|-----|:---:|\n| a \\| b | *c* |\n", ["One", "a | b", "c"]),
    "task lists": ("- [ ] One\n- [x] Two\n", ["One", "Two"]),
    "footnotes": ("One[^1] two.\n\n[^1]: Three\n    four\n", ["One<x1/> two.", "Three\nfour"]),
    "definition lists": ("One\n: Two\n  three\n:   four", ["One", "Two\nthree", "four"]),
    "a line that begins with an emoji": ("One\n:tada: two\n", ["One\n<x1/> two"]),
    "alerts": ("> [!NOTE]\n> One\n", ["One"]),
    "formulas": ("Let $a_1 = b*c*d$ be\n\n$$\nx\n$$\n", ["Let <x1/> be"]),
    "underlined headings": ("One\n===\n\nTwo\n---\n", ["One", "Two"]),
    "attributes of headings": ("# One {#one .two}\n", ["One <x1/>"]),
    "rules": ("---\n\nOne\n\n---\n\nTwo\n\n***\n", ["One", "Two"]),
    "front matter": ("---\ntitle: One\n---\nTwo\n", ["Two"]),
    "TOML front matter": ('+++\ntitle = "One"\n+++\n\nTwo\n', ["Two"]),
    "inline HTML": (
        "One <b title='Tip'>two</b><br>three <code>a *b*</code>",
        ["One <g1>two</g1><x2/>three <x3/>", "Tip"],
    ),
    "HTML blocks": ("<div>\n<p>One <b>two</b></p>\n</div>\n\n<!-- no -->\n", ["One <g1>two</g1>"]),
    "HTML in a quote stays": ("> <div>\n> no\n> </div>\n", []),
    "comments": ("One <!-- no --> two", ["One <x1/> two"]),
    "variables": ("Hi {{ a_b*c* }} and {{ d*e }}", ["Hi <x1/> and <x2/>"]),
    "variables with a bar in a table": ("| One | {{ a | b }} |\n|---|---|\n| two | x |", ["One", "two", "x"]),
    "Hugo": ('{{< figure src="a_b_c" >}}\n\nOne {{% x %}}\n\n{{< /figure >}}', ["One <x1/>"]),
    "directives": (":::note Title\nOne\n:::\n\n::video{src=x}\n", ["One"]),
    "MDX": ("import A from 'a'\n\n<Tabs x={['a', \"b\"]}>\n\nOne <B c={1} /> two\n\n</Tabs>\n", ["One <x1/> two"]),
    "lazy lines": ("> One\ntwo\n", ["One\ntwo"]),
    "URLs": ("See https://a.b/c_d_e and x@y.zz.", ["See <x1/> and <x2/>."]),
    "more than ASCII": ("ünï *çödé* 🎉 **日本** `x`", ["ünï <g1>çödé</g1> 🎉 <g2>日本</g2> <x3/>"]),
    "no markup": ("5 * 3 = 15, a_b_c, [x] and 2 < 3", ["5 * 3 = 15, a_b_c, [x] and 2 < 3"]),
    "a lone surrogate": ("One \ud800 *two*", ["One \ufffd <g1>two</g1>"]),
    "nothing to read": ("***\n\n1\n\n![](a.png)\n\n`code`\n", []),
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_text_is_found(source: str, expected: list[str], texts: Callable[[str, TextKind], list[str]]) -> None:
    assert texts(source, TextKind.MARKDOWN) == expected


@pytest.mark.parametrize("source", [source for source, _ in CASES.values()], ids=CASES)
def test_the_same_answer_gives_the_same_bytes(source: str) -> None:
    document = cut(source, TextKind.MARKDOWN)

    assert document.splice({segment.id: segment.text for segment in document.segments}) == source
    assert document.splice({}) == source


@pytest.mark.parametrize("answer", [
    "# a", "- a", "+ a", "* a", "1. a", "1) a", "> a", "---", "=== a", "~~~ a", "``` a", "    a", "| a | b |", ": a", "::: a",
    "*a*", "**a**", "_a_", "__a__", "~~a~~", "`a`", "[a](b)", "![a](b)", "[^1]: a", "[a]: /b", "<b>a</b>", "<!-- a", "<http://a.b>",
    "&amp;", "&copy;", "\\", "a\\", "\\*a*", "a\nb", "a\n# b", "a\n- b", "a\n\nb", "a\n    b", "a\n===", "a\n---", "a\n| - |",
    "$a$ and $b$", "a #", "!", "http://a.b/_c_*d*", "a_b_c", "snake_case", "5 * 3", "a<b", "{{ a }}", "a  \nb", "2 < 3 & 4 > 1",
])  # fmt: skip
@pytest.mark.parametrize("frame", [
    "{}\n", "# {}\n", "> {}\n> two\n", "- {}\n  two\n", "1. {}\n", "| {} | x |\n|---|---|\n| y | z |\n", "{}\n===\n", "**b** {} [c](d)\n",
    "[{}](http://a.b)\n", "*{}*\n", "![{}](a.png)\n", "[^1]\n\n[^1]: {}\n", "Term\n: {}\n", "- [ ] {}\n", "<p>{}</p>\n",
])  # fmt: skip
def test_no_answer_makes_markup(answer: str, frame: str) -> None:
    document = cut(frame.format("one"), TextKind.MARKDOWN)
    segment = next(segment for segment in document.segments if "one" in segment.text)

    # The document itself raises if its markup were read in another way.
    spliced = document.splice({segment.id: segment.text.replace("one", answer)})

    assert isinstance(spliced, str)
    shown = html.unescape(pyromark.html(spliced, options=RENDERED))
    assert " ".join(answer.split()) in " ".join(shown.split())


@pytest.mark.parametrize(
    ("source", "answer", "expected"),
    [
        ("- One\n  two\n", "Eins\nzwei\ndrei", "- Eins\n  zwei\n  drei\n"),
        ("> One\n> two\n", "1. Eins\n# zwei", "> 1\\. Eins\n> \\# zwei\n"),
        ("One", "Eins\nzwei", "Eins zwei"),
        ("## One", "1. Eins #", "## 1. Eins \\#"),
        ("One &copy; &nbsp; x", "© Eins", "&copy; Eins"),
        ("a **b** c", "a<g1> b </g1>c", "a **b** c"),
        ("a **b** c", "重要<g1>「重要」</g1>重要", "重&#x8981;**「重要」**&#x91cd;要"),
        ("a **b** c", "重要<g1>重要</g1>重要", "重要**重要**重要"),
        ("a _b_ c", "a<g1>b</g1>c", "&#x61;_b_&#x63;"),
        ("See [one](/a)", "Eins!<g1>zwei</g1>", "Eins\\![zwei](/a)"),
        ("See [one] now\n\n[one]: /a", "<g1>Eins</g1> jetzt", "[Eins][one] jetzt\n\n[one]: /a"),
        ("See [one][] now\n\n[one]: /a", "<g1>Eins</g1> jetzt", "[Eins][one] jetzt\n\n[one]: /a"),
        ("[one]\n\n[one]: /a", "<g1>Eins</g1>", "[Eins][one]\n\n[one]: /a"),
        ("> a\nb\n>   c", "1\n2\n3", "> 1\n2\n>   3"),
        ("| one |\n|---|", "a | b", "| a \\| b |\n|---|"),
        ("One  \ntwo", "Eins <x1/> - zwei", "Eins   \n\\- zwei"),
    ],
)
def test_an_answer_is_written_as_text(source: str, answer: str, expected: str) -> None:
    document = cut(source, TextKind.MARKDOWN)

    assert document.splice({document.segments[0].id: answer}) == expected


@pytest.mark.parametrize(
    ("source", "title", "expected"),
    [
        ('[a](/b "One")', 'Say "it\'s"', '[a](/b "Say \\"it\'s\\"")'),
        ("[a](/b 'One')", "it's", "[a](/b 'it\\'s')"),
        ("[a](/b (One))", "a (b)", "[a](/b (a \\(b\\)))"),
        ('[a](/b "One" )', "x\\", '[a](/b "x\\\\" )'),
        ('[a]\n\n[a]: /b "One"\n', "Eins\nzwei", '[a]\n\n[a]: /b "Eins zwei"\n'),
        ('[a](/b "x \\"One\\"")', "Eins", '[a](/b "Eins")'),
    ],
)
def test_titles_keep_their_quotes(source: str, title: str, expected: str) -> None:
    document = cut(source, TextKind.MARKDOWN)
    (segment,) = [segment for segment in document.segments if segment.context == "link title"]

    assert document.splice({segment.id: title}) == expected


def test_an_answer_that_changes_the_markup_is_named() -> None:
    document = cut("One\n\na `b` `c` d\n\nTwo\n\n*e* **f** g", TextKind.MARKDOWN)
    one, bad, two, _ = document.segments
    answers = {one.id: "Eins", bad.id: "a <x1/><x2/> d", two.id: "Zwei"}

    with pytest.raises(BadAnswer, match="Markdown would read") as caught:
        document.splice(answers)

    assert caught.value.segment_id == bad.id


def test_titles_and_alt_texts_change_within_markup_that_moves() -> None:
    source = '[one](/a "Tip") ![Cat](c.png) two'
    document = cut(source, TextKind.MARKDOWN)
    answers = {"<g1>one</g1> <x2/> two": "<x2/> zwei <g1>eins</g1>", "Tip": "Rat", "Cat": "Katze"}

    spliced = document.splice({segment.id: answers[segment.text] for segment in document.segments})

    assert spliced == '![Katze](c.png) zwei [eins](/a "Rat")'


def test_long_and_hard_wrapped_paragraphs_keep_their_marks(pseudo: Callable[[Document], str]) -> None:
    source = "> One sentence here.\n" * 600

    document = cut(source, TextKind.MARKDOWN)

    assert len(document.segments) > 2
    assert pseudo(document) == "> Öñé séñtéñçé héré.\n" * 600


def test_formulas_and_merge_tags_are_no_emphasis() -> None:
    source = r"The area \\(A_1 = \pi r_2\\) is *|FNAME|* *today*"
    document = cut(source, TextKind.MARKDOWN)
    (segment,) = document.segments

    assert segment.text == "The area <x1/> is <x2/> <g3>today</g3>"
    assert document.splice({segment.id: "Heute <g3>ist</g3> <x2/> <x1/>"}) == (
        r"Heute *ist* *|FNAME|* \\(A_1 = \pi r_2\\)"
    )
