"""Checks that the sensors follow Directus' current activity log."""

from collections.abc import Iterator

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok, warning
from directus_assets.directus.feed import has_gone_back
from directus_assets.directus.sight import require_sight_of_others
from directus_assets.orchestration.sensors.feed_positions import read_positions


def check_feed(subject: Checkup) -> Iterator[Finding]:
    """Check that the log is the one that the sensors have read, and that it has not been rolled back since."""
    require_sight_of_others(subject.project.directus)
    home = subject.project.settings.environment.dagster_home
    if not ((home / "dagster.yaml").exists() or (home / "schedules").is_dir()):
        return
    sensors = _sensors(subject)
    try:
        positions = read_positions(home, sensors)
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
