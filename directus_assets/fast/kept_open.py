"""Keeps Dagster's SQLite files open in one process, which makes writing cheaper for all others.

Dagster's own storage opens and closes a file for each event. If no other process has it open, SQLite then checkpoints
and deletes the write-ahead log, with several disk syncs (https://sqlite.org/wal.html, "Automatic Checkpoint"): about a
fifth of the cost of an event. Nothing is read or written here; a storage elsewhere, or of another type, is left alone.
"""

import contextlib
import sqlite3
from pathlib import Path

_FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
"""Relative to DAGSTER_HOME, by default."""

_kept: dict[Path, sqlite3.Connection] = {}


def keep_open(home: Path) -> None:
    """Keep the existing ones of those files in a DAGSTER_HOME open for the lifetime of this process."""
    for path in (home / name for name in _FILES):
        if path not in _kept and path.is_file():
            with contextlib.suppress(sqlite3.Error):
                _kept[path] = _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        # SQLite opens a file only when it is read.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
