"""`directus-assets setup --flows`: buttons in the Studio and, if wanted, the push of changes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.markup import escape

from directus_assets.commands.doctor.findings import Status
from directus_assets.commands.setup.account import Step, carry_out, plan_account, read_account
from directus_assets.commands.setup.flow_trees import PUSH_KEY, button_flows, known_ids, push_flow, secrets_in
from directus_assets.commands.setup.flows import flow_id, plan_flows, read_flows, require_room
from directus_assets.commands.setup.picture_fields import picture_fields
from directus_assets.commands.setup.rights import Right, held_rights, missing_rights
from directus_assets.commands.setup.setup import require_administrator, table_of
from directus_assets.commands.setup.wiring import check_flows, check_open_ways, read_kinds, wiring_of
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.held import read_held
from directus_assets.door import secrets
from directus_assets.notify import NOTIFICATIONS_RIGHT
from directus_assets.orchestration.project import Project
from directus_assets.redaction import hide
from directus_assets.settings import Settings


def run_flows_setup(
    console: Console,
    settings: Settings,
    *,
    admin_token: str,
    confirm: Callable[[], bool],
    dry_run: bool = False,
    push: bool | None = None,
    remove: bool = False,
    new_secret: bool = False,
) -> int:
    """Show the changes, ask for confirmation, apply them, and check that the flows reach the door; return the exit
    status.

    Args:
        console: where to write.
        settings: of the pipeline, with its token.
        admin_token: an administrator's token; it is used here and not stored.
        confirm: asks whether to proceed.
        dry_run: show the changes without applying them.
        push: whether changes are pushed; None keeps the current state.
        remove: remove all flows.
        new_secret: give the flows and the door a new secret.

    Raises:
        DirectusAssetsError: Directus refuses or does not answer.
    """
    settings.environment.require()
    project = Project(settings)
    with DirectusClient(settings.environment.directus_url, admin_token) as admin:
        require_administrator(admin)
        kinds = read_kinds(project)
        ids = known_ids(project.names.project)
        present = read_flows(admin, ids)
        secret = _secret(project, present, new=new_secret)
        wiring = replace(wiring_of(project, kinds, secret=secret), pictures=picture_fields(admin.get("/relations")))
        wanted = [] if remove else button_flows(wiring)
        if not remove and (push or (push is None and flow_id(project.names.project, PUSH_KEY) in present)):
            wanted.append(push_flow(wiring))
        steps = [*([] if remove else _right_to_tell(project, admin)), *plan_flows(present, wanted, ids)]
        kept = len(wanted) - sum(step.what == "flow" and step.verb in ("create", "change") for step in steps)
        kept_text = f"{kept} of {len(wanted)} are already correct"
        console.print(table_of(project.directus.url, steps, what="flows", kept=kept_text))
        if wanted:
            console.print(
                "The door's secret is stored in these flows, where administrators can read it, and so can everybody "
                "with unrestricted access to Directus' revisions."
            )
        todo = [step for step in steps if step.verb != "leave"]
        require_room(admin, todo)
        if dry_run:
            return 0
        if todo and not confirm():
            console.print("Nothing was changed.")
            return 1
        if not remove:
            secrets.admit(project.memory, secret)
        carry_out(admin, todo)
        # Flows are changed one by one; until here the door accepted both secrets.
        secrets.admit_only(project.memory, None if remove else secret)
        console.print("Done." if todo else "Nothing needs to change.")
        if remove:
            return 0
        findings = [*check_flows(wiring, kinds, admin, is_new=bool(todo)), *check_open_ways(project, admin)]
    for finding in findings:
        console.print(f"{finding.status.value}: {escape(f'{finding.what}: {finding.text} {finding.remedy}')}")
    return 1 if any(finding.status is Status.FAILED for finding in findings) else 0


def _secret(project: Project, present: Mapping[str, Mapping[str, Any]], *, new: bool) -> str:
    """The secret that the flows hold; a new one if it is to change, or if the door does not know it."""
    held = secrets_in(present.values())
    if len(held) == 1 and not new and secrets.is_known(project.memory, known := next(iter(held))):
        hide(known)
        return known
    return secrets.new_secret()


def _right_to_tell(project: Project, admin: DirectusClient) -> Iterable[Step]:
    """The right of the pipeline's user to notify an editor in Directus of the outcome of a click."""
    collection, action = NOTIFICATIONS_RIGHT
    right = Right(collection=collection, action=action)
    if not missing_rights([right], held_rights(read_held(project.directus))):
        return []
    account = read_account(admin)
    if account.user != project.directus.own_user_id:
        detail = f"{right.name} (missing; add it to the policy of the token's user)"
        return [Step(verb="leave", what="right", detail=detail)]
    held = [permission.right for permission in account.permissions]
    return [step for step in plan_account(account, [*held, right], token="") if step.what == "right"]
