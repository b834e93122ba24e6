"""`directus_settings_sensor`: follows the settings that definitions are built from, and has them built anew."""

import time

import dagster as dg

from directus_assets.orchestration.resources import Project
from directus_assets.orchestration.webserver import Webserver
from directus_assets.snapshot import Snapshot, take_snapshot, write_snapshot

_PATIENCE_SECONDS = 30.0
"""Webserver and daemon follow a reload within about 12 s; asking again sooner only keeps them busy."""


def build_settings_sensor(loaded: Snapshot, project: Project) -> dg.SensorDefinition:
    """The sensor that compares Directus with the snapshot that these definitions were built from."""

    @dg.sensor(
        name="directus_settings_sensor",
        minimum_interval_seconds=project.settings.environment.poll_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Follows image presets in Directus' settings; new, changed and removed presets become assets.",
    )
    def directus_settings_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        current = take_snapshot(project.directus)
        if current == loaded:
            return dg.SkipReason("Nothing changed.")
        if context.cursor and time.time() - float(context.cursor) < _PATIENCE_SECONDS:
            return dg.SkipReason("The definitions are being built anew.")
        environment = project.settings.environment
        write_snapshot(current, environment.state_folder)
        Webserver(environment.webserver_url).reload_code_location()
        context.update_cursor(str(time.time()))
        return dg.SkipReason("The settings of Directus changed: the definitions are being built anew.")

    return directus_settings_sensor
