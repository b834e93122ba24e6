"""The command `status`: what is done, waiting, failed and running, on one screen or as JSON. Read-only."""

import datetime as dt
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.directus.client import DirectusClient
from directus_assets.errors import as_error
from directus_assets.orchestration.build import all_kinds
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.proof import doubts
from directus_assets.orchestration.proposals import APPLY, count_proposals
from directus_assets.orchestration.runs.history import observations
from directus_assets.orchestration.runs.unfinished import unfinished_runs
from directus_assets.orchestration.statuses import OutputStatus, output_statuses
from directus_assets.orchestration.webserver import Webserver
from directus_assets.settings import Settings
from directus_assets.snapshot import read_snapshot
from directus_assets.spending.budget import Purse

_ERRORS_SHOWN = 5
_SENSORS_NAMED = 3
"""Of those with the same trouble, such as a Directus that is down."""
_DAY_SECONDS = 86_400
_HOW_TO_START = (
    "Waiting: new and changed items start by themselves, but not what was there before the pipeline, a preset or a "
    "language was added. `directus-assets plan` shows what that costs; start it with `directus-assets backfill "
    "--everything --missing-only`."
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A problem that someone has to act on."""

    what: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class ProjectStatus:
    """Everything that `status` knows about one project."""

    outputs: Sequence[OutputStatus]
    running: int
    queued: int
    problems: Sequence[Problem]
    last_errors: Sequence[tuple[float, str]]
    """Pairs of time (in seconds since 1970) and message, newest first."""
    spending: str = ""
    proposals: int = 0
    """The number of translations with proposals from human corrections."""
    project: str = ""
    total: OutputStatus = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", _sum(self.outputs))

    def as_json(self) -> dict[str, Any]:
        """The status for programs; times are in ISO 8601, in UTC."""
        return {
            "project": self.project,
            "outputs": [_row(each) for each in self.outputs],
            "total": _row(self.total),
            "runs": {"running": self.running, "queued": self.queued},
            "problems": [asdict(problem) for problem in self.problems],
            "last_errors": [{"at": _moment(at).isoformat(), "text": text} for at, text in self.last_errors],
            "spending": self.spending,
            "proposals": self.proposals,
        }


def run_status(
    console: Console, settings: Settings, *, show_all: bool = False, check: bool = False, review_days: float = 7
) -> int:
    """Run the command for one project; return the exit status, which with `check` is 1 if there is a problem."""
    with console.status("Counting"):
        found = project_status(settings, review_days=review_days)
    if not check:
        console.print(_table(found, show_all=show_all))
        console.print(f"Runs: {found.running} running, {found.queued} queued.")
        if found.total.waiting and not (found.running or found.queued):
            console.print(_HOW_TO_START)
        if found.spending:
            console.print(found.spending)
        if found.proposals:
            what = "1 proposal" if found.proposals == 1 else f"{found.proposals} proposals"
            console.print(f"{what}: people have corrected the same text elsewhere. [bold]→[/] {APPLY}")
        if found.last_errors:
            console.print("Last errors:")
        for timestamp, text in found.last_errors:
            console.print(f"  {_moment(timestamp):%Y-%m-%d %H:%M} {escape(text)}")
    for problem in found.problems:
        remedy = f" [bold]→[/] {escape(problem.remedy)}" if problem.remedy else ""
        console.print(f"[red]{escape(problem.what)}:[/] {escape(problem.text)}{remedy}", soft_wrap=True)
    if not found.problems:
        console.print(
            "[green]All is well:[/] Directus and Dagster respond, nothing has failed, and no review is overdue."
        )
    return 1 if check and found.problems else 0


def as_json(found: Sequence[ProjectStatus]) -> str:
    """The status of these projects as one document. `ok` says whether all are free of problems."""
    document = {"ok": not any(each.problems for each in found), "projects": [each.as_json() for each in found]}
    return json.dumps(document, indent=2, ensure_ascii=False)


def project_status(settings: Settings, *, review_days: float = 7) -> ProjectStatus:
    """Determine the progress and the problems of a project.

    Args:
        settings: of the project.
        review_days: how long a translation may wait for its review before that is a problem.
    """
    project = Project(settings)
    snapshot = read_snapshot(settings.environment.state_folder, url=settings.environment.directus_url)
    subjects = all_kinds(project, snapshot)
    with dg.DagsterInstance.get() as instance:
        outputs = [row for subject in subjects for row in output_statuses(instance, subject)]
        queued = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
        purse = next((subject.purse for subject in subjects if subject.purse), None)
        webserver = Webserver(settings.environment.webserver_url)
        return ProjectStatus(
            project=settings.project,
            outputs=outputs,
            running=unfinished_runs(instance) - queued,
            queued=queued,
            problems=[
                *directus_problems(project.directus),
                *webserver_problems(webserver, settings),
                *output_problems(outputs, review_days=review_days, now=time.time()),
            ],
            last_errors=last_errors(instance, [key for subject in subjects for key in subject.assets.values()]),
            spending=_spending(purse) if purse else "",
            proposals=count_proposals(project.memory),
        )


def directus_problems(directus: DirectusClient) -> Iterator[Problem]:
    """Problems that keep us from reading Directus: it is down or refuses the token."""
    try:
        directus.get("/users/me", fields=["id"])
    except Exception as error:  # noqa: BLE001 - as below
        fault = as_error(error)
        yield Problem(what="Directus", text=fault.message, remedy=fault.remedy)


def webserver_problems(webserver: Webserver, settings: Settings) -> Iterator[Problem]:
    """Problems of Dagster: those of `dagster_problems`, or that no Dagster answers there."""
    try:
        yield from dagster_problems(webserver, settings)
    except Exception as error:  # noqa: BLE001 - another server may return anything; the rest of the status is still valid
        fault = as_error(error)
        yield Problem(what="Webserver", text=fault.message, remedy=fault.remedy)


def dagster_problems(webserver: Webserver, settings: Settings) -> Iterator[Problem]:
    """Problems that keep Dagster from working: another server answers, its daemon is dead, sensors fail, definitions do
    not load.

    Raises:
        Unreachable: nothing answers there.
        Rejected: the server is not Dagster, or refuses.
    """
    errors = {name: fault for name, fault in webserver.load_errors().items() if fault}
    for name, fault in errors.items():
        yield Problem(
            what="Code location",
            text=f"'{name}' failed to load: {fault.strip().splitlines()[0]}",
            remedy="Fix it, then press Reload in the UI, or run `directus-assets watch`.",
        )
    if not errors:
        for doubt in doubts(webserver, settings):
            yield Problem(what="Webserver", text=doubt.text, remedy=doubt.remedy)
    if sick := webserver.sick_daemons():
        yield Problem(
            what="Daemon",
            text=f"not running: {', '.join(sick).lower()}. No work starts until it is.",
            remedy="Start it: `make dev`.",
        )
    own = Names(settings.project)
    by_trouble: dict[str, list[str]] = {}
    for name, trouble in webserver.sensor_troubles().items():
        if name.startswith(own.sensors_prefix):
            by_trouble.setdefault(trouble, []).append(name)
    for trouble, names in by_trouble.items():
        more = f" and {len(names) - _SENSORS_NAMED} more" if names[_SENSORS_NAMED:] else ""
        text = f"{', '.join(names[:_SENSORS_NAMED])}{more}: {trouble}"
        yield Problem(what="Sensor", text=text, remedy="See its ticks in the UI under Automation.")


def output_problems(outputs: Iterable[OutputStatus], *, review_days: float, now: float) -> Iterator[Problem]:
    """Outputs that failed for good or have waited for a review for too long.

    Args:
        outputs: the progress of each.
        review_days: how long a review may wait.
        now: in seconds since 1970.
    """
    for each in outputs:
        if each.failed:
            yield Problem(
                what="Failed",
                text=f"{each.name}: {each.failed} of {each.partitions}.",
                remedy="The reason is on the partition page in the UI.",
            )
        days = (now - each.oldest_review) / _DAY_SECONDS
        if each.review and days > review_days:
            yield Problem(
                what="Review",
                text=f"{each.name}: {each.review} waiting for review, the oldest for {days:.0f} days.",
                remedy="The partition page in the UI shows both texts. Saving the item in Directus settles the review.",
            )


def _sum(rows: Iterable[OutputStatus]) -> OutputStatus:
    rows = list(rows)
    return OutputStatus(
        name="total",
        partitions=sum(row.partitions for row in rows),
        done=sum(row.done for row in rows),
        behind=sum(row.behind for row in rows),
        failed=sum(row.failed for row in rows),
        review=sum(row.review for row in rows),
        running=sum(row.running for row in rows),
        left_out=sum(row.left_out for row in rows),
        oldest_review=min((row.oldest_review for row in rows if row.review), default=0.0),
    )


def _row(row: OutputStatus) -> dict[str, Any]:
    since = _moment(row.oldest_review).isoformat() if row.review else None
    return {**asdict(row), "waiting": row.waiting, "oldest_review": since}


def _moment(timestamp: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(timestamp, dt.UTC)


def _table(found: ProjectStatus, *, show_all: bool) -> Table:
    shown = [row for row in found.outputs if show_all or not row.is_complete]
    hidden = len(found.outputs) - len(shown)
    table = Table(
        title="Derived content",
        caption=f"{hidden} more {'is' if hidden == 1 else 'are'} complete (shown with --all)." if hidden else None,
    )
    table.add_column("asset", overflow="fold")
    for name in ("items", "done", "behind", "waiting", "left out", "failed", "needs review", "running"):
        table.add_column(name, justify="right")
    for row in shown:
        table.add_row(*_cells(row))
    if shown:
        table.add_section()
    table.add_row(*_cells(found.total), style="bold")
    return table


def _cells(row: OutputStatus) -> tuple[str, ...]:
    return (
        escape(row.name),
        str(row.partitions),
        f"[green]{row.done}[/]" if row.done == row.partitions else str(row.done),
        f"[yellow]{row.behind}[/]" if row.behind else "0",
        f"[yellow]{row.waiting}[/]" if row.waiting else "0",
        str(row.left_out),
        f"[red]{row.failed}[/]" if row.failed else "0",
        f"[yellow]{row.review}[/]" if row.review else "0",
        str(row.running),
    )


def _spending(purse: Purse) -> str:
    if purse.price is None:
        return "Spending: unknown, because `engine.prices` has no price for the model."
    limit = f" of {purse.limit}" if purse.limit is not None else ""
    return f"Spending today (UTC): {purse.spent_today():.4f}{limit}."


def last_errors(instance: dg.DagsterInstance, asset_keys: Iterable[dg.AssetKey]) -> list[tuple[float, str]]:
    """The latest failures of these assets' partitions: pairs of time (in seconds since 1970) and message, newest first.

    A file or an item that fails in several outputs is reported once.
    """
    by_item: dict[tuple[Sequence[str], str | None], dict[dg.AssetKey, tuple[float, str]]] = {}
    for asset_key in asset_keys:
        # Other observations show proposals.
        failed = (each for each in observations(instance, asset_key) if "failed" in each.metadata)
        for each in islice(failed, _ERRORS_SHOWN):
            text = f"{asset_key.to_user_string()}: {each.metadata['failed']}"
            # The outputs of an item differ in the last part of their names: the preset, language or enrichment.
            item = (tuple(asset_key.path[:-1]), each.partition)
            # The newest one comes first.
            by_item.setdefault(item, {}).setdefault(asset_key, (each.timestamp, text))
    told = []
    for by_output in by_item.values():
        timestamp, text = max(by_output.values())
        told.append((timestamp, f"{text}{_and_more(len(by_output) - 1)}"))
    return sorted(told, reverse=True)[:_ERRORS_SHOWN]


def _and_more(count: int) -> str:
    return f" (And {count} more of its outputs.)" if count else ""
