"""Reads Dagster's migrations once per process instead of once per database.

To check whether a SQLite file is up to date, Dagster reads all of its migration scripts: for each storage when a
process starts, and for the events of each run. That was a fifth of the cost of a forked run. Beyond Dagster's public
interface this relies on Dagster and alembic finding the scripts by `ScriptDirectory.from_config`, which
`tests/orchestration/test_migrations.py` verifies on the installed versions.
"""

from typing import Any, ClassVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.storage import sql

_NAME = "ScriptDirectory"


class ScriptsReadOnce(ScriptDirectory):
    """Caches Dagster's scripts, and reads those of others as usual."""

    _found: ClassVar[ScriptDirectory | None] = None

    @classmethod
    def from_config(cls, config: Config) -> ScriptDirectory:
        """The scripts of a configuration. Both of Dagster's callers hold its lock."""
        if config.get_main_option("script_location") != sql.ALEMBIC_SCRIPTS_LOCATION:
            return ScriptDirectory.from_config(config)
        if cls._found is None:
            cls._found = ScriptDirectory.from_config(config)
        return cls._found


def read_migrations_once() -> None:
    """Make this process read them only once from now on."""
    for module in (sql, command):
        names: dict[str, Any] = vars(module)
        if names.get(_NAME) is ScriptDirectory:
            names[_NAME] = ScriptsReadOnce
