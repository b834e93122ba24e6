"""Whether there is a Dagster to work in, and whether it takes what it is to work on."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import yaml

from directus_assets.commands.dev import INSTANCE_FILE
from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok, warning
from directus_assets.errors import DirectusAssetsError, Rejected, Unreachable
from directus_assets.orchestration.build import validate_defs
from directus_assets.orchestration.proof import doubts
from directus_assets.orchestration.webserver import Webserver
from directus_assets.snapshot import take_snapshot

_FAST = ("storage", "run_launcher", "run_coordinator")


def check_home(subject: Checkup) -> Iterator[Finding]:
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
    yield from _news_of_instance(home / "dagster.yaml")


def _news_of_instance(path: Path) -> Iterator[Finding]:
    """What our `dagster.yaml` has and this one has not: an existing file is never changed."""
    if not path.is_file():
        return
    try:
        present = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        yield warning("dagster.yaml", f"{path} cannot be read: {type(error).__name__}.", "Correct it.")
        return
    ours = yaml.safe_load(INSTANCE_FILE.read_text("utf-8"))
    # On PostgreSQL, and on Kubernetes, others take the place of some.
    missing = [name for name in _FAST if name in ours and not _has_one_of_ours(present.get(name))]
    if missing:
        yield ok(
            "dagster.yaml",
            f"{path} was made by an earlier version, or changed. New and faster there: {', '.join(missing)} "
            f"(see {INSTANCE_FILE}).",
        )


def _has_one_of_ours(section: object) -> bool:
    return "directus_assets." in str(section)


def check_definitions(subject: Checkup) -> Iterator[Finding]:
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


def check_guard(subject: Checkup) -> Iterator[Finding]:
    """Whether Dagster's webserver can be commanded by a plain GET, as servers and web pages can be talked into."""
    environment = subject.project.settings.environment
    for name in environment.unused:
        yield warning(
            name,
            "It means nothing any more: Directus' flows tell the door, and need no way to Dagster.",
            "Take it out, and close that way where it was opened. DOOR_URL says where Directus reaches the door.",
        )
    try:
        answer = subject.http.get(f"{environment.webserver_url}/graphql", params={"query": "{__typename}"})
    except httpx.TransportError:
        return  # Told by the next check.
    if answer.is_success and "__typename" in answer.text:
        yield warning(
            "webserver",
            "Dagster's webserver carries out GraphQL that comes by GET: whoever may import files by address into "
            "Directus, or shows a web page to somebody here, can command it.",
            "Start it by `make dev`, or as `python -m directus_assets.fast.webserver`, or let only people reach it.",
        )


def check_webserver(subject: Checkup) -> Iterator[Finding]:
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
