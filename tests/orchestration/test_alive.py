import threading
import time
from collections.abc import Collection, Iterator

import dagster as dg
import pytest

from directus_assets.orchestration.build import build_defs
from directus_assets.orchestration.runs.alive import Heartbeat, Silence, is_dead, signs_of_life
from directus_assets.orchestration.sensors.runs import end_dead_runs
from directus_assets.settings import Environment, Settings, parse_config
from directus_assets.snapshot import Snapshot

CARD = dg.AssetKey(["image_presets", "card"])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def started(instance: dg.DagsterInstance, job: str = "image_presets", *, at: float | None = None) -> dg.DagsterRun:
    """A run that has started and given its last sign of life.

    Args:
        instance: where.
        job: its name.
        at: when, by the clock of its worker; now by default.
    """

    @dg.job(name=job)
    def empty() -> None: ...

    run = instance.create_run_for_job(empty)
    event = dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name=job)
    instance.report_dagster_event(event, run_id=run.run_id, timestamp=time.time() if at is None else at)
    return run


def look(instance: dg.DagsterInstance, *times: float, jobs: Collection[str] = ("image_presets",)) -> list[list[str]]:
    """The runs that each tick ends; the ticks are at these times of its clock."""
    watch, ended = Heartbeat(), []
    for now in times:
        dead, watch = end_dead_runs(instance, watch, jobs=jobs, assets={CARD}, now=now)
        watch = Heartbeat.model_validate_json(watch.model_dump_json())
        ended.append(dead)
    return ended


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status.value


def test_a_run_that_has_been_silent_for_minutes_is_ended_as_failed(instance: dg.DagsterInstance) -> None:
    run = started(instance)

    assert look(instance, *range(1000, 1121, 30)) == [[]] * 5
    assert look(instance, *range(1000, 1151, 30)) == [*[[]] * 5, [run.run_id]]

    assert status(instance, run) == "FAILURE"


def test_a_run_that_gave_a_sign_of_life_is_left_alone(instance: dg.DagsterInstance) -> None:
    run = started(instance)
    dead, watch = end_dead_runs(instance, Heartbeat(), jobs={"image_presets"}, assets=(), now=1000)
    for now in range(1030, 2000, 30):
        if now % 120 == 40:
            instance.report_engine_event("Still running.", run)
        dead, watch = end_dead_runs(instance, watch, jobs={"image_presets"}, assets=(), now=now)
        assert dead == []

    assert status(instance, run) == "STARTED"


def test_a_machine_that_was_asleep_ends_no_run(instance: dg.DagsterInstance) -> None:
    run = started(instance)

    assert look(instance, 1000, 1030, 90_000, 90_005) == [[], [], [], []]

    assert status(instance, run) == "STARTED"


def test_after_a_sleep_a_dead_run_is_found_all_the_same(instance: dg.DagsterInstance) -> None:
    run = started(instance)

    assert look(instance, 1000, 90_000, 90_030, 90_060, 90_090)[-1] == [run.run_id]


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_the_clock_of_the_workers_machine_decides_nothing(instance: dg.DagsterInstance, hours: int) -> None:
    run = started(instance, at=time.time() + 3600 * hours)
    now = time.time()

    assert look(instance, now, now + 30, now + 60) == [[], [], []]
    assert look(instance, *(now + 30 * count for count in range(6)))[-1] == [run.run_id]


def test_a_clock_that_is_put_back_makes_nothing_dead(instance: dg.DagsterInstance) -> None:
    started(instance)

    assert look(instance, 10_000, 10_030, 10_060, 3000, 3030) == [[]] * 5


def test_runs_of_others_are_left_alone(instance: dg.DagsterInstance) -> None:
    run = started(instance, job="somebody_elses")

    assert look(instance, *range(0, 3000, 30)) == [[]] * 100

    assert status(instance, run) == "STARTED"


def test_dead_runs_of_all_our_jobs_are_ended(instance: dg.DagsterInstance) -> None:
    """That of a click among them, whose editor waits for an answer."""
    settings = Settings(environment=Environment.read({}), config=parse_config(""))
    defs = build_defs(settings, snapshot=Snapshot(rows={"storage_asset_presets": [{"key": "card", "width": 10}]}))
    jobs = {job.name for job in defs.jobs or ()}
    runs = {job: started(instance, job) for job in jobs}
    watch = Heartbeat(looked_at=time.time() - 30)
    for run in runs.values():
        (latest,) = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
        watch.runs[run.run_id] = Silence(event=latest.storage_id, seconds=100)

    with dg.build_sensor_context(instance=instance, cursor=watch.model_dump_json()) as context:
        defs.resolve_sensor_def("directus_runs_sensor")(context)

    assert jobs == {"directus_buttons", "directus_reconcile", "image_presets"}
    assert {job: status(instance, run) for job, run in runs.items()} == dict.fromkeys(jobs, "FAILURE")


def test_the_sensor_remembers_what_it_saw_and_takes_any_cursor(instance: dg.DagsterInstance) -> None:
    settings = Settings(environment=Environment.read({}), config=parse_config(""))
    sensor = build_defs(settings, snapshot=Snapshot()).resolve_sensor_def("directus_runs_sensor")
    run = started(instance, job="directus_reconcile")

    with dg.build_sensor_context(instance=instance, cursor="by hand") as context:
        sensor(context)

        assert Heartbeat.model_validate_json(context.cursor or "").runs[run.run_id].seconds == 0
    assert status(instance, run) == "STARTED"


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

    assert not is_dead(event, silent_seconds=120.1)
    assert is_dead(event, silent_seconds=120.3)


def test_work_that_takes_long_gives_signs_of_life(instance: dg.DagsterInstance) -> None:
    def signs(run_id: str) -> int:
        records = instance.get_records_for_run(run_id).records
        return [record.event_log_entry.user_message for record in records].count("Still running.")

    @dg.op
    def slow(context: dg.OpExecutionContext) -> None:
        deadline = time.monotonic() + 60
        with signs_of_life(context.log, every_seconds=0.01):
            while signs(context.run_id) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)

    @dg.job(executor_def=dg.in_process_executor)
    def working() -> None:
        slow()

    result = working.execute_in_process(instance=instance)

    assert signs(result.run_id) >= 2
    assert not [thread for thread in threading.enumerate() if thread.name == "signs-of-life"]
