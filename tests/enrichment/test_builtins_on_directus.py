"""Each built-in through creation, edits, human edits and quiet ticks, on the real Directus with a scripted model.

One scenario for all of them, run once per module; the tests then check what each built-in made of it.
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from PIL import Image

from directus_assets.directus.client import DirectusClient
from directus_assets.images.plan import fingerprint
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.runs.history import fingerprints
from directus_assets.settings import Config
from tests.enrichment.conftest import create, fields
from tests.enrichment.conftest import field as column
from tests.enrichment.pipeline import EnrichmentPipeline
from tests.translation.pipeline import NAMES
from tests.translation.scripted_openai import Asked, Reply, ScriptedOpenAI, completion

pytestmark = pytest.mark.integration

FILES = "directus_files"
MODERATION: dict[str, Any] = {"options": {"role": "Moderators"}}
CONFIG: Mapping[str, Any] = {
    "images": {"presets": {}},
    "translations": {
        "prices": {
            "tiny": {"input": 1000, "output": 1000},
            "small": {"input": 1000},
        }
    },
    "enrichments": {
        "articles": {
            **{name: {} for name in ("seo", "summary", "analysis", "entities")},
            "entities": {"options": {"collection": "people"}},
            "tags": {"options": {"collection": "topics_list"}},
            "categories": {"targets": {"category": "category"}},
            "text_moderation": {**MODERATION, "options": {**MODERATION["options"], "also": "draft"}},
            "related": {"model": "small", "options": {"count": 2, "least": -1}},
        },
        FILES: {"alt_text": {}, "focal_point": {}, "image_moderation": MODERATION},
    },
}
CONFIG["enrichments"]["articles"]["text_moderation"]["targets"] = {"also": "status"}

ANSWERS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "seo": (
        {"title": "Boats of wood", "description": "How boats of wood are made.", "keywords": ["boats", "wood"]},
        {"title": "Boats of steel", "description": "How boats of steel are made.", "keywords": ["boats", "steel"]},
    ),
    "summary": ({"summary": "On boats."}, {"summary": "On ships."}),
    "analysis": (
        {"sentiment": "positive", "sentiment_score": 0.5, "topics": ["boats"], "keywords": ["wood"]},
        {"sentiment": "negative", "sentiment_score": -0.5, "topics": ["ships"], "keywords": ["steel"]},
    ),
    "entities": (
        {"entities": [{"name": "Ada Bo", "type": "person", "item": "Ada Bo"}], "relations": []},
        {
            "entities": [{"name": "Quay", "type": "place", "item": None}],
            "relations": [{"subject": "Ada Bo", "relation": "works at", "object": "Quay"}],
        },
    ),
    "tags": ({"tags": ["Sea"], "proposals": ["Wood"]}, {"tags": ["Sea", "Food"], "proposals": []}),
    "categories": (
        {"categories": ["News"], "proposals": []},
        {"categories": ["Guides"], "proposals": []},
    ),
    "text_moderation": ({"scores": {"hate": 0.9}}, {"scores": {"hate": 0.95}}),
    "alt_text": ({"alt_text": "An orange square."}, {"alt_text": "A blue square."}),
    "focal_point": ({"x": 0.25, "y": 0.5}, {"x": 0.75, "y": 1}),
    "image_moderation": ({"scores": {"violence": 0.8}}, {"scores": {"violence": 0.85}}),
}
"""What the model says of the first content, and of the second."""

WRITTEN: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "seo": (
        {
            "seo_title": "Boats of wood",
            "seo_description": "How boats of wood are made.",
            "seo_keywords": ["boats", "wood"],
        },
        {"seo_title": "Boats of steel", "seo_description": "How boats of steel are made."},
    ),
    "summary": ({"summary": "On boats."}, {"summary": "On ships."}),
    "analysis": (
        {"sentiment": "positive", "sentiment_score": 0.5, "topics": ["boats"], "keywords": ["wood"]},
        {"sentiment": "negative", "sentiment_score": -0.5, "topics": ["ships"], "keywords": ["steel"]},
    ),
    "entities": (
        {"entities": [{"name": "Ada Bo", "type": "person", "item": "Ada Bo"}]},
        {"entities": [{"name": "Quay", "type": "place", "item": None}]},
    ),
    "tags": ({"tags": ["Sea"], "tag_proposals": ["Wood"]}, {"tags": ["Sea", "Food"]}),
    "categories": ({"category": "News"}, {"category": "Guides"}),
    "text_moderation": (
        {"flagged": True, "moderation_status": "needs_review", "status": "draft"},
        {"flagged": True, "moderation_status": "needs_review", "status": "draft"},
    ),
    "alt_text": ({"description": "An orange square."}, {"description": "A blue square."}),
    "focal_point": ({"focal_point_x": 100, "focal_point_y": 100}, {"focal_point_x": 300, "focal_point_y": 199}),
    "image_moderation": ({"flagged": True}, {"flagged": True}),
}
"""What is in Directus after each."""

BY_HAND: Mapping[str, dict[str, Any]] = {
    "seo": {"seo_title": "By hand"},
    "summary": {"summary": "By hand"},
    "analysis": {"topics": ["by hand"]},
    "entities": {"entities": [{"name": "By hand", "type": "other"}]},
    "tags": {"tags": ["By hand"]},
    "categories": {"category": "By hand"},
    "alt_text": {"description": "By hand"},
    "focal_point": {"focal_point_x": 7, "focal_point_y": 9},
}
"""What an editor puts into a field, which then stays."""

TEXTUAL = [name for name in WRITTEN if name not in CONFIG["enrichments"][FILES]]


class Model:
    """Answers according to the requested schema; embeds a text by its words."""

    def __init__(self) -> None:
        self.turn = 0

    def __call__(self, asked: Asked) -> Reply:
        if "input" in asked.body:
            return _vectors(asked)
        wanted = asked.body["response_format"]["json_schema"]["schema"]["properties"]
        for answers in ANSWERS.values():
            answer = answers[self.turn]
            if set(answer) == set(wanted) and (
                "scores" not in answer or answer["scores"].keys() <= wanted["scores"]["properties"].keys()
            ):
                if "scores" in answer:
                    others = dict.fromkeys(wanted["scores"]["properties"], 0.0)
                    return completion(asked, json.dumps({"scores": {**others, **self._scores(asked, others)}}))
                return completion(asked, json.dumps(answer))
        raise AssertionError(f"Nobody knows what to say of {sorted(wanted)}.")

    def _scores(self, asked: Asked, known: Mapping[str, float]) -> dict[str, float]:
        if "peace" in asked.prompt:
            return {}
        return {"hate" if "hate" in known and not asked.picture else "violence": 0.9}


def _vectors(asked: Asked) -> Reply:
    rows = [
        {
            "object": "embedding",
            "index": at,
            "embedding": [float("boat" in text), float("bread" in text), 0.1 * len(text) % 1 + 0.01],
        }
        for at, text in enumerate(asked.body["input"])
    ]
    usage = {"prompt_tokens": 5 * len(rows), "total_tokens": 5 * len(rows)}
    return Reply(body=json.dumps({"object": "list", "model": "small", "data": rows, "usage": usage}))


@dataclass
class Story:
    """The content after each chapter, by collection."""

    created: dict[str, dict[str, Any]] = field(default_factory=dict)
    edited: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_hand: dict[str, dict[str, Any]] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    spent: float = 0
    asked_when_quiet: int = 0
    runs_when_quiet: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture(scope="module")
def studio(empty_directus: LocalDirectus) -> Iterator[DirectusClient]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as client:
        targets = fields(
            seo_title="string", seo_description="text", seo_keywords="json", summary="text", sentiment="string",
            sentiment_score="float", topics="json", keywords="json", entities="json", relations="json", tags="json",
            tag_proposals="json", moderation="json", flagged="boolean", moderation_status="string", status="string",
            related="json",
        )  # fmt: skip
        choices = [{"text": name, "value": name} for name in ("News", "Guides")]
        category = column("category", "string", interface="select-dropdown", options={"choices": choices})
        create(client, "articles", *fields(title="string", body="text"), *targets, category)
        for collection in ("people", "topics_list"):
            create(client, collection, *fields(name="string"))
        client.post("/items/people", [{"name": "Ada Bo"}])
        client.post("/items/topics_list", [{"name": "Sea"}, {"name": "Food"}])
        for own in fields(flagged="boolean", moderation="json"):
            client.post(f"/fields/{FILES}", own)
        preset = {"key": "square", "fit": "cover", "width": 50, "height": 50, "format": "webp"}
        client.patch("/settings", {"storage_asset_presets": [preset]})
        create_bot(client, token=empty_directus.bot_token, config=Config.model_validate(CONFIG))
        role = client.post("/roles", {"name": "Moderators"})
        client.post("/users", {"email": "mod@example.com", "password": "x" * 12, "role": role["id"]})
        yield client
        for name in ("flagged", "moderation"):
            client.delete(f"/fields/{FILES}/{name}")


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
def server(model: Model) -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        server.always(model)
        yield server


@pytest.fixture(scope="module")
def pipeline(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EnrichmentPipeline]:
    with EnrichmentPipeline(directus, server, tmp_path_factory.mktemp("state"), CONFIG) as pipeline:
        for collection in ("articles", "files"):
            assert pipeline.tick(collection) == []
        yield pipeline


def picture(colour: str, size: tuple[int, int] = (400, 200)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def settle(pipeline: EnrichmentPipeline) -> None:
    pipeline.settle("articles")
    pipeline.settle("files")


@pytest.fixture(scope="module")
def story(
    pipeline: EnrichmentPipeline, studio: DirectusClient, admin: httpx.Client, server: ScriptedOpenAI, model: Model
) -> Story:
    story = Story()
    # Other modules share this Directus, and what people were told in them is still there.
    earlier = [0, *(row["id"] for row in studio.get("/notifications", fields=["id"], limit=-1))]
    article = str(
        studio.post("/items/articles", {"title": "Boats", "body": "Ada Bo builds.", "status": "published"})["id"]
    )
    answer = admin.post("/files", files={"file": ("square.png", picture("orange"), "image/png")})
    file = str(answer.raise_for_status().json()["data"]["id"])

    def rows() -> dict[str, dict[str, Any]]:
        return {"articles": studio.get(f"/items/articles/{article}"), FILES: studio.get(f"/files/{file}")}

    settle(pipeline)
    story.created = rows()
    story.metadata = {
        name: pipeline.metadata(article if collection == "articles" else file, name, collection)
        for collection, names in CONFIG["enrichments"].items()
        for name in names
    }
    story.spent = float(pipeline.project.purse.spent_today())
    story.told = studio.get(
        "/notifications",
        fields=["subject", "message", "collection", "item"],
        filter={"id": {"_gt": max(earlier)}},
        limit=-1,
    )

    asked, runs = len(server.asked), pipeline.instance.get_runs_count()
    for _ in range(3):
        settle(pipeline)
    story.asked_when_quiet = len(server.asked) - asked
    story.runs_when_quiet = pipeline.instance.get_runs_count() - runs

    model.turn = 1
    studio.patch(f"/items/articles/{article}", {"title": "Steel ships"})
    admin.patch(f"/files/{file}", files={"file": ("square.png", picture("blue"), "image/png")}).raise_for_status()
    settle(pipeline)
    story.edited = rows()

    model.turn = 0
    by_hand = {name: BY_HAND[name] for name in BY_HAND}
    studio.patch(f"/items/articles/{article}", {k: v for n in by_hand if n in TEXTUAL for k, v in by_hand[n].items()})
    studio.patch(f"/files/{file}", {k: v for n in by_hand if n not in TEXTUAL for k, v in by_hand[n].items()})
    settle(pipeline)
    studio.patch(f"/items/articles/{article}", {"title": "Boats again"})
    admin.patch(f"/files/{file}", files={"file": ("square.png", picture("green"), "image/png")}).raise_for_status()
    settle(pipeline)
    story.by_hand = rows()
    return story


def of(name: str, chapter: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return chapter["articles" if name in TEXTUAL else FILES]


def part(row: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in expected}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_new_item_is_enriched(story: Story, name: str) -> None:
    assert part(of(name, story.created), WRITTEN[name][0]) == WRITTEN[name][0]


@pytest.mark.parametrize("name", WRITTEN)
def test_an_edit_is_followed(story: Story, name: str) -> None:
    assert part(of(name, story.edited), WRITTEN[name][1]) == WRITTEN[name][1]


@pytest.mark.parametrize("name", BY_HAND)
def test_what_an_editor_has_written_stays(story: Story, name: str) -> None:
    assert part(of(name, story.by_hand), BY_HAND[name]) == BY_HAND[name]


@pytest.mark.parametrize("name", [*WRITTEN, "related"])
def test_what_it_cost_is_on_the_partition(story: Story, name: str) -> None:
    told = story.metadata[name]

    assert told["engine"] == ("openai:small" if name == "related" else "openai:tiny")
    assert told["requests"] == 1
    assert told["cost"] == pytest.approx((told["input_tokens"] + told.get("output_tokens", 0)) / 1000)


def test_a_focal_point_that_was_found_renders_the_presets_that_use_it(
    story: Story, pipeline: EnrichmentPipeline, studio: DirectusClient, admin: httpx.Client
) -> None:
    answer = admin.post("/files", files={"file": ("wide.png", picture("teal", (800, 200)), "image/png")})
    file_id = str(answer.raise_for_status().json()["data"]["id"])

    settle(pipeline)

    (file,) = pipeline.project.directus.files_by_id([file_id])
    assert file.focal_point_x == 200
    (preset,) = pipeline.project.directus.project_settings().presets
    made = fingerprints(pipeline.instance, {preset.key: NAMES.preset(preset.key)}, [file_id])
    assert made == {(preset.key, file_id): fingerprint(file, preset)}


def test_all_costs_are_counted(story: Story) -> None:
    assert story.spent == pytest.approx(sum(told["cost"] for told in story.metadata.values()))


def test_a_steady_state_is_silent(story: Story) -> None:
    assert (story.asked_when_quiet, story.runs_when_quiet) == (0, 0)


def test_people_of_the_role_are_told_once_for_each_item(story: Story) -> None:
    assert sorted(told["collection"] for told in story.told) == ["articles", FILES]
    assert all("Clear the flag" in told["message"] for told in story.told)


def test_a_cleared_flag_does_not_come_back_for_the_same_content(
    story: Story,
    pipeline: EnrichmentPipeline,
    studio: DirectusClient,
    admin: httpx.Client,
) -> None:
    article = str(studio.post("/items/articles", {"title": "Insults", "status": "published"})["id"])
    answer = admin.post("/files", files={"file": ("fight.png", picture("red"), "image/png")})
    file = str(answer.raise_for_status().json()["data"]["id"])
    settle(pipeline)
    assert studio.get(f"/items/articles/{article}")["flagged"] is True
    assert studio.get(f"/files/{file}")["flagged"] is True

    studio.patch(
        f"/items/articles/{article}", {"flagged": False, "moderation_status": "approved", "status": "published"}
    )
    studio.patch(f"/files/{file}", {"flagged": False})
    settle(pipeline)
    assert pipeline.ask_again(article, "text_moderation", "articles").success
    assert pipeline.ask_again(file, "image_moderation", FILES).success

    row = studio.get(f"/items/articles/{article}")
    assert (row["flagged"], row["moderation_status"], row["status"]) == (False, "approved", "published")
    assert studio.get(f"/files/{file}")["flagged"] is False

    studio.patch(f"/items/articles/{article}", {"title": "Other insults"})
    settle(pipeline)
    row = studio.get(f"/items/articles/{article}")
    assert (row["flagged"], row["moderation_status"], row["status"]) == (True, "needs_review", "draft")


def test_clean_content_is_not_flagged_and_nobody_is_told(
    story: Story, pipeline: EnrichmentPipeline, studio: DirectusClient
) -> None:
    before = len(studio.get("/notifications", limit=-1))

    article = str(studio.post("/items/articles", {"title": "In peace", "status": "published"})["id"])
    settle(pipeline)

    row = studio.get(f"/items/articles/{article}")
    assert (row["flagged"], row["moderation_status"], row["status"]) == (False, None, "published")
    assert len(studio.get("/notifications", limit=-1)) == before


def test_a_new_related_item_updates_its_neighbours(
    story: Story, pipeline: EnrichmentPipeline, studio: DirectusClient
) -> None:
    made = studio.post("/items/articles", [{"title": title} for title in ("a boat", "one more boat", "some bread")])
    first, _, bread = (str(row["id"]) for row in made)
    settle(pipeline)

    other = str(studio.post("/items/articles", {"title": "much bread, peace"})["id"])
    settle(pipeline)

    def nearest(item: str) -> int:
        return int(studio.get(f"/items/articles/{item}")["related"][0]["item"])

    assert nearest(bread) == int(other)
    assert nearest(other) == int(bread)
    assert nearest(first) != int(other)
