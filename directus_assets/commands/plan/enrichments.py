"""The enrichment part of the command `plan`: estimates requests and cost before anything is sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.commands.plan.prospects import HOW_TO_START, Prospect, failed_note, prospects_of
from directus_assets.commands.plan.translations import money
from directus_assets.errors import PermanentError
from directus_assets.isolation import noted, readable
from directus_assets.orchestration.build import enriched_items
from directus_assets.orchestration.kinds.enrichments import EnrichedItems
from directus_assets.orchestration.project import Project
from directus_assets.snapshot import take_snapshot
from directus_assets.spending.usage import Usage

_PAGE = 200
_PROBLEMS_SHOWN = 5


@dataclass
class EnrichmentForecast:
    """The totals for one enrichment."""

    items: int = 0
    waiting: int = 0
    failed: int = 0
    again: int = 0
    """Failed items that will be retried automatically."""
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = None

    def add(self, usage: Usage, prospect: Prospect) -> None:
        """Count one item."""
        self.items += bool(usage.requests or usage.characters)
        self.waiting += prospect.waits
        self.failed += prospect.has_failed
        self.again += prospect.is_tried_again
        self.usage += usage


def show_enrichments(console: Console, project: Project, *, collections: Sequence[str], missing_only: bool) -> None:
    """Show items, requests, tokens and money for each enrichment; nothing if none is declared.

    Items are read from Directus and compared with our records; no engine is called.

    Args:
        console: where to write.
        project: provides Directus, the engines and the prices.
        collections: limits the output to these; all if empty.
        missing_only: skip items that are materialized with the current fingerprint.

    Raises:
        ConfigurationError: a declaration does not fit the schema.
        DirectusAssetsError: Directus cannot be read.
    """
    if not project.declared:
        return
    faults: dict[str, PermanentError] = {}
    found = enriched_items(project, take_snapshot(project.directus, project.wanted, faults=faults))
    table = Table(title="Enrichments (nothing has been requested yet)")
    for name in ("collection", "enrichment", "engine"):
        table.add_column(name)
    for name in ("items", "waiting", "failed", "requests", "tokens in", "tokens out", "cost"):
        table.add_column(name, justify="right")
    rows: list[EnrichmentForecast] = []
    problems = [f"The schema of '{name}' could not be read: {fault}" for name, fault in faults.items()]
    with dg.DagsterInstance.get() as instance, console.status("Comparing items with the stored records"):
        for items in found:
            if not collections or items.collection in collections:
                for output, row in forecasts(instance, items, problems, missing_only=missing_only).items():
                    rows.append(row)
                    figures = (
                        row.items,
                        row.waiting,
                        row.failed,
                        row.usage.requests,
                        row.usage.input_tokens,
                        row.usage.output_tokens,
                    )
                    table.add_row(
                        items.collection,
                        items.by_output[output].name,
                        items.enrichers[output].engine_name,
                        *(f"{figure:,}" for figure in figures),
                        money(row.cost),
                    )
    console.print(table)
    for note in _notes(rows):
        console.print(note)
    for problem in problems[:_PROBLEMS_SHOWN]:
        console.print(f"[yellow]Not counted:[/] {escape(problem)}")
    if len(problems) > _PROBLEMS_SHOWN:
        console.print(f"And {len(problems) - _PROBLEMS_SHOWN} more.")


def _notes(rows: Sequence[EnrichmentForecast]) -> Iterator[str]:
    if waiting := sum(row.waiting for row in rows):
        yield f"Waiting: {waiting:,} existed before their enrichment was added. {HOW_TO_START}"
    if failed := sum(row.failed for row in rows):
        yield failed_note(failed, sum(row.again for row in rows))


def forecasts(
    instance: dg.DagsterInstance, items: EnrichedItems, problems: list[str], *, missing_only: bool
) -> dict[str, EnrichmentForecast]:
    """Estimate the requests of each enrichment of one collection, by output; add what cannot be determined to the
    problems.
    """
    rows = {output: EnrichmentForecast() for output in items.assets}
    prospects = prospects_of(items.project, instance, items)
    for page in readable(_pages(instance, items), items.reader.read, problems):
        by_key = {item.key: item for item in page}
        wanted = items.examine_items(page, items.assets).wanted
        for (output, key), prospect in prospects.of(wanted).items():
            if missing_only and prospect.is_right:
                continue
            with noted(problems):
                rows[output].add(items.enrichers[output].forecast(by_key[key]), prospect)
    for output, row in rows.items():
        row.cost = items.project.purse_of(items.enrichers[output].model).cost(row.usage)
    return rows


def _pages(instance: dg.DagsterInstance, items: EnrichedItems) -> Iterator[Sequence[str]]:
    """The keys of all items that are partitions, page by page."""
    keys = instance.get_dynamic_partitions(items.partitions_name)
    for start in range(0, len(keys), _PAGE):
        yield keys[start : start + _PAGE]
