"""Processes that carry out runs, told from others that get their process ids later. Linux only."""

import functools
import hashlib
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """One process, at most once in the life of a machine.

    Attributes:
        run_id: the run that it carries out.
        pid: its process id.
        started: when it started, in ticks since the machine did (proc(5)): a later process with this id has another.
        machine: where its id means something, see `this_machine`.
    """

    run_id: str
    pid: int
    started: int
    machine: str

    @classmethod
    def this_process(cls, run_id: str) -> Self:
        """The process that asks, as the worker of a run."""
        return cls(run_id=run_id, pid=os.getpid(), started=_started(os.getpid()) or 0, machine=this_machine())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What `str` has written; None for anything else."""
        try:
            pid, started, machine, run_id = text.split(" ")
            return cls(run_id=run_id, pid=int(pid), started=int(started), machine=machine)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.pid} {self.started} {self.machine} {self.run_id}"

    @property
    def is_alive(self) -> bool:
        """Whether it still runs. A process of another machine, or from before a restart of this one, does not."""
        return self.machine == this_machine() and _started(self.pid) == self.started

    def interrupt(self) -> bool:
        """Asks it to end, as Ctrl+C does; False where it has ended already or cannot be reached from here."""
        with suppress(OSError):
            # Held first and looked at then, so that no later process with this id can get the signal.
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
    """What tells this machine since it last started, and this container, from others: ids count within it only."""
    boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    return hashlib.sha256(f"{boot} {(_PROC / 'self/ns/pid').readlink()}".encode()).hexdigest()[:12]


def _started(pid: int) -> int | None:
    """When a process started; None where there is none, or one that has ended and waits to be fetched."""
    try:
        # Behind the name, which may hold blanks: the state is field 3 of stat(5), the start field 22.
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])
