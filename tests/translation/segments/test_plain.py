# ruff: noqa: E501  # tables: a case to a line

from collections.abc import Callable

import pytest

from directus_assets.translation.segments import TextKind, cut
from directus_assets.translation.segments.protected import spans

CASES = {
    "a title": ("One two", ["One two"]),
    "white space around": ("  One \n", ["One"]),
    "paragraphs": ("One\ntwo\n\n  \nthree\r\n\r\nfour", ["One\ntwo", "three", "four"]),
    "markup is text": ("<b>One</b> & *two*", ["<b>One</b> & *two*"]),
    "no letters": ("12.50 € -- 🎉", []),
    "nothing": ("", []),
    "only a variable": ("{{ name }}", []),
    "letters of any script": ("日本語 عربي ไทย", ["日本語 عربي ไทย"]),
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_text_is_found(source: str, expected: list[str], texts: Callable[[str, TextKind], list[str]]) -> None:
    assert texts(source, TextKind.PLAIN) == expected


@pytest.mark.parametrize(
    ("source", "answer", "expected"),
    [
        ("One\r\ntwo\r\n", "Eins\nzwei", "Eins\r\nzwei\r\n"),
        ("One", "Eins\nzwei", "Eins zwei"),
        ("One\n  two", "Eins\n  zwei", "Eins\n  zwei"),
        (" One {a} ", "<x1/> & <b>eins</b>", " {a} & <b>eins</b> "),
    ],
)
def test_an_answer_keeps_the_lines_of_the_source(source: str, answer: str, expected: str) -> None:
    document = cut(source, TextKind.PLAIN)

    assert document.splice({document.segments[0].id: answer}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {{x}} b {{ y.z | f }} {{{raw}}}", ["{{x}}", "{{ y.z | f }}", "{{{raw}}}"]),
        ("${a} #{b} %{c} {d} {0} {1:N2} {user.name}", ["${a}", "#{b}", "%{c}", "{d}", "{0}", "{1:N2}", "{user.name}"]),
        ("{% if a %} {# note #} {/* x */}", ["{% if a %}", "{# note #}", "{/* x */}"]),
        ("{n, plural, one {# item} other {# items}}", ["{n, plural, one {# item} other {# items}}"]),
        ("{when, date, short} {like this} { }", ["{when, date, short}"]),
        ("%s %d %1$s %(name)s %.2f %%", ["%s", "%d", "%1$s", "%(name)s", "%.2f"]),
        ("100% sure, 5 %, 20%ige, 3%d", []),
        ("https://a.b/c(d)?e=f#g, (http://x.y/z). www.q.r! mailto:a@b.cc", ["https://a.b/c(d)?e=f#g", "http://x.y/z", "www.q.r", "mailto:a@b.cc"]),
        ("请看https://a.b/c。谢谢", ["https://a.b/c"]),
        ("write to first.last+tag@mail.example.com.", ["first.last+tag@mail.example.com"]),
        (":tada: 10:30:20 a:b:c :+1:", [":tada:", ":+1:"]),
        ("[gallery] [a b=1] [c]x[/c] [my_code] [[wiki]] [sic] [optional]", ["[gallery]", "[a b=1]", "[c]", "[/c]", "[my_code]", "[[wiki]]"]),
        ("<% x %> <?php", ["<% x %>"]),
        (r"area \(A = \pi r^2\) or \[x_1\], not (a) \( b", [r"\(A = \pi r^2\)", r"\[x_1\]"]),
        ("Dear *|FNAME|* and *|IF:PAID|*, *|not one|* | *a*", ["*|FNAME|*", "*|IF:PAID|*"]),
        ("$t(key.a) and $t(key, {n}) for $t or $5 (five)", ["$t(key.a)", "$t(key, {n})"]),
        ("{unclosed {{ and", []),
    ],
)  # fmt: skip
def test_what_must_survive_is_protected(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in spans(text)] == expected
