import json
from collections.abc import Callable

import pytest

from directus_assets.directus.models import JsonValue
from directus_assets.directus.validation import Rule
from directus_assets.translation.segments import BadAnswer, TextKind, cut


@pytest.mark.parametrize(
    ("source", "answer", "language", "expected"),
    [
        ("my-first-post", "Mein erster Beitrag!", "de-DE", "mein-erster-beitrag"),
        ("good-coffee", "Schöner Kaffee für Größen", "de", "schoener-kaffee-fuer-groessen"),
        ("good-coffee", "Schöner kaffe å", "sv", "schoner-kaffe-a"),
        ("good-coffee", "L'été à l’œuvre", "fr", "l-ete-a-l-oeuvre"),
        ("good-coffee", "İyi ışık", "tr", "iyi-isik"),
        ("good-coffee", "おいしいコーヒー", "ja", "oishiikohi"),
        ("good-coffee", "กาแฟที่ดี", "th", "kaaefthidi"),
        ("good-coffee", "अच्छी कॉफ़ी", "hi", "acchi-kophi"),
        ("good-coffee", "хороший кофе", "ru", "khoroshiy-kofe"),
        ("кофе", "おいしいコーヒー", "ja", "おいしいコーヒー"),
        ("über-uns", "À propos", "fr", "à-propos"),
        ("/blog/my-post/", "Journal / Mon article", "fr", "/journal/mon-article/"),
        ("my_first_post", "mein erster", "de", "mein_erster"),
        ("v1.2-release", "Version 1.2", "de", "version-1.2"),
    ],
)
def test_an_answer_becomes_a_slug(source: str, answer: str, language: str, expected: str) -> None:
    document = cut(source, TextKind.SLUG)

    assert document.splice({document.segments[0].id: answer}, language=language) == expected


@pytest.mark.parametrize(
    ("pattern", "answer", "expected"),
    [
        (r"^[a-z0-9]+(-[a-z0-9]+)*$", "Über uns", "ueber-uns"),
        (r"^[a-z_]+$", "Über uns", "ueber_uns"),
        (r"^[a-z]+$", "Über uns", "ueberuns"),
        (r"^[a-z-]{1,12}$", "Das hier sind viel zu viele Worte", "das-hier"),
        (r"^[\u0400-\u04ff-]+$", "хороший кофе", "хороший-кофе"),
    ],
)
def test_a_slug_takes_the_form_that_its_field_takes(pattern: str, answer: str, expected: str) -> None:
    document = cut("about-us", TextKind.SLUG, rule=regex(pattern))

    assert document.splice({document.segments[0].id: answer}, language="de") == expected


def test_a_slug_that_its_field_takes_in_no_form_is_refused() -> None:
    document = cut("about-us", TextKind.SLUG, rule=regex("^x"))

    with pytest.raises(BadAnswer, match=r"validation rule \(_regex: \^x\) rejects"):
        document.splice({document.segments[0].id: "Über uns"}, language="de")


def test_each_part_of_a_path_is_a_slug_of_its_own() -> None:
    document = cut("/about-us/our-team/?tab=one#people", TextKind.PATH)
    about, team = document.segments

    assert (about.text, team.text) == ("about us", "our team")
    assert document.splice({about.id: "Über uns", team.id: "Das Team, wir"}, language="de") == (
        "/ueber-uns/das-team-wir/?tab=one#people"
    )
    assert document.splice({}) == "/about-us/our-team/?tab=one#people"


@pytest.mark.parametrize(
    "address", ["https://example.com/about-us", "mailto:info@example.com", "//cdn.example.com/x", "/", "#top"]
)
def test_an_address_that_leads_elsewhere_or_nowhere_has_no_parts(address: str) -> None:
    document = cut(address, TextKind.PATH)

    assert document.segments == ()
    assert document.splice({}) == address


@pytest.mark.parametrize(
    ("source", "kind", "pattern", "expected"),
    [
        ("blog", TextKind.SLUG, "", "blog-de"),
        ("my_blog", TextKind.SLUG, "", "my_blog_de"),
        ("2024-01", TextKind.SLUG, "", "2024-01-de"),
        ("blog", TextKind.SLUG, "^blog$", "blog"),
        ("/", TextKind.PATH, "", "/de"),
        ("/team/blog/?a=b", TextKind.PATH, "", "/team/blog-de/?a=b"),
        ("https://example.com/blog", TextKind.PATH, "", "https://example.com/blog"),
    ],
)
def test_an_address_that_has_to_be_unique_gets_its_language_where_its_words_stay(
    source: str, kind: TextKind, pattern: str, expected: str
) -> None:
    document = cut(source, kind, rule=regex(pattern), is_unique=True)
    same = {segment.id: segment.text for segment in document.segments}

    assert document.splice(same, language="de-DE") == expected
    assert cut(source, kind).splice(same, language="de-DE") == source


def regex(pattern: str) -> Rule:
    return Rule("slug", json.dumps({"_and": [{"slug": {"_regex": pattern}}]}))


def test_engines_see_words(texts: Callable[[JsonValue, TextKind], list[str]]) -> None:
    assert texts("/blog/my-first_post", TextKind.SLUG) == ["/blog/my first post"]
    assert texts("2024-01", TextKind.SLUG) == []


def test_the_same_words_keep_the_slug() -> None:
    document = cut("My--Odd_slug-", TextKind.SLUG)

    assert document.splice({document.segments[0].id: document.segments[0].text}) == "My--Odd_slug-"


@pytest.mark.parametrize(("source", "answer"), [("one", "!!!"), ("one", "a/b"), ("a/b", "a"), ("a/b", "a/?")])
def test_an_answer_that_is_no_slug_is_refused(source: str, answer: str) -> None:
    document = cut(source, TextKind.SLUG)

    with pytest.raises(BadAnswer):
        document.splice({document.segments[0].id: answer})


@pytest.mark.parametrize("slug", ["about-\ud83d", "a\x00b"])
def test_a_slug_with_what_no_address_holds_is_left_alone(slug: str) -> None:
    document = cut(slug, TextKind.SLUG)

    assert document.segments == ()
    assert document.splice({}) == slug


@pytest.mark.parametrize(
    ("longest", "expected"),
    [(None, "wie-man-brot-backt"), (18, "wie-man-brot-backt"), (13, "wie-man-brot"), (5, "wie")],
)
def test_a_slug_loses_its_last_words_where_its_field_takes_no_more(longest: int | None, expected: str) -> None:
    document = cut("bread", TextKind.SLUG, longest=longest)

    assert document.splice({document.segments[0].id: "Wie man Brot backt"}, language="de") == expected


def test_a_slug_of_one_word_that_is_too_long_goes_back_to_the_engine() -> None:
    document = cut("bread", TextKind.SLUG, longest=5)

    with pytest.raises(BadAnswer, match="takes 5 characters"):
        document.splice({document.segments[0].id: "Roggenbrot"}, language="de")
