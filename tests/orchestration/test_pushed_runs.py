"""The sensor and the door's claims: nothing is done twice, and nothing is lost."""

import time
import uuid
from collections.abc import Iterator

import dagster as dg
import pytest

from directus_assets.directus.models import File
from directus_assets.door.claims import SECONDS, claim, claimed
from directus_assets.errors import BadInput
from directus_assets.images.plan import fingerprint
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.runs.history import try_metadata
from directus_assets.run_tags import PUSH, TRIGGER_TAG, range_tags
from tests.orchestration.scripted_project import ScriptedDirectus, materialize
from tests.orchestration.test_partition_sensor import CARD, HERO, Pipeline, ranges

STARTED = dg.DagsterRunStatus.STARTED


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
    tags = {TRIGGER_TAG: PUSH, **range_tags(key, key), **more}
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


def test_what_the_door_has_taken_is_left_to_it_for_a_moment(pipeline: Pipeline, directus: ScriptedDirectus) -> None:
    """Between the push and its run, nothing in Dagster says that one will come."""
    directus.upload("f1", "f2")
    claim(directus.memory, {"directus_files": ["f1"], "posts": ["f2"]})

    assert ranges(pipeline.tick()) == [("f2", "f2")]
    assert pipeline.state.pushed == ("f1",)


def test_what_a_door_that_was_killed_had_taken_is_found(pipeline: Pipeline, directus: ScriptedDirectus) -> None:
    directus.upload("f1")
    claim(directus.memory, {"directus_files": ["f1"]}, now=time.time() + SECONDS / 2)
    assert pipeline.tick() == []

    claim(directus.memory, {"directus_files": ["f1"]}, now=time.time() - SECONDS)

    assert ranges(pipeline.tick()) == [("f1", "f1")]
    assert pipeline.state.pushed == ()


def test_claims_end_and_a_clock_that_is_set_back_makes_none_that_lasts(directus: ScriptedDirectus) -> None:
    claim(directus.memory, {"posts": ["1"]}, now=100.0)
    claim(directus.memory, {"posts": ["2"]}, now=104.0)

    assert claimed(directus.memory, "posts", ["1", "2", "3"], now=107.9) == {"1", "2"}
    assert claimed(directus.memory, "posts", ["1", "2"], now=108.1) == {"2"}
    assert claimed(directus.memory, "posts", ["1", "2"], now=10.0) == set()
    assert claimed(directus.memory, "pages", ["1"], now=101.0) == set()


def test_pushed_runs_of_other_jobs_count_for_nothing(
    pipeline: Pipeline, instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1")
    tags = {TRIGGER_TAG: PUSH, **range_tags("f1", "f1")}
    instance.add_run(dg.DagsterRun(job_name="translate_posts", run_id=str(uuid.uuid4()), status=STARTED, tags=tags))

    assert ranges(pipeline.tick()) == [("f1", "f1")]


def test_a_pushed_batch_covers_all_that_lies_between_its_ends(
    pipeline: Pipeline, instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", "f2", "f3", "f4")
    instance.add_dynamic_partitions("directus_files", ["f1", "f2", "f3", "f4"])
    push(instance, "f1", **range_tags("f1", "f3"))

    assert ranges(pipeline.tick()) == [("f4", "f4")]
    assert pipeline.state.pushed == ("f1", "f2", "f3")
