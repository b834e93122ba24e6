"""The only code that uses Dagster beyond its public interface, to make it faster or to restrict access to it.

`dagster.yaml` names these classes: `{module: directus_assets.fast, class: WarmRunLauncher}`. On a Dagster version that
they were not tested with, each steps aside with a warning in favour of Dagster's own, and everything works as it does
without them.
"""

import importlib
import logging
from typing import Any

from dagster import __version__

TESTED = ("1.13.27",)
"""The versions of Dagster that this folder is tested with."""

_OFFERED = {
    "BatchedSqliteStorage": (
        "directus_assets.fast.batched_records.sqlite",
        "dagster._core.storage.sqlite_storage",
        "DagsterSqliteStorage",
    ),
    "BatchedPostgresStorage": (
        "directus_assets.fast.batched_records.postgres",
        "dagster_postgres.storage",
        "DagsterPostgresStorage",
    ),
    "WarmRunLauncher": ("directus_assets.fast.launcher", "dagster", "DefaultRunLauncher"),
    "FreshFirstCoordinator": ("directus_assets.fast.coordinator", "dagster", "QueuedRunCoordinator"),
}
"""Maps our class to its module, and to the module and name of Dagster's own."""

logger = logging.getLogger(__name__)


def __getattr__(name: str) -> Any:
    return chosen(name, version=__version__)


def is_tested(version: str = __version__) -> bool:
    """Whether this folder is tested with a version of Dagster: by default, with the installed one."""
    return version in TESTED


def chosen(name: str, *, version: str) -> Any:
    """The class with this name, or its replacement for this version of Dagster.

    Raises:
        AttributeError: there is no class with this name.
    """
    if name not in _OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, stock_module, stock = _OFFERED[name]
    if is_tested(version):
        return getattr(importlib.import_module(module), name)
    logger.warning(
        "%s was tested with Dagster %s, and this is %s: Dagster's own %s takes its place.",
        name,
        ", ".join(TESTED),
        version,
        stock,
    )
    return getattr(importlib.import_module(stock_module), stock)
