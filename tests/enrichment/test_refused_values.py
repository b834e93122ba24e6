"""Values that Directus refuses: the engine hears why, once, and none is sent a second time."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.answering import Answerer, UnusableAnswer
from directus_assets.enrichment.engines.protocol import Question, Reply
from directus_assets.enrichment.items import ItemReader
from directus_assets.enrichment.records import EnrichmentRecords
from directus_assets.enrichment.work import DeclaredEnricher
from directus_assets.images.originals import Originals
from directus_assets.spending.payer import Unlimited
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage
from directus_assets.translation.refusals import FieldsRefused
from tests.directus_query import answer_query, matches
from tests.enrichment.test_declare import declared

DECLARATION = declared(
    prompt="Rate it.",
    input=["title"],
    result={"score": "number", "status": {"type": "text"}},
    targets={"score": "score", "status": "status"},
)


class Rules:
    """One note in a Directus with a rule about its status."""

    def __init__(self) -> None:
        self.row: dict[str, Any] = {"id": "1", "title": "Bread", "score": None, "status": None}
        self.refused = {"bad", "worse"}
        self.sent: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/users/me":
            return httpx.Response(200, json={"data": {"id": "bot"}})
        if request.method != "PATCH":
            return answer_query(request, [self.row] if request.url.path == "/items/notes" else [])
        update = json.loads(request.content)
        self.sent.append(update["data"])
        if update["data"].get("status") in self.refused:
            message = 'Validation failed for field "status". Value has to be one of "good".'
            error = {"message": message, "extensions": {"code": "FAILED_VALIDATION", "field": "status"}}
            return httpx.Response(400, json={"errors": [error]})
        found = [self.row] if matches(self.row, update["query"]["filter"]) else []
        for each in found:
            each.update(update["data"])
        return httpx.Response(200, json={"data": found})


class Scripted:
    """An engine that gives these answers, one after the other, and the last of them again and again."""

    name, model = "scripted", "scripted"

    def __init__(self, *statuses: str, can_repair: bool = True) -> None:
        self.statuses = list(statuses)
        self.can_repair = can_repair
        self.asked: list[Question] = []

    def estimate(self, question: Question) -> Usage:
        return Usage(requests=1)

    def answer(self, question: Question) -> Reply:
        self.asked.append(question)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Reply(answer={"score": 1, "status": status})

    def check(self) -> str:
        return ""

    def close(self) -> None:
        pass


@contextmanager
def enriching(rules: Rules, engine: Scripted, folder: Path) -> Iterator[DeclaredEnricher]:
    with closing(DirectusClient("http://directus", "token", transport=httpx.MockTransport(rules))) as client:
        yield DeclaredEnricher(
            reader=ItemReader(client, [DECLARATION]),
            declaration=DECLARATION,
            answerer=Answerer(engine=engine, gate=RateGate(limit=1), payer=Unlimited()),
            records=EnrichmentRecords(LocalStorage(folder)),
            originals=Originals(client=client),
            sleep=lambda _: None,
        )


def enrich(enricher: DeclaredEnricher, *, anew: bool = False) -> tuple[str, ...]:
    (item,) = enricher.reader.read(["1"])
    return enricher.enrich(item, anew=anew).outcome.written


def test_what_directus_refuses_goes_back_to_the_engine_with_its_words_and_the_rest_is_written(tmp_path: Path) -> None:
    rules, engine = Rules(), Scripted("bad", "good")
    with enriching(rules, engine, tmp_path) as enricher:
        written = enrich(enricher)

    assert rules.row == {"id": "1", "title": "Bread", "score": 1, "status": "good"}
    assert set(written) == {"score", "status"}
    first, repair = engine.asked
    assert first.defects == ()
    assert repair.defects == (
        '`status` was refused by Directus: Validation failed for field "status". Value has to be one of "good".',
    )
    assert '"status": "bad"' in repair.rejected


def test_a_second_value_that_is_refused_fails_and_none_of_them_is_sent_again_however_often_it_is_tried(
    tmp_path: Path,
) -> None:
    rules, engine = Rules(), Scripted("bad", "worse", "bad", "bad", "good")
    with enriching(rules, engine, tmp_path) as enricher:
        with pytest.raises(FieldsRefused, match="Field 'status': Validation failed"):
            enrich(enricher)
        assert [each.get("status") for each in rules.sent] == ["bad", None, "worse"]
        # A new question, its repair, and no word to Directus.
        with pytest.raises(UnusableAnswer, match="was refused by Directus"):
            enrich(enricher)
        assert (len(rules.sent), len(engine.asked)) == (3, 4)
        enrich(enricher)

    assert (rules.row["score"], rules.row["status"]) == (1, "good")
    assert [each.get("status") for each in rules.sent] == ["bad", None, "worse", "good"]


def test_an_engine_that_has_one_answer_only_is_not_asked_again_and_what_it_says_is_sent_once(tmp_path: Path) -> None:
    rules, engine = Rules(), Scripted("bad", can_repair=False)
    with enriching(rules, engine, tmp_path) as enricher:
        with pytest.raises(FieldsRefused):
            enrich(enricher)
        with pytest.raises(UnusableAnswer, match="was refused by Directus"):
            enrich(enricher)

    assert [each.get("status") for each in rules.sent] == ["bad", None]
    assert len(engine.asked) == 1


def test_who_has_it_made_anew_has_the_same_value_sent_again(tmp_path: Path) -> None:
    """Somebody may have changed the rule."""
    rules, engine = Rules(), Scripted("bad")
    with enriching(rules, engine, tmp_path) as enricher:
        with pytest.raises(UnusableAnswer):
            enrich(enricher)
        rules.refused.clear()
        with pytest.raises(UnusableAnswer):
            enrich(enricher)

        assert set(enrich(enricher, anew=True)) == {"score", "status"}

    assert rules.row["status"] == "bad"
