"""The translation part of the command `plan`: estimates requests and cost before anything is sent."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Self

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.commands.plan.fields import show_fields
from directus_assets.commands.plan.prospects import HOW_TO_START, Prospect, failed_note, prospects_of
from directus_assets.commands.subjects import choose
from directus_assets.errors import PermanentError
from directus_assets.isolation import noted, readable
from directus_assets.orchestration.build import translated_items
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.orchestration.project import Project
from directus_assets.snapshot import Wanted, take_snapshot
from directus_assets.spending.usage import Usage
from directus_assets.translation.items import read_items

_PROBLEMS_SHOWN = 5


@dataclass
class _Row:
    """The totals for one language of one collection."""

    items: int = 0
    waiting: int = 0
    failed: int = 0
    segments: int = 0
    usage: Usage = field(default_factory=Usage)

    def __iadd__(self, other: "_Row") -> Self:
        self.items += other.items
        self.waiting += other.waiting
        self.failed += other.failed
        self.segments += other.segments
        self.usage += other.usage
        return self


def show_translations(
    console: Console,
    project: Project,
    *,
    collections: Sequence[str],
    languages: Sequence[str],
    missing_only: bool,
    fields: bool = False,
    instance: dg.DagsterInstance | None = None,
) -> None:
    """Show the discovered fields; and items, segments, tokens or characters, and money, by collection and language.

    Items are read from Directus and compared with the translation records; no engine is called.

    Args:
        console: where to write.
        project: provides Directus, the engine and the prices.
        collections: limits the output to these; all if empty.
        languages: limits the output to these target languages; all if empty.
        missing_only: skip items that are materialized with the current fingerprint.
        fields: show only the fields, each with the reason why it is translated, copied or left alone.
        instance: the Dagster instance; by default the one in DAGSTER_HOME.

    Raises:
        ConfigurationError: a collection or language that is not translated.
        DirectusAssetsError: Directus cannot be read.
    """
    if not project.translates:
        console.print("Translations: nothing to plan, since no engine is set (OPENAI_API_KEY or DEEPL_API_KEY).")
        return
    faults: dict[str, PermanentError] = {}
    snapshot = take_snapshot(project.directus, Wanted(translations=True), faults=faults)
    found = list(translated_items(project, snapshot))
    # A collection that is only enriched is not a mistake.
    named = [name for name in collections if name not in project.declared]
    subjects = choose(found, named, languages) if named or not collections else []
    subjects += [items for items in found if items.collection in collections and items not in subjects]
    show_fields(console, [items.scope for items in subjects], each_field=fields)
    problems = [f"The schema of '{name}' could not be read: {fault}" for name, fault in faults.items()]
    if not fields:
        with (
            nullcontext(instance) if instance else dg.DagsterInstance.get() as records,
            console.status("Comparing texts"),
        ):
            rows, again = _costs(records, subjects, languages, problems, missing_only=missing_only)
        console.print(_table(project, rows))
        for note in _notes(project, rows, again):
            console.print(escape(note))
    for problem in problems[:_PROBLEMS_SHOWN]:
        console.print(f"[yellow]Not counted:[/] {escape(problem)}")
    if len(problems) > _PROBLEMS_SHOWN:
        console.print(f"And {len(problems) - _PROBLEMS_SHOWN} more.")
    if project.engine and not project.purse.price and not fields:
        console.print(f"`engine.prices` in the YAML file has no price for '{project.engine.model}'.")


def _costs(
    instance: dg.DagsterInstance,
    subjects: Iterable[Items],
    languages: Sequence[str],
    problems: list[str],
    *,
    missing_only: bool,
) -> tuple[dict[tuple[str, str], _Row], _Row]:
    """The totals for each language of each collection, and how much of that failed and will be retried."""
    rows: dict[tuple[str, str], _Row] = {}
    again = _Row()
    counted: set[tuple[str, str]] = set()
    for items in subjects:
        codes = [row.code for row in items.languages.values() if not languages or row.code in languages]
        rows |= {(items.name, code): _Row() for code in codes}
        for code, prospect, row in _forecasts(instance, items, codes, problems, counted, missing_only=missing_only):
            rows[items.name, code] += row
            again += row if prospect.is_tried_again else _Row()
    return rows, again


def _forecasts(
    instance: dg.DagsterInstance,
    items: Items,
    codes: Sequence[str],
    problems: list[str],
    counted: set[tuple[str, str]],
    *,
    missing_only: bool,
) -> Iterator[tuple[str, Prospect, _Row]]:
    project = items.project
    translator = items.translator()
    targets = {output: row for output, row in items.languages.items() if row.code in codes}
    prospects = prospects_of(project, instance, items)
    for page in readable(items.pages(), partial(read_items, project.directus, items.scope), problems):
        by_key = {item.key: item for item in page}
        wanted = items.examine_items(by_key, list(by_key), targets).wanted
        for (output, key), prospect in prospects.of(wanted).items():
            target, forecast = targets[output], None
            if by_key[key].source_language == target.code or (missing_only and prospect.is_right):
                continue
            with noted(problems):
                forecast = translator.forecast(by_key[key], target, counted=counted)
            if forecast:
                counts = {"waiting": prospect.waits, "failed": prospect.has_failed}
                yield target.code, prospect, _Row(items=1, segments=forecast.segments, usage=forecast.usage, **counts)


def _table(project: Project, rows: dict[tuple[str, str], _Row]) -> Table:
    engine = project.engine.name if project.engine else ""
    table = Table(title=f"Translations by {engine} (nothing has been sent yet)")
    for name in ("collection", "language"):
        table.add_column(name)
    for name in ("items", "waiting", "failed", "segments to send", "characters", "tokens in", "tokens out", "cost"):
        table.add_column(name, justify="right")
    for (collection, code), row in rows.items():
        table.add_row(collection, code, *_figures(project, row))
    if len(rows) > 1:
        table.add_section()
        table.add_row("all", "", *_figures(project, _sum(rows.values())))
    return table


def _figures(project: Project, row: _Row) -> list[str]:
    usage = row.usage
    counts = (row.items, row.waiting, row.failed, row.segments)
    consumed = (usage.characters, usage.input_tokens, usage.output_tokens)
    return [*(f"{count:,}" for count in (*counts, *consumed)), money(project.purse.cost(usage))]


def _sum(rows: Iterable[_Row]) -> _Row:
    total = _Row()
    for row in rows:
        total += row
    return total


def _notes(project: Project, rows: dict[tuple[str, str], _Row], again: _Row) -> Iterator[str]:
    total = _sum(rows.values())
    if total.waiting:
        places = places_of(place for place, row in rows.items() if row.waiting)
        yield (
            f"Waiting: {total.waiting:,} that existed before the pipeline or their language was added "
            f"({places}). {HOW_TO_START}"
        )
    if total.failed:
        yield failed_note(total.failed, again.items, money(project.purse.cost(again.usage)))


def places_of(waiting: Iterable[tuple[str, str]]) -> str:
    """Collections and languages, where the collections that wait in the same languages share them."""
    languages: dict[str, list[str]] = {}
    for name, code in waiting:
        languages.setdefault(name, []).append(code)
    collections: dict[str, list[str]] = {}
    for name, codes in languages.items():
        collections.setdefault(", ".join(codes), []).append(name)
    return "; ".join(f"{', '.join(names)} in {codes}" for codes, names in collections.items())


def money(cost: Decimal | None) -> str:
    """An amount of money for display; `?` if there is no price."""
    return "?" if cost is None else f"{cost:,.2f}" if cost >= 1 or not cost else f"{cost:.4f}"
