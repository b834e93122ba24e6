"""Does what is the same for all runs: importing this module in the process that forks runs saves each run the work.

It reads nothing from Directus or from Dagster's history.
"""

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.sql import get_alembic_config

from directus_assets.directus.client import certificates
from directus_assets.fast.migrations import ScriptsReadOnce
from directus_assets.fast.shown_output import show_by_thread
from directus_assets.translation.languages import language

ScriptsReadOnce.from_config(get_alembic_config(str(sqlite_event_log.__file__))).get_current_head()
certificates()
language("en")
show_by_thread()
