"""On an untested version of Dagster, the fast parts step aside for Dagster's own, with a warning."""

import importlib
import logging

import dagster as dg
import pytest
from dagster_postgres.storage import DagsterPostgresStorage

from directus_assets import fast
from directus_assets.fast import chosen, dagster_dev, webserver

NAMES = ["BatchedSqliteStorage", "BatchedPostgresStorage", "WarmRunLauncher", "FreshFirstCoordinator"]


@pytest.mark.parametrize("name", NAMES)
def test_the_installed_dagster_is_one_that_is_tested(name: str) -> None:
    assert chosen(name, version=dg.__version__).__module__.startswith("directus_assets.fast.")
    assert getattr(fast, name) is chosen(name, version=dg.__version__)


@pytest.mark.parametrize("name", NAMES)
def test_another_dagster_gets_its_own_with_the_same_settings(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        stock = chosen(name, version="9.9.9")

    ours = chosen(name, version=dg.__version__)
    assert not stock.__module__.startswith("directus_assets.")
    assert issubclass(ours, stock)
    assert ours.config_type().keys() == stock.config_type().keys()
    assert f"{name} was tested with Dagster {dg.__version__}, and this is 9.9.9" in caplog.text
    assert stock in (dg.DefaultRunLauncher, dg.QueuedRunCoordinator, DagsterPostgresStorage) or "Sqlite" in name


def test_nothing_else_is_offered() -> None:
    with pytest.raises(AttributeError):
        chosen("Another", version=dg.__version__)


EARLIER = {
    "launcher": "WarmRunLauncher",
    "coordinator": "FreshFirstCoordinator",
    "batched_records.sqlite": "BatchedSqliteStorage",
    "batched_records.postgres": "BatchedPostgresStorage",
}


@pytest.mark.parametrize(("module", "name"), EARLIER.items())
def test_the_names_in_files_of_earlier_versions_go_on_working(module: str, name: str) -> None:
    earlier = importlib.import_module(f"directus_assets.orchestration.{module}")

    assert getattr(earlier, name) is getattr(fast, name)


def test_dagster_dev_starts_the_guarded_webserver() -> None:
    """The command lines are those of `dagster dev`."""
    rest = ["--port", "3000", "--shutdown-pipe", "5"]

    assert dagster_dev.guarded(["python", "-m", "dagster_webserver", *rest]) == [
        "python",
        "-m",
        webserver.__name__,
        *rest,
    ]
    daemon = ["python", "-m", "dagster._daemon", "run"]
    assert dagster_dev.guarded(daemon) == daemon
    with pytest.raises(RuntimeError, match="not known here"):
        dagster_dev.guarded(["python", "-m", "dagster.webserver2"])
