from collections.abc import Callable

import pytest

from directus_assets.directus.models import JsonValue
from directus_assets.translation.segments import BadAnswer, Kind, cut


@pytest.mark.parametrize(
    ("source", "answer", "language", "expected"),
    [
        ("my-first-post", "Mein erster Beitrag!", "de-DE", "mein-erster-beitrag"),
        ("good-coffee", "Schöner Kaffee für Größen", "de", "schoener-kaffee-fuer-groessen"),
        ("good-coffee", "Schöner kaffe å", "sv", "schoner-kaffe-a"),
        ("good-coffee", "L'été à l’œuvre", "fr", "l-ete-a-l-oeuvre"),
        ("good-coffee", "İyi ışık", "tr", "iyi-isik"),
        ("good-coffee", "おいしいコーヒー", "ja", "おいしいコーヒー"),
        ("good-coffee", "กาแฟที่ดี", "th", "กาแฟที่ดี"),
        ("good-coffee", "अच्छी कॉफ़ी", "hi", "अच्छी-कॉफ़ी"),
        ("good-coffee", "قهوة جيدة", "ar", "قهوة-جيدة"),
        ("über-uns", "À propos", "fr", "à-propos"),
        ("/blog/my-post/", "Journal / Mon article", "fr", "/journal/mon-article/"),
        ("my_first_post", "mein erster", "de", "mein_erster"),
        ("v1.2-release", "Version 1.2", "de", "version-1.2"),
    ],
)
def test_an_answer_becomes_a_slug(source: str, answer: str, language: str, expected: str) -> None:
    document = cut(source, Kind.SLUG)

    assert document.splice({document.segments[0].id: answer}, language=language) == expected


def test_engines_see_words(texts: Callable[[JsonValue, Kind], list[str]]) -> None:
    assert texts("/blog/my-first_post", Kind.SLUG) == ["/blog/my first post"]
    assert texts("2024-01", Kind.SLUG) == []


def test_the_same_words_keep_the_slug() -> None:
    document = cut("My--Odd_slug-", Kind.SLUG)

    assert document.splice({document.segments[0].id: document.segments[0].text}) == "My--Odd_slug-"


@pytest.mark.parametrize(("source", "answer"), [("one", "!!!"), ("one", "a/b"), ("a/b", "a"), ("a/b", "a/?")])
def test_an_answer_that_is_no_slug_is_refused(source: str, answer: str) -> None:
    document = cut(source, Kind.SLUG)

    with pytest.raises(BadAnswer):
        document.splice({document.segments[0].id: answer})


@pytest.mark.parametrize("slug", ["about-\ud83d", "a\x00b"])
def test_a_slug_with_what_no_address_holds_is_left_alone(slug: str) -> None:
    document = cut(slug, Kind.SLUG)

    assert document.segments == ()
    assert document.splice({}) == slug
