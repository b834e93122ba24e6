"""Pseudo-translations: recognisable, repeatable, and complete."""

import importlib.resources
from collections.abc import Iterator

import pytest
import yaml

import directus_assets.local
from directus_assets.translation.case import Case
from directus_assets.translation.checks import defects
from directus_assets.translation.engines.protocol import AskedSegment, Request
from directus_assets.translation.engines.pseudo import PseudoEngine, pseudo
from directus_assets.translation.glossary import Term
from directus_assets.translation.languages import language
from directus_assets.translation.segments import Segment, TextKind, cut

GERMAN = language("de-DE")


def test_letters_are_changed_and_everything_else_stays() -> None:
    text = "Read <g1>the manual</g1><x2/> at https://example.com/a?b=1 in 12 days, hello@example.com!"

    assert pseudo(text, target=GERMAN) == (
        "Ṟḙḁḏ <g1>ṭḫḙ ṃḁṋṵḁḻ</g1><x2/> ḁṭ https://example.com/a?b=1 ḭṋ 12 ḏḁẏṣ, hello@example.com!"
    )


def test_texts_for_other_scripts_are_in_those_scripts() -> None:
    arabic = language("ar-SA")

    assert all(arabic.writes(letter) for letter in pseudo("Good bread", target=arabic) if letter.isalpha())


def test_fixed_terms_are_used_in_any_case() -> None:
    glossary = (Term(term="rye bread", note="de: Roggenbrot"), Term(term="bread", note="de: Brot"))

    assert pseudo("Rye Bread", target=GERMAN, terms=glossary) == "Roggenbrot"


def test_the_engine_answers_every_segment() -> None:
    segments = (AskedSegment(key="a", text="One"), AskedSegment(key="b", text="Two"))

    answer = PseudoEngine().translate(Request(source=language("en"), target=GERMAN, segments=segments))

    assert answer.texts == {"a": "Ȯṋḙ", "b": "Ṭẇȯ"}
    assert answer.failure is None


def demo_segments() -> Iterator[Segment]:
    """All segments of the demo's content."""
    texts = yaml.safe_load((importlib.resources.files(directus_assets.local) / "texts.yaml").read_text("utf-8"))
    posts = [post["translations"][0] for post in texts["posts"]]
    for kind, rows in ((TextKind.HTML, posts), (TextKind.MARKDOWN, texts["pages"])):
        for row in rows:
            yield from cut(row["title"], TextKind.PLAIN).segments
            yield from cut(row["body"], kind).segments


@pytest.mark.parametrize("code", ["ar-SA", "de-DE", "fr-FR", "ja-JP"])
def test_the_demo_has_no_text_that_its_own_checks_refuse(code: str) -> None:
    target = language(code)
    refused = {
        segment.text: found
        for segment in demo_segments()
        if (
            found := defects(
                Case(
                    segment=segment,
                    answer=pseudo(segment.text, target=target),
                    source=language("en-US"),
                    target=target,
                    is_pseudo=True,
                )
            )
        )
    }
    assert refused == {}
