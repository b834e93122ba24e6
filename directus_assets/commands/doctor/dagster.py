"""Whether there is a Dagster to work in, and whether it takes what it is to work on."""

import tempfile
from collections.abc import Iterator

from directus_assets.commands.doctor.findings import Finding, Subject, failed, ok, warning
from directus_assets.errors import DirectusAssetsError, Rejected, Unreachable
from directus_assets.orchestration.build import validate_defs
from directus_assets.orchestration.proof import doubts
from directus_assets.orchestration.webserver import Webserver
from directus_assets.snapshot import take_snapshot


def check_home(subject: Subject) -> Iterator[Finding]:
    """The folder that Dagster keeps its history in."""
    home = subject.project.settings.environment.state_folder
    if not home.is_dir():
        yield warning("DAGSTER_HOME", f"{home} is no folder yet.", "`make dev` makes it at the first start.")
        return
    try:
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        yield failed(
            "DAGSTER_HOME",
            f"{home} cannot be written to: {error.strerror}.",
            "Run as the user that it belongs to, or name another folder.",
        )
    else:
        yield ok("DAGSTER_HOME", str(home))


def check_definitions(subject: Subject) -> Iterator[Finding]:
    """What the code location loads: all that is derived from this Directus has a place in Dagster."""
    snapshot = take_snapshot(subject.project.directus, subject.project.wanted, faults={})
    try:
        assets = validate_defs(subject.project, snapshot)
    except DirectusAssetsError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever Dagster does not take, the code location would not load
        yield failed(
            "code location",
            f"Dagster does not take these definitions: {error}",
            "Rename what it names in Directus, or switch it off in the YAML file.",
        )
    else:
        yield ok("code location", f"loads, with {assets} assets")


def check_webserver(subject: Subject) -> Iterator[Finding]:
    """Dagster's webserver, which has to answer while the pipeline runs."""
    settings = subject.project.settings
    webserver = Webserver(settings.environment.webserver_url)
    try:
        found = list(doubts(webserver, settings))
        sick = webserver.sick_daemons()
    except (Unreachable, Rejected) as error:
        yield warning("webserver", error.message, error.remedy)
        return
    for doubt in found:
        yield warning("webserver", doubt.text, doubt.remedy)
    if sick:
        yield warning(
            "webserver", f"Dagster's daemon does not run: {', '.join(sick).lower()}.", "Start it: `make dev`."
        )
    if not found and not sick:
        yield ok("webserver", f"Our Dagster answers at {webserver.url}, with the YAML file as it is now.")
