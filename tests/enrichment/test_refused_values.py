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
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.engines.protocol import Question, Reply
from directus_assets.enrichment.items import ItemReader
from directus_assets.enrichment.records import EnrichmentRecord
from directus_assets.enrichment.work import DeclaredEnricher
from directus_assets.errors import Rejected, TransientError
from directus_assets.images.originals import Originals
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.refusals import FieldsRefused
from directus_assets.spending.payer import Unlimited
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage
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


ONE_ROW = declared(
    prompt="Rate it.",
    input=["title"],
    result={"name": {"type": "text"}, "kind": {"type": "text"}},
    rows={"collection": "entities", "item_field": "note", "fields": {"name": "name", "kind": "kind"}},
)
PEOPLE = declared(
    prompt="Find them.",
    input=["title"],
    result={"people": {"type": "list", "of": {"type": "text"}}},
    rows={"collection": "entities", "item_field": "note", "each": "people", "fields": {"value": "name"}},
)


class RuledRows:
    """One note, and entities that belong to it, in a Directus with a rule about their names."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.sent: list[str] = []
        self.error: dict[str, Any] = {"code": "FAILED_VALIDATION", "field": "name"}
        self.title = "Bread"
        self.deletions = 99
        """How many deletions it answers."""

    @property
    def names(self) -> list[str]:
        return [row["name"] for row in self.rows]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/users/me":
            return httpx.Response(200, json={"data": {"id": "bot"}})
        if request.method in ("GET", "SEARCH"):
            found = {"/items/notes": [{"id": "1", "title": self.title}], "/items/entities": self.rows}
            return answer_query(request, found.get(request.url.path, []))
        body = json.loads(request.content)
        if request.method == "DELETE":
            return self._deleted(body["query"]["filter"])
        values = body if request.method == "POST" else body["data"]
        self.sent.append(values["name"])
        if values["name"].startswith("bad"):
            error = {"message": "Nobody is called that.", "extensions": self.error}
            return httpx.Response(400, json={"errors": [error]})
        if request.method == "POST":
            self.rows.append({"id": str(len(self.sent)), **values, "note": "1"})
            return httpx.Response(200, json={"data": self.rows[-1]})
        changed = [row for row in self.rows if matches(row, body["query"]["filter"])]
        for row in changed:
            row.update(values)
        return httpx.Response(200, json={"data": changed})

    def _deleted(self, condition: dict[str, Any]) -> httpx.Response:
        self.deletions -= 1
        if self.deletions < 0:
            return httpx.Response(503)
        self.rows = [row for row in self.rows if not matches(row, condition)]
        return httpx.Response(204)


class Scripted:
    """An engine that gives these answers in order, and then repeats the last one."""

    name, model = "scripted", "scripted"

    def __init__(self, *statuses: Any, can_repair: bool = True) -> None:
        """The answers are values of `status`, or whole ones."""
        self.statuses = list(statuses)
        self.can_repair = can_repair
        self.asked: list[Question] = []

    def estimate(self, question: Question) -> Usage:
        return Usage(requests=1)

    def answer(self, question: Question) -> Reply:
        self.asked.append(question)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Reply(answer=status if isinstance(status, dict) else {"score": 1, "status": status})

    def check(self) -> str:
        return ""

    def close(self) -> None:
        pass


@contextmanager
def enriching(
    rules: Rules | RuledRows, engine: Scripted, folder: Path, declaration: Declaration = DECLARATION
) -> Iterator[DeclaredEnricher]:
    with closing(DirectusClient("http://directus", "token", transport=httpx.MockTransport(rules))) as client:
        yield DeclaredEnricher(
            reader=ItemReader(client, [declaration]),
            declaration=declaration,
            answerer=Answerer(engine=engine, gate=RateGate(limit=1), payer=Unlimited()),
            records=RecordStore(LocalStorage(folder), EnrichmentRecord),
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


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": "FAILED_VALIDATION", "field": "name"}, "Nobody is called that"),
        ({"code": "RECORD_NOT_UNIQUE", "field": "note, name"}, "Nobody is called that"),
        ({"code": "VALUE_TOO_LONG"}, "A value is too long for its column"),
        # As Directus 11 on PostgreSQL, whichever column it is.
        ({"code": "VALUE_TOO_LONG", "field": "score"}, "A value is too long for its column"),
    ],
)
def test_a_refused_row_goes_back_to_the_engine_with_the_reason_and_the_others_are_written(
    tmp_path: Path, error: dict[str, Any], words: str
) -> None:
    rules, engine = RuledRows(), Scripted({"people": ["Ada", "bad", "Max"]}, {"people": ["Ada", "Eva", "Max"]})
    rules.error = error
    with enriching(rules, engine, tmp_path, PEOPLE) as enricher:
        enrich(enricher)
        enrich(enricher)

    assert sorted(rules.names) == ["Ada", "Eva", "Max"]
    assert rules.sent == ["Ada", "bad", "Max", "Eva"]
    _, repair = engine.asked
    assert [each.partition(": ")[0] for each in repair.defects] == ["`people[1]` was refused by Directus"]
    assert words in repair.defects[0]


def test_a_row_that_is_refused_twice_fails_and_is_not_sent_again_however_often_it_is_tried(tmp_path: Path) -> None:
    rules, engine = RuledRows(), Scripted(*({"people": ["Ada", name]} for name in ("bad 1", "bad 2", "bad 1", "bad 2")))
    with enriching(rules, engine, tmp_path, PEOPLE) as enricher:
        with pytest.raises(FieldsRefused, match="Field 'entities': Nobody is called that"):
            enrich(enricher)
        for _ in range(3):
            with pytest.raises(UnusableAnswer, match="was refused by Directus"):
                enrich(enricher)

    assert (rules.names, rules.sent) == (["Ada"], ["Ada", "bad 1", "bad 2"])


def test_an_old_row_stays_where_the_new_one_is_refused_and_is_replaced_by_the_next(tmp_path: Path) -> None:
    rules = RuledRows()
    engine = Scripted(*({"name": name, "kind": "person"} for name in ("Ada", "bad 1", "bad 2", "Eva")))
    with enriching(rules, engine, tmp_path, ONE_ROW) as enricher:
        enrich(enricher)
        with pytest.raises(FieldsRefused):
            enrich(enricher, anew=True)
        assert rules.names == ["Ada"]
        enrich(enricher)

    assert rules.names == ["Eva"]
    assert rules.sent == ["Ada", "bad 1", "bad 2", "Eva"]


@pytest.mark.parametrize("deletions", [0, 1, 2])
def test_a_row_that_an_attempt_removed_before_it_failed_comes_back_when_it_is_wanted_again(
    tmp_path: Path, deletions: int
) -> None:
    everybody: dict[str, Any] = {"people": ["Ada", "Eva", "Max", "Zoe"]}
    rules, engine = RuledRows(), Scripted(everybody, {"people": ["Ada"]}, everybody)
    with enriching(rules, engine, tmp_path, PEOPLE) as enricher:
        enrich(enricher)
        rules.title, rules.deletions = "Butter", deletions
        with pytest.raises(TransientError):
            enrich(enricher)
        assert len(rules.names) == 4 - deletions
        rules.title, rules.deletions = "Bread and butter", 99
        enrich(enricher)

    assert sorted(rules.names) == ["Ada", "Eva", "Max", "Zoe"]


def test_a_row_that_an_attempt_was_about_to_remove_goes_with_the_next_one(tmp_path: Path) -> None:
    rules, engine = RuledRows(), Scripted({"people": ["Ada", "Eva", "Max"]}, {"people": ["Ada"]})
    with enriching(rules, engine, tmp_path, PEOPLE) as enricher:
        enrich(enricher)
        rules.title, rules.deletions = "Butter", 1
        with pytest.raises(TransientError):
            enrich(enricher)
        rules.deletions = 99
        enrich(enricher)

    assert rules.names == ["Ada"]


def test_a_refusal_because_of_a_field_that_is_not_ours_is_no_fault_of_the_answer(tmp_path: Path) -> None:
    rules, engine = RuledRows(), Scripted({"people": ["bad"]})
    rules.error = {"code": "FAILED_VALIDATION", "field": "author"}
    with enriching(rules, engine, tmp_path, PEOPLE) as enricher, pytest.raises(Rejected) as raised:
        enrich(enricher)

    assert not isinstance(raised.value, FieldsRefused)
    assert len(engine.asked) == 1
