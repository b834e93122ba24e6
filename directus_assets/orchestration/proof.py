"""Checks that the Dagster that answers is ours and has loaded the current YAML file.

The settings sensor carries two digests in its tags: one of its Directus and home, and one of the YAML file. Another
Dagster on the same port has different digests, or no such sensor.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from directus_assets.errors import Rejected
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.webserver import Webserver
from directus_assets.settings import Settings

PLACE_TAG = "directus_assets/place"
EDITION_TAG = "directus_assets/edition"

_ADDRESS = "Set DAGSTER_WEBSERVER_URL to the address of the Dagster that `make dev` started, or stop the other one."


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """A reason to doubt that a webserver is ours and up to date."""

    text: str
    remedy: str
    is_stranger: bool = False
    """Whether it certainly is a different Dagster."""


def identity(settings: Settings) -> dict[str, str]:
    """The tags of a project's settings sensor."""
    edition = {EDITION_TAG: settings.edition} if settings.is_from_file else {}
    return {PLACE_TAG: settings.place, **edition}


def doubts(webserver: Webserver, settings: Settings) -> Iterator[Doubt]:
    """The evidence against the webserver; nothing if all is well.

    Definitions of an earlier version carry no digests and are trusted.

    Raises:
        Unreachable: nothing answers there.
        Rejected: the server is not Dagster, or refuses.
    """
    found = webserver.sensor_tags(Names(settings.project).settings_sensor)
    if not found:
        locations = ", ".join(f"'{name}'" for name in sorted(webserver.load_errors())) or "none"
        yield Doubt(
            text=f"Dagster at {webserver.url} has not loaded this project. Its code locations: {locations}.",
            remedy=_ADDRESS,
        )
    elif all(_differs(tags, settings, PLACE_TAG) for tags in found.values()):
        yield Doubt(
            text=f"Dagster at {webserver.url} works for another Directus or uses another DAGSTER_HOME.",
            remedy=_ADDRESS,
            is_stranger=True,
        )
    elif all(_differs(tags, settings, EDITION_TAG) for tags in found.values()):
        yield Doubt(
            text=f"Dagster at {webserver.url} has loaded an older version of the YAML file.",
            remedy=(
                "It reloads the file automatically within a minute if its sensors are running. Or press Reload in "
                "the UI under Deployment."
            ),
        )


def require_ours(webserver: Webserver, settings: Settings) -> None:
    """Verify that a webserver is ours before sending it a command.

    Raises:
        Unreachable: nothing answers there.
        Rejected: it is a different one.
    """
    for doubt in doubts(webserver, settings):
        if doubt.is_stranger:
            raise Rejected(doubt.text, remedy=doubt.remedy)


def _differs(tags: Mapping[str, str], settings: Settings, tag: str) -> bool:
    wanted = identity(settings)
    return tag in tags and tag in wanted and tags[tag] != wanted[tag]
