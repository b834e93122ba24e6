"""Processes that are restarted whenever they end, as by systemd or Compose."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

RESTART_SECONDS = 1.0


class Service:
    """One of them. Entering the block starts it, leaving it ends it for good.

    Args:
        name: for the figures.
        command: what is run.
        folder: where.
        environment: with what variables.
        log: the file that gets what it prints.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.restarts = 0
        self._command = list(command)
        self._folder = folder
        self._environment = dict(environment)
        self._log = log
        self._is_over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name=f"keeps {name}", daemon=True)

    def __enter__(self) -> Self:
        self._process = self._spawn()
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._keeper.join()
        self.kill()
        if self._process:
            self._process.wait()

    def kill(self) -> None:
        """Kill the process and all of its children at once, like a dying container."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill_without(self, spared: Sequence[int]) -> None:
        """Like `kill`, but spares these processes."""
        for pid in self.members():
            if pid not in spared:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def members(self) -> list[int]:
        """Its processes, the first one first."""
        return processes_of(self._process.pid) if self._process else []

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _keep(self) -> None:
        while not self._is_over.wait(0.2):
            if self._process and self._process.poll() is not None:
                self._is_over.wait(RESTART_SECONDS)
                if not self._is_over.is_set():
                    self._process = self._spawn()
                    self.restarts += 1


def processes_of(group: int) -> list[int]:
    """The processes of a process group, oldest first."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[2]) == group and fields[0] != "Z":
                    found.append((int(fields[19]), int(entry.name)))
    return [pid for _, pid in sorted(found)]


def all_processes() -> list[int]:
    """All processes on this machine."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def variables_of(pid: int) -> set[str]:
    """The variables that a process was started with, as `NAME=value`."""
    with suppress(OSError):
        return set(Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0"))
    return set()


def parent_of(pid: int) -> int:
    """The parent of a process; 0 if the process is gone."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def command_of(pid: int) -> str:
    """The command line of a process; empty if the process is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
