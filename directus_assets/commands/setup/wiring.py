"""Builds a project's flows from what it derives, and checks that they reach Dagster."""

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from directus_assets.commands.doctor.findings import Finding, failed, ok, warning
from directus_assets.commands.setup.flow_trees import BUTTON_KEY, BUTTON_NAME, EARLIER_KEYS, Wiring
from directus_assets.commands.setup.flows import flow_id
from directus_assets.directus.client import DirectusClient
from directus_assets.errors import DirectusAssetsError, Forbidden
from directus_assets.orchestration.build import all_kinds, kinds_by_button
from directus_assets.orchestration.buttons.job import KindsByButton
from directus_assets.orchestration.project import Project
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.languages import language

_PATIENCE_SECONDS = 30
"""Directus takes a moment to load a new flow, and so does the door to read a new secret."""

NOT_INSTALLED = "Not installed, or turned off."
NOT_TRIED = "Not checked: there is no item to try it on."
_WHAT = f"button '{BUTTON_NAME}'"
_EARLIER = "The flows come from an earlier version and call Dagster directly."
_SETUP = "Run `directus-assets setup --flows`."
_UNKNOWN = "undefined"
"""What Directus renders for a template without a value."""
_LINE = (
    "Check DOOR_URL: the address of the door as Directus sees it. By default, Directus does not let its flows "
    "call its own machine. If both run on one machine, set IMPORT_IP_DENY_LIST=169.254.169.254 in Directus' "
    "environment."
)
_CLOSED = (
    "The door does not accept this flow's secret. Run `directus-assets setup --flows` where the pipeline runs, with "
    "the same DAGSTER_HOME and YAML file."
)
_OLD_ALIAS = "plan_"
"""Flows of earlier versions asked Dagster directly for its version, under a name with this prefix."""


def read_kinds(project: Project) -> KindsByButton:
    """The outputs that each button remakes, by collection, in the current schema.

    Raises:
        DirectusAssetsError: Directus does not answer, or refuses.
    """
    return kinds_by_button(all_kinds(project, take_snapshot(project.directus, project.wanted)))


def wiring_of(project: Project, kinds: KindsByButton, *, secret: str = "") -> Wiring:
    """The wiring for the desired flows."""
    all_of_them = [kind for several in kinds.values() for kind in several]
    codes = dict.fromkeys(row.code for kind in all_of_them for row in kind.languages.values())
    return Wiring(
        names=project.names,
        door_url=project.settings.environment.door_url,
        own_user=project.directus.own_user_id,
        buttons={button: [name for each, name in kinds if each is button] for button, _ in kinds},
        collections=list(dict.fromkeys(name for _, name in kinds)),
        secret=secret,
        can_refuse=project.directus.version.has_flow_errors,
        languages={code: language(code).name for code in codes},
        fields=list(dict.fromkeys(name for kind in all_of_them for name in kind.text_fields)),
    )


def check_flows(
    wiring: Wiring, kinds: KindsByButton, client: DirectusClient, *, is_new: bool = False
) -> Iterator[Finding]:
    """Send a request through the button's flow and check that it reaches Dagster through the door.

    Args:
        wiring: of the desired flows.
        kinds: the outputs that the buttons remake.
        client: an administrator's or the pipeline's.
        is_new: whether the flows were just created.
    """
    if not wiring.offered:
        return
    # The flow requires an item that the caller can read; the item is not touched.
    found = (
        (collection, key)
        for (_, collection), several in kinds.items()
        for kind in several
        for key in kind.existing(page=1, size=1)
    )
    collection, key = next(found, ("", ""))
    if not key:
        yield warning(_WHAT, NOT_TRIED, "Run this again when there is one.")
        return
    body = {"collection": collection, "keys": [key], "check": True}
    project = wiring.names.project
    answer = _ask(client, flow_id(project, BUTTON_KEY), body, _PATIENCE_SECONDS if is_new else 0)
    if answer is None and any(_ask(client, flow_id(project, each), body, 0) is not None for each in EARLIER_KEYS):
        yield failed(_WHAT, _EARLIER, _SETUP)
        return
    yield _finding(_WHAT, answer, wiring)


def check_open_ways(project: Project, admin: DirectusClient) -> Iterator[Finding]:
    """Check whether Directus can reach Dagster's webserver, which it should not: tried the way a user who may import
    files would.

    On a single machine the door and the webserver are equally reachable, and one Directus setting opens or closes both.
    """
    environment = project.settings.environment
    if urlsplit(environment.webserver_url).hostname == urlsplit(environment.door_url).hostname:
        return
    try:
        imported = admin.post("/files/import", {"url": f"{environment.webserver_url}/server_info"})
    except DirectusAssetsError:
        return
    admin.delete(f"/files/{imported['id']}")
    yield warning(
        "webserver",
        f"Directus can reach Dagster's webserver at {environment.webserver_url}, and so can anyone who can import "
        "files.",
        "Block this access: use separate networks, a network policy, or IMPORT_IP_DENY_LIST in Directus.",
    )


def _ask(client: DirectusClient, flow: str, body: Mapping[str, Any], patience_seconds: float) -> Any:
    """The flow's answer; None if Directus has no such flow.

    While patience lasts, a refusal is retried: Directus and the door need a moment to load a new flow and a new secret.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            answer = client.post(f"/flows/trigger/{flow}", body)
        except Forbidden:
            answer = None
        if (answer is not None and not _is_refused(answer)) or time.monotonic() > deadline:
            return answer
        time.sleep(0.2)


def _is_refused(answer: Any) -> bool:
    return isinstance(answer, dict) and str(answer.get("status")) == "403"


def _finding(what: str, answer: Any, wiring: Wiring) -> Finding:
    if answer is None:
        return warning(what, NOT_INSTALLED, _SETUP)
    if not isinstance(answer, dict):
        return failed(what, "The flow's response is not one of ours.", _SETUP)
    if any(str(name).startswith(_OLD_ALIAS) for name in answer.get("data") or ()):
        return failed(what, _EARLIER, _SETUP)
    if "plan" in answer:
        return _at_the_door(what, answer, wiring)
    status, message = (str(answer.get(name, _UNKNOWN)) for name in ("status", "message"))
    if _is_refused(answer):
        return failed(what, f"The door at {wiring.door_url} refuses this flow.", _CLOSED)
    reason = next(
        (each for each in (message, f"HTTP {status}") if _UNKNOWN not in each), "the server there is not a door"
    )
    return failed(what, f"Directus cannot reach the door at {wiring.door_url}: {reason}.", _LINE)


def _at_the_door(what: str, told: Mapping[str, Any], wiring: Wiring) -> Finding:
    """The door's report on the way from it to a run."""
    if told["plan"] != wiring.digest:
        return warning(what, "It was created for a different set of collections.", _SETUP)
    if not told.get("loaded"):
        return failed(
            what, "Directus reaches the door, but Dagster has not loaded this project.", "See the Dagster UI."
        )
    if told.get("sick"):
        return failed(what, "Directus reaches the door, but Dagster's daemon is not running.", "Start it: `make dev`.")
    return ok(what, f"reaches Dagster {told.get('dagster')} through the door at {wiring.door_url}")
