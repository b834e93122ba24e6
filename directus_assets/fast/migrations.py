"""Dagster's migrations, read once by a process and not for each database.

To see whether a SQLite file is up to date, Dagster reads all of its migration scripts: for each storage when a process
starts, and for the events of each run. That was a fifth of what a forked run cost. Beyond Dagster's public interface
this uses that it and alembic find the scripts by `ScriptDirectory.from_config`, which
`tests/orchestration/test_migrations.py` holds against what is installed.
"""

from typing import Any, ClassVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.storage import sql

_NAME = "ScriptDirectory"


class ScriptsReadOnce(ScriptDirectory):
    """Finds Dagster's scripts once, and those of others as ever."""

    _found: ClassVar[ScriptDirectory | None] = None

    @classmethod
    def from_config(cls, config: Config) -> ScriptDirectory:
        """The scripts that a configuration names. Both of Dagster's callers hold its lock."""
        if config.get_main_option("script_location") != sql.ALEMBIC_SCRIPTS_LOCATION:
            return ScriptDirectory.from_config(config)
        if cls._found is None:
            cls._found = ScriptDirectory.from_config(config)
        return cls._found


def read_migrations_once() -> None:
    """Has this process read them once from now on."""
    for module in (sql, command):
        names: dict[str, Any] = vars(module)
        if names.get(_NAME) is ScriptDirectory:
            names[_NAME] = ScriptsReadOnce
