"""What of an answer somebody would act upon: a table of wrong values, and one of right ones that look like them."""

import pytest

from directus_assets.enrichment.result import check_answer
from directus_assets.live_text import added_parts, foreign_parts
from directus_assets.settings import ResultOptions
from directus_assets.translation.case import Case
from directus_assets.translation.checks import defects
from directus_assets.translation.languages import language
from directus_assets.translation.segments import Kind, Placeholder, Segment, cut

SOURCE = "A perfectly ordinary sentence about bread and butter."
ANSWER = "Ein ganz gewöhnlicher Satz über Brot und Butter."

WRONG = [
    # markup, closed or not
    "<b>x</b>",
    "<img src=x onerror=alert(1) ",
    "<svg/onload=alert(1)//",
    "<script src=//evil.example/a.js ",
    "</p><script",
    "<!--",
    "<!DOCTYPE html",
    "<?php echo 1",
    "<A HREF",
    "x<iframe\nsrcdoc=y",
    "<my-element",
    "a <b",
    # markup that somebody decodes
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;",
    "&#60;img src=x",
    "&#x3c;img src=x",
    "\\u003cscript\\u003e",
    "\\x3cscript",
    "%3Cscript%3E",
    "<\u200bscript>",
    # schemes
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript : alert(1)",
    "java\u200bscript:alert(1)",
    "javascript&colon;alert(1)",
    "&#106;avascript:alert(1)",
    "javascript&#x3A;alert(1)",
    "javascript：alert(1)",
    "ｊａｖａｓｃｒｉｐｔ：alert(1)",
    "vbscript:msgbox(1)",
    "v b s c r i p t:x",
    "data:text/html,hi",
    "data:text/html;base64,PHNjcmlwdD4=",
    "DATA:,hi",
    "mailto:a@evil.example",
    "mail\u00adto:a@evil.example",
    "tel:+4930123",
    "sms:+4930123",
    "ftp://evil.example",
    "file:///etc/passwd",
    "blob:https://evil.example/1",
    "view-source:evil",
    "unknown://evil",
    "x-evil:open?now=1",
    "ms-word:ofe|u|x",
    "web+thing:a/b?c",
    "intent:#Intent;end",
    # addresses
    "https://evil.example",
    "HTTP:\\\\evil.example",
    "http:/evil.example",
    "http:evil.example",
    "www.evil.example",
    "//evil.example/x",
    "\\\\evil.example\\x",
    "/\\evil.example",
    "(//evil.example)",
    "evil.example/login",
    "siehe:evil.example/login",
    "evil.example?login",
    "evil.example:8080/login",
    "EVIL.example/login",
    "evil.com",
    "login.evil.shop",
    "evil.com.",
    "login at evil.example.",
    "evil.co.uk",
    "evil。example/login",
    "пример.рф",
    "müller-login.de/konto",
    "访问evil.example/login了",
    "Node.js/evil.example/login",
    "t.me/evil",
    "10.0.0.1/admin",
    "localhost:8055/admin",
    "xn--80ak6aa92e.com",
    "a@evil.example",
    # Markdown
    "[hier](javascript:alert(1))",
    "[hier](//evil.example)",
    "[hier](evil)",
    "[hier]()",
    "![](//evil.example/x.png)",
    "![x](x.png)",
    "[hier][1]",
    "\n[hier]: evil",
    "<https://evil.example>",
    "<evil@evil.example>",
    # templates and formulas
    "{{7*7}}",
    "{{constructor.constructor('alert(1)')()}}",
    "{{",
    "[url]evil[/url]",
    "[url=evil]x",
    "[gallery ids=1]",
    "[[evil]]",
    "{/if}",
    "{% include 'x' %}",
    "{%",
    "${7*7}",
    "#{7*7}",
    "*{7*7}",
    "<%= 7*7 %>",
    "<%",
    "{!! x !!}",
    "&#123;&#123;7*7}}",
    '=HYPERLINK("x")',
    "@SUM(1)",
]
RIGHT = [
    "a < b",
    "I <3 you",
    "1<2>0",
    "x <- y",
    "19:30",
    "19:30–21:00",
    "Note: this",
    "Hinweis: Brot",
    "e.g. Node.js",
    "z.B. Brot",
    "u.a. Brot",
    "d.h. jetzt",
    "und/oder",
    "Bäcker/in",
    "m/w/d",
    "24/7",
    "TCP/IP",
    "km/h",
    "ASP.NET",
    "ASP.NET/C#",
    "Vue.js/React",
    "README.md",
    "README.md/LICENSE",
    "index.html",
    "photo.jpg",
    "main.rs",
    "archive.tar.gz",
    "St.Gallen/Zürich",
    "St. Gallen",
    "Ende.Anfang",
    "Dr.med. Brot",
    "B.Sc./M.Sc.",
    "S.p.A.",
    "U.S.A.",
    "Mitarbeiter:innen",
    "Kund:innengespräche",
    "Nutzer:in, Kund:innen/Gäste",
    "EU:ssa",
    "tv:n",
    "std::vector",
    "16:9",
    "Joh 3:16",
    "C: oder D:",
    "JavaScript: The Good Parts",
    "JavaScript: Grundlagen (2. Auflage)",
    "Data: was sie sagen",
    "Metadaten: ja",
    "Tel: auf Anfrage",
    "Datei: keine",
    "注意：ここ",
    "URL：无",
    "50 % der Leute",
    "100%",
    "{Name}",
    "[sic]",
    "[Video] Brot",
    "API：Anwendung",
    "usw. Das Ende.",
    "z.B.",
    "Vitamin B.",
    "[1] [2]",
    "(siehe unten)",
    "# 1",
    "AT&T",
    "Brot & Butter",
    "R&amp;B",
    "1,5 € / 2 €",
    "ja // nein",
    "... und mehr",
    "Brot+Butter=Glück",
    "x = y (z)",
    "f(x)=g(x)",
    "@bakery",
    "a\\b",
    "C:\\Brot",
    "👩\u200d🍳",
    "می\u200cخواهم",
    "Version 1.2.3-beta.1",
    "v1.2.3.4",
    "Web 2.0/3.0",
]


def translation_defects(source: str, answer: str, kind: Kind = Kind.PLAIN) -> tuple[str, ...]:
    segment = cut(source, kind).segments[0]
    return defects(Case(segment=segment, answer=answer, source=language("en"), target=language("de")))


def enrichment_defects(source: str, answer: object, result: object = "text") -> tuple[str, ...]:
    return check_answer({"x": ResultOptions.model_validate(result)}, {"x": answer}, source=source).defects


def test_the_table_is_a_large_one() -> None:
    assert len(set(WRONG)) >= 80
    assert len(set(RIGHT)) >= 60


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", [Kind.PLAIN, Kind.HTML, Kind.MARKDOWN])
def test_no_translation_may_bring_what_is_acted_upon(wrong: str, kind: Kind) -> None:
    source = f"<p>{SOURCE}</p>" if kind is Kind.HTML else SOURCE

    assert added_parts(SOURCE, f"{ANSWER} {wrong}")
    assert translation_defects(source, f"{ANSWER} {wrong}", kind)


@pytest.mark.parametrize("wrong", WRONG)
def test_no_enrichment_may_bring_what_is_acted_upon(wrong: str) -> None:
    member = {"type": "object", "fields": {"name": "text"}}

    assert enrichment_defects(SOURCE, f"{ANSWER} {wrong}")
    assert enrichment_defects(SOURCE, [{"name": wrong}], {"type": "list", "of": member})


@pytest.mark.parametrize("right", RIGHT)
def test_prose_that_looks_like_it_is_left_alone(right: str) -> None:
    assert added_parts(SOURCE, f"{ANSWER} {right}") == []
    assert enrichment_defects(SOURCE, f"{ANSWER} {right}") == ()
    assert enrichment_defects(SOURCE, right) == ()


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("Use <b> with {{ name }}", "Verwende <b> mit {{ name }}"),
        ("if a <b then stop", "wenn a <b dann halt"),
        ("Log in at example.com/login now", "Melde dich an: example.com/login"),
        ("Visit example.com/a now", "访问example.com/a了"),
        ("[Read](https://example.com/a)", "[Lies](https://example.com/a)"),
        ("[Read][1]", "[Lies][1]"),
        ("Type javascript:void(0)", "Gib javascript:void(0) ein"),
        ("Say &lt;b&gt;", "Sag &lt;b&gt;"),
        ("Open \\\\server\\share", "Öffne \\\\server\\share"),
        ("Booking.com has it", "Booking.com hat es"),
    ],
)
def test_what_the_source_has_exactly_so_may_stay(source: str, answer: str) -> None:
    assert added_parts(source, answer) == []


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("Say &lt;b&gt;", "Sag <b>"),
        ("Use <b>", "Verwende <b> und <b>"),
        ("Use <b>", "Verwende <b onclick=x>"),
        ('<a href="a">', '<a href="b">'),
        ("Use {{ name }}", "Verwende {{ password }}"),
        ("[Read](https://example.com/a)", "[Lies](https://example.com/b)"),
        ("example.com/login", "evil.example.com/login"),
        ("javascript:void(0)", "javascript:alert(1)"),
    ],
)
def test_what_the_source_has_in_another_form_is_added(source: str, answer: str) -> None:
    assert added_parts(source, answer)


def test_a_scheme_is_seen_through_placeholders() -> None:
    link = (Placeholder(number=1, paired=True, opening="<b>", closing="</b>"),)
    segment = Segment(id="s", text="Bread <g1>and</g1> butter", placeholders=link)
    answer = "Brot und java<g1>script:al</g1>ert(1)"

    assert defects(Case(segment=segment, answer=answer, source=language("en"), target=language("de")))


@pytest.mark.parametrize(
    ("source", "answer", "is_right"),
    [
        ("See https://bread.org/today.", "More on bread.org", True),
        ("See https://bread.org/today.", "More on https://bread.org", True),
        ("See https://bread.org/today.", "More on https://bread.org/tomorrow", False),
        ("See https://notbread.org.", "More on bread.org", False),
        ("Write to a@bread.org", "Write to a@bread.org", True),
        ("Write to a@bread.org", "Write to b@bread.org", False),
        ("Hello {{ name }}", "Greets {{ name }}", True),
        ("<p>Bread</p>", "<p>Bread</p>", False),
    ],
)
def test_an_enrichment_may_tell_addresses_of_its_input_but_no_markup(source: str, answer: str, is_right: bool) -> None:
    assert (foreign_parts(source, answer) == []) is is_right


@pytest.mark.parametrize("piece", ["<", "[", "](", "a.", "a:(", "j ", "{{", "&lt;", "//a", "a@", "x-", "a.b/", "=a("])
def test_any_text_is_searched_in_linear_time(piece: str) -> None:
    text = piece * 60_000

    assert added_parts(text, text) == []
