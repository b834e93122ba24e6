"""Batched records on PostgreSQL; needs the extra `postgres`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from dagster import EventLogEntry
from dagster._serdes import ConfigurableClassData
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, get_token_provider_from_config, pg_url_from_config
from sqlalchemy.engine import Connection

from directus_assets.fast.batched_records.batches import BatchedEvents

_RECYCLE_SECONDS = 600
"""Intermediaries may drop connections that are idle for longer."""


class BatchedPostgresEventLog(BatchedEvents, PostgresEventLogStorage):
    """The stock event log with batches and one persistent connection."""

    def __init__(self, postgres_url: str, should_autocreate_tables: bool, token_provider: Any) -> None:
        self._begin()
        super().__init__(postgres_url, should_autocreate_tables, token_provider=token_provider)
        self._engine = create_pg_engine(
            postgres_url,
            token_provider,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=-1,
            pool_recycle=_RECYCLE_SECONDS,
            pool_pre_ping=True,
        )

    def _store_together(self, events: Sequence[EventLogEntry]) -> None:
        with self.index_transaction() as conn:
            self._store_indexed(conn, events, self._rows(events))

    def _connect(self) -> AbstractContextManager[Connection]:
        self.flush()
        return super()._connect()

    def dispose(self) -> None:
        super().dispose()
        self._engine.dispose()


class BatchedPostgresStorage(DagsterPostgresStorage):
    """Dagster's PostgreSQL storage with batched records, for `storage: {custom: …}` in `dagster.yaml`."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
        token_provider: Any = None,
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data, token_provider)
        self._event_log_storage = BatchedPostgresEventLog(postgres_url, should_autocreate_tables, token_provider)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        return cls(
            pg_url_from_config(config_value),
            config_value.get("should_autocreate_tables", True),
            inst_data,
            get_token_provider_from_config(config_value),
        )
