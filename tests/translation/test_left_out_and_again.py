"""The traces of runs, clicks and failures, on the real Directus."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds
from directus_assets.orchestration.buttons.clicks import Button, Click, notification
from directus_assets.orchestration.buttons.outcome import find_outcome
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.reconcile.compare import Comparison
from directus_assets.orchestration.runs.history import data_version, latest_records
from directus_assets.orchestration.runs.report import LEFT_OUT
from directus_assets.run_tags import BUTTON_TAG, CLICK_TAG, FIELD_TAG
from directus_assets.settings import Config
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI, answer_right, unauthorized

pytestmark = pytest.mark.integration

NAMES = Names()
PUBLISHED = {"collections": {"posts": {"filter": {"status": {"_eq": "published"}}}}}
CONFIG: dict[str, Any] = {"translations": {"languages": ["de-DE"], **PUBLISHED}}
GERMAN = NAMES.translation("posts", "de-DE")


@pytest.fixture
def pipeline(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    create_bot(studio, token=directus.bot_token, config=Config.model_validate(CONFIG))
    with Pipeline(directus, server, tmp_path, CONFIG) as pipeline:
        pipeline.tick()
        yield pipeline


def write(studio: DirectusClient, title: str, status: str = "published") -> str:
    row = {"languages_code": "en-US", "title": title}
    return str(studio.post("/items/posts", {"status": status, "translations": [row]})["id"])


def statuses(pipeline: Pipeline, *keys: str) -> dict[str, str]:
    definition = dg.DynamicPartitionsDefinition(name="directus_posts")
    found = pipeline.instance.get_status_by_partition(GERMAN, list(keys), definition) or {}
    return {key: status.value if (status := found.get(key)) else "" for key in keys}


def versions(pipeline: Pipeline, *keys: str) -> dict[str, str]:
    found = latest_records(pipeline.instance, {"de": GERMAN}, keys)
    return {key: data_version(record) for (_, key), record in found.items()}


def german(studio: DirectusClient, key: str) -> dict[str, Any]:
    condition = {"posts_id": {"_eq": key}, "languages_code": {"_eq": "de-DE"}}
    rows = studio.get("/items/posts_translations", filter=condition, limit=-1)
    return dict(rows[0]) if rows else {}


def test_a_run_over_drafts_ends_well_and_says_that_they_are_left_out(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    keys = [write(studio, "Bread"), write(studio, "Draft", "draft"), write(studio, "Rye")]
    # As a filter leaves them behind that was added later.
    pipeline.instance.add_dynamic_partitions("directus_posts", keys)

    run = pipeline.run_all(first=keys[0], last=keys[-1])

    assert run.success
    assert set(statuses(pipeline, *keys).values()) == {"MATERIALIZED"}
    assert versions(pipeline, *keys)[keys[1]] == LEFT_OUT
    draft = pipeline.made(keys[1], "de-DE")
    assert draft is not None
    assert draft.description == "Left out: the item does not match the filter of the YAML file."
    assert german(studio, keys[1]) == {}
    assert not any("Draft" in text for text in server.texts_sent)


def test_what_is_published_later_is_translated_then(pipeline: Pipeline, studio: DirectusClient) -> None:
    key = write(studio, "Draft", "draft")
    pipeline.instance.add_dynamic_partitions("directus_posts", [key])
    pipeline.run_all(first=key, last=key)
    pipeline.tick()

    studio.patch(f"/items/posts/{key}", {"status": "published"})
    pipeline.settle()

    assert german(studio, key)["title"]
    assert versions(pipeline, key)[key] != LEFT_OUT


def test_again_asks_anew_for_all_but_what_people_wrote(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    machine, human, draft = write(studio, "Bread"), write(studio, "Rye"), write(studio, "Draft", "draft")
    pipeline.settle()
    studio.patch(f"/items/posts_translations/{german(studio, human)['id']}", {"title": "Roggen, von Anna"})
    pipeline.settle()
    pipeline.instance.add_dynamic_partitions("directus_posts", [draft])
    server.asked.clear()

    click = Click(id="c", button=Button.TRANSLATE, collection="posts", keys=(machine, human, draft), user="anna")
    tags = {"dagster/asset_partition_range_start": machine, "dagster/asset_partition_range_end": draft}
    run = pipeline._run("posts", dg.RunRequest(tags={**tags, CLICK_TAG: click.id}))
    outcome = find_outcome(pipeline.instance, click)

    assert run.success
    assert server.texts_sent == ["Bread"]
    assert german(studio, human)["title"] == "Roggen, von Anna"
    assert outcome is not None
    told = notification(click, outcome)
    assert told["subject"] == "Translate again: 2 of 3 done, 1 left out"
    assert f"Texts that people wrote were kept: {human}." in str(told["message"])
    assert "The engine retranslated 1 segment." in str(told["message"])


def test_again_over_peoples_texts_only_says_that_nothing_was_sent(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    key = write(studio, "Rye")
    pipeline.settle()
    studio.patch(f"/items/posts_translations/{german(studio, key)['id']}", {"title": "Roggen, von Anna"})
    pipeline.settle()
    server.asked.clear()

    click = Click(id="d", button=Button.TRANSLATE, collection="posts", keys=(key,), user="anna")
    tags = {"dagster/asset_partition_range_start": key, "dagster/asset_partition_range_end": key}
    pipeline._run("posts", dg.RunRequest(tags={**tags, CLICK_TAG: click.id}))
    outcome = find_outcome(pipeline.instance, click)

    assert server.texts_sent == []
    assert outcome is not None
    assert "Nothing was sent to the engine" in str(notification(click, outcome)["message"])


@pytest.mark.parametrize(
    ("button", "field", "kept"),
    [
        (Button.ACCEPT, "", set()),
        (Button.ACCEPT, "title", {"summary"}),
        (Button.KEEP, "", {"title", "summary"}),
        (Button.TRANSLATE, "", {"title", "summary"}),
    ],
)
def test_a_review_is_settled_as_the_editor_says(
    pipeline: Pipeline, studio: DirectusClient, button: Button, field: str, kept: set[str]
) -> None:
    key = write(studio, "Rye")
    (source,) = studio.get("/items/posts_translations", filter={"posts_id": {"_eq": key}}, limit=-1)
    studio.patch(f"/items/posts_translations/{source['id']}", {"summary": "A loaf."})
    pipeline.settle()
    theirs = {"title": "Roggen, von Anna", "summary": "Ein Laib, von Anna."}
    studio.patch(f"/items/posts_translations/{german(studio, key)['id']}", theirs)
    pipeline.settle()
    now = {"title": "Wheat", "summary": "Two loaves."}
    studio.patch(f"/items/posts_translations/{source['id']}", now)
    pipeline.settle()

    click = Click(id=f"{button.value}{field}", button=button, collection="posts", keys=(key,), user="anna")
    tags = {"dagster/asset_partition_range_start": key, "dagster/asset_partition_range_end": key}
    more = {CLICK_TAG: click.id, BUTTON_TAG: button.value, **({FIELD_TAG: field} if field else {})}
    assert pipeline._run("posts", dg.RunRequest(tags={**tags, **more})).success

    found, made, outcome = german(studio, key), pipeline.made(key, "de-DE"), find_outcome(pipeline.instance, click)
    assert made
    assert outcome
    ours = {name: pseudo(text, target=language("de-DE")) for name, text in now.items()}
    assert {name: found[name] for name in now} == {name: (theirs if name in kept else ours)[name] for name in now}
    # What is accepted was translated, and paid for, when it was proposed.
    assert bool(outcome.sent) == (button is Button.TRANSLATE)
    assert ("needs_review" in made.metadata) == (bool(field) or button is Button.TRANSLATE)


def test_one_field_is_translated_anew_and_the_others_are_not(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    key = write(studio, "Rye")
    (source,) = studio.get("/items/posts_translations", filter={"posts_id": {"_eq": key}}, limit=-1)
    studio.patch(f"/items/posts_translations/{source['id']}", {"summary": "A loaf."})
    pipeline.settle()
    server.asked.clear()

    tags = {"dagster/asset_partition_range_start": key, "dagster/asset_partition_range_end": key}
    pipeline._run("posts", dg.RunRequest(tags={**tags, CLICK_TAG: "f", FIELD_TAG: "summary"}))

    assert server.texts_sent == ["A loaf."]


@pytest.mark.parametrize("by", ["tick", "reconcile"])
def test_a_failure_whose_cause_has_gone_is_no_failure_any_more(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI, by: str
) -> None:
    key = write(studio, "Bread")
    pipeline.settle()
    original = studio.get("/items/posts_translations", filter={"posts_id": {"_eq": key}}, limit=-1)
    (source,) = (row for row in original if row["languages_code"] == "en-US")
    server.always(unauthorized)
    studio.patch(f"/items/posts_translations/{source['id']}", {"title": "Worse"})
    pipeline.settle()
    assert statuses(pipeline, key) == {key: "FAILED"}
    made = versions(pipeline, key)

    server.always(answer_right)
    studio.patch(f"/items/posts_translations/{source['id']}", {"title": "Bread"})
    if by == "tick":
        assert pipeline.tick() == []
    else:
        _compare(pipeline, key)

    assert statuses(pipeline, key) == {key: "MATERIALIZED"}
    assert versions(pipeline, key) == made


def _compare(pipeline: Pipeline, key: str) -> None:
    snapshot = take_snapshot(pipeline.project.directus, pipeline.project.wanted)
    targets = {target.name: target for target in all_kinds(pipeline.project, snapshot)}
    target = targets["posts"]
    Comparison(
        instance=pipeline.instance,
        surveyor=target.survey(),
        source=target.source,
        waiting={output: frozenset() for output in target.assets},
        under_way=set(),
        repaired=set(),
        first_wait_seconds=600,
    ).compare([key])
