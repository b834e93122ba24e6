"""The classification of errors for retries."""

import datetime as dt
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as db
from dagster_postgres.utils import DagsterPostgresException, retry_pg_connection_fn
from psycopg2.errors import ReadOnlySqlTransaction

from directus_assets.errors import (
    BadInput,
    DirectusAssetsError,
    Forbidden,
    NotFound,
    Overloaded,
    Rejected,
    TransientError,
    Unexpected,
    as_error,
    from_status,
    parse_retry_after,
)
from directus_assets.orchestration.runs.history import try_metadata
from directus_assets.spending.deadline import within
from directus_assets.spending.faults import RequestRefused
from directus_assets.translation.translate import Untranslatable


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Forbidden), (403, Forbidden), (404, NotFound), (400, Rejected), (429, Overloaded), (503, Overloaded)],
)
def test_the_status_decides_the_kind(status: int, kind: type[DirectusAssetsError]) -> None:
    assert type(from_status(status, "x")) is kind


def test_retry_after_is_a_number_or_a_date() -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    assert parse_retry_after("7") == 7
    assert parse_retry_after("Thu, 01 Jan 2026 00:00:30 GMT", now=now) == 30
    assert parse_retry_after("soon") is None


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("inf", 86_400),
        ("1e300", 86_400),
        ("99999999999", 86_400),
        ("86401", 86_400),
        ("86399", 86_399),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 86_400),
        ("-7", 0),
        ("-inf", 0),
        ("Mon, 01 Jan 0001 00:00:00 +1400", 0),
        ("nan", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("\x00", None),
        ("", None),
    ],
)
def test_a_server_may_ask_for_a_day_at_most(asked: str, seconds: float | None) -> None:
    assert parse_retry_after(asked, now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) == seconds


@pytest.mark.parametrize(
    ("error", "is_looked_at_again"),
    [
        (BadInput("a broken picture"), False),
        (Overloaded("429"), True),
        (Forbidden("an expired key"), True),
        (RequestRefused.of(Rejected("an unknown model")), True),
        (Untranslatable("a bad answer", rejected={}, accepted={}), True),
    ],
)
def test_what_somebody_may_put_right_is_looked_at_again_by_the_reconcile(
    error: DirectusAssetsError, is_looked_at_again: bool
) -> None:
    metadata = try_metadata(error, fingerprint="1")
    assert (metadata["transient"] or "longest_wait_seconds" in metadata) is is_looked_at_again


def test_an_exception_that_cannot_even_say_what_it_is_has_a_name_at_least() -> None:
    class Speechless(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "Speechless" in as_error(Speechless()).message


def statement(path: Path, text: str) -> Exception:
    """What SQLAlchemy raises for a statement on a file of SQLite."""
    engine = db.create_engine(f"sqlite:///{path}", connect_args={"timeout": 0})
    with pytest.raises(db.exc.SQLAlchemyError) as caught, engine.connect() as connection:
        connection.execute(db.text(text))
    return caught.value


def test_a_database_that_is_locked_is_no_items_fault(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE a (b)")
        other.execute("BEGIN EXCLUSIVE")
        found = as_error(statement(tmp_path / "a.db", "INSERT INTO a VALUES ('a text of the item')"))

    assert isinstance(found, TransientError)
    assert found.message == "A database of the pipeline cannot be used: database is locked."


def test_a_database_that_cannot_be_opened_is_no_items_fault(tmp_path: Path) -> None:
    found = as_error(statement(tmp_path / "nowhere" / "a.db", "SELECT 1"))

    assert isinstance(found, TransientError)
    assert "unable to open database file" in found.message


def test_a_database_that_dagster_has_given_up_on_is_no_items_fault() -> None:
    nobody = db.create_engine("postgresql+psycopg2://pipeline:password@127.0.0.1:1/dagster")  # a port nobody listens on

    with pytest.raises(DagsterPostgresException) as given_up:
        retry_pg_connection_fn(nobody.connect, retry_limit=0)
    found = as_error(given_up.value)

    assert isinstance(found, TransientError)
    assert "Connection refused" in found.message


def test_a_database_that_takes_no_writes_for_now_is_no_items_fault() -> None:
    """As managed ones do before their disk is full, and those of a cluster while they change roles."""
    refused = ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction")

    found = as_error(db.exc.InternalError("INSERT INTO event_logs VALUES (:text)", {"text": "of the item"}, refused))

    assert isinstance(found, TransientError)
    assert "cannot execute INSERT in a read-only transaction." in found.message


def test_a_machine_without_room_for_another_thread_is_no_items_fault() -> None:
    usual = threading.stack_size(1 << 46)  # more than any machine has
    try:
        with pytest.raises(RuntimeError) as no_thread:
            within(1, lambda: None, who="the engine")
    finally:
        threading.stack_size(usual)

    assert isinstance(as_error(no_thread.value), TransientError)


def test_a_wrong_statement_is_not_tried_again(tmp_path: Path) -> None:
    assert isinstance(as_error(statement(tmp_path / "a.db", "SELECT FROM nothing")), Unexpected)
