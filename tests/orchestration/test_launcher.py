"""The warm launcher under a real daemon, and the Dagster internals that it relies on."""

import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import LaunchRunContext, RunLauncher

from bench.processes import tree
from directus_assets.fast.launcher import WORKER_TAG, WarmRunLauncher, _arguments
from directus_assets.fast.warm_process import __name__ as warm_process
from directus_assets.fast.worker import FORKED
from tests.chaos.services import parent_of
from tests.orchestration.running_dagster import RunningDagster, is_running, wait_until

_DAEMON = "dagster._daemon"


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDagster]:
    with RunningDagster(tmp_path_factory.mktemp("dagster")) as running:
        yield running


@pytest.fixture(autouse=True)
def _nobody_goes_before_told(request: pytest.FixtureRequest) -> None:
    if "dagster" in request.fixturenames:
        (request.getfixturevalue("dagster").folder / "go").unlink(missing_ok=True)


def test_a_run_works_and_its_output_is_kept(dagster: RunningDagster) -> None:
    run = dagster.ended(dagster.launch("saying"))

    assert run.status is dg.DagsterRunStatus.SUCCESS
    kept = dagster.home / "storage" / run.run_id / "compute_logs"
    assert "said one on stdout" in "".join(path.read_text() for path in kept.glob("*.out"))
    assert "said one on stderr" in "".join(path.read_text() for path in kept.glob("*.err"))


def test_runs_that_are_launched_at_once_are_forks_of_one_warm_process(dagster: RunningDagster) -> None:
    runs = [dagster.launch("waiting") for _ in range(4)]
    workers = [dagster.waiting(run) for run in runs]

    assert len({worker.pid for worker in workers}) == 4
    assert [parent_of(worker.pid) for worker in workers] == _warm(dagster) * 4
    assert [tree(worker.pid) for worker in workers] == [[worker.pid] for worker in workers], (
        "what is printed takes no process"
    )
    assert all(f"{FORKED}=1" in Path(f"/proc/{worker.pid}/environ").read_text().split("\0") for worker in workers)
    dagster.let_go()
    assert {dagster.ended(run).status for run in runs} == {dg.DagsterRunStatus.SUCCESS}


def test_a_worker_that_is_killed_is_noticed_and_its_run_tried_again(dagster: RunningDagster) -> None:
    run_id = dagster.launch("waiting")

    os.kill(dagster.waiting(run_id).pid, signal.SIGKILL)

    assert dagster.ended(run_id).status is dg.DagsterRunStatus.FAILURE
    wait_until(lambda: len(_runs_after(dagster, run_id)) == 1)
    again = dagster.ended(_runs_after(dagster, run_id)[0].run_id)
    assert again.status is dg.DagsterRunStatus.SUCCESS
    assert again.tags[WORKER_TAG] != dagster.run(run_id).tags[WORKER_TAG]


def test_a_warm_process_that_is_killed_is_started_again_and_its_runs_go_on(dagster: RunningDagster) -> None:
    in_hand = dagster.launch("waiting")
    worker = dagster.waiting(in_hand)
    (killed,) = _warm(dagster)

    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not is_running(killed))

    assert dagster.ended(dagster.launch("saying")).status is dg.DagsterRunStatus.SUCCESS
    (anew,) = _warm(dagster)
    assert anew != killed
    assert worker.is_alive
    dagster.let_go()
    assert dagster.ended(in_hand).status is dg.DagsterRunStatus.SUCCESS


def test_changed_definitions_are_seen_by_the_next_run(dagster: RunningDagster) -> None:
    dagster.ended(dagster.launch("saying"))
    warm = _warm(dagster)

    dagster.define("two")
    dagster.reload()
    run = dagster.ended(dagster.launch("saying"))

    kept = dagster.home / "storage" / run.run_id / "compute_logs"
    assert "said two on stdout" in "".join(path.read_text() for path in kept.glob("*.out"))
    assert _warm(dagster) == warm


def test_after_a_change_of_this_package_the_warm_process_is_started_anew(dagster: RunningDagster) -> None:
    dagster.ended(dagster.launch("saying"))
    warm = _warm(dagster)

    (dagster.package / "__init__.py").touch()

    assert dagster.ended(dagster.launch("saying")).status is dg.DagsterRunStatus.SUCCESS
    assert not set(_warm(dagster)) & set(warm)


def test_a_run_is_ended_from_the_ui(dagster: RunningDagster) -> None:
    run_id = dagster.launch("waiting")
    worker = dagster.waiting(run_id)

    answer = dagster.terminate(run_id)

    assert answer == "TerminateRunSuccess"
    assert dagster.ended(run_id).status is dg.DagsterRunStatus.CANCELED
    wait_until(lambda: not worker.is_alive)


def test_the_warm_process_ends_with_a_daemon_that_is_ended(tmp_path: Path) -> None:
    with RunningDagster(tmp_path) as dagster:
        dagster.ended(dagster.launch("saying"))
        (daemon,), (warm,) = dagster.processes(_DAEMON), _warm(dagster)

        # Not to its group, as Ctrl+C would: the warm process hears of it from nobody but the daemon.
        os.kill(dagster.pid, signal.SIGINT)

        wait_until(lambda: not is_running(daemon) and not is_running(warm))


def test_the_warm_process_ends_with_a_daemon_that_is_killed(tmp_path: Path) -> None:
    with RunningDagster(tmp_path) as dagster:
        in_hand = dagster.waiting(dagster.launch("waiting"))
        (daemon,), (warm,) = dagster.processes(_DAEMON), _warm(dagster)

        os.kill(daemon, signal.SIGKILL)

        wait_until(lambda: not is_running(daemon) and not is_running(warm))
        # What is in hand is finished, as with Dagster's own launcher, and then nothing is left.
        assert in_hand.is_alive
        dagster.let_go()
        wait_until(lambda: not in_hand.is_alive)


def test_code_that_is_not_installed_here_is_launched_as_dagster_does(dagster: RunningDagster) -> None:
    run = dagster.ended(dagster.launch("saying"))
    origin = run.job_code_origin
    assert origin
    code = origin.repository_origin
    elsewhere = origin._replace(repository_origin=code._replace(executable_path="/elsewhere/python"))
    contained = origin._replace(repository_origin=code._replace(container_image="image"))

    def command(run: dg.DagsterRun) -> list[str] | None:
        return _arguments(LaunchRunContext(dagster_run=run, workspace=None), dagster.instance)

    assert command(run) is not None
    assert command(run._replace(job_code_origin=elsewhere)) is None
    assert command(run._replace(job_code_origin=contained)) is None


def test_the_launcher_is_asked_what_dagster_asks() -> None:
    for name in ("launch_run", "terminate", "check_run_worker_health", "dispose"):
        ours = inspect.signature(getattr(WarmRunLauncher, name))
        theirs = inspect.signature(getattr(RunLauncher, name))
        assert list(ours.parameters) == list(theirs.parameters), name
    assert isinstance(RunLauncher.supports_check_run_worker_health, property)


def test_the_launcher_hides_nothing_of_dagsters_own() -> None:
    ours = {name for name in vars(WarmRunLauncher) if name.startswith("_") and callable(vars(WarmRunLauncher)[name])}
    attributes = vars(WarmRunLauncher()).keys() - vars(dg.DefaultRunLauncher()).keys()

    assert ours & set(dir(dg.DefaultRunLauncher)) == {"__init__"}
    assert attributes == {"_lock", "_process", "_control", "_code"}


def test_dagster_has_the_command_that_carries_out_a_run() -> None:
    command = [sys.executable, "-m", "dagster", "api", "execute_run", "--help"]

    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "INPUT_JSON" in shown


def _warm(dagster: RunningDagster) -> list[int]:
    """The warm process, as a list of one; its forks have its command line, too."""
    (daemon,) = dagster.processes(_DAEMON)
    return [pid for pid in dagster.processes(warm_process) if parent_of(pid) == daemon]


def _runs_after(dagster: RunningDagster, run_id: str) -> list[dg.DagsterRun]:
    return [run for run in dagster.instance.get_runs() if run.parent_run_id == run_id]
