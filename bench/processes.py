"""The resource usage of processes, read from `/proc` (proc(5)). An ended process counts as zero."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_SAMPLE_SECONDS = 0.1


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def with_command(pid: int, command: str) -> list[int]:
    """The process and its descendants whose command line contains `command`."""
    return [each for each in tree(pid) if command in _command(each)]


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, its living descendants, and those of its children that have ended."""
    # Fields 14 to 17 of stat(5): user and system time, then that of children that were waited for.
    return sum(sum(map(int, fields[11:15])) for each in tree(pid) if (fields := _stat(each))) / _TICKS_PER_SECOND


def written_bytes(pid: int) -> int:
    """The bytes that a process and its living descendants have written to disk."""
    return sum(_number("io", r"^write_bytes: (\d+)", each) for each in tree(pid))


def peak_bytes(pid: int) -> int:
    """The peak resident memory of a process so far."""
    return _number("status", r"^VmHWM:\s+(\d+) kB", pid) * 1024


def memory_bytes(pid: int) -> int:
    """The current memory of a process and its descendants; pages that they share count once (`Pss`)."""
    return sum(_number("smaps_rollup", r"^Pss:\s+(\d+) kB", each) for each in tree(pid)) * 1024


@contextmanager
def watched_peaks(pid: int, *, command: str) -> Iterator[dict[int, int]]:
    """The peak memory of descendants with `command` in their command line, by process id; updated during the block."""
    peaks: dict[int, int] = {}
    done = threading.Event()

    def look() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            for each in with_command(pid, command):
                peaks[each] = max(peaks.get(each, 0), peak_bytes(each))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        done.set()
        watcher.join()


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may contain blanks: state, parent, and so on."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _command(pid: int) -> str:
    return _read(pid, "cmdline").replace("\0", " ")


def _number(name: str, pattern: str, pid: int) -> int:
    match = re.search(pattern, _read(pid, name), re.MULTILINE)
    return int(match[1]) if match else 0


def _read(pid: int, name: str) -> str:
    with suppress(OSError):
        return (_PROC / str(pid) / name).read_text("utf-8", errors="replace")
    return ""
