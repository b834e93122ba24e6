import threading
import time
from collections.abc import Iterator

import dagster as dg
import pytest

from directus_assets.orchestration.alive import is_dead, signs_of_life
from directus_assets.orchestration.build import build_defs
from directus_assets.orchestration.runs_sensor import end_dead_runs
from directus_assets.settings import Environment, Settings, parse_config
from directus_assets.snapshot import Snapshot

CARD = dg.AssetKey(["image_presets", "card"])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def started(instance: dg.DagsterInstance, job: str = "image_presets", *, seconds_ago: float = 0) -> dg.DagsterRun:
    """A run that has started and given its last sign of life."""

    @dg.job(name=job)
    def empty() -> None: ...

    run = instance.create_run_for_job(empty)
    event = dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name=job)
    instance.report_dagster_event(event, run_id=run.run_id, timestamp=time.time() - seconds_ago)
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status.value


def test_a_run_that_has_been_silent_for_minutes_is_ended_as_failed(instance: dg.DagsterInstance) -> None:
    run = started(instance)

    dead = end_dead_runs(instance, jobs={"image_presets"}, assets=(), now=time.time() + 130)

    assert dead == [run.run_id]
    assert status(instance, run) == "FAILURE"


def test_a_run_that_gave_a_sign_of_life_is_left_alone(instance: dg.DagsterInstance) -> None:
    run = started(instance)

    assert end_dead_runs(instance, jobs={"image_presets"}, assets=(), now=time.time() + 90) == []

    assert status(instance, run) == "STARTED"


def test_runs_of_others_are_left_alone(instance: dg.DagsterInstance) -> None:
    run = started(instance, job="somebody_elses")

    assert end_dead_runs(instance, jobs={"image_presets"}, assets={CARD}, now=time.time() + 9000) == []

    assert status(instance, run) == "STARTED"


def test_dead_runs_of_all_our_jobs_are_ended(instance: dg.DagsterInstance) -> None:
    """That of a click among them, whose editor waits for an answer."""
    settings = Settings(environment=Environment.read({}), config=parse_config(""))
    defs = build_defs(settings, snapshot=Snapshot(rows={"storage_asset_presets": [{"key": "card", "width": 10}]}))
    jobs = {job.name for job in defs.jobs or ()}
    runs = {job: started(instance, job, seconds_ago=3600) for job in jobs}

    defs.resolve_sensor_def("directus_runs_sensor")(dg.build_sensor_context(instance=instance))

    assert jobs == {"directus_buttons", "directus_reconcile", "image_presets"}
    assert {job: status(instance, run) for job, run in runs.items()} == dict.fromkeys(jobs, "FAILURE")


def test_a_run_that_waits_for_its_next_try_is_not_dead() -> None:
    @dg.op
    def stubborn(context: dg.OpExecutionContext) -> None:
        if context.retry_number == 0:
            raise dg.RetryRequested(max_retries=1, seconds_to_wait=0.2)

    @dg.job(executor_def=dg.in_process_executor)
    def waiting() -> None:
        stubborn()

    with dg.DagsterInstance.ephemeral() as instance:
        result = waiting.execute_in_process(instance=instance)
        records = instance.get_records_for_run(result.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY).records
    event = records[0].event_log_entry

    assert not is_dead(event, now=event.timestamp + 120.1)
    assert is_dead(event, now=event.timestamp + 120.3)


def test_work_that_takes_long_gives_signs_of_life(instance: dg.DagsterInstance) -> None:
    @dg.op
    def slow(context: dg.OpExecutionContext) -> None:
        with signs_of_life(context.log, every_seconds=0.01):
            time.sleep(0.3)

    @dg.job(executor_def=dg.in_process_executor)
    def working() -> None:
        slow()

    result = working.execute_in_process(instance=instance)

    messages = [record.event_log_entry.user_message for record in instance.get_records_for_run(result.run_id).records]
    assert messages.count("Still at work.") >= 2
    assert not [thread for thread in threading.enumerate() if thread.name == "signs-of-life"]
