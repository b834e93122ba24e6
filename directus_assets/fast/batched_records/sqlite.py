"""Records in batches on SQLite, which is what Dagster uses by default."""

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
    """The stock event log in batches, and with the index kept open."""

    def __init__(self, base_dir: str) -> None:
        self._begin()
        self._index: Engine | None = None
        self._run_engine: tuple[str, Engine] | None = None
        self._index_file: tuple[int, int] | None = None
        super().__init__(base_dir)

    def _store_together(self, events: Sequence[EventLogEntry]) -> None:
        rows = self._rows(events)
        # The index first. Killed in between, a run knows less of itself than there is, and makes it again; the other
        # way round, what it takes for recorded would be missing.
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
        """That of one run's file, which is closed after each use: a watcher that shows a run live sees the file change.

        The last one is kept with all the statements that it has compiled: most of what an event of a run costs.
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
        # Removed by somebody else, and perhaps made anew: what is written to the old file would be lost.
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
    """Dagster's SQLite storage with records in batches, for `storage: {custom: …}` in `dagster.yaml`."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        read_migrations_once()
        # Two processes that make the tables at the same moment can mark them with two versions of the schema, and then
        # no process opens them any more: `SqliteRunStorage.from_local` takes tables without a version for old ones.
        Path(base_dir).mkdir(parents=True, exist_ok=True)
        with FileLock(Path(base_dir, ".storage.lock"), timeout=SQLITE_BUSY_TIMEOUT_SECONDS):
            super().__init__(base_dir, inst_data)
            self._event_log_storage = BatchedSqliteEventLog(_event_logs_directory(base_dir))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls.from_local(config_value["base_dir"], inst_data)
