"""The earlier wordings shown with later parts of a long document."""

import json
import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from directus_assets.spending.prompts import count_tokens
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.chosen import MOST_TOKENS, chosen
from directus_assets.translation.conversation import Assignment
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.protocol import Wording
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from directus_assets.translation.segments import TextKind, cut
from directus_assets.translation.translate import translate
from tests.translation.scripted_openai import Asked, ScriptedOpenAI

FILLER = [
    f"In the {word} month they walked along a river and talked about what they had seen."
    for word in ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
]
ABOUT_NAMES = "The old Quillfeather Bridge leads to the sourdough museum."


def wordings(texts: list[str]) -> list[Wording]:
    return [Wording(source=text, translation=text.upper()) for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nobody crosses Quillfeather Bridge at night.", ABOUT_NAMES),
        ("He loved sourdough.", ABOUT_NAMES),
        ("Nothing in common here!", None),
        ("They walked and talked.", None),
    ],
)
def test_sentences_with_the_same_rare_words_are_shown(text: str, expected: str | None) -> None:
    found = chosen([text], wordings([*FILLER, ABOUT_NAMES]))

    assert [each.source for each in found] == ([expected] if expected else [])
    assert all(each.translation == each.source.upper() for each in found)


def test_of_a_long_segment_only_the_sentence_is_shown() -> None:
    long = " ".join([*FILLER[:3], ABOUT_NAMES, *FILLER[3:]])

    (found,) = chosen(["Quillfeather again"], wordings([long]))

    assert (found.source, found.translation) == (ABOUT_NAMES, ABOUT_NAMES.upper())


def test_what_is_shown_is_bounded_and_says_each_thing_once() -> None:
    names = [f"Brave Name{chr(65 + n // 26)}{chr(97 + n % 26)} lives in a house of her own." for n in range(200)]

    found = chosen([" ".join(names)], wordings([*names, *names]))

    assert 5 < len(found) == len({each.source for each in found})
    assert sum(count_tokens(each.source) + count_tokens(each.translation) for each in found) <= MOST_TOKENS


def test_japanese_has_words_too() -> None:
    earlier = [
        Wording(source="古い風車橋は博物館へ続いています。", translation="The old Windmill Bridge leads to a museum.")
    ]

    assert chosen(["夜は誰も風車橋を渡りません。", "古い風車橋です。"], earlier) == tuple(earlier)


@pytest.fixture
def engine(server: ScriptedOpenAI) -> Iterator[OpenAIEngine]:
    with closing(OpenAIEngine(api_key="key", model="tiny", base_url=server.url, max_characters=1500)) as engine:
        yield engine


def earlier_parts(asked: Asked) -> list[list[str]]:
    shown = re.search(r"<reference>\n(.*)\n</reference>", asked.prompt)
    return json.loads(shown[1]).get("earlier_parts", []) if shown else []


def test_later_batches_of_a_document_see_what_the_first_has_chosen(
    server: ScriptedOpenAI, engine: OpenAIEngine
) -> None:
    end = "At last, the Quillfeather Bridge was closed."
    body = "".join(
        f"<p>{text}</p>" for text in [ABOUT_NAMES, *(f"{each} {n}" for n in range(8) for each in FILLER), end]
    )
    assignment = Assignment(source=language("en"), target=language("ja"))

    outcome = translate(
        {"body": cut(body, TextKind.HTML)}, {}, assignment=assignment, engine=engine, gate=RateGate(limit=3)
    )

    assert outcome.failure is None
    first, *others = server.asked
    last = next(asked for asked in others if end in asked.prompt)
    assert len(others) >= 3
    assert earlier_parts(first) == []
    assert [ABOUT_NAMES, pseudo(ABOUT_NAMES, target=language("ja"))] in earlier_parts(last)
    for asked in others:
        assert count_tokens(json.dumps(earlier_parts(asked), ensure_ascii=False)) <= MOST_TOKENS + 20
    assert server.segments_sent == 82
    assert "For context only" in last.prompt


def test_a_document_of_one_batch_is_shown_nothing_of_itself(server: ScriptedOpenAI, engine: OpenAIEngine) -> None:
    assignment = Assignment(source=language("en"), target=language("ja"))

    translate({"t": cut(ABOUT_NAMES, TextKind.PLAIN)}, {}, assignment=assignment, engine=engine, gate=RateGate(limit=3))

    assert "<reference>" not in server.asked[0].prompt
