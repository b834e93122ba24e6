"""Pushed runs under a real webserver and daemon, and the Dagster internals that their coordinator relies on."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import LaunchRunContext
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.run_coordinator import RunCoordinator, SubmitRunContext
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from directus_assets.fast.coordinator import AT_ONCE, FreshFirstCoordinator
from directus_assets.orchestration.runs.unfinished import UNFINISHED
from tests.orchestration.running_dagster import RunningDagster

_QUEUE = """\
run_coordinator:
  module: directus_assets.fast.coordinator
  class: FreshFirstCoordinator
  config: {dequeue_interval_seconds: 3}
concurrency: {runs: {max_concurrent_runs: 3}}
"""


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDagster]:
    with RunningDagster(tmp_path_factory.mktemp("dagster"), queue=_QUEUE) as running:
        yield running


@pytest.fixture(autouse=True)
def _nobody_goes_before_told(request: pytest.FixtureRequest) -> None:
    if "dagster" in request.fixturenames:
        (request.getfixturevalue("dagster").folder / "go").unlink(missing_ok=True)


def was_queued(dagster: RunningDagster, run_id: str) -> bool:
    return bool(dagster.instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_ENQUEUED))


@pytest.mark.parametrize("trigger", ["push", "change"])
def test_a_fresh_run_does_not_wait_in_the_queue(dagster: RunningDagster, trigger: str) -> None:
    fresh, other = dagster.launch("saying", trigger=trigger, item="files/1"), dagster.launch("saying")

    assert [dagster.ended(run).status for run in (fresh, other)] == [dg.DagsterRunStatus.SUCCESS] * 2
    assert not was_queued(dagster, fresh)
    assert was_queued(dagster, other)


def test_further_pushed_runs_wait_so_that_a_burst_becomes_a_batch(dagster: RunningDagster) -> None:
    runs = [dagster.launch("waiting", trigger="push", item=f"files/{number}") for number in range(AT_ONCE + 2)]

    assert [was_queued(dagster, run) for run in runs] == [False] * AT_ONCE + [True] * 2
    dagster.let_go()
    assert {dagster.ended(run).status for run in runs} == {dg.DagsterRunStatus.SUCCESS}


def test_no_two_runs_that_were_pushed_for_one_item_are_started_at_once(dagster: RunningDagster) -> None:
    first, second = (dagster.launch("waiting", trigger="push", item="files/1") for _ in range(2))

    assert [was_queued(dagster, run) for run in (first, second)] == [False, True]
    dagster.let_go()
    assert {dagster.ended(run).status for run in (first, second)} == {dg.DagsterRunStatus.SUCCESS}


def test_runs_of_changes_which_are_not_of_one_item_do_not_wait_for_each_other(dagster: RunningDagster) -> None:
    runs = [dagster.launch("waiting", trigger="change") for _ in range(AT_ONCE + 1)]

    assert [was_queued(dagster, run) for run in runs] == [False] * AT_ONCE + [True]
    dagster.let_go()
    assert {dagster.ended(run).status for run in runs} == {dg.DagsterRunStatus.SUCCESS}


def test_where_no_run_may_start_a_pushed_one_waits_too(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(_QUEUE.replace("max_concurrent_runs: 3", "max_concurrent_runs: 0"))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        coordinator = instance.run_coordinator
        assert isinstance(coordinator, FreshFirstCoordinator)

        assert not coordinator._has_room(dg.DagsterRun("job"))


@dg.job
def saying() -> None:
    """Nothing."""


class LauncherOutOfReach(dg.DefaultRunLauncher):
    """A launcher as during the replacement of a code server."""

    def launch_run(self, context: LaunchRunContext) -> None:
        raise ConnectionError("The code server is gone.")


def test_what_cannot_be_launched_at_once_waits_in_the_queue(tmp_path: Path) -> None:
    launcher = f"run_launcher: {{module: {__name__}, class: {LauncherOutOfReach.__name__}}}\n"
    (tmp_path / "dagster.yaml").write_text(_QUEUE + launcher)

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        job = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__"), "saying")
        tags = {"directus_assets/trigger": "change"}
        run = instance.create_run_for_job(
            saying,
            tags=tags,
            remote_job_origin=job,
            job_code_origin=dg.reconstructable(saying).get_python_origin(),
        )

        submitted = instance.run_coordinator.submit_run(SubmitRunContext(run, workspace=None))  # type: ignore[arg-type]

        assert submitted.status is dg.DagsterRunStatus.QUEUED


def test_its_settings_are_those_of_the_queue(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(_QUEUE)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.run_coordinator, dg.QueuedRunCoordinator)

        assert instance.run_coordinator.dequeue_interval_seconds == 3
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 3


def test_dagster_asks_a_coordinator_what_this_one_answers() -> None:
    assert list(inspect.signature(RunCoordinator.submit_run).parameters) == ["self", "context"]
    assert {"dagster_run", "workspace"} <= set(SubmitRunContext._fields)
    assert LaunchRunContext._fields[:2] == ("dagster_run", "workspace")


def test_the_runs_that_a_fresh_one_waits_for_are_those_whose_work_is_not_requested_again() -> None:
    # Dagster also counts suspended runs; ours are never suspended.
    assert {*NOT_FINISHED_STATUSES} == {*UNFINISHED, dg.DagsterRunStatus.SUSPENDED}
