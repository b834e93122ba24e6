"""What a project's flows are for, read from what it derives, and whether they reach Dagster."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from directus_assets.commands.doctor.findings import Finding, failed, ok, warning
from directus_assets.commands.setup.flow_trees import BUTTON_KEY, BUTTON_NAME, PLAN_ALIAS, Outputs, Wiring
from directus_assets.commands.setup.flows import flow_id
from directus_assets.directus.client import DirectusClient
from directus_assets.errors import DirectusAssetsError, Forbidden
from directus_assets.orchestration.build import all_kinds, kinds_by_button
from directus_assets.orchestration.buttons.job import KindsByButton
from directus_assets.orchestration.kinds.enrichments import EnrichedItems
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.webserver import CODE_LOCATION, Webserver
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.languages import language

_PATIENCE_SECONDS = 10
"""Directus takes a moment to load a flow that was just made."""

NOT_INSTALLED = "Not installed, or switched off."
NOT_TRIED = "Not looked at: there is no item to try it on."
_WHAT = f"button '{BUTTON_NAME}'"
_SETUP = "Run `directus-assets setup --flows`."
_UNKNOWN = "undefined"
"""What Directus makes of a template with nothing behind it."""
_LINE = (
    "Check DAGSTER_FLOWS_URL: the address of the Dagster UI as Directus sees it. Directus denies its flows every "
    "address of its own machine; where both run on one, set IMPORT_IP_DENY_LIST=169.254.169.254 in its environment."
)


def read_kinds(project: Project) -> KindsByButton:
    """What each button makes again, by collection, as Directus is now.

    Raises:
        DirectusAssetsError: Directus does not answer, or refuses.
    """
    return kinds_by_button(all_kinds(project, take_snapshot(project.directus, project.wanted)))


def wiring_of(project: Project, kinds: KindsByButton) -> Wiring:
    """What the flows have to be for."""
    outputs: dict[str, Outputs] = {}
    for collection, kind in ((name, each) for (_, name), several in kinds.items() for each in several):
        known = outputs.get(collection)
        is_filtered = (isinstance(kind, Items) and bool(kind.scope.filter)) or (
            isinstance(kind, EnrichedItems) and {} not in kind.reader.filters
        )
        outputs[collection] = Outputs(
            collection=collection,
            partitions_name=kind.partitions_name,
            jobs=(*(known.jobs if known else ()), kind.job_name or ""),
            takes_all=not is_filtered or (known is not None and known.takes_all),
        )
    all_of_them = [kind for several in kinds.values() for kind in several]
    codes = dict.fromkeys(row.code for kind in all_of_them for row in kind.languages.values())
    header = project.settings.environment.flows_header
    return Wiring(
        names=project.names,
        dagster_url=project.settings.environment.flows_url,
        header=header.get_secret_value() if header else "",
        location=_location(project),
        own_user=project.directus.own_user_id,
        buttons={button: [name for each, name in kinds if each is button] for button, _ in kinds},
        outputs=list(outputs.values()),
        languages={code: language(code).name for code in codes},
        fields=list(dict.fromkeys(name for kind in all_of_them for name in kind.text_fields)),
    )


def _location(project: Project) -> str:
    try:
        return Webserver(project.settings.environment.webserver_url).location_of(project.names.buttons_sensor)
    except DirectusAssetsError:
        return CODE_LOCATION  # Whether Dagster can be reached is told in the end.


def check_flows(
    wiring: Wiring, kinds: KindsByButton, client: DirectusClient, *, is_new: bool = False
) -> Iterator[Finding]:
    """Sends a request through the flow of the button, and sees whether Dagster answers.

    Args:
        wiring: what the flows have to be for.
        kinds: what the buttons make again.
        client: who asks: an administrator, or the pipeline's user.
        is_new: whether the flows were made a moment ago.
    """
    if not wiring.offered:
        return
    # The flow wants an item that whoever asks may read; nothing happens to it.
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
    answer = _ask(client, flow_id(wiring.names.project, BUTTON_KEY), body, _PATIENCE_SECONDS if is_new else 0)
    yield _finding(_WHAT, answer, wiring)


def _ask(client: DirectusClient, flow: str, body: Mapping[str, Any], patience_seconds: float) -> Any:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return client.post(f"/flows/trigger/{flow}", body)
        except Forbidden:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.2)


def _finding(what: str, answer: Any, wiring: Wiring) -> Finding:
    if answer is None:
        return warning(what, NOT_INSTALLED, _SETUP)
    if not isinstance(answer, dict):
        return failed(what, "The flow answers as none of ours does.", _SETUP)
    versions = answer.get("data") or {}
    if f"{PLAN_ALIAS}{wiring.digest}" in versions:
        return ok(what, f"reaches Dagster {versions[f'{PLAN_ALIAS}{wiring.digest}']} at {wiring.dagster_url}")
    if any(name.startswith(PLAN_ALIAS) for name in versions):
        return warning(what, "It was made for other collections than there are now.", _SETUP)
    status, message = (str(answer.get(name, _UNKNOWN)) for name in ("status", "message"))
    reason = next((each for each in (message, f"HTTP {status}") if _UNKNOWN not in each), "what answers is no Dagster")
    return failed(what, f"Directus does not reach Dagster at {wiring.dagster_url}: {reason}.", _LINE)
