"""Concurrent edits of one post in both languages, on the real Directus: ten rounds."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import LanguageRow
from directus_assets.directus.storage import LocalStorage
from directus_assets.ownership.record_store import RecordStore
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.results import Translated
from directus_assets.translation.scope import Scope
from directus_assets.translation.work import Translator
from tests.translation.posts import create_post, read, rows_of
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

PARAGRAPHS = [f"Paragraph {letter}: the <b>dough</b> has to rest before it is baked." for letter in "ABCDEFGHIJ"]


def html(paragraphs: list[str]) -> str:
    return "\n".join(f"<p>{each}</p>" for each in paragraphs)


def german(paragraph: str) -> str:
    marked = paragraph.replace("<b>", "<g1>").replace("</b>", "</g1>")
    return pseudo(marked, target=language("de-DE")).replace("<g1>", "<b>").replace("</g1>", "</b>")


def test_ten_rounds_of_edits_by_both_sides_lose_no_sentence_and_pay_for_none_twice(
    studio: DirectusClient,
    bot: DirectusClient,
    scopes: Mapping[str, Scope],
    server: ScriptedOpenAI,
    tmp_path: Path,
) -> None:
    engine = OpenAIEngine(api_key="key", model="tiny", base_url=server.url, timeout_seconds=60)
    translator = Translator(
        client=bot,
        scope=scopes["posts"],
        engine=engine,
        gate=RateGate(limit=2),
        records=RecordStore(LocalStorage(tmp_path), TranslationRecord),
        sleep=lambda _: None,
    )
    source, expected = [*PARAGRAPHS], [german(each) for each in PARAGRAPHS]
    key = create_post(studio, body=html(source))

    def translate() -> Translated:
        return translator.translate(read(bot, scopes["posts"], key), LanguageRow(key="de-DE", code="de-DE"))

    def save(code: str, body: str) -> None:
        (row,) = rows_of(studio, key, code)
        studio.patch(f"/items/posts_translations/{row['id']}", {"body": body})

    def stands() -> str:
        (row,) = rows_of(studio, key)
        return str(row["body"])

    translate()
    waiting: dict[int, str] = {}
    for number in range(10):
        server.asked.clear()
        theirs, ours, both = number, (number + 3) % 10, (number + 6) % 10
        for index in (theirs, both):
            expected[index] = f"Von Hand {number}, Absatz {index}, <b>mit Bedacht</b>."
            waiting.pop(index, None)
        is_respelled = number % 3 == 2
        body = re.sub(r"<(/?)b>", r"<\1strong>", html(expected)) if is_respelled else html(expected)
        save("de-DE", body)
        for index in (ours, both):
            source[index] = f"Round {number}, paragraph {index}: the <b>dough</b> has to rest before it is baked."
            if expected[index].startswith("Von Hand"):
                waiting[index] = german(source[index])
            else:
                expected[index] = german(source[index])
        save("en-US", html(source))

        result = translate()

        shown = stands().replace("<strong>", "<b>").replace("</strong>", "</b>")
        assert shown == html(expected)
        assert {(each.human.replace("strong>", "b>"), each.proposal) for each in result.reviews} == {
            (expected[index], proposal) for index, proposal in waiting.items()
        }
        assert sorted(server.texts_sent) == sorted(
            source[index].replace("<b>", "<g1>").replace("</b>", "</g1>") for index in (ours, both)
        )
        server.asked.clear()
        again = translate()
        assert (again.written, server.asked, len(again.reviews)) == ((), [], len(waiting))
    engine.close()
