"""The reconcile's view of items and their enrichments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from directus_assets.directus.sight import find_deleted
from directus_assets.enrichment.items import EnrichedItem
from directus_assets.enrichment.work import DeclaredEnricher
from directus_assets.fast.latest import Latest
from directus_assets.orchestration.kinds.by_item import adopt
from directus_assets.orchestration.kinds.survey import NoMoney
from directus_assets.orchestration.runs.report import OutputRecord
from directus_assets.planning.changes import Examination

if TYPE_CHECKING:
    from directus_assets.orchestration.kinds.enrichments import EnrichedItems, EnrichmentWork


@dataclass
class EnrichmentSurveyor:
    """Surveys the enrichments of one collection."""

    subject: "EnrichedItems"

    def look(self, keys: Sequence[str]) -> "EnrichmentPage":
        rows = {item.key: item for item in self.subject.reader.read(keys)}
        unseen = [key for key in keys if key not in rows]
        reader = self.subject.reader
        deleted = find_deleted(reader.client, reader.collection, unseen, reader.existing)
        return EnrichmentPage(
            items=self.subject,
            rows=rows,
            examination=self.subject.examine_items(rows.values(), self.subject.assets),
            gone=[key for key in unseen if key in deleted],
            work=lambda: self._work,
        )

    @cached_property
    def _work(self) -> "EnrichmentWork":
        """Work that never calls an engine: what is already correct costs nothing."""
        work = self.subject.work()
        enrichers = {
            output: replace(each, answerer=replace(each.answerer, payer=NoMoney()))
            for output, each in work.enrichers.items()
            if isinstance(each, DeclaredEnricher)
        }
        return replace(work, enrichers=enrichers)


@dataclass(frozen=True, kw_only=True)
class EnrichmentPage:
    """Some items with their enrichments."""

    items: "EnrichedItems"
    rows: Mapping[str, EnrichedItem]
    examination: Examination
    gone: Sequence[str]
    work: Callable[[], "EnrichmentWork"]

    def is_lost(self, output: str, key: str, record: Latest) -> bool:  # noqa: ARG002
        """Never: a target that someone has emptied may be meant to be empty."""
        return False

    def is_remembered(self, output: str, key: str) -> bool:
        name = self.items.by_output[output].name
        return self.items.project.enrichment_records.is_known(self.items.collection, key, name)

    def is_there(self, output: str, key: str) -> bool:
        """Whether there is a record that may be correct; `adopt` finds out."""
        return output in self.work().enrichers and self.is_remembered(output, key)

    def adopt(self, output: str, key: str) -> OutputRecord | None:
        return adopt(self.work(), self.rows[key], output)
