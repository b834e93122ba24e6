"""Several items that share segments, translated at the same time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import Forbidden
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.conversation import Assignment
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from directus_assets.translation.memory import Memory, MemoryEntry, pair_of
from directus_assets.translation.recall import Recall
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.segments import TextKind, cut
from directus_assets.translation.segments.model import segment_key
from directus_assets.translation.translate import TranslationOutcome, translate
from tests.translation import scripted_openai as scripted
from tests.translation.scripted_openai import ScriptedOpenAI

GERMAN = Assignment(source=language("en-US"), target=language("de-DE"))
PAIR = pair_of("en-US", "de-DE")
SHARED = "Baked by hand in a small bakery"
OWN = ("Good bread takes time", "Good cheese takes longer", "Good wine takes years")


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server


@pytest.fixture
def recall(server: ScriptedOpenAI, tmp_path: Path) -> Iterator[Recall]:
    with (
        closing(OpenAIEngine(api_key="key", model="tiny", base_url=server.url, timeout_seconds=60)) as engine,
        closing(Memory(LocalStorage(tmp_path), tmp_path / "index.sqlite")) as memory,
    ):
        recall = Recall(memory, engine, GERMAN)
        # The first request of all may have to learn the endpoint's dialect, and others wait for it.
        translated(recall, "A first text")
        server.asked.clear()
        yield recall


def translated(recall: Recall, *texts: str) -> TranslationOutcome:
    """The outcome for an item with one field for each text, by its text."""
    documents = {text: cut(text, TextKind.PLAIN) for text in texts}
    record = TranslationRecord.empty("posts", "1", "de-DE")
    with recall.asking(documents, record, {}, anew=False) as (recalled, assignment, others):
        outcome = translate(
            documents,
            recalled,
            assignment=assignment,
            engine=recall.engine,
            gate=RateGate(limit=4),
            others=others,
        )
        recall.keep(documents, outcome.segments)
    return outcome


def key(text: str) -> str:
    (segment,) = cut(text, TextKind.PLAIN).segments
    return segment_key(segment)


def german(text: str) -> str:
    return pseudo(text, target=GERMAN.target)


def test_items_that_share_a_segment_request_all_others_at_the_same_time(server: ScriptedOpenAI, recall: Recall) -> None:
    all_at_once = threading.Barrier(3)

    def answer(asked: scripted.Asked) -> scripted.Reply:
        all_at_once.wait(timeout=30)
        return scripted.answer_right(asked)

    server.always(answer)
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda own: translated(recall, own, SHARED), OWN))

    assert sorted(server.texts_sent) == sorted([*OWN, SHARED])
    assert [each.values for each in outcomes] == [{own: german(own), SHARED: german(SHARED)} for own in OWN]
    assert sorted((each.sent, each.reused) for each in outcomes) == [(1, 1), (1, 1), (2, 0)]


def test_whoever_waits_requests_a_segment_whose_request_failed(server: ScriptedOpenAI, recall: Recall) -> None:
    both_at_once = threading.Barrier(2)

    def answer(asked: scripted.Asked) -> scripted.Reply:
        if len(server.asked) <= 2:
            both_at_once.wait(timeout=30)
        is_first_with_both = len(asked.segments) == 2
        return scripted.unauthorized(asked) if is_first_with_both else scripted.answer_right(asked)

    server.always(answer)
    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(translated, recall, own, SHARED) for own in OWN[:2])
        failed, made = (first, second) if first.exception() else (second, first)

    assert isinstance(failed.exception(), Forbidden)
    outcome = made.result()
    assert outcome.values[SHARED] == german(SHARED)
    assert (outcome.sent, outcome.reused) == (2, 0)
    assert server.texts_sent.count(SHARED) == 2


def test_two_items_that_wait_for_each_other_both_get_what_they_need(server: ScriptedOpenAI, recall: Recall) -> None:
    assert recall.memory is not None
    early, late = sorted([OWN[0], SHARED], key=key)
    is_asked, both_at_once = threading.Event(), threading.Barrier(2)

    def answer(asked: scripted.Asked) -> scripted.Reply:
        is_asked.set()
        both_at_once.wait(timeout=30)
        return scripted.answer_right(asked)

    server.always(answer)
    with ThreadPoolExecutor(2) as pool:
        with recall.memory.asking(PAIR, [key(late)]):
            first = pool.submit(translated, recall, early, late)
            assert is_asked.wait(timeout=30)
        second = pool.submit(translated, recall, early, late)

    assert sorted(server.texts_sent) == sorted([early, late])
    assert len(server.asked) == 2
    assert first.result().values == second.result().values == {each: german(each) for each in (early, late)}


def test_a_rejected_answer_is_repaired_after_waiting_for_others(server: ScriptedOpenAI, recall: Recall) -> None:
    assert recall.memory is not None
    is_asked = threading.Event()

    def reject(asked: scripted.Asked) -> scripted.Reply:
        is_asked.set()
        return scripted.missing_segment(asked)

    server.next(reject)
    with ThreadPoolExecutor(1) as pool:
        with recall.memory.asking(PAIR, [key(SHARED)]):
            made = pool.submit(translated, recall, OWN[0], SHARED)
            assert is_asked.wait(timeout=30)
            recall.memory.remember(
                [MemoryEntry(pair=PAIR, key=key(SHARED), source=SHARED, text="Von Hand gebacken", human=True)]
            )
        outcome = made.result()

    assert server.texts_sent == [OWN[0], OWN[0]]
    assert outcome.values == {OWN[0]: german(OWN[0]), SHARED: "Von Hand gebacken"}
    assert (outcome.sent, outcome.reused) == (1, 1)
