"""The translation half of the command `plan`: what a backfill would send and cost, before anything is sent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.errors import ConfigurationError, PermanentError
from directus_assets.isolation import noted, readable
from directus_assets.orchestration.build import translated_items
from directus_assets.orchestration.kinds.translations import Items, build_translator
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import fingerprints
from directus_assets.orchestration.runs.report import REVIEW_MARK
from directus_assets.snapshot import Wanted, take_snapshot
from directus_assets.translation.engines.protocol import Usage
from directus_assets.translation.items import read_items
from directus_assets.translation.work import Forecast

_PAGE = 200
_PROBLEMS_SHOWN = 5


@dataclass
class _Row:
    """What one language of one collection adds up to."""

    items: int = 0
    segments: int = 0
    usage: Usage = field(default_factory=Usage)

    def add(self, forecast: Forecast) -> None:
        self.items += 1
        self.segments += forecast.segments
        self.usage += forecast.usage


def show_translations(
    console: Console, project: Project, *, collections: Sequence[str], languages: Sequence[str], missing_only: bool
) -> None:
    """Shows items, segments, tokens or characters, and money, for each collection and language.

    Items are read from Directus and compared with the translation records; no engine is asked.

    Args:
        console: where to write.
        project: which Directus, engine and prices.
        collections: only these; all where empty.
        languages: only these target languages; all where empty.
        missing_only: leave out what is materialized with the right fingerprint.

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
    # What is enriched only is no mistake.
    named = [name for name in collections if name not in project.declared]
    subjects = _chosen(found, named, languages) if named or not collections else []
    subjects += [items for items in found if items.collection in collections and items not in subjects]
    rows: dict[tuple[str, str], _Row] = {}
    problems = [f"'{name}' cannot be described: {fault}" for name, fault in faults.items()]
    with dg.DagsterInstance.get() as instance, console.status("Comparing texts with what is remembered"):
        for items in subjects:
            codes = [row.code for row in items.languages.values() if not languages or row.code in languages]
            rows |= {(items.name, code): _Row() for code in codes}
            for code, forecast in _forecasts(instance, items, codes, problems, missing_only=missing_only):
                rows[items.name, code].add(forecast)
    console.print(_table(project, rows))
    for problem in problems[:_PROBLEMS_SHOWN]:
        console.print(f"[yellow]Not counted:[/] {escape(problem)}")
    if len(problems) > _PROBLEMS_SHOWN:
        console.print(f"And {len(problems) - _PROBLEMS_SHOWN} more.")
    if project.engine and not project.purse.price:
        console.print(f"There is no price of '{project.engine.model}' in `translations.prices` of the YAML file.")


def _chosen(found: Iterable[Items], collections: Sequence[str], languages: Sequence[str]) -> list[Items]:
    found = list(found)
    names = {name for items in found for name in (items.collection, items.name)}
    known = {row.code for items in found for row in items.languages.values()}
    for what, wanted, there in (("collection", collections, names), ("language", languages, known)):
        if unknown := [name for name in wanted if name not in there]:
            raise ConfigurationError(
                f"No {what} '{unknown[0]}' is translated.", remedy=f"There are: {', '.join(sorted(there)) or 'none'}."
            )
    return [items for items in found if not collections or not {items.collection, items.name}.isdisjoint(collections)]


def _forecasts(
    instance: dg.DagsterInstance, items: Items, codes: Sequence[str], problems: list[str], *, missing_only: bool
) -> Iterator[tuple[str, Forecast]]:
    translator = build_translator(items.project, items)
    targets = {output: row for output, row in items.languages.items() if row.code in codes}
    read = partial(read_items, items.project.directus, items.scope)
    for page in readable(_pages(items), read, problems):
        made = {}
        if missing_only:
            made = fingerprints(instance, {name: items.assets[name] for name in targets}, [item.key for item in page])
        for item in page:
            for output, target in targets.items():
                if item.source_language == target.code:
                    continue
                known, forecast = made.get((output, item.key), "").removesuffix(REVIEW_MARK), None
                with noted(problems):
                    if known != translator.fingerprint(item, target):
                        forecast = translator.forecast(item, target)
                if forecast:
                    yield target.code, forecast


def _pages(items: Items) -> Iterator[list[str]]:
    page = 1
    while keys := items.existing(page=page, size=_PAGE):
        yield keys
        page += 1


def _table(project: Project, rows: dict[tuple[str, str], _Row]) -> Table:
    engine = project.engine.name if project.engine else ""
    table = Table(title=f"Translations by {engine}, before anything is sent")
    for name in (
        "collection",
        "language",
        "items",
        "segments to send",
        "characters",
        "tokens in",
        "tokens out",
        "cost",
    ):
        table.add_column(name, justify="left" if name in ("collection", "language") else "right")
    total = _Row()
    for (collection, code), row in rows.items():
        table.add_row(collection, code, *_figures(project, row))
        total.items += row.items
        total.segments += row.segments
        total.usage += row.usage
    if len(rows) > 1:
        table.add_section()
        table.add_row("all", "", *_figures(project, total))
    return table


def _figures(project: Project, row: _Row) -> list[str]:
    usage = row.usage
    counts = (row.items, row.segments, usage.characters, usage.input_tokens, usage.output_tokens)
    return [*(f"{count:,}" for count in counts), money(project.purse.cost(usage))]


def money(cost: Decimal | None) -> str:
    """An amount as it is shown; `?` where there is no price."""
    return "?" if cost is None else f"{cost:,.2f}" if cost >= 1 or not cost else f"{cost:.4f}"
