"""Dagster's migrations are read once, with the same result as Dagster's own way."""

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.storage import sql

from directus_assets.fast.migrations import ScriptsReadOnce, read_migrations_once
from tests.orchestration.test_batched_records import CARD, SQLITE, instance_in


@pytest.fixture(autouse=True)
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has just started, and afterwards as before."""
    for module in (sql, command):
        monkeypatch.setattr(module, "ScriptDirectory", ScriptDirectory)
    monkeypatch.setattr(ScriptsReadOnce, "_found", None)


def revisions(home: Path) -> dict[str, list[str]]:
    """What the databases of a home say of themselves, by file; those of runs under one name."""
    found = {}
    for path in home.rglob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT version_num FROM alembic_version").fetchall()
        found["run" if len(path.stem) > 30 else path.name] = [str(row[0]) for row in rows]
    return found


@dg.op
def nothing() -> None: ...


@dg.job
def job() -> None:
    nothing()


def used(home: Path, yaml: str) -> dict[str, list[str]]:
    with instance_in(home, yaml) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(CARD))
        assert job.execute_in_process(instance=instance).success
    return revisions(home)


def test_the_scripts_are_read_once_for_all_databases_which_are_as_dagster_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = used(tmp_path / "stock", "")
    read: list[str] = []
    load = ScriptDirectory._load_revisions
    monkeypatch.setattr(ScriptDirectory, "_load_revisions", lambda self: read.append("once") or load(self))

    ours = used(tmp_path / "ours", SQLITE)

    assert ours == stock
    assert stock["run"] == stock["index.db"] != []
    assert read == ["once"]


def test_scripts_of_others_are_read_each_time(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(tmp_path))

    assert ScriptsReadOnce.from_config(config) is not ScriptsReadOnce.from_config(config)


def test_what_others_have_put_in_that_place_stays() -> None:
    class Another(ScriptDirectory): ...

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql, "ScriptDirectory", Another)
        read_migrations_once()

        assert sql.ScriptDirectory is Another  # type: ignore[comparison-overlap]
    assert command.ScriptDirectory is ScriptsReadOnce  # type: ignore[comparison-overlap]
