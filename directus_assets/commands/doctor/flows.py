"""Checks that the Studio buttons reach Dagster, and that answers reach the editors."""

from collections.abc import Iterator

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok
from directus_assets.commands.setup.rights import Right, missing_rights
from directus_assets.commands.setup.wiring import NOT_INSTALLED, NOT_TRIED, check_flows, read_kinds, wiring_of
from directus_assets.notify import NOTIFICATIONS_RIGHT


def check_buttons(subject: Checkup) -> Iterator[Finding]:
    """Yield one row for each installed button."""
    kinds = read_kinds(subject.project)
    findings = list(check_flows(wiring_of(subject.project, kinds), kinds, subject.project.directus))
    # Buttons are optional: a project without any, as far as can be seen, has no problem.
    if all(finding.text in (NOT_INSTALLED, NOT_TRIED) for finding in findings):
        yield ok("buttons", "not installed in the Studio (`directus-assets setup --flows` does it)")
        return
    yield from findings
    collection, action = NOTIFICATIONS_RIGHT
    if missing := missing_rights([Right(collection=collection, action=action)], subject.held):
        yield failed(
            "buttons",
            f"Editors cannot be notified of the outcome: the permission {missing[0].name} is missing.",
            "Run `directus-assets setup --flows`.",
        )
