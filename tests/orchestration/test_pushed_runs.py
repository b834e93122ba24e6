"""The sensor and runs that Directus itself started."""

import uuid
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from directus_assets.directus.models import File
from directus_assets.errors import BadInput
from directus_assets.images.plan import fingerprint
from directus_assets.orchestration.names import PROJECT_TAG, Names
from directus_assets.orchestration.runs.history import try_metadata
from directus_assets.orchestration.runs.tags import ITEM_TAG, PUSH, TRIGGER_TAG, range_tags
from directus_assets.orchestration.sensors.pushed import items_at_work
from tests.orchestration.scripted_project import ScriptedDirectus, materialize
from tests.orchestration.test_partition_sensor import CARD, HERO, Pipeline, ranges

QUEUED, STARTED = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def directus() -> ScriptedDirectus:
    return ScriptedDirectus()


@pytest.fixture
def pipeline(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> Pipeline:
    return Pipeline(instance, directus).started()


def push(instance: dg.DagsterInstance, key: str, **more: str) -> str:
    """A pushed run that is under way; its id."""
    run_id = str(uuid.uuid4())
    tags = {TRIGGER_TAG: PUSH, ITEM_TAG: f"directus_files/{key}", **range_tags(key, key), **more}
    instance.add_run(dg.DagsterRun(job_name="image_presets", run_id=run_id, status=STARTED, tags=tags))
    return run_id


def end(instance: dg.DagsterInstance, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    assert run
    instance.delete_run(run_id)
    instance.add_run(
        dg.DagsterRun(job_name=run.job_name, run_id=run_id, status=dg.DagsterRunStatus.SUCCESS, tags=run.tags)
    )


def test_an_upload_is_left_to_the_run_that_was_pushed_for_it(
    pipeline: Pipeline, instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1")
    run = push(instance, "f1")

    asked = [pipeline.tick(), pipeline.tick()]
    materialize(instance, directus, CARD, HERO)
    end(instance, run)
    asked += [pipeline.tick(), pipeline.tick()]

    assert asked == [[], [], [], []]
    assert pipeline.state.pushed == ()


def test_what_a_pushed_run_left_undone_is_asked_for_when_it_has_ended(
    pipeline: Pipeline, instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    """It may have read the row before the last change, whose own push was lost."""
    directus.upload("f1")
    run = push(instance, "f1")
    pipeline.tick()

    end(instance, run)

    assert ranges(pipeline.tick()) == [("f1", "f1")]


def test_a_change_while_a_pushed_run_is_at_work_is_not_lost(
    pipeline: Pipeline, instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1")
    run = push(instance, "f1")
    pipeline.tick()
    materialize(instance, directus, CARD, HERO)

    directus.change("f1", filesize=2000)
    assert pipeline.tick() == []
    end(instance, run)

    assert ranges(pipeline.tick()) == [("f1", "f1")]


def test_what_a_pushed_run_failed_at_for_good_is_not_tried_a_second_time(
    pipeline: Pipeline, instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1")
    run = push(instance, "f1")
    pipeline.tick()
    for preset in (CARD, HERO):
        tried = fingerprint(File.parse(directus.files["f1"]), preset)
        instance.report_runless_asset_event(
            dg.AssetObservation(
                Names().preset(preset.key),
                partition="f1",
                metadata={"failed": "broken", **try_metadata(BadInput("broken"), fingerprint=tried)},
            )
        )
    end(instance, run)

    assert pipeline.tick() == []
    directus.change("f1", filesize=2000)
    assert ranges(pipeline.tick()) == [("f1", "f1")]


class Queue:
    """An instance that deletes runs. (Dagster itself makes no queued run without a code location.)"""

    def __init__(self, runs: Iterable[Any], *, begun: str = "") -> None:
        self.runs = [run for run in runs if run.run_id != begun]
        self.deleted: list[str] = []

    def get_runs(self, filters: dg.RunsFilter) -> list[Any]:
        found = [run for run in self.runs if run.run_id in (filters.run_ids or ())]
        return [run for run in found if run.status in filters.statuses]

    def delete_run(self, run_id: str) -> None:
        self.deleted.append(run_id)


def pushed(key: str, *statuses: dg.DagsterRunStatus) -> list[Any]:
    return [SimpleNamespace(run_id=f"{key}-{status.value}", status=status) for status in statuses]


@pytest.mark.parametrize(
    ("runs", "stale", "left", "deleted"),
    [
        ({}, {"a"}, set(), []),
        ({"a": [QUEUED]}, {"a"}, {"a"}, []),
        ({"a": [STARTED], "b": [QUEUED]}, {"a", "b", "c"}, {"a", "b"}, []),
        ({"a": [QUEUED], "b": [QUEUED]}, {"a"}, {"a"}, []),
        ({"a": [QUEUED], "b": [QUEUED]}, {"a", "b"}, set(), ["a-QUEUED", "b-QUEUED"]),
        ({"a": [STARTED], "b": [QUEUED], "c": [QUEUED]}, {"a", "b", "c"}, {"a"}, ["b-QUEUED", "c-QUEUED"]),
        ({"a": [STARTED, QUEUED], "b": [QUEUED, QUEUED]}, {"a", "b"}, {"a", "b"}, []),
    ],
)
def test_a_burst_of_pushes_becomes_a_batch(
    runs: dict[str, list[dg.DagsterRunStatus]], stale: set[str], left: set[str], deleted: list[str]
) -> None:
    """Several that wait are taken out of the queue; one alone, or what has begun, is left."""
    found = {key: pushed(key, *statuses) for key, statuses in runs.items()}
    queue = Queue(run for some in found.values() for run in some)

    at_work = items_at_work(cast("dg.DagsterInstance", queue), found, stale)

    assert (at_work, sorted(queue.deleted)) == (left, deleted)


@pytest.mark.parametrize(("keys", "deleted"), [("abc", ["b-QUEUED", "c-QUEUED"]), ("ab", [])])
def test_a_pushed_run_that_has_begun_since_it_was_read_is_left(keys: str, deleted: list[str]) -> None:
    found = {key: pushed(key, QUEUED) for key in keys}
    queue = Queue((run for some in found.values() for run in some), begun="a-QUEUED")

    at_work = items_at_work(cast("dg.DagsterInstance", queue), found, set(keys))

    assert sorted(queue.deleted) == deleted
    assert at_work == ({"a"} if deleted else {"a", "b"})


def test_pushes_of_other_items_and_projects_count_for_nothing(
    pipeline: Pipeline, instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", "f2")
    push(instance, "f1", **{ITEM_TAG: "posts/f1"})
    push(instance, "f2", **{PROJECT_TAG: "shop"})

    assert ranges(pipeline.tick()) == [("f1", "f2")]
