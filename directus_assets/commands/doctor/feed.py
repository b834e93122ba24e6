"""Checks that the sensors follow Directus' current activity log."""

import logging
from collections.abc import Collection, Iterator
from pathlib import Path

from pydantic import BaseModel

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok, warning
from directus_assets.directus.feed import FeedPosition, has_gone_back
from directus_assets.directus.sight import require_sight_of_others
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.sensors.cursor import read_cursor

logger = logging.getLogger(__name__)


class _Followed(BaseModel):
    """The part common to the cursors of all sensors that follow the feed."""

    feed: FeedPosition


def check_feed(subject: Checkup) -> Iterator[Finding]:
    """Check that the log is the one that the sensors have read, and that it has not been rolled back since."""
    require_sight_of_others(subject.project.directus)
    home = subject.project.settings.environment.dagster_home
    if not ((home / "dagster.yaml").exists() or (home / "schedules").is_dir()):
        return
    sensors = _sensors(subject)
    try:
        positions = _read_positions(home, sensors)
    except Exception as error:  # noqa: BLE001 - Dagster supports any storage, each with errors of its own
        # The message of the error is left out, since it may contain a database URL.
        yield warning(
            "change feed",
            f"Could not read Dagster's sensor state: {type(error).__name__}.",
            "Check `storage` in dagster.yaml and the database it refers to.",
        )
        return
    behind = [name for name, position in positions.items() if has_gone_back(subject.project.directus, position)]
    if behind:
        yield failed(
            "change feed",
            f"Directus' activity log is older than when {', '.join(behind)} last read it, probably because a backup "
            "was restored.",
            "Their next ticks start over and compare everything. Make sure that the pipeline and these sensors are "
            "running.",
        )
    elif positions:
        yield ok("change feed", f"{len(positions)} sensors can continue reading Directus' activity log")


def _sensors(subject: Checkup) -> set[str]:
    """The names of the sensors that follow the log."""
    names = subject.project.names
    collections = {scope.collection for scope in subject.scopes}
    collections |= {declaration.collection.name for declaration in subject.declarations}
    return {names.files_sensor, names.settings_sensor, *(names.items_sensor(each) for each in collections)}


def _read_positions(home: Path, sensors: Collection[str]) -> dict[str, FeedPosition]:
    """The positions of these sensors in the log, as Dagster stores them; only of those that have ticked."""
    with open_instance(home) as instance:
        cursors = {
            state.instigator_name: getattr(state.instigator_data, "cursor", None)
            for state in instance.all_instigator_state()
            if state.instigator_name in sensors
        }
    followed = {name: read_cursor(_Followed, cursor, logger) for name, cursor in cursors.items()}
    return {name: each.feed for name, each in followed.items() if each}
