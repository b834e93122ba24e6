"""The command `status`: one screen of what is done, behind, failed and running. It only reads."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.errors import DirectusAssetsError, Unreachable
from directus_assets.orchestration.build import all_subjects
from directus_assets.orchestration.enrichments import EnrichedItems
from directus_assets.orchestration.materialized import CODE_VERSION_TAG, data_version, latest_records
from directus_assets.orchestration.report import REVIEW_MARK
from directus_assets.orchestration.resources import Project
from directus_assets.orchestration.subject import Subject
from directus_assets.orchestration.unfinished import unfinished_runs
from directus_assets.orchestration.webserver import Webserver
from directus_assets.settings import Settings
from directus_assets.snapshot import read_snapshot
from directus_assets.translation.purse import Purse

_PAGE = 1000
_ERRORS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class OutputStatus:
    """How far one preset or language is, in partitions."""

    name: str
    partitions: int
    done: int
    """Made as it would be made now, as far as the preset or the fields decide."""
    behind: int
    """Made in an earlier way."""
    failed: int
    review: int
    """Of those done: a human's text was kept although its source has changed."""
    running: int


def run_status(console: Console, settings: Settings) -> int:
    """Carries out the command; returns its exit status."""
    project = Project(settings)
    snapshot = read_snapshot(settings.environment.state_folder, url=settings.environment.directus_url)
    subjects = all_subjects(project, snapshot)
    with dg.DagsterInstance.get() as instance:
        with console.status("Counting"):
            rows = [row for subject in subjects for row in output_statuses(instance, subject)]
        console.print(_table(rows))
        console.print(_runs(instance))
        for line in health(Webserver(settings.environment.webserver_url)):
            console.print(line)
        enrichers = [each for own in subjects if isinstance(own, EnrichedItems) for each in own.enrichers.values()]
        if project.translates or enrichers:
            console.print(_spending(project.purse if project.translates else project.purse_of(enrichers[0].model)))
        for line in _last_errors(instance, subjects):
            console.print(line)
    return 0


def output_statuses(instance: dg.DagsterInstance, subject: Subject) -> Iterator[OutputStatus]:
    """How far the outputs of one subject are."""
    keys = instance.get_dynamic_partitions(subject.partitions_name)
    definition = dg.DynamicPartitionsDefinition(name=subject.partitions_name)
    for name, asset_key in subject.assets.items():
        counts: Counter[str] = Counter()
        for start in range(0, len(keys), _PAGE):
            for record in latest_records(instance, {name: asset_key}, keys[start : start + _PAGE]).values():
                tags = (record.asset_materialization.tags if record.asset_materialization else None) or {}
                is_current = tags.get(CODE_VERSION_TAG) == subject.code_versions[name]
                counts["done" if is_current else "behind"] += 1
                counts["review"] += is_current and data_version(record).endswith(REVIEW_MARK)
        found = instance.get_status_by_partition(asset_key, keys, definition) or {}
        states = Counter(status.value for status in found.values() if status)
        yield OutputStatus(
            name=asset_key.to_user_string(),
            partitions=len(keys),
            done=counts["done"],
            behind=counts["behind"],
            failed=states["FAILED"],
            review=counts["review"],
            running=states["IN_PROGRESS"],
        )


def _table(rows: Iterable[OutputStatus]) -> Table:
    table = Table(title="Derived content")
    table.add_column("asset", overflow="fold")
    for name in ("items", "done", "behind", "failed", "needs review", "running"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            escape(row.name),
            str(row.partitions),
            f"[green]{row.done}[/]" if row.done == row.partitions else str(row.done),
            f"[yellow]{row.behind}[/]" if row.behind else "0",
            f"[red]{row.failed}[/]" if row.failed else "0",
            f"[yellow]{row.review}[/]" if row.review else "0",
            str(row.running),
        )
    return table


def _runs(instance: dg.DagsterInstance) -> str:
    queued = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    unfinished = unfinished_runs(instance)
    return f"Runs: {unfinished - queued} running, {queued} in the queue."


def health(webserver: Webserver) -> Iterator[str]:
    """Lines, in Rich's markup, on whether Dagster can do anything: its webserver, its daemon and its code locations."""
    try:
        sick, errors = webserver.sick_daemons(), webserver.load_errors()
    except Unreachable as error:
        yield f"[yellow]Webserver:[/] {escape(str(error))}"
        return
    except DirectusAssetsError as error:
        yield f"[red]Webserver:[/] {escape(str(error))}"
        return
    if sick:
        yield f"[red]Daemon:[/] not running: {', '.join(sick).lower()}. Nothing is started until it does (`make dev`)."
    else:
        yield f"Webserver: {webserver.url}, and the daemon runs."
    for name, fault in errors.items():
        if fault:
            yield (
                f"[red]Code location:[/] '{escape(name)}' cannot be used: {escape(fault.strip().splitlines()[0])} "
                "Correct that, then press Reload in the UI, or have `directus-assets watch` run."
            )


def _spending(purse: Purse) -> str:
    if purse.price is None:
        return "Spending: not known, since `translations.prices` has no price of the model."
    limit = f" of {purse.limit}" if purse.limit is not None else ""
    return f"Spending today (UTC): {purse.spent_today():.4f}{limit}."


def _last_errors(instance: dg.DagsterInstance, subjects: Iterable[Subject]) -> Iterator[str]:
    found: list[tuple[float, str]] = []
    for asset_key in (key for subject in subjects for key in subject.assets.values()):
        for record in instance.fetch_observations(asset_key, limit=_ERRORS_SHOWN).records:
            observation = record.asset_observation
            if observation and "failed" in observation.metadata:
                reason = str(observation.metadata["failed"].value)
                found.append((record.timestamp, f"{asset_key.to_user_string()}: {reason}"))
    if found:
        yield "Last errors:"
    for timestamp, text in sorted(found, reverse=True)[:_ERRORS_SHOWN]:
        moment = dt.datetime.fromtimestamp(timestamp, dt.UTC)
        yield f"  {moment:%Y-%m-%d %H:%M} {escape(text)}"
