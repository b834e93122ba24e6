"""The command `backfill`: runs existing files through image presets with Dagster's backfills."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from directus_assets.commands.plan.estimates import duration, seconds_per_file
from directus_assets.directus.models import TRANSFORMED_TYPES, Preset
from directus_assets.errors import ConfigurationError, PermanentError
from directus_assets.images.plan import examine_files
from directus_assets.isolation import isolate
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import fingerprints
from directus_assets.orchestration.webserver import BackfillProgress, Webserver
from directus_assets.planning.changes import stale_outputs
from directus_assets.run_tags import PRIORITY_TAG, SCAN_PRIORITY
from directus_assets.settings import Settings

_PAGE = 500
_POLL_SECONDS = 2.0
_TITLE = "directus-assets backfill"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The work of a backfill."""

    files: int
    work: dict[frozenset[str], list[str]]
    """Sets of preset keys, each with the files that need exactly those presets."""

    def count(self, preset: str) -> int:
        """Number of files that need this preset."""
        return sum(len(files) for presets, files in self.work.items() if preset in presets)


@dataclass(frozen=True, kw_only=True)
class WantedBackfill:
    """A backfill to start."""

    what: str
    """A description for people, in case Dagster refuses it."""
    assets: Sequence[dg.AssetKey]
    keys: Sequence[str]
    """The partitions."""
    tags: Mapping[str, str]


def run_backfill(
    console: Console, settings: Settings, *, presets: Sequence[str], missing_only: bool, dry_run: bool
) -> int:
    """Run the command and return its exit status.

    Args:
        console: where to write.
        settings: the project's settings.
        presets: limits the backfill to these; all if empty.
        missing_only: skip files that are materialized with the current fingerprint.
        dry_run: show the work without starting it.

    Raises:
        ConfigurationError: Directus does not have one of the presets.
    """
    project = Project(settings)
    chosen = _choose(project, presets)
    with dg.DagsterInstance.get() as instance:
        plan = _plan(console, project, instance, chosen, missing_only=missing_only)
        medians = seconds_per_file(instance, project.names, chosen)
        _show_plan(console, plan, chosen, medians, workers=project.maker.workers)
        if dry_run or not plan.work:
            return 0
        webserver = Webserver(settings.environment.webserver_url)
        instance.add_dynamic_partitions(
            str(project.names.files_partitions.name), [file_id for files in plan.work.values() for file_id in files]
        )
        page = f"{webserver.url}/assets/{project.names.presets.to_user_string()}"
        return carry_out(console, webserver, _wanted(project.names, plan), page=page)


def _wanted(names: Names, plan: Plan) -> Iterator[WantedBackfill]:
    for presets, files in ((sorted(keys), files) for keys, files in plan.work.items()):
        yield WantedBackfill(
            what=f"{len(files)} files through {', '.join(presets)}",
            assets=[names.preset(key) for key in presets],
            keys=files,
            tags={PRIORITY_TAG: SCAN_PRIORITY, **names.tags},
        )


def _choose(project: Project, wanted: Sequence[str]) -> list[Preset]:
    images = project.settings.config.images
    presets = [p for p in project.directus.project_settings().presets if images.is_enabled(p.key)]
    known = {preset.key for preset in presets}
    if unknown := [key for key in wanted if key not in known]:
        raise ConfigurationError(
            f"Directus has no preset '{unknown[0]}'.", remedy=f"Presets: {', '.join(sorted(known)) or 'none'}."
        )
    return [preset for preset in presets if not wanted or preset.key in wanted]


def _plan(
    console: Console, project: Project, instance: dg.DagsterInstance, presets: Sequence[Preset], *, missing_only: bool
) -> Plan:
    work: dict[frozenset[str], list[str]] = defaultdict(list)
    every = frozenset(preset.key for preset in presets)
    keys = {preset.key: project.names.preset(preset.key) for preset in presets}
    total = project.directus.count_files(types=TRANSFORMED_TYPES, matching=project.settings.config.images.filter)
    seen = 0
    with _progress(console) as progress:
        bar = progress.add_task("Looking at files", total=total)
        for ids in _pages(project):
            seen += len(ids)
            stale = dict.fromkeys(ids, every)
            if missing_only:
                found = isolate(ids, project.files_by_id)
                files = [file for some in found.results for file in some.values()]
                wanted = examine_files(files, presets).wanted
                # A file that cannot be read is requested too; its partition then shows the reason.
                stale = {
                    **stale_outputs(wanted, fingerprints(instance, keys, ids)),
                    **dict.fromkeys(found.culprits, every),
                }
            for file_id, stale_keys in stale.items():
                work[stale_keys].append(file_id)
            progress.advance(bar, len(ids))
    return Plan(files=seen, work=dict(work) if presets else {})


def _pages(project: Project) -> Iterator[list[str]]:
    page, matching = 1, project.settings.config.images.filter
    while ids := project.directus.file_ids_page(types=TRANSFORMED_TYPES, page=page, size=_PAGE, matching=matching):
        yield ids
        page += 1


def _show_plan(
    console: Console, plan: Plan, presets: Sequence[Preset], medians: dict[str, float], *, workers: int
) -> None:
    table = Table(title=f"{plan.files} pictures in Directus")
    table.add_column("preset")
    table.add_column("to make", justify="right")
    table.add_column("about", justify="right")
    for preset in presets:
        count, median = plan.count(preset.key), medians.get(preset.key)
        table.add_row(preset.key, str(count), duration(count * median / workers) if median is not None else "?")
    console.print(table)
    if not plan.work:
        console.print("No derivatives to make.")
    elif any(preset.key not in medians for preset in presets):
        console.print("'?': nothing has been made with this preset yet, so the time cannot be estimated.")


def carry_out(console: Console, webserver: Webserver, wanted: Iterable[WantedBackfill], *, page: str) -> int:
    """Start backfills, show their progress until all have ended, and return the exit status.

    A backfill that Dagster refuses does not stop the others.

    Args:
        console: where to write.
        webserver: starts them.
        wanted: the backfills.
        page: the Dagster page that shows the reasons of failures.
    """
    started = time.monotonic()
    backfills, refusals = [], 0
    for each in wanted:
        try:
            backfills.append(webserver.launch_backfill(each.assets, each.keys, title=_TITLE, tags=each.tags))
        except PermanentError as error:
            refusals += 1
            console.print(f"[red]{escape(f'{each.what}: {error}')}[/]")
    reports = _follow(console, webserver, backfills)
    status = _summarise(console, reports, page=page, seconds=time.monotonic() - started)
    return 1 if refusals else status


def _follow(console: Console, webserver: Webserver, backfills: Sequence[str]) -> list[BackfillProgress]:
    """Show the progress of backfills until all have ended."""
    with _progress(console) as progress:
        bar = progress.add_task("Making", total=None)
        while True:
            reports = [webserver.backfill(backfill_id) for backfill_id in backfills]
            rows = [row for report in reports for row in report.assets.values()]
            progress.update(
                bar,
                total=sum(row.targeted for row in rows) or None,
                completed=sum(row.materialized + row.failed for row in rows),
            )
            if all(report.is_over for report in reports):
                return reports
            time.sleep(_POLL_SECONDS)


def _summarise(console: Console, reports: Sequence[BackfillProgress], *, page: str, seconds: float) -> int:
    """Show what was made and what failed; return the exit status."""
    table = Table(title=f"Done in {duration(seconds)}")
    for name in ("output", "made", "failed"):
        table.add_column(name, justify="left" if name == "output" else "right")
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for report in reports:
        for key, row in report.assets.items():
            # A preset by its name alone, as in the plan above; texts with their collection.
            name = "/".join(key.path[-2:] if len(key.path) > 2 else key.path[-1:])
            totals[name][0] += row.materialized
            totals[name][1] += row.failed
    for name, (made, failed) in sorted(totals.items()):
        table.add_row(name, str(made), f"[red]{failed}[/]" if failed else "0")
    console.print(table)
    errors = [report.error for report in reports if report.error]
    for error in errors:
        console.print(f"[red]{escape(error)}[/]")
    if errors or any(failed for _, failed in totals.values()):
        console.print(f"Each failure's reason is on its partition page: {page}")
        return 1
    return 0


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
