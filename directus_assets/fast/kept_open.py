"""Dagster's SQLite files, kept open by one process, so that all others write to them for less.

Dagster's own storage opens and closes a file for each event. Where nobody else has it open, SQLite then moves the
write-ahead log into it and removes the log, with several waits for the disk (https://sqlite.org/wal.html, "Automatic
Checkpoint"): about a fifth of what an event costs. Nothing is read or written here; a storage that is elsewhere, or is
another one, is left alone.
"""

import contextlib
import sqlite3
from pathlib import Path

_FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
"""In DAGSTER_HOME, by default."""

_kept: dict[Path, sqlite3.Connection] = {}


def keep_open(home: Path) -> None:
    """Keeps those files of a DAGSTER_HOME open that are there, as long as this process lives."""
    for path in (home / name for name in _FILES):
        if path not in _kept and path.is_file():
            with contextlib.suppress(sqlite3.Error):
                _kept[path] = _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        # Only a file that was read is open.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
