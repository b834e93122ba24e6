"""Identifies worker processes, also after their process ids have been reused. Linux only."""

import functools
import hashlib
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

FORKED = "DIRECTUS_ASSETS_FORKED"
"""Set in a process that was forked to carry out a run: its code location is on the same disk."""

_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """One process, unique within the uptime of a machine.

    Attributes:
        run_id: the run that it executes.
        pid: its process id.
        started: its start time in ticks since boot (proc(5)), which differs for a later process with the same id.
        machine: the scope of its id, see `this_machine`.
    """

    run_id: str
    pid: int
    started: int
    machine: str

    @classmethod
    def this_process(cls, run_id: str) -> Self:
        """The current process, as the worker of a run."""
        return cls(run_id=run_id, pid=os.getpid(), started=_started(os.getpid()) or 0, machine=this_machine())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Parse the output of `str`; None for anything else."""
        try:
            pid, started, machine, run_id = text.split(" ")
            return cls(run_id=run_id, pid=int(pid), started=int(started), machine=machine)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.pid} {self.started} {self.machine} {self.run_id}"

    @property
    def is_alive(self) -> bool:
        """Whether it is still running. False for a process on another machine, or from before a reboot of this one."""
        return self.machine == this_machine() and _started(self.pid) == self.started

    def interrupt(self) -> bool:
        """Interrupt it like Ctrl+C; return False if it has ended already or cannot be reached from here."""
        with suppress(OSError):
            # Opened first and checked then, so that no later process with this id can get the signal.
            handle = os.pidfd_open(self.pid)
            try:
                if self.is_alive:
                    signal.pidfd_send_signal(handle, signal.SIGINT)
                    return True
            finally:
                os.close(handle)
        return False


@functools.cache
def this_machine() -> str:
    """Identifies this machine since its last boot, and this container: process ids are only valid within it."""
    boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    return hashlib.sha256(f"{boot} {(_PROC / 'self/ns/pid').readlink()}".encode()).hexdigest()[:12]


def _started(pid: int) -> int | None:
    """The start time of a process; None if it does not exist, or is a zombie."""
    try:
        # After the name, which may contain spaces: the state is field 3 of stat(5), the start field 22.
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def is_forked() -> bool:
    """Whether this process was forked to carry out a run."""
    return FORKED in os.environ
