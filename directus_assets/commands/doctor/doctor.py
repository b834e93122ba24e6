"""`directus-assets doctor`: runs all checks and shows their findings in one table."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.commands.doctor import (
    access,
    connection,
    dagster,
    enrichments,
    feed,
    filters,
    flows,
    images,
    storages,
    translations,
)
from directus_assets.commands.doctor.findings import Check, Checkup, Finding, Status, failed, warning
from directus_assets.errors import ConfigurationError, Forbidden, as_error
from directus_assets.orchestration.project import Project
from directus_assets.settings import Settings

_FIRST: tuple[tuple[str, Check], ...] = (
    ("address", connection.check_address),
    # The first check that uses the token, so it reports problems with the token.
    ("token", connection.check_version),
    ("token", connection.check_token),
)
"""Checks that must pass before Directus can be asked anything else."""

_OF_DIRECTUS: tuple[tuple[str, Check], ...] = (
    ("limits", connection.check_limits),
    ("rights", access.check_rights),
    ("long queries", connection.check_long_queries),
    ("filters", filters.check_filters),
    ("presets", images.check_presets),
    ("collections", translations.check_collections),
    ("enrichments", enrichments.check_declarations),
    ("tracking", translations.check_tracking),
    ("change feed", feed.check_feed),
    ("libvips", images.check_libvips),
    ("bytes", images.check_bytes),
    ("storage", storages.check_storages),
    ("served files", images.check_stored_names),
    ("buttons", flows.check_buttons),
    ("code location", dagster.check_definitions),
)

_OF_ACCESS = (access.check_rights, filters.check_filters)
"""Once they have named what Directus refuses, later checks don't repeat it, with advice that fits less well."""

_OF_OURS: tuple[tuple[str, Check], ...] = (
    ("engine", translations.check_engine),
    ("spending", translations.check_spending),
    ("enrichment engine", enrichments.check_engines),
    ("translation records", storages.check_translation_records),
    ("DAGSTER_HOME", dagster.check_home),
    ("webserver", dagster.check_guard),
    ("webserver", dagster.check_webserver),
    ("disk", storages.check_disk),
)

_COLOURS = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red"}


def run_doctor(console: Console, settings: Settings) -> int:
    """Run all checks and print the table; return exit status 1 if something does not work."""
    with contextlib.closing(Checkup(Project(settings))) as subject, console.status("Checking everything ..."):
        findings = list(examine(subject))
    console.print(_table(findings))
    counts = {status: sum(finding.status is status for finding in findings) for status in Status}
    warnings = counts[Status.WARNING]
    console.print(
        f"{counts[Status.OK]} ok, {warnings} warning{'' if warnings == 1 else 's'}, {counts[Status.FAILED]} failed"
    )
    return 1 if counts[Status.FAILED] else 0


def examine(subject: Checkup) -> Iterator[Finding]:
    """Yield all findings. A failing check does not stop the others, and each cause is reported once."""
    told: set[str] = set()
    for finding in _examine(subject):
        if finding.status is Status.OK or finding.text not in told:
            yield finding
        told.add(finding.text)


def _examine(subject: Checkup) -> Iterator[Finding]:
    yield from _examine_directus(subject)
    for what, check in _OF_OURS:
        yield from _run(what, check, subject)


def _examine_directus(subject: Checkup) -> Iterator[Finding]:
    try:
        subject.project.settings.environment.require()
    except ConfigurationError as error:
        yield failed("address", error.message, error.remedy)
        return
    for what, check in _FIRST:
        findings = _run(what, check, subject)
        yield from findings
        if _has_failure(findings):
            return
    is_refused = False
    for what, check in _OF_DIRECTUS:
        findings = _run(what, check, subject, is_refused=is_refused)
        yield from findings
        is_refused = is_refused or (check in _OF_ACCESS and _has_failure(findings))


def _run(what: str, check: Check, subject: Checkup, *, is_refused: bool = False) -> Sequence[Finding]:
    findings: list[Finding] = []
    try:
        for finding in check(subject):
            findings.append(finding)  # noqa: PERF402 - findings made before an error count
    except Exception as error:  # noqa: BLE001 - whatever fails in one check, the others still run
        if is_refused and isinstance(error, Forbidden):
            findings.append(warning(what, "Not checked: Directus refuses it.", "Fix the above, then run this again."))
        else:
            fault = as_error(error)
            findings.append(failed(what, fault.message, fault.remedy))
    return findings


def _has_failure(findings: Iterable[Finding]) -> bool:
    return any(finding.status is Status.FAILED for finding in findings)


def _table(findings: Iterable[Finding]) -> Table:
    table = Table(show_lines=False)
    table.add_column("status", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("found", overflow="fold")
    for finding in findings:
        colour = _COLOURS[finding.status]
        remedy = f"\n[{colour}]→[/] {escape(finding.remedy)}" if finding.remedy else ""
        table.add_row(f"[{colour}]{finding.status.value}[/]", escape(finding.what), f"{escape(finding.text)}{remedy}")
    return table
