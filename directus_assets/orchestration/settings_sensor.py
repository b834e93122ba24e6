"""`directus_settings_sensor`: follows the settings that definitions are built from, and has them built anew."""

from urllib.parse import urlsplit

import dagster as dg
from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError, ReloadRepositoryLocationStatus

from directus_assets.errors import Unreachable
from directus_assets.orchestration.resources import Project
from directus_assets.snapshot import Snapshot, take_snapshot, write_snapshot

CODE_LOCATION = "directus_assets"


def build_settings_sensor(loaded: Snapshot, *, poll_seconds: int) -> dg.SensorDefinition:
    """The sensor that compares Directus with the snapshot that these definitions were built from."""

    @dg.sensor(
        name="directus_settings_sensor",
        minimum_interval_seconds=poll_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Follows image presets in Directus' settings; new, changed and removed presets become assets.",
    )
    def directus_settings_sensor(
        context: dg.SensorEvaluationContext, project: dg.ResourceParam[Project]
    ) -> dg.SkipReason:
        current = take_snapshot(project.directus)
        if current == loaded:
            return dg.SkipReason("Nothing changed.")
        environment = project.settings.environment
        write_snapshot(current, environment.state_folder)
        reload_code_location(environment.webserver_url)
        context.log.info("The settings of Directus changed: the definitions are built anew.")
        return dg.SkipReason("The settings of Directus changed: the definitions are built anew.")

    return directus_settings_sensor


def reload_code_location(webserver_url: str) -> None:
    """Asks Dagster to build the definitions anew; webserver and daemon follow within seconds.

    Raises:
        Unreachable: the webserver does not answer at that address, or knows no such code location.
    """
    address = urlsplit(webserver_url)
    remedy = "Set DAGSTER_WEBSERVER_URL to the address of the Dagster UI, and see that it runs."
    try:
        client = DagsterGraphQLClient(
            address.hostname or "127.0.0.1", port_number=address.port, use_https=address.scheme == "https", timeout=30
        )
        answer = client.reload_repository_location(CODE_LOCATION)
    except DagsterGraphQLClientError as error:
        raise Unreachable(f"Dagster's webserver at {webserver_url} did not answer: {error}", remedy=remedy) from None
    if answer.status is not ReloadRepositoryLocationStatus.SUCCESS:
        raise Unreachable(f"Dagster could not build the definitions anew: {answer.message}", remedy=remedy)
