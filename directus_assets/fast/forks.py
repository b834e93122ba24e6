"""The services of `directus-assets dev`, forked from one process that has imported what they share: see `warm_process`.

Dagster starts webserver, daemon and code servers as processes that each import Dagster. Forked ones share that memory,
and start sooner. Beyond Dagster's public interface this uses `open_ipc_subprocess` in the modules of `_STARTING`, which
starts a `python -m` command like `subprocess.Popen`; `tests/orchestration/test_forks.py` verifies that on the installed
Dagster.

Whatever cannot be forked is started the way Dagster does it: with another version of Dagster, not on Linux, when the
process that forks is gone, or after a change to this package, whose earlier state that process has imported.
"""

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dagster_shared.ipc import open_ipc_subprocess

import directus_assets
from directus_assets.fast import is_tested, warm_process
from directus_assets.fast.worker import Worker

_STARTING = ("dagster._cli.dev", "dagster._grpc.server")
_STARTS = open_ipc_subprocess.__name__
_UNDERSTOOD = {"cwd", "env", "pass_fds"}
_FORK_SECONDS = 60.0
"""The time limit for a fork on a busy machine."""
_UNKNOWN = 1
"""The exit status of a process whose end nobody reports, since the process that forks has been killed."""


class _Source:
    """The process that forks, as known to the process that started it, and to all of its forks."""

    control: socket.socket | None = None
    code = 0
    """The state of this package when it was imported."""


class Forked:
    """A forked process, with those parts of `subprocess.Popen` that Dagster and we use.

    Args:
        args: the command, for messages.
        pid: its process id, while it is known to exist.
        lines: its conversation, in which its exit status will be the last line.

    Raises:
        OSError: it has ended already.
    """

    def __init__(self, args: Sequence[str], pid: int, lines: Any) -> None:
        self.args = args
        self.pid = pid
        self.returncode: int | None = None
        self._handle = os.pidfd_open(pid)
        self._lines = lines
        self._lock = threading.Lock()

    def __del__(self) -> None:
        """Close its handle; the process goes on."""
        if handle := vars(self).get("_handle"):
            os.close(handle)

    def poll(self) -> int | None:
        """The exit status; negative if a signal ended it; None while it is running."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return the exit status.

        Raises:
            subprocess.TimeoutExpired: it is still running after so many seconds.
        """
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, sig)

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        end = select.poll()
        end.register(self._handle, select.POLLIN)
        if not end.poll(None if timeout is None else timeout * 1000):
            return None
        with self._lock:
            if self.returncode is None:
                self.returncode = self._reported()
        return self.returncode

    def _reported(self) -> int:
        try:
            return int(self._lines.readline())
        except (OSError, ValueError):
            return _UNKNOWN


def prepare_forks(modules: Iterable[str]) -> None:
    """Import these modules, and have `start` fork processes from the state of this one, where that is possible.

    To be called before this process starts a thread or opens anything. It returns in this process only.
    """
    if not is_tested() or not hasattr(os, "pidfd_open"):
        return
    _Source.code = state_of_our_code()
    for name in _STARTING:
        vars(importlib.import_module(name))[_STARTS] = start
    if not warm_process.preload(modules):
        return
    _Source.control, theirs = socket.socketpair()
    with theirs:
        if os.fork() == 0:
            _Source.control.close()
            _serve(theirs)


def start(parts: Sequence[str], **kwargs: Any) -> "Forked | subprocess.Popen[Any]":
    """Start a process like `subprocess.Popen`: by a fork, if it is a `python -m` command.

    Raises:
        OSError: there is no such command.
    """
    if tuple(parts[:2]) == (sys.executable, "-m") and kwargs.keys() <= _UNDERSTOOD:
        try:
            return _forked(parts, **kwargs)
        except OSError:
            # It does not fork, or no longer does.
            pass
    return open_ipc_subprocess(parts, **kwargs)


def connect(descriptors: Sequence[int] = ()) -> socket.socket:
    """A connection to a new fork, for which `warm_process.run` says what to send; closing it ends the fork.

    Args:
        descriptors: are given to the fork.

    Raises:
        OSError: nothing is forked here.
    """
    control = _Source.control
    if control is None or _Source.code != state_of_our_code():
        raise ConnectionError("Nothing is forked here.")
    ours, theirs = socket.socketpair()
    ours.settimeout(_FORK_SECONDS)
    with theirs:
        try:
            socket.send_fds(control, [b"f"], [theirs.fileno(), control.fileno(), *descriptors])
        except OSError:
            ours.close()
            raise
    return ours


def state_of_our_code() -> int:
    """Changes with every change to this package."""
    modules = Path(directus_assets.__path__[0]).rglob("*.py")
    return hash(frozenset((str(module), module.stat().st_mtime_ns) for module in modules))


def _forked(
    parts: Sequence[str], *, cwd: str | None = None, env: dict[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> Forked:
    folder = str(Path(cwd or "").resolve())
    order = {
        "module": parts[2],
        "arguments": parts[3:],
        "variables": dict(os.environ if env is None else env),
        "folder": folder,
        # As `python -m` does.
        "path": folder,
        "numbers": pass_fds,
    }
    with connect(pass_fds) as conversation:
        lines = conversation.makefile("rwb")
        lines.write(json.dumps(order).encode() + b"\n")
        lines.flush()
        worker = Worker.parse(lines.readline().decode().rstrip("\n"))
        if worker is None:
            raise ConnectionError("The fork has ended at once.")
        process = Forked(parts, worker.pid, lines)
        lines.write(warm_process.GO)
        lines.flush()
    return process


def _serve(control: socket.socket) -> None:
    """Fork until nobody is left who could order a fork, or wants to know its end; does not return."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Forks ignore this one if they were told to, by `nohup`.
    hangup = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if not sys.flags.safe_path:
        # The folder of this process' script.
        del sys.path[0]
    try:
        with control:
            received = warm_process.serve(control)
        if received:
            signal.signal(signal.SIGHUP, hangup)
            conversation, own, *passed = received
            _Source.control = socket.socket(fileno=warm_process.out_of_the_way(own))
            warm_process.run([conversation, *passed])
    except Exception:  # noqa: BLE001 - it must not reach what this process' ancestor was about to do
        traceback.print_exc()
        sys.exit(1)
    sys.exit()
