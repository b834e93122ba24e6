"""Opens the Dagster instance of a home other than DAGSTER_HOME."""

import os
from pathlib import Path

import dagster as dg


def open_instance(home: Path) -> dg.DagsterInstance:
    """Dagster's instance in this home, for use as a context manager.

    Our `dagster.yaml` places its storage in DAGSTER_HOME, so that a copy of a home is a home of its own.
    """
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home.resolve())
    try:
        return dg.DagsterInstance.from_config(str(home))
    finally:
        if before is None:
            del os.environ["DAGSTER_HOME"]
        else:
            os.environ["DAGSTER_HOME"] = before
