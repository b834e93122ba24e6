"""The command `revert`: shows what the pipeline overwrote, then restores it."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.commands.subjects import require_known
from directus_assets.directus.client import DirectusClient
from directus_assets.enrichment.revert import EnrichmentRevert, places_of
from directus_assets.errors import BadInput, NotFound
from directus_assets.orchestration.build import enriched_items, translated_items
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import recorded_in_run
from directus_assets.ownership.field_records import canonical
from directus_assets.ownership.take_back import OverwrittenRow, Period
from directus_assets.snapshot import Wanted, take_snapshot
from directus_assets.translation.revert import TranslationRevert

_BEFORE, _AFTER = dt.timedelta(seconds=1), dt.timedelta(seconds=5)
"""Directus may store whole seconds, and its clock may differ from Dagster's.

The first margin is short, to exclude writes of an earlier run.
"""
_EXAMPLES = 5
_LONGEST_EXAMPLE = 60


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The writes to revert: those of a run, or all since a moment."""

    run: str = ""
    since: dt.datetime | None = None
    collections: Sequence[str] = ()
    languages: Sequence[str] = ()


class _Revert(Protocol):
    """Reverts one kind of our writes."""

    def plan(self, period: Period) -> Sequence[OverwrittenRow]:
        """Determine what can be reverted and what stays."""

    def carry_out(self, rows: Sequence[OverwrittenRow]) -> Iterator[tuple[OverwrittenRow, str]]:
        """Restore each row; yield it with the reason if it could not be restored."""


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """A collection whose writes can be reverted."""

    collection: str
    name: str
    """Its name in `plan` and `status`."""
    written: str
    """The collection that we write to."""
    outputs: Mapping[dg.AssetKey, str]
    """The language or the name of the enrichment, by asset."""
    revert: _Revert

    @property
    def is_translated(self) -> bool:
        """Whether it holds translations rather than enrichments."""
        return isinstance(self.revert, TranslationRevert)


def run_revert(
    console: Console,
    project: Project,
    selection: Selection,
    *,
    dry_run: bool,
    confirm: Callable[[], bool],
    instance: dg.DagsterInstance | None = None,
) -> int:
    """Show what would be restored and what stays, ask for confirmation, and restore it; return the exit status.

    Args:
        console: where to write.
        project: provides Directus and our records.
        selection: the writes to revert.
        dry_run: show the changes without making them.
        confirm: asks whether to proceed.
        instance: the Dagster instance; by default the one in DAGSTER_HOME.

    Raises:
        NotFound: Dagster has no such run, or the run made no translations.
        ConfigurationError: a collection or language that is not translated.
        DirectusAssetsError: Directus refuses or does not answer; rows restored before that stay restored.
    """
    subjects = _subjects(project, selection)
    if selection.run:
        with nullcontext(instance) if instance else dg.DagsterInstance.get() as records:
            periods = _periods_of_run(records, selection.run, subjects)
    else:
        periods = [(subject, Period(start=selection.since or dt.datetime.now(dt.UTC))) for subject in subjects]
    with console.status("Reading Directus' activity log"):
        silent = _without_revisions(project.directus, [subject for subject, _ in periods])
        plans = [(subject, sorted(subject.revert.plan(period), key=_order)) for subject, period in periods]
    _show(console, plans, silent)
    if dry_run or all(row.is_kept for _, rows in plans for row in rows):
        return 0
    if not confirm():
        console.print("Nothing was changed.")
        return 1
    done, late = Counter({"translations": 0}), list[tuple[str, OverwrittenRow, str]]()
    for subject, rows in plans:
        for row, reason in subject.revert.carry_out(rows):
            done["translations" if subject.is_translated else "enrichments"] += not reason
            if reason:
                late.append((subject.name, row, reason))
    console.print(f"Restored: {', '.join(f'{count} {what}' for what, count in done.items())}.")
    console.print("They stay as they are until their source changes or somebody has them made again.")
    for name, row, reason in late:
        console.print(escape(f"Kept: {name} {row.item}, {row.output}: {reason.rstrip('.')}."), soft_wrap=True)
    return 0


def parse_moment(text: str) -> dt.datetime:
    """Parse a moment in ISO 8601; UTC if it names no zone.

    Raises:
        BadInput: the text is not such a moment.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"'{text}' is not a valid time.", remedy="Write it as 2026-11-29T14:25, in UTC.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _subjects(project: Project, selection: Selection) -> list[_Subject]:
    found = [*_translations(project, selection), *_enrichments(project)]
    names = {name for subject in found for name in (subject.collection, subject.name)}
    translated = [subject for subject in found if subject.is_translated]
    codes = {code for subject in translated for code in subject.outputs.values()}
    require_known("collection", selection.collections, names, made="translated or enriched")
    require_known("language", selection.languages, codes)
    chosen = set(selection.collections)
    return [
        subject
        for subject in (translated if selection.languages else found)
        if not chosen or not chosen.isdisjoint({subject.collection, subject.name})
    ]


def _translations(project: Project, selection: Selection) -> Iterator[_Subject]:
    for items in translated_items(project, take_snapshot(project.directus, Wanted(translations=True))):
        # Including languages that are no longer targets.
        languages = items.scope.schema.languages
        memory = project.segments if items.scope.shares_memory else None
        yield _Subject(
            collection=items.collection,
            name=items.name,
            written=items.scope.schema.translations,
            outputs={items.asset_of(row): row.code for row in languages},
            revert=TranslationRevert(project.directus, items.scope, project.records, selection.languages, memory),
        )


def _enrichments(project: Project) -> Iterator[_Subject]:
    if not project.declared:
        return
    for items in enriched_items(project, take_snapshot(project.directus, project.wanted)):
        for output, declaration in items.by_output.items():
            for place in places_of(project.directus, declaration):
                yield _Subject(
                    collection=items.collection,
                    name=items.name,
                    written=place.table.collection,
                    outputs={items.assets[output]: declaration.name},
                    revert=EnrichmentRevert(declaration, project.enrichment_records, place),
                )


def _without_revisions(client: DirectusClient, subjects: Iterable[_Subject]) -> list[str]:
    """The collections for which Directus keeps no revisions."""
    written = dict.fromkeys(subject.written for subject in subjects)
    metas = {row["collection"]: row.get("meta") or {} for row in client.get("/collections")}
    return [name for name in written if name in metas and metas[name].get("accountability", "all") != "all"]


def _periods_of_run(
    instance: dg.DagsterInstance, run_id: str, subjects: Iterable[_Subject]
) -> list[tuple[_Subject, Period]]:
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
    for subject in subjects:
        only = frozenset((partition, subject.outputs[key]) for key, partition in made if key in subject.outputs)
        if only:
            periods.append((subject, Period(start=start - _BEFORE, end=end + _AFTER, only=only)))
    if not periods:
        raise NotFound(
            f"Run {run_id} made none of the chosen translations or enrichments.", remedy="Choose another run."
        )
    return periods


def _order(row: OverwrittenRow) -> tuple[int, str, str]:
    """Sort key: by item in natural order, then by language."""
    return len(row.item), row.item, row.output


def _show(console: Console, plans: Sequence[tuple[_Subject, Sequence[OverwrittenRow]]], silent: Sequence[str]) -> None:
    columns = ("collection", "language or enrichment", "rows", "fields", "removed", "kept")
    table = Table(title="To restore")
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < 2 else "right")
    for subject, rows in plans:
        for output in dict.fromkeys(row.output for row in rows):
            own = [row.plan for row in rows if row.output == output]
            figures = (
                sum(bool(plan.back) for plan in own),
                sum(len(plan.back) for plan in own),
                sum(bool(plan.removed) for plan in own),
                sum(len(plan.kept) for plan in own),
            )
            table.add_row(subject.written, output, *map(str, figures))
    console.print(table)
    for name in silent:
        console.print(
            escape(f"Directus keeps no revisions of {name}, so nothing in it can be restored."),
            soft_wrap=True,
        )
    all_rows = [(subject.name, row) for subject, rows in plans for row in rows]
    if not all_rows:
        console.print("Found nothing that we overwrote.")
    _show_examples(console, all_rows)
    for name, row in all_rows:
        for field, reason in row.plan.kept.items():
            console.print(escape(f"Kept: {name} {row.item}, {row.output}, {field}: {reason}."), soft_wrap=True)


def _show_examples(console: Console, rows: Sequence[tuple[str, OverwrittenRow]]) -> None:
    texts = [
        *(
            f"{name} {row.item}, {row.output}, {field}: {_short(back.bad)} → {_short(back.earlier)}"
            for name, row in rows
            for field, back in row.plan.back.items()
        ),
        *(
            f"{name} {row.item}, {row.output}: row {row.key}, which we created, is removed"
            for name, row in rows
            if row.plan.removed
        ),
    ]
    for text in texts[:_EXAMPLES]:
        console.print(escape(text))
    if len(texts) > _EXAMPLES:
        console.print(f"And {len(texts) - _EXAMPLES} more.")


def _short(value: object) -> str:
    text = canonical(value)  # type: ignore[arg-type]
    return repr(text if len(text) <= _LONGEST_EXAMPLE else f"{text[:_LONGEST_EXAMPLE]}…")
