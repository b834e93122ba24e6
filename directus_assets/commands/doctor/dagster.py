"""Checks that Dagster is available and accepts our definitions."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import yaml

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok, warning
from directus_assets.commands.home import INSTANCE_FILE
from directus_assets.errors import DirectusAssetsError, Rejected, Unreachable
from directus_assets.orchestration.build import validate_defs
from directus_assets.orchestration.proof import doubts
from directus_assets.orchestration.webserver import Webserver
from directus_assets.snapshot import take_snapshot

_FAST = ("storage", "run_launcher", "run_coordinator")


def check_home(subject: Checkup) -> Iterator[Finding]:
    """Check the folder where Dagster keeps its history."""
    home = subject.project.settings.environment.state_folder
    if not home.is_dir():
        yield warning(
            "DAGSTER_HOME", f"The folder {home} does not exist yet.", "`make dev` creates it on the first start."
        )
        return
    try:
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        yield failed(
            "DAGSTER_HOME",
            f"Cannot write to {home}: {error.strerror}.",
            "Run as the user who owns it, or choose another folder.",
        )
    else:
        yield ok("DAGSTER_HOME", str(home))
    yield from _news_of_instance(home / "dagster.yaml")


def _news_of_instance(path: Path) -> Iterator[Finding]:
    """Report settings that our `dagster.yaml` has and this one lacks: an existing file is never changed."""
    if not path.is_file():
        return
    try:
        present = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        yield warning("dagster.yaml", f"{path} cannot be read: {type(error).__name__}.", "Correct it.")
        return
    ours = yaml.safe_load(INSTANCE_FILE.read_text("utf-8"))
    # On PostgreSQL and Kubernetes, other settings replace some of ours.
    missing = [name for name in _FAST if name in ours and not _has_one_of_ours(present.get(name))]
    if missing:
        yield ok(
            "dagster.yaml",
            f"{path} comes from an earlier version or was edited. It does not use these faster settings: "
            f"{', '.join(missing)} (see {INSTANCE_FILE}).",
        )


def _has_one_of_ours(section: object) -> bool:
    return "directus_assets." in str(section)


def check_definitions(subject: Checkup) -> Iterator[Finding]:
    """Check that the code location loads, so that everything derived from this Directus has a place in Dagster."""
    snapshot = take_snapshot(subject.project.directus, subject.project.wanted, faults={})
    try:
        assets = validate_defs(subject.project, snapshot)
    except DirectusAssetsError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever Dagster rejects here, it would reject when loading
        yield failed(
            "code location",
            f"Dagster rejected these definitions: {error}",
            "Rename the object it mentions in Directus, or disable it in the YAML file.",
        )
    else:
        yield ok("code location", f"loads, with {assets} assets")


def check_guard(subject: Checkup) -> Iterator[Finding]:
    """Check whether Dagster's webserver accepts commands by plain GET, which servers and web pages can be tricked into
    sending.
    """
    environment = subject.project.settings.environment
    for name in environment.unused:
        yield warning(
            name,
            "This variable no longer has any effect: Directus' flows call the door and no longer need to reach "
            "Dagster.",
            "Remove it, and close any network access from Directus to Dagster that you opened for it. DOOR_URL is the "
            "address of the door as seen from Directus.",
        )
    try:
        answer = subject.http.get(f"{environment.webserver_url}/graphql", params={"query": "{__typename}"})
    except httpx.TransportError:
        return  # The next check reports it.
    if answer.is_success and "__typename" in answer.text:
        yield warning(
            "webserver",
            "Dagster's webserver executes GraphQL mutations sent by GET. Anyone who can import files by URL in "
            "Directus, or open a web page in a browser on this network, can control it.",
            "Start it with `make dev` or `python -m directus_assets.fast.webserver`, or put it behind a login.",
        )


def check_webserver(subject: Checkup) -> Iterator[Finding]:
    """Check that Dagster's webserver answers; it must do so while the pipeline runs."""
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
            "webserver", f"Dagster's daemon is not running: {', '.join(sick).lower()}.", "Start it: `make dev`."
        )
    if not found and not sick:
        yield ok("webserver", f"Dagster at {webserver.url} runs this project with the current YAML file.")
