"""Batched records on SQLite, Dagster's default."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import sqlalchemy as db
from dagster import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
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
            self._initdb(self._run_engine[1])
            self._initialized_dbs.add(run_id)
        return self._run_engine[1]

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

    def dispose(self) -> None:
        super().dispose()
        with self._db_lock:
            self._close_index()


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

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls.from_local(config_value["base_dir"], inst_data)
