"""Batched records on SQLite, Dagster's default."""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import sqlalchemy as db
from dagster import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    _event_logs_directory,
    _runs_directory,
    _schedule_directory,
)
from dagster._serdes import ConfigurableClassData
from filelock import FileLock
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool, StaticPool

from directus_assets.fast.batched_records.batches import BatchedEvents
from directus_assets.fast.migrations import read_migrations_once


class BatchedSqliteEventLog(BatchedEvents, SqliteEventLogStorage):
    """The stock event log with batches and a persistent index connection."""

    def __init__(self, base_dir: str) -> None:
        self._begin()
        self._index: Engine | None = None
        self._run_engine: tuple[str, Engine] | None = None
        self._index_file: tuple[int, int] | None = None
        self._tables: set[str] = set()
        super().__init__(base_dir)

    def _store_together(self, events: Sequence[EventLogEntry]) -> None:
        rows = self._rows(events)
        # The index comes first. If killed in between, a run misses some of its own records and makes those outputs
        # again; the other way round, outputs that it considers recorded would be missing.
        with self.index_transaction() as conn:
            self._store_indexed(conn, events, rows)
        for run_id in dict.fromkeys(event.run_id for event in events):
            with self.run_connection(run_id) as conn:
                conn.execute(SqlEventLogStorageTable.insert(), [row for row in rows if row["run_id"] == run_id])

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        self.flush()
        with self._db_lock:
            engine = self._open_index() if shard == INDEX_SHARD_NAME else self._engine_of(shard)
            with engine.connect() as conn, conn.begin():
                yield conn

    def _engine_of(self, run_id: str) -> Engine:
        """The engine of one run's file, which is closed after each use: a watcher that shows a run live sees the file
        change.

        The last engine is cached with its compiled statements, which are most of the cost of an event.
        """
        if self._run_engine is None or self._run_engine[0] != run_id:
            engine = db.create_engine(
                self.conn_string_for_shard(run_id),
                poolclass=NullPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
            self._run_engine = (run_id, engine)
        if run_id not in self._initialized_dbs:
            self._lay_out(Path(self.path_for_shard(run_id)))
            self._initdb(self._run_engine[1])
            self._initialized_dbs.add(run_id)
        return self._run_engine[1]

    def _lay_out(self, file: Path) -> None:
        """Make a run's file from a copy, if there is none.

        Dagster makes its tables one by one, and SQLite waits for the disk after each: more than half of the cost of
        creating a run. If the disk or SQLite prevents the copy, Dagster makes the file.
        """
        if file.exists():
            return
        part = file.with_name(f"{file.stem}.{os.getpid()}.part")
        with suppress(OSError, sqlite3.Error):
            try:
                with closing(sqlite3.connect(part)) as made:
                    self._empty_run.backup(made)
                    made.execute("PRAGMA journal_mode=WAL")
                # Unlike a rename, this leaves a file that another process has made in the meantime.
                os.link(part, file)
            finally:
                part.unlink(missing_ok=True)

    @cached_property
    def _empty_run(self) -> sqlite3.Connection:
        """A run's file without records, in memory."""
        engine = db.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        self._initdb(engine)
        empty = engine.raw_connection().driver_connection
        assert isinstance(empty, sqlite3.Connection)  # noqa: S101 - the driver of SQLAlchemy for such an address
        return empty

    def _open_index(self) -> Engine:
        # If someone has deleted and perhaps recreated the file, writes to the old one would be lost.
        if self._index is None or self._index_file != self._present_file():
            self._close_index()
            self._index = db.create_engine(
                self.conn_string_for_shard(INDEX_SHARD_NAME),
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            self._initdb(self._index, for_index_shard=True)
            self._index_file = self._present_file()
        return self._index

    def _present_file(self) -> tuple[int, int] | None:
        with suppress(FileNotFoundError):
            status = Path(self.path_for_shard(INDEX_SHARD_NAME)).stat()
            return status.st_dev, status.st_ino
        return None

    def _close_index(self) -> None:
        if self._index is not None:
            self._index.dispose()
            self._index = None

    def has_table(self, table_name: str) -> bool:
        # Dagster looks before each use of a table that came with a later version of it, and never removes one.
        if table_name not in self._tables:
            if not super().has_table(table_name):
                return False
            self._tables.add(table_name)
        return True

    def dispose(self) -> None:
        super().dispose()
        with self._db_lock:
            self._close_index()


class OneEngine:
    """Connects through one engine, with all the statements that it has compiled. Dagster's own storage makes another
    engine each time, which costs several times what most queries do. The file is closed after each use, as there.
    """

    _conn_string: str

    @cached_property
    def _engine(self) -> Engine:
        return db.create_engine(self._conn_string, poolclass=NullPool)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.connect() as conn, conn.begin():
            yield conn


class OneEngineRuns(OneEngine, SqliteRunStorage):
    """The stock storage of runs."""


class OneEngineSchedules(OneEngine, SqliteScheduleStorage):
    """The stock storage of ticks and cursors."""


class BatchedSqliteStorage(DagsterSqliteStorage):
    """Dagster's SQLite storage with batched records, for `storage: {custom: …}` in `dagster.yaml`."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        read_migrations_once()
        # Two processes that create the tables at the same moment can mark them with two schema versions, after which no
        # process can open them: `SqliteRunStorage.from_local` mistakes tables without a version for old ones.
        Path(base_dir).mkdir(parents=True, exist_ok=True)
        with FileLock(Path(base_dir, ".storage.lock"), timeout=SQLITE_BUSY_TIMEOUT_SECONDS):
            super().__init__(base_dir, inst_data)
            self._event_log_storage = BatchedSqliteEventLog(_event_logs_directory(base_dir))
        # Dagster's own, which have just been made, have seen to the tables.
        self._run_storage = OneEngineRuns(create_db_conn_string(_runs_directory(base_dir), "runs"))
        self._schedule_storage = OneEngineSchedules(create_db_conn_string(_schedule_directory(base_dir), "schedules"))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls.from_local(config_value["base_dir"], inst_data)
