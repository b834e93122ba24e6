"""A run launcher that forks each run from a process with everything imported, which saves seconds per run.

Enabled by one line of `dagster.yaml`; without it, Dagster's own launcher is used:

    run_launcher: {module: directus_assets.fast, class: WarmRunLauncher}

Everything that it uses beyond Dagster's public interface is in this module, and `tests/orchestration/test_launcher.py`
verifies it on the installed Dagster: the launcher interface (`dagster._core.launcher`), and the command that executes a
run (`dagster._grpc.types.ExecuteRunArgs`), which container launchers use as well.
"""

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClassData

from directus_assets.fast import forks, warm_process
from directus_assets.fast.worker import FORKED, Worker

WORKER_TAG = "directus_assets/worker"
"""The run tag that names its worker process, for monitoring from any process."""

# What more than one service imports, beyond the imports of runs: storage by default, and what communicates.
_SERVICES = (
    "dagster._core.storage.root",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.legacy_storage",
    "directus_assets.fast:BatchedSqliteStorage",
    "directus_assets.fast:BatchedPostgresStorage",
    "directus_assets.fast:FreshFirstCoordinator",
    "directus_assets.fast.launcher",
    "dagster._grpc.client",
    "dagster._grpc.server",
    "starlette.applications",
    "uvicorn",
)
# The imports observed in a run; each run imports missing ones itself, and modules that do not exist are skipped. The
# last two are ours: not the definitions, but what builds them, and what each run would otherwise read anew.
_LIBRARIES = (
    "dagster._cli",
    "dagster._core.executor.in_process",
    "dagster._core.execution.plan.active",
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "dagster._core.definitions.external_asset",
    "dagster._core.workspace.autodiscovery",
    "dagster._utils.test.definitions",
    "dagster._core.instance.factory",
    "upath.implementations.local",
    "httpx",
    "httpcore",
    "pydantic.dataclasses",
    "yaml",
    "numpy.typing",
    "PIL.Image",
    "pyvips",
    "blurhash",
    "pyromark",
    "langcodes",
    "babel",
    "directus_assets.orchestration.component",
    "directus_assets.orchestration.several",
    "directus_assets.fast.read_before",
)
_SINGLE_THREADED = {"OPENBLAS_NUM_THREADS": "1"}
"""Keeps libraries from starting threads on import, which forks would not inherit."""
RUNS_ELSEWHERE = "DIRECTUS_ASSETS_RUNS_ELSEWHERE"
"""Set in a process that lacks what runs need, such as the token: it launches none, and the daemon does."""
_START_SECONDS = 120.0
"""The time limit for importing everything on a busy machine."""
_END_SECONDS = 5.0

logger = logging.getLogger(__name__)


def prepare() -> None:
    """Have `forks.start` and the launcher fork from the state of this process, where that is possible."""
    os.environ.update(_SINGLE_THREADED | os.environ)
    forks.prepare_forks([*_LIBRARIES, *_SERVICES])


class WarmRunLauncher(dg.DefaultRunLauncher):
    """Forks runs from a warm process: under `directus-assets dev`, from the one that forks Dagster's services, too;
    otherwise from one which each process that launches runs (the daemon) starts on first use.

    Runs of code that is not installed here, such as that of a code server in another container, are launched in
    Dagster's default way. So are all runs if this is not Linux, or if the warm process does not start.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._code = 0

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a run's worker, and record on the run which process it is."""
        run_id = context.dagster_run.run_id
        arguments = _arguments(context, self._instance)
        if arguments is None:
            super().launch_run(context)
            return
        try:
            self._launch_warm(run_id, arguments)
        except OSError as error:
            logger.warning("The warm process does not start runs, so Dagster's own launcher does: %s", error)
            self._instance.add_run_tags(run_id, {WORKER_TAG: "none"})
            super().launch_run(context)

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run's worker; return False if it no longer exists."""
        run = self._instance.get_run_by_id(run_id) if self.has_instance else None
        worker = _worker_of(run) if run else None
        if run is None or worker is None:
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
        if run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if worker.interrupt():
            return True
        self._instance.report_engine_event(
            f"The process {worker.pid}, which carries out this run, has ended or is on another machine.", run
        )
        return False

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Lets the daemon's run monitoring find killed workers."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Check whether a run's worker is alive; unknown for a worker that Dagster's own launcher started."""
        worker = _worker_of(run)
        if worker is None or worker.is_alive:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND,
            f"The process {worker.pid}, which carried out this run, is gone: killed, or crashed.",
        )

    def dispose(self) -> None:
        """End the warm process. Its runs continue, as they do with Dagster's own launcher."""
        with self._lock:
            self._end()
        super().dispose()

    def _launch_warm(self, run_id: str, arguments: list[str]) -> None:
        order = {
            "run_id": run_id,
            "module": "dagster",
            "arguments": arguments,
            "variables": _SINGLE_THREADED | os.environ | {FORKED: "1"},
            "folder": str(Path.cwd()),
        }
        with self._fork() as conversation, conversation.makefile("rwb") as lines:
            lines.write(json.dumps(order).encode() + b"\n")
            lines.flush()
            worker = lines.readline().decode().strip()
            if Worker.parse(worker) is None:
                raise ConnectionError("A fork of it has ended at once.")
            # Before the run begins, so that no run ever lacks the tag.
            self._instance.add_run_tags(run_id, {WORKER_TAG: worker})
            lines.write(warm_process.GO)

    @contextmanager
    def _fork(self) -> Iterator[socket.socket]:
        """A connection to a new fork; closing it before the fork is told to proceed ends the fork."""
        try:
            connection = forks.connect()
        except OSError:
            connection = self._connect()
        with connection:
            yield connection

    def _connect(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.settimeout(_START_SECONDS)
        with theirs, self._lock:
            if self._process and self._process.poll() is not None:
                logger.warning("The warm process has ended (status %s); starting it again.", self._process.poll())
                self._end()
            if self._code != (code := forks.state_of_our_code()):
                self._end()
                self._code = code
            control = self._control or self._start()
            try:
                socket.send_fds(control, [b"f"], [theirs.fileno()])
            except OSError:
                self._end()
                ours.close()
                raise
        return ours

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                # Safe path: the daemon's working directory contains no libraries.
                [sys.executable, "-P", "-m", warm_process.__name__, *_LIBRARIES, *self._storage_classes()],
                stdin=theirs.fileno(),
                env=_SINGLE_THREADED | os.environ | {FORKED: "1"},
            )
        self._control = ours
        return ours

    def _storage_classes(self) -> list[str]:
        """The storage classes that `dagster.yaml` names, or Dagster's defaults: each run needs them."""
        named = (value for value in self._instance.get_ref() if isinstance(value, ConfigurableClassData))
        return sorted({f"{value.module_name}:{value.class_name}" for value in named})

    def _end(self) -> None:
        if self._control:
            self._control.close()
            self._control = None
        if self._process:
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                # It is importing, or has been stopped.
                self._process.kill()
                self._process.wait()
            self._process = None


def _worker_of(run: dg.DagsterRun) -> Worker | None:
    """The worker of a forked run.

    A retried run inherits the tags of its predecessor, so the tag has to name the run.
    """
    worker = Worker.parse(run.tags.get(WORKER_TAG, ""))
    return worker if worker and worker.run_id == run.run_id else None


def _arguments(context: LaunchRunContext, instance: dg.DagsterInstance) -> list[str] | None:
    """The `dagster` command line that executes a run; None if the code installed here cannot."""
    origin, remote = context.job_code_origin, context.dagster_run.remote_job_origin
    if sys.platform != "linux" or origin is None or remote is None or os.environ.get(RUNS_ELSEWHERE):
        return None
    code = origin.repository_origin
    host = getattr(remote.repository_origin.code_location_origin, "host", "localhost")
    if code.container_image or code.executable_path != sys.executable or host not in ("localhost", "127.0.0.1"):
        return None
    command = ExecuteRunArgs(
        job_origin=origin,
        run_id=context.dagster_run.run_id,
        instance_ref=instance.get_ref(),
        set_exit_code_on_failure=True,
    ).get_command_args()
    return [*command[command.index("api") :]]
