"""Several projects in one code location; a project that fails to build does not affect the others."""

import logging
from collections.abc import Callable, Mapping

import dagster as dg

from directus_assets.errors import ConfigurationError, DirectusAssetsError, as_error
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.sensors.interval import minimum_interval
from directus_assets.settings import DEFAULT, Settings, required

_INTERVAL_SECONDS = 60

logger = logging.getLogger(__name__)


def build_each(
    projects: Mapping[str, Settings | ConfigurationError], build: Callable[[Settings], dg.Definitions]
) -> dg.Definitions:
    """The definitions of all projects.

    With several projects, one that cannot be built becomes a sensor whose ticks fail with the reason, visible in the
    UI.

    Args:
        projects: their settings by name, or the error.
        build: builds the definitions of one project.

    Raises:
        Exception: the only project cannot be built.
    """
    return dg.Definitions.merge(
        *(_build(name, settings, build, is_alone=len(projects) == 1) for name, settings in projects.items())
    )


def _build(
    name: str,
    settings: Settings | ConfigurationError,
    build: Callable[[Settings], dg.Definitions],
    *,
    is_alone: bool,
) -> dg.Definitions:
    try:
        return build(required(settings))
    except Exception as error:
        if is_alone:
            raise
        fault = as_error(error)
        logger.error("The project '%s' is disabled, because its settings are invalid: %s", name, fault)  # noqa: TRY400 - a traceback adds nothing
        return dg.Definitions(sensors=[_sensor(Names("" if name == DEFAULT else name), fault)])


def _sensor(names: Names, fault: DirectusAssetsError) -> dg.SensorDefinition:
    @dg.sensor(
        name=names.settings_sensor,
        minimum_interval_seconds=minimum_interval(_INTERVAL_SECONDS),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reports why this project is disabled.",
    )
    @without_secrets
    def directus_settings_sensor() -> None:
        raise fault

    return directus_settings_sensor
