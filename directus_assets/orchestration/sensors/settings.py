"""`directus_settings_sensor`: watches what definitions are built from, and reloads them."""

import time

import dagster as dg
from pydantic import BaseModel

from directus_assets.directus.feed import FeedPosition, begin_feed, read_feed
from directus_assets.errors import PermanentError
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.proof import identity, require_ours
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.sensors.cursor import read_cursor
from directus_assets.orchestration.sensors.interval import minimum_interval
from directus_assets.orchestration.sensors.outages import through_outages
from directus_assets.orchestration.webserver import Webserver
from directus_assets.settings import DEFAULT, Settings, load_each
from directus_assets.snapshot import Snapshot, take_snapshot, write_snapshot

_PATIENCE_SECONDS = 30.0
"""Webserver and daemon complete a reload within about 12 s; requesting another one sooner only keeps them busy."""


class SettingsCursor(BaseModel):
    """The sensor's cursor."""

    feed: FeedPosition
    compared: str = ""
    """The digest of the snapshot that matches Directus at this position."""
    reloaded_at: float = 0.0
    """When a reload of the definitions was last requested, in seconds since 1970."""


def build_settings_sensor(loaded: Snapshot, project: Project) -> dg.SensorDefinition:
    """Build the sensor that compares Directus with the snapshot behind these definitions."""

    digest = loaded.digest

    @dg.sensor(
        name=project.names.settings_sensor,
        minimum_interval_seconds=minimum_interval(project.settings.environment.poll_seconds),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Watches presets, languages, translated collections and glossary in Directus, and the YAML file, "
            "for changes."
        ),
        tags=identity(project.settings),
    )
    @through_outages
    @without_secrets
    def directus_settings_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        directus = project.directus
        cursor = read_cursor(SettingsCursor, context.cursor, context.log) or SettingsCursor(feed=begin_feed(directus))
        if text := _file_changed(project.settings):
            return _skip(text, _rebuilt(project.settings, project.names, cursor))
        page = read_feed(directus, cursor.feed, collections=loaded.watched_collections)
        cursor = cursor.model_copy(update={"feed": page.position})
        # After a start from an old snapshot, or from none, a reload may be due although nothing changes any more.
        if not (page.entries or page.starts_over) and cursor.compared == digest:
            return _skip("Nothing changed.", cursor)
        faults: dict[str, PermanentError] = {}
        current = take_snapshot(directus, project.wanted, known=loaded, faults=faults)
        if current == loaded:
            # A newly granted right, for example, leaves no trace in the feed.
            reasons = [f"The schema of '{name}' could not be read: {fault}" for name, fault in faults.items()]
            compared = "" if faults else digest
            return _skip(" ".join(["Nothing changed.", *reasons]), cursor.model_copy(update={"compared": compared}))
        message = "Presets, languages or collections changed in Directus: reloading the definitions."
        write_snapshot(current, project.settings.environment.state_folder)
        return _skip(message, _rebuilt(project.settings, project.names, cursor.model_copy(update={"compared": ""})))

    return directus_settings_sensor


def _file_changed(loaded: Settings) -> str:
    """How the YAML file has changed since it was loaded; empty if nothing relevant has.

    Raises:
        ConfigurationError: the file is no longer valid; the sensors continue with the loaded settings.
    """
    if not loaded.is_from_file:
        return ""
    now = load_each().get(loaded.project or DEFAULT)
    if isinstance(now, Settings) and now.edition == loaded.edition:
        return ""
    return "The YAML file has changed: reloading the definitions."


def _rebuilt(settings: Settings, names: Names, cursor: SettingsCursor) -> SettingsCursor:
    """Reload the definitions, unless that was requested just now."""
    if time.time() - cursor.reloaded_at < _PATIENCE_SECONDS:
        return cursor
    webserver = Webserver(settings.environment.webserver_url)
    require_ours(webserver, settings)
    webserver.reload_definitions(names.settings_sensor)
    return cursor.model_copy(update={"reloaded_at": time.time()})


def _skip(reason: str, cursor: SettingsCursor) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=cursor.model_dump_json())
