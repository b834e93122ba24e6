"""The effect on SQLite of a file that is kept open."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from directus_assets.fast import kept_open
from directus_assets.fast.kept_open import keep_open


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    while kept_open._kept:
        kept_open._kept.popitem()[1].close()


def record(instance: dg.DagsterInstance) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("card"))


def logs(home: Path) -> list[str]:
    """The write-ahead logs that have not been checkpointed yet."""
    return sorted(str(path.relative_to(home)) for path in home.rglob("*-wal"))


def test_a_log_that_each_event_would_move_and_remove_stays(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        record(instance)
        assert logs(tmp_path) == []

        keep_open(tmp_path)
        record(instance)

        assert "history/runs/index.db-wal" in logs(tmp_path)
        assert instance.get_latest_materialization_event(dg.AssetKey("card"))


def test_all_files_of_dagsters_own_storage_are_kept_open_once(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        record(instance)
        list(instance.all_instigator_state())

        keep_open(tmp_path)
        first = dict(kept_open._kept)
        keep_open(tmp_path)

    assert {str(path.relative_to(tmp_path)) for path in first} == set(kept_open._FILES)
    assert kept_open._kept == first


def test_what_is_not_there_or_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    (tmp_path / "history/runs.db").write_text("something else")

    keep_open(tmp_path)

    assert kept_open._kept == {}
    assert [path.name for path in tmp_path.rglob("*")] == ["history", "runs.db"]


def test_others_read_and_write_and_compact_as_before(tmp_path: Path) -> None:
    path = tmp_path / "history/runs.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE runs (id)")
    keep_open(tmp_path)

    with closing(sqlite3.connect(path, timeout=1)) as database:
        database.execute("INSERT INTO runs VALUES (1)")
        database.commit()
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        database.execute("VACUUM")
        assert database.execute("SELECT id FROM runs").fetchall() == [(1,)]
