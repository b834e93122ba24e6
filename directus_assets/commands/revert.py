"""The command `revert`: puts back what we have overwritten, after it has shown what that is."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.commands.subjects import chosen_items
from directus_assets.errors import BadInput, NotFound
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import recorded_in_run
from directus_assets.ownership.field_records import canonical
from directus_assets.translation.revert import MEANWHILE, OverwrittenRow, Period, Revert

_BEFORE, _AFTER = dt.timedelta(seconds=1), dt.timedelta(seconds=5)
"""Directus may keep whole seconds, and its clock may differ from Dagster's. The first is short: what an earlier run
has written is not meant."""
_EXAMPLES = 5
_LONGEST_EXAMPLE = 60


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Whose writes are taken back: those of a run, or all since a moment."""

    run: str = ""
    since: dt.datetime | None = None
    collections: Sequence[str] = ()
    languages: Sequence[str] = ()


def run_revert(
    console: Console,
    project: Project,
    selection: Selection,
    *,
    dry_run: bool,
    confirm: Callable[[], bool],
    instance: dg.DagsterInstance | None = None,
) -> int:
    """Shows what is put back and what stays, asks, and does it; returns the exit status.

    Args:
        console: where to write.
        project: which Directus, and what is remembered of it.
        selection: whose writes are taken back.
        dry_run: only show it.
        confirm: asks whether to go on.
        instance: Dagster's, where it is not the one of DAGSTER_HOME.

    Raises:
        NotFound: Dagster has no such run, or it has made no translations.
        ConfigurationError: a collection or language that is not translated.
        DirectusAssetsError: Directus refuses or does not answer; what was put back until then stays so.
    """
    subjects = chosen_items(project, selection.collections, selection.languages)
    if selection.run:
        with nullcontext(instance) if instance else dg.DagsterInstance.get() as records:
            periods = _periods_of_run(records, selection.run, subjects)
    else:
        periods = [(items, Period(start=selection.since or dt.datetime.now(dt.UTC))) for items in subjects]
    with console.status("Reading Directus' activity log"):
        plans = [
            (items, _revert(project, items).plan(period, languages=selection.languages)) for items, period in periods
        ]
    _show(console, plans)
    if dry_run or not any(row.back for _, rows in plans for row in rows):
        return 0
    if not confirm():
        console.print("Nothing was changed.")
        return 1
    done, late = 0, list[tuple[str, OverwrittenRow]]()
    for items, rows in plans:
        for row, is_back in _revert(project, items).carry_out(rows):
            done += is_back
            if not is_back:
                late.append((items.name, row))
    console.print(f"Restored: {done} translations.")
    for name, row in late:
        console.print(escape(f"Kept: {name} {row.item}, {row.language}: {MEANWHILE}."))
    return 0


def parse_moment(text: str) -> dt.datetime:
    """A moment in ISO 8601, in UTC where it names no zone.

    Raises:
        BadInput: it is none.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"'{text}' is not a valid time.", remedy="Write it as 2026-11-29T14:25, in UTC.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _revert(project: Project, items: Items) -> Revert:
    return Revert(project.directus, items.scope, project.records)


def _periods_of_run(instance: dg.DagsterInstance, run_id: str, subjects: Iterable[Items]) -> list[tuple[Items, Period]]:
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        raise NotFound(
            f"Dagster has no run {run_id}.",
            remedy="Copy the run id from the address of the run's page, or use --since.",
        )
    made = recorded_in_run(instance, run_id)
    start = dt.datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), dt.UTC)
    end = dt.datetime.fromtimestamp(record.end_time, dt.UTC) if record.end_time else dt.datetime.now(dt.UTC)
    periods = []
    for items in subjects:
        codes = {items.assets[output]: row.code for output, row in items.languages.items()}
        only = frozenset((partition, codes[key]) for key, partition in made if key in codes)
        if only:
            periods.append((items, Period(start=start - _BEFORE, end=end + _AFTER, only=only)))
    if not periods:
        raise NotFound(f"Run {run_id} made none of the chosen translations.", remedy="Choose another run.")
    return periods


def _show(console: Console, plans: Sequence[tuple[Items, Sequence[OverwrittenRow]]]) -> None:
    table = Table(title="To restore")
    for name in ("collection", "language", "translations", "fields", "kept"):
        table.add_column(name, justify="left" if name in ("collection", "language") else "right")
    for items, rows in plans:
        for code in dict.fromkeys(row.language for row in rows):
            own = [row for row in rows if row.language == code]
            fields, kept = sum(len(row.back) for row in own), sum(len(row.kept) for row in own)
            table.add_row(items.name, code, str(sum(bool(row.back) for row in own)), str(fields), str(kept))
    console.print(table)
    all_rows = [(items.name, row) for items, rows in plans for row in rows]
    if not all_rows:
        console.print("Found nothing that we overwrote.")
    examples = [(name, row, field) for name, row in all_rows for field in row.back]
    for name, row, field in examples[:_EXAMPLES]:
        back = row.back[field]
        console.print(
            escape(f"{name} {row.item}, {row.language}, {field}: {_short(back.bad)} → {_short(back.earlier)}")
        )
    if len(examples) > _EXAMPLES:
        console.print(f"And {len(examples) - _EXAMPLES} more fields.")
    for name, row in all_rows:
        for field, reason in row.kept.items():
            console.print(escape(f"Kept: {name} {row.item}, {row.language}, {field}: {reason}."), soft_wrap=True)


def _short(value: object) -> str:
    text = canonical(value)  # type: ignore[arg-type]
    return repr(text if len(text) <= _LONGEST_EXAMPLE else f"{text[:_LONGEST_EXAMPLE]}…")
