"""What each run would read anew and is the same for all of them: importing this reads it, in a process that forks runs.

Nothing of Directus or of Dagster's history is among it.
"""

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.sql import get_alembic_config

from directus_assets.directus.client import certificates
from directus_assets.fast.migrations import ScriptsReadOnce

ScriptsReadOnce.from_config(get_alembic_config(str(sqlite_event_log.__file__))).get_current_head()
certificates()
