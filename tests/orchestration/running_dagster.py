"""A small Dagster of its own, with the warm launcher: webserver, daemon and a code location without Directus."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dagster as dg
import httpx

import directus_assets
from bench.processes import tree
from directus_assets.fast.launcher import WORKER_TAG
from directus_assets.fast.worker import Worker
from directus_assets.local.server import free_port

PATIENCE_SECONDS = 240

_INSTANCE = """\
telemetry: {enabled: false}
nux: {enabled: false}
run_launcher:
  module: directus_assets.fast.launcher
  class: WarmRunLauncher
run_monitoring: {enabled: true, poll_interval_seconds: 2}
run_retries: {enabled: true, max_retries: 1, retry_on_asset_or_op_failure: false}
"""

QUEUE = "run_queue: {dequeue_interval_seconds: 1}\n"

_DEFINITIONS = """\
import pathlib
import sys
import time

import dagster as dg

HERE = pathlib.Path(__file__).parent

@dg.op
def say():
    print("said WORD on stdout", flush=True)
    print("said WORD on stderr", file=sys.stderr, flush=True)

@dg.op
def wait(context):
    (HERE / context.run_id).touch()
    if not context.run.parent_run_id:
        while not (HERE / "go").exists():
            time.sleep(0.05)

@dg.job
def saying():
    say()

@dg.job
def waiting():
    wait()

defs = dg.Definitions(jobs=[saying, waiting], executor=dg.in_process_executor)
"""

_LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
_RELOAD = """
mutation { reloadRepositoryLocation(repositoryLocationName: "here") { __typename } }
"""
_TERMINATE = """
mutation Terminate($id: String!) { terminateRun(runId: $id) { __typename } }
"""


class RunningDagster:
    """`dagster dev` in a folder of its own; entering the block starts it, leaving it stops it.

    `queue` is the part of its `dagster.yaml` that says how runs wait.
    """

    def __init__(self, folder: Path, *, queue: str = QUEUE) -> None:
        self._queue = queue
        self.folder = folder
        self.home = folder / "home"
        self.package = folder / "package" / directus_assets.__name__
        """The copy of our package that it runs."""
        self.url = f"http://127.0.0.1:{free_port(0)}"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.home.mkdir()
        shutil.copytree(directus_assets.__path__[0], self.package)
        (self.home / "dagster.yaml").write_text(_INSTANCE + self._queue)
        self.define("one")
        # Two processes that make Dagster's tables at the same time leave them broken.
        self.instance = self._stack.enter_context(dg.DagsterInstance.from_config(str(self.home)))
        assert (self.instance.get_runs(), self.instance.all_instigator_state()) == ([], [])
        self.instance.get_dynamic_partitions("none")
        log = self._stack.enter_context((self.folder / "log").open("ab"))
        (self.folder / "workspace.yaml").write_text(
            "load_from: [{python_file: {relative_path: definitions.py, location_name: here}}]"
        )
        command = ["dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", self.url.rpartition(":")[2]]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dagster", *command],
            cwd=self.folder,
            env={**os.environ, "DAGSTER_HOME": str(self.home), "PYTHONPATH": str(self.package.parent)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self._stack.callback(self._stop)
        try:
            wait_until(self._answers)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        """The process id of `dagster dev`."""
        return self._process.pid

    def define(self, word: str) -> None:
        """Write the definitions, in which the job `saying` says this word."""
        (self.folder / "definitions.py").write_text(_DEFINITIONS.replace("WORD", word))

    def reload(self) -> None:
        """Reload the code location."""
        self._ask(_RELOAD)

    def launch(self, job: str, **tags: str) -> str:
        """Launch a run with our tags; return its id."""
        where = {"repositoryLocationName": "here", "repositoryName": "__repository__", "pipelineName": job}
        metadata = {"tags": [{"key": f"directus_assets/{name}", "value": value} for name, value in tags.items()]}
        parameters = {"selector": where, "mode": "default", "executionMetadata": metadata}
        answer = self._ask(_LAUNCH, parameters=parameters)["launchRun"]
        return str(answer["run"]["runId"])

    def terminate(self, run_id: str) -> str:
        """Terminate a run as the UI does; return the type of the response."""
        return str(self._ask(_TERMINATE, id=run_id)["terminateRun"]["__typename"])

    def ended(self, run_id: str) -> dg.DagsterRun:
        """Wait for a run to end, and return it."""
        wait_until(lambda: self.run(run_id).is_finished)
        return self.run(run_id)

    def run(self, run_id: str) -> dg.DagsterRun:
        """The current state of the run."""
        run = self.instance.get_run_by_id(run_id)
        assert run
        return run

    def waiting(self, run_id: str) -> Worker:
        """The worker of a run of the job `waiting`, once it has reached the waiting point."""
        wait_until((self.folder / run_id).exists)
        worker = Worker.parse(self.run(run_id).tags[WORKER_TAG])
        assert worker
        return worker

    def let_go(self) -> None:
        """Release all waiting runs."""
        (self.folder / "go").touch()

    def processes(self, command: str) -> list[int]:
        """The processes of this Dagster whose command line contains this text."""
        return [pid for pid in tree(self._process.pid) if command in _command(pid)]

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self.folder / "log").read_text()
        with suppress(httpx.TransportError, ValueError, KeyError):
            nodes = self._ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
            return bool(nodes["repositoriesOrError"]["nodes"])
        return False

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as http:
            answer = http.post("/graphql", json={"query": query, "variables": variables}).json()
        data: dict[str, Any] = answer["data"]
        return data

    def _stop(self) -> None:
        self.let_go()
        for number, seconds in ((signal.SIGINT, 30), (signal.SIGKILL, 30)):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Poll until a condition holds; fail if it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "It did not come to that."
        time.sleep(0.1)


def is_running(pid: int) -> bool:
    """Whether a process with this id exists and is not a zombie."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""
