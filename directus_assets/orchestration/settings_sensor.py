"""`directus_settings_sensor`: follows what definitions are built from, and has them built anew."""

import time

import dagster as dg
from pydantic import BaseModel

from directus_assets.directus.feed import FeedPosition, read_feed
from directus_assets.errors import PermanentError
from directus_assets.orchestration.cursor import read_cursor
from directus_assets.orchestration.interval import minimum_interval
from directus_assets.orchestration.resources import Project
from directus_assets.orchestration.webserver import Webserver
from directus_assets.snapshot import Snapshot, take_snapshot, write_snapshot

_PATIENCE_SECONDS = 30.0
"""Webserver and daemon follow a reload within about 12 s; asking again sooner only keeps them busy."""


class SettingsCursor(BaseModel):
    """Where the sensor stands."""

    feed: FeedPosition
    compared: str = ""
    """The digest of the snapshot that is known to be what Directus has at this position."""
    reloaded_at: float = 0.0
    """When the definitions were last asked to be built anew, in seconds since 1970."""


def build_settings_sensor(loaded: Snapshot, project: Project) -> dg.SensorDefinition:
    """The sensor that compares Directus with the snapshot that these definitions were built from."""

    digest = loaded.digest

    @dg.sensor(
        name=project.names.settings_sensor,
        minimum_interval_seconds=minimum_interval(project.settings.environment.poll_seconds),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Follows image presets, languages, translated collections and the glossary in Directus.",
    )
    def directus_settings_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        directus = project.directus
        cursor = read_cursor(SettingsCursor, context.cursor, context.log)
        if cursor is None:
            latest = directus.latest_activity_id()
            cursor = SettingsCursor(feed=FeedPosition(last_id=latest, first_id=latest))
        page = read_feed(directus, cursor.feed, collections=loaded.watched_collections)
        cursor = cursor.model_copy(update={"feed": page.position})
        # A start with an old snapshot, or none, leaves something to do although nothing changes any more.
        if not page.entries and cursor.compared == digest:
            return _skip("Nothing changed.", cursor)
        faults: dict[str, PermanentError] = {}
        current = take_snapshot(directus, project.wanted, known=loaded, faults=faults)
        if current == loaded:
            # A right that is given, for one, leaves no trace in the feed.
            reasons = [f"'{name}' cannot be described: {fault}" for name, fault in faults.items()]
            compared = "" if faults else digest
            return _skip(" ".join(["Nothing changed.", *reasons]), cursor.model_copy(update={"compared": compared}))
        message = "What definitions are built from changed in Directus: they are being built anew."
        if time.time() - cursor.reloaded_at < _PATIENCE_SECONDS:
            return _skip(message, cursor.model_copy(update={"compared": ""}))
        environment = project.settings.environment
        write_snapshot(current, environment.state_folder)
        Webserver(environment.webserver_url).reload_definitions(project.names.settings_sensor)
        return _skip(message, cursor.model_copy(update={"compared": "", "reloaded_at": time.time()}))

    return directus_settings_sensor


def _skip(reason: str, cursor: SettingsCursor) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=cursor.model_dump_json())
