"""Recommendations in the real Directus: one row for each segment and item, and human rows stay."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.project_schema import CollectionSchema, FieldSchema, ProjectSchema, read_project_schema
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.neighbours import quantized
from directus_assets.enrichment.recommendation_plan import plan_recommendations
from directus_assets.enrichment.recommendations import Recommender, Recomputed, texts_at
from directus_assets.enrichment.records import EnrichmentRecord
from directus_assets.errors import BadInput, ConfigurationError, TransientError
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.ownership.record_store import RecordStore
from directus_assets.settings import Config
from tests.enrichment.conftest import create, fields, relate
from tests.enrichment.pipeline import EnrichmentPipeline
from tests.translation.pipeline import NAMES
from tests.translation.scripted_openai import ScriptedOpenAI

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
OPTIONS: dict[str, Any] = {
    "interactions": {
        "collection": "visits",
        "item": "article",
        "segment": "visitor.segment",
        "at": "at",
        "kind": "kind",
        "kinds": {"share": 4, "hide": -2},
    },
    "into": {
        "collection": "offers",
        "segment": "segment",
        "item": "article",
        "rank": "rank",
        "score": "score",
        "reason": "reason",
    },
    "tags": "tags",
}


@pytest.fixture(scope="module")
def collections(studio: DirectusClient) -> None:
    create(studio, "articles", *fields(title="string", tags="json", status="string"))
    create(studio, "visitors", *fields(segment="string"))
    create(studio, "visits", *fields(article="integer", visitor="integer", at="timestamp", kind="string"))
    create(studio, "offers", *fields(segment="string", article="integer", rank="integer", score="float", reason="text"))
    relate(studio, "visits", "article", "articles")
    relate(studio, "visits", "visitor", "visitors")
    relate(studio, "offers", "article", "articles")
    titles = {"Boats": ["sea"], "Sails": ["sea"], "Bread": ["food"], "Rolls": ["food"], "Secret": ["sea"]}
    rows = [
        {"id": at, "title": title, "tags": tags, "status": "draft" if title == "Secret" else "published"}
        for at, (title, tags) in enumerate(titles.items(), start=1)
    ]
    studio.post("/items/articles", rows)
    studio.post("/items/visitors", [{"id": 1, "segment": "sailors"}, {"id": 2, "segment": "bakers"}])


@pytest.fixture
def visits(studio: DirectusClient, collections: None) -> Iterator[None]:
    studio.post("/items/visits", [visit(1, 1), visit(3, 2)])
    yield
    for collection in ("visits", "offers"):
        rows = studio.get(f"/items/{collection}", fields=["id"], limit=-1)
        studio.delete(f"/items/{collection}", [row["id"] for row in rows])


def visit(article: int, visitor: int, *, days: float = 1, kind: str = "view") -> dict[str, Any]:
    return {
        "article": article,
        "visitor": visitor,
        "at": (NOW - dt.timedelta(days=days)).isoformat(),
        "kind": kind,
    }


def recompute(studio: DirectusClient, folder: Path, vectors: dict[str, Any] | None = None) -> Recomputed:
    own = {"filter": {"status": {"_eq": "published"}}, "options": OPTIONS}
    config = Config.model_validate({"enrichments": {"articles": {"recommendations": own}}})
    (plan,) = plan_recommendations(config.enrichments, read_project_schema(studio))
    records = RecordStore(LocalStorage(folder), EnrichmentRecord)
    return Recommender(client=studio, plan=plan, records=records, vectors=vectors or {}).recompute(now=NOW)


def offers(studio: DirectusClient) -> list[tuple[str, int, int]]:
    """Segment, item and rank."""
    rows = studio.get("/items/offers", fields=["segment", "article", "rank"], sort="segment,rank", limit=-1)
    return [(row["segment"], row["article"], row["rank"]) for row in rows]


@pytest.mark.integration
def test_each_segment_gets_what_fits_with_a_reason_and_nothing_that_it_saw(
    studio: DirectusClient, visits: None, tmp_path: Path
) -> None:
    done = recompute(studio, tmp_path)

    assert offers(studio) == [("bakers", 4, 1), ("sailors", 2, 1)]
    (row,) = studio.get("/items/offers", filter={"segment": {"_eq": "sailors"}})
    assert (row["reason"], row["score"]) == ("Matches an interest in sea.", 1)
    assert (done.made, done.changed, done.removed, done.interactions) == (2, 0, 0, 2)


@pytest.mark.integration
def test_computing_again_writes_nothing(studio: DirectusClient, visits: None, tmp_path: Path) -> None:
    recompute(studio, tmp_path)
    before = studio.latest_activity_id()

    done = recompute(studio, tmp_path)

    assert studio.latest_activity_id() == before
    assert (done.made, done.changed, done.removed) == (0, 0, 0)


@pytest.mark.integration
def test_rows_are_changed_and_old_ones_removed_and_never_doubled(
    studio: DirectusClient, visits: None, tmp_path: Path
) -> None:
    recompute(studio, tmp_path)
    studio.post("/items/visits", [visit(2, 1), visit(3, 1, kind="share"), visit(4, 2, days=3)])

    recompute(studio, tmp_path)

    assert offers(studio) == [("sailors", 4, 1)]
    studio.post("/items/visits", visit(4, 1, days=400))
    recompute(studio, tmp_path)
    assert offers(studio) == [("sailors", 4, 1)]


@pytest.mark.integration
def test_a_segment_that_is_silent_loses_its_rows(studio: DirectusClient, visits: None, tmp_path: Path) -> None:
    recompute(studio, tmp_path)
    visit_of_bakers = studio.get("/items/visits", filter={"visitor": {"_eq": 2}}, fields=["id"])
    studio.delete("/items/visits", [row["id"] for row in visit_of_bakers])

    done = recompute(studio, tmp_path)

    assert offers(studio) == [("sailors", 2, 1)]
    assert done.removed == 1


class Deafened(httpx.HTTPTransport):
    """A network that loses the answers to deletions."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if request.method == "DELETE":
            answer.close()
            raise httpx.ReadError("The connection broke.")
        return answer


@pytest.mark.integration
def test_a_row_that_was_removed_without_an_answer_comes_back_when_it_is_wanted_again(
    directus: LocalDirectus, studio: DirectusClient, visits: None, tmp_path: Path
) -> None:
    recompute(studio, tmp_path)
    visit_of_bakers = studio.get("/items/visits", filter={"visitor": {"_eq": 2}}, fields=["id"])
    studio.delete("/items/visits", [row["id"] for row in visit_of_bakers])
    with (
        DirectusClient(directus.url, directus.admin_token, transport=Deafened()) as deaf,
        pytest.raises(TransientError),
    ):
        recompute(deaf, tmp_path)
    assert offers(studio) == [("sailors", 2, 1)]

    studio.post("/items/visits", visit(3, 2))
    recompute(studio, tmp_path)

    assert offers(studio) == [("bakers", 4, 1), ("sailors", 2, 1)]


@pytest.mark.integration
def test_what_a_human_has_put_there_stays_and_stands_for_its_item(
    studio: DirectusClient, visits: None, tmp_path: Path
) -> None:
    pinned = {"segment": "sailors", "article": 2, "rank": 0, "reason": "Because I say so."}
    studio.post("/items/offers", pinned)
    recompute(studio, tmp_path)
    assert offers(studio) == [("bakers", 4, 1), ("sailors", 2, 0)]

    (ours,) = studio.get("/items/offers", filter={"segment": {"_eq": "bakers"}})
    studio.patch(f"/items/offers/{ours['id']}", {"reason": "Edited."})
    studio.post("/items/visits", visit(1, 2))
    recompute(studio, tmp_path)

    edited = studio.get(f"/items/offers/{ours['id']}")
    assert (edited["article"], edited["reason"]) == (4, "Edited.")
    assert offers(studio).count(("bakers", 4, 1)) == 1


@pytest.mark.integration
def test_vectors_count_where_there_are_some(studio: DirectusClient, visits: None, tmp_path: Path) -> None:
    vectors = {"1": quantized([1, 0]), "3": quantized([0, 1]), "4": quantized([1, 0.2])}

    recompute(studio, tmp_path, vectors)

    assert ("sailors", 4, 2) in offers(studio)
    (row,) = studio.get("/items/offers", filter={"segment": {"_eq": "sailors"}, "article": {"_eq": 4}})
    assert row["reason"] == "Similar to “Boats”."


@pytest.mark.integration
def test_dagster_computes_them_on_a_schedule_with_the_least_rights(
    directus: LocalDirectus, studio: DirectusClient, visits: None, tmp_path: Path
) -> None:
    own = {"filter": {"status": {"_eq": "published"}}, "options": {**OPTIONS, "cron": "5 4 * * *"}}
    config = {"translations": {"enabled": False}, "enrichments": {"articles": {"recommendations": own}}}
    create_bot(studio, token=directus.bot_token, config=Config.model_validate(config))

    with ScriptedOpenAI() as server, EnrichmentPipeline(directus, server, tmp_path, config) as pipeline:
        done = pipeline._defs.resolve_job_def("recommend_articles").execute_in_process(instance=pipeline.instance)
        (schedule,) = [each for each in pipeline._defs.schedules or [] if each.name == "recommend_articles"]
        made = pipeline.instance.get_latest_materialization_event(NAMES.enrichment("articles", "recommendations"))

    assert done.success
    assert (schedule.cron_schedule, schedule.default_status.value) == ("5 4 * * *", "RUNNING")
    assert offers(studio) == [("bakers", 4, 1), ("sailors", 2, 1)]
    assert made is not None
    assert made.asset_materialization is not None
    told = {name: value.value for name, value in made.asset_materialization.metadata.items()}
    assert (told["segments"], told["rows_made"], told["interactions"]) == (2, 2, 2)


@pytest.mark.parametrize(
    ("row", "path", "expected"),
    [
        ({"a": "x"}, "a", ["x"]),
        ({"a": ["x", None, "y"]}, "a", ["x", "y"]),
        ({"a": {"b": 3}}, "a.b", ["3"]),
        ({"a": [{"b": {"c": "x"}}, {"b": {"c": "y"}}, {"b": None}]}, "a.b.c", ["x", "y"]),
        ({"a": None}, "a.b", []),
        ({"a": "x"}, "a.b", []),
        ({}, "a", []),
    ],
)
def test_values_are_found_through_relations_and_lists(row: object, path: str, expected: Sequence[str]) -> None:
    assert texts_at(row, path) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interactions": None}, r"options\.interactions"),
        ({"interactions": {"collection": "visit"}}, "Did you mean 'visits'"),
        ({"interactions": {"at": "when"}}, r"options\.interactions\.at.*refers to 'when'"),
        ({"into": {"rank": "place"}}, r"options\.into\.rank.*refers to 'place'"),
        ({"half_life_days": 0}, r"options\.half_life_days"),
        ({"half_life": 3}, r"options\.half_life"),
        ({"phrases": {"both": "{tag}, like {title}"}}, r"options\.phrases.*`both` names '\{tag\}'"),
        ({"phrases": {"tags": "Because of {tags"}}, r"options\.phrases"),
    ],
)
def test_what_cannot_be_meant_is_told(change: dict[str, Any], message: str) -> None:
    options = dict(OPTIONS)
    for name, value in change.items():
        options[name] = {**OPTIONS.get(name, {}), **value} if isinstance(value, dict) else value
    config = Config.model_validate({"enrichments": {"articles": {"recommendations": {"options": options}}}})

    with pytest.raises(ConfigurationError, match=message):
        plan_recommendations(config.enrichments, schema_of_articles())


def test_a_collection_is_recommended_once() -> None:
    twice = {name: {"builtin": "recommendations", "options": OPTIONS} for name in ("offers", "others")}
    config = Config.model_validate({"enrichments": {"articles": twice}})

    with pytest.raises(ConfigurationError, match="offers and others"):
        plan_recommendations(config.enrichments, schema_of_articles())


def test_a_weight_that_is_no_number_is_told_with_its_place(tmp_path: Path) -> None:
    options = {**OPTIONS, "interactions": {**OPTIONS["interactions"], "weight": "kind", "segment": "kind"}}
    config = Config.model_validate({"enrichments": {"articles": {"recommendations": {"options": options}}}})
    (plan,) = plan_recommendations(config.enrichments, schema_of_articles())
    row = {"id": 9, "article": 1, "at": NOW.isoformat(), "kind": "much"}
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json={"data": [row]}))
    with DirectusClient("http://directus", "token", transport=transport) as client:
        recommender = Recommender(
            client=client, plan=plan, records=RecordStore(LocalStorage(tmp_path), EnrichmentRecord), vectors={}
        )

        with pytest.raises(BadInput, match="interaction 9 of visits has 'much' in 'kind'"):
            recommender.recompute(now=NOW)


def schema_of_articles() -> ProjectSchema:
    names = {
        "articles": ["title"],
        "visits": ["article", "at", "kind"],
        "offers": ["segment", "article", "rank", "score", "reason"],
    }
    return ProjectSchema(
        tuple(
            CollectionSchema(name=name, fields=tuple(FieldSchema(name=own, type="string") for own in ["id", *fields]))
            for name, fields in names.items()
        )
    )
