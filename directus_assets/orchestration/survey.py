"""What the reconcile sees of some partitions: what Directus has for them, and what there is of their outputs."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import dagster as dg

from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import Entry
from directus_assets.enrichment.items import EnrichedItem
from directus_assets.enrichment.work import DeclaredEnricher
from directus_assets.errors import PermanentError
from directus_assets.images.outcomes import Delivered
from directus_assets.images.plan import examine_files
from directus_assets.images.proof import adopted, are_lost, look_up
from directus_assets.images.transforms import Derivative, derivatives
from directus_assets.orchestration.enrichments import EnrichedItems, data_version_of, metadata_of
from directus_assets.orchestration.files import Files
from directus_assets.orchestration.report import (
    REVIEW_MARK,
    adopted_metadata,
    derivative_metadata,
    stored_sizes,
    translation_metadata,
)
from directus_assets.orchestration.resources import Project
from directus_assets.orchestration.subject import Subject
from directus_assets.orchestration.translations import Items, build_translator
from directus_assets.planning import Examination
from directus_assets.translation.engines.protocol import Usage
from directus_assets.translation.items import Item, existing_keys, read_items
from directus_assets.translation.protection import is_empty
from directus_assets.translation.work import Translator


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """An output that is right as it is: what is to be recorded of it."""

    data_version: str
    metadata: Mapping[str, Any]


class Page(Protocol):
    """Some partitions of one subject."""

    @property
    def examination(self) -> Examination:
        """What Directus has for them."""
        ...

    @property
    def gone(self) -> Sequence[str]:
        """Keys whose row is gone, or is nothing that anything is derived from."""
        ...

    def is_lost(self, output: str, key: str, record: dg.EventLogRecord) -> bool:
        """Whether what was recorded as made is not there any more."""
        ...

    def is_remembered(self, output: str, key: str) -> bool:
        """Whether an output that Dagster knows nothing of was worked on before."""
        ...

    def is_there(self, output: str, key: str) -> bool:
        """Whether there is something to adopt."""
        ...

    def adopt(self, output: str, key: str) -> Adopted | None:
        """Takes what is there; None where that turns out not to be right."""
        ...


class Surveyor(Protocol):
    """Looks at one subject, page by page. Good for one run of the reconcile."""

    @property
    def subject(self) -> Subject:
        """What is looked at."""
        ...

    def look(self, keys: Sequence[str]) -> Page:
        """Reads what Directus has for these partitions."""
        ...


def find_stored(project: Project, file: File, preset: Preset) -> Delivered | None:
    """The derivatives of a file that Directus' storage holds and that are right; None where it does not."""
    wanted = _stored_derivatives(project, file, preset)
    return adopted(file, preset, wanted, look_up(project.storages[file.storage], wanted)) if wanted else None


def _stored_derivatives(project: Project, file: File, preset: Preset) -> tuple[Derivative, ...]:
    """What the storage has to hold of a file, where we reach that storage and Directus serves from it."""
    if file.storage not in project.storages or project.delivery_of(preset.key) == "export":
        return ()
    try:
        return derivatives(preset, file)
    except PermanentError:
        return ()


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What one storage location holds."""

    taken_at: float
    """Seconds since 1970; what was made later may not be in it."""
    entries: Mapping[str, Entry]


@dataclass
class FileSurveyor:
    """Looks at files, with one listing of each storage location for all of its pages."""

    subject: Files
    _listings: dict[str, Listing] = field(default_factory=dict)

    def look(self, keys: Sequence[str]) -> "FilePage":
        rows = self.subject.project.files_by_id(keys)
        examination = examine_files([rows[key] for key in keys if key in rows], self.subject.presets)
        # A file that the filter leaves out keeps its partition: it may come back.
        unseen = [key for key in keys if key not in rows]
        there = {file.id for file in self.subject.project.directus.files_by_id(unseen)}
        gone = [key for key in unseen if key not in there]
        return FilePage(
            project=self.subject.project,
            rows=rows,
            presets={preset.key: preset for preset in self.subject.presets},
            examination=examination,
            gone=(*gone, *examination.unfit),
            listing=self._listing,
        )

    def _listing(self, location: str) -> Listing:
        if location not in self._listings:
            taken_at = time.time()
            # Every stored derivative carries `__` in its name; originals are left out to keep this small.
            entries = self.subject.project.storages[location].entries()
            found = {entry.name: entry for entry in entries if "__" in entry.name}
            self._listings[location] = Listing(taken_at=taken_at, entries=found)
        return self._listings[location]


@dataclass(frozen=True, kw_only=True)
class FilePage:
    """Some files."""

    project: Project
    rows: Mapping[str, File]
    presets: Mapping[str, Preset]
    examination: Examination
    gone: Sequence[str]
    listing: Callable[[str], Listing]

    def is_lost(self, output: str, key: str, record: dg.EventLogRecord) -> bool:
        file, event = self.rows[key], record.asset_materialization
        wanted = _stored_derivatives(self.project, file, self.presets[output])
        if not wanted or event is None:
            return False
        listing = self.listing(file.storage)
        return record.timestamp < listing.taken_at and are_lost(wanted, listing.entries, stored_sizes(event.metadata))

    def is_remembered(self, output: str, key: str) -> bool:  # noqa: ARG002 (only Dagster remembers derivatives)
        return False

    def is_there(self, output: str, key: str) -> bool:
        return self._adopted(output, key) is not None

    def adopt(self, output: str, key: str) -> Adopted | None:
        outcome = self._adopted(output, key)
        if outcome is None:
            return None
        metadata = derivative_metadata(outcome, public_url=self.project.public_url)
        return Adopted(data_version=outcome.fingerprint, metadata=adopted_metadata(metadata))

    def _adopted(self, output: str, key: str) -> Delivered | None:
        file, preset = self.rows[key], self.presets[output]
        wanted = _stored_derivatives(self.project, file, preset)
        return adopted(file, preset, wanted, self.listing(file.storage).entries) if wanted else None


class _WouldCostMoney(PermanentError):
    """What is there is not right: the engine would have to be asked."""


@dataclass
class ItemSurveyor:
    """Looks at the items of one collection."""

    subject: Items

    def look(self, keys: Sequence[str]) -> "ItemPage":
        items, client, scope = self.subject, self.subject.project.directus, self.subject.scope
        rows = {item.key: item for item in read_items(client, scope, keys)}
        # An item that the filter leaves out keeps its partition: it may be published again.
        unseen = [key for key in keys if key not in rows]
        gone = set(unseen) - existing_keys(client, scope, unseen)
        return ItemPage(
            items=items,
            rows=rows,
            examination=items.examine_items(rows, keys, items.assets),
            gone=[key for key in unseen if key in gone],
            translator=lambda: self._translator,
        )

    @cached_property
    def _translator(self) -> Translator:
        """One that never asks the engine: what is right already costs nothing."""
        return replace(build_translator(self.subject.project, self.subject), admit=_refuse)


@dataclass(frozen=True, kw_only=True)
class ItemPage:
    """Some items."""

    items: Items
    rows: Mapping[str, Item]
    examination: Examination
    gone: Sequence[str]
    translator: Callable[[], Translator]

    def is_lost(self, output: str, key: str, record: dg.EventLogRecord) -> bool:  # noqa: ARG002 (texts have no size)
        return not self.is_there(output, key)

    def is_remembered(self, output: str, key: str) -> bool:
        return self.items.project.records.load(self.items.collection, key, output) is not None

    def is_there(self, output: str, key: str) -> bool:
        """Whether every source text has one in the target language."""
        item = self.rows[key]
        row = item.rows.get(output)
        return all(
            is_empty(text) or (row is not None and not is_empty(row.values.get(name)))
            for name, text in item.source.items()
        )

    def adopt(self, output: str, key: str) -> Adopted | None:
        """What is remembered tells whether the texts are right; where nothing is, they count as a human's."""
        translator = self.translator()
        target = next(row for row in translator.scope.targets if row.code == output)
        try:
            result = translator.translate(self.rows[key], target)
        except PermanentError:
            return None
        if not result.fingerprint:
            return None
        metadata = translation_metadata(
            result,
            scope=translator.scope,
            engine=translator.engine,
            cost=None,
            public_url=self.items.project.public_url,
        )
        return Adopted(
            data_version=result.fingerprint + (REVIEW_MARK if result.reviews else ""),
            metadata=adopted_metadata(metadata),
        )


@dataclass
class EnrichmentSurveyor:
    """Looks at the items of one collection for their enrichments."""

    subject: EnrichedItems

    def look(self, keys: Sequence[str]) -> "EnrichmentPage":
        rows = {item.key: item for item in self.subject.reader.read(keys)}
        unseen = [key for key in keys if key not in rows]
        there = self.subject.reader.existing(unseen) if unseen else set()
        return EnrichmentPage(
            items=self.subject,
            rows=rows,
            examination=self.subject.examine_items(rows.values(), self.subject.assets),
            gone=[key for key in unseen if key not in there],
            enrichers=lambda: self._enrichers,
        )

    @cached_property
    def _enrichers(self) -> dict[str, DeclaredEnricher]:
        """Some that never ask an engine: what is right already costs nothing."""
        declared = ((output, each) for output, each in self.subject.enrichers.items())
        return {
            output: replace(each, answerer=replace(each.answerer, admit=_refuse))
            for output, each in declared
            if isinstance(each, DeclaredEnricher)
        }


@dataclass(frozen=True, kw_only=True)
class EnrichmentPage:
    """Some items, as their enrichments see them."""

    items: EnrichedItems
    rows: Mapping[str, EnrichedItem]
    examination: Examination
    gone: Sequence[str]
    enrichers: Callable[[], Mapping[str, DeclaredEnricher]]

    def is_lost(self, output: str, key: str, record: dg.EventLogRecord) -> bool:  # noqa: ARG002
        """Never: a target that somebody has emptied may be meant to be empty."""
        return False

    def is_remembered(self, output: str, key: str) -> bool:
        name = self.items.by_output[output].name
        return self.items.project.enrichment_records.is_known(self.items.collection, name, key)

    def is_there(self, output: str, key: str) -> bool:
        """Whether what is remembered may be right; `adopt` finds out."""
        return output in self.enrichers() and self.is_remembered(output, key)

    def adopt(self, output: str, key: str) -> Adopted | None:
        try:
            result = self.enrichers()[output].enrich(self.rows[key])
        except PermanentError:
            return None
        if not result.fingerprint:
            return None
        return Adopted(
            data_version=data_version_of(result),
            metadata=adopted_metadata(metadata_of(result, self.items, output)),
        )


def _refuse(estimate: Usage) -> None:  # noqa: ARG001 (whatever it is, it is too much)
    raise _WouldCostMoney("What is there is not right for the present source.")
