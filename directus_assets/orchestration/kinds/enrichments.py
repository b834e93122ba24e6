"""The assets `enrichments/<collection>/<name>`: one multi-asset for each collection, over its enrichments.

`directus_assets.enrichment` decides what is asked, kept and written; this module turns it into Dagster events.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial

import dagster as dg

from directus_assets.directus.models import Activity
from directus_assets.enrichment.declaration import FILES, Declaration
from directus_assets.enrichment.items import EnrichedItem, ItemReader
from directus_assets.enrichment.questions import fingerprint, source_of
from directus_assets.enrichment.work import Enriched, Enricher
from directus_assets.images.plan import examine_files
from directus_assets.isolation import planned
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.kinds.by_item import FoundItems, build_by_item
from directus_assets.orchestration.kinds.enrichers import enricher_of
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.kinds.survey_enrichments import EnrichmentSurveyor
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.report import REVIEW_MARK, OutputRecord, as_markdown, enrichment_metadata
from directus_assets.planning.changes import Examination
from directus_assets.run_tags import TRIGGER_TAG
from directus_assets.spending.budget import Purse
from directus_assets.waiting import Notice, Passage

_MARK = "enrich:"


def output_name(enrichment: str) -> str:
    """The name of an enrichment among the outputs of a partition; it cannot clash with a preset or a language."""
    return f"{_MARK}{enrichment}"


def is_enrichment(output: str) -> bool:
    """Whether an output is one of enrichments."""
    return output.startswith(_MARK)


@dataclass(frozen=True)
class EnrichedItems(Kind):
    """The items of one collection as a subject: items are partitions, enrichments are outputs."""

    project: Project
    declarations: Sequence[Declaration]
    """At least one."""

    @property
    def collection(self) -> str:
        return self.declarations[0].collection.name

    @property
    def name(self) -> str:
        return f"enrichments/{self.collection}"

    @property
    def job_name(self) -> str:
        return self.project.names.enrichment_job(self.collection)

    button = Button.ENRICH

    @property
    def group(self) -> str:
        return self.project.names.enrichments_group

    @property
    def task(self) -> str:
        return f"Enriches a range of items of {self.collection}."

    def build(self) -> dg.AssetsDefinition:
        names = self.project.names
        specs = {
            output: names.spec(
                names.enrichment_props(self.collection, each.name),
                description=_describe(each),
                kinds=frozenset({"directus", self.enrichers[output].engine_name.partition(":")[0]}),
            )
            for output, each in self.by_output.items()
        }
        op = names.enrichment_op(self.collection)
        # Built anew for each run: choices are read once for all of its items.
        return build_by_item(
            self.project,
            self,
            specs,
            op=op,
            start=lambda context: EnrichedItems(self.project, self.declarations).work(anew=_asks_anew(context)),
        )

    def work(self, *, anew: bool = False) -> "EnrichmentWork":
        """The work of a run."""
        return EnrichmentWork(self, self.enrichers, anew)

    def survey(self) -> EnrichmentSurveyor:
        return EnrichmentSurveyor(self)

    @property
    def partitions(self) -> dg.DynamicPartitionsDefinition:
        """The partitions of the pictures or of the items."""
        names = self.project.names
        return names.files_partitions if self.collection == FILES else names.items_partitions(self.collection)

    @property
    def source(self) -> dg.AssetKey:
        """The asset that the enrichments are derived from."""
        return self.project.names.files if self.collection == FILES else self.project.names.items(self.collection)

    @property
    def partitions_name(self) -> str:
        return str(self.partitions.name)

    @property
    def purse(self) -> Purse:
        return self.project.purse_of(next(iter(self.enrichers.values())).model)

    @cached_property
    def titles(self) -> dict[str, str]:
        return {output: f"Enrichment {each.name}" for output, each in self.by_output.items()}

    @cached_property
    def feed_collections(self) -> Sequence[str]:
        found = [self.collection]
        if self.reader.scope is not None:
            found.append(self.reader.scope.schema.translations)
        if any(each.options.picture for each in self.declarations):
            found.append(FILES)
        return list(dict.fromkeys(found))

    @cached_property
    def by_output(self) -> dict[str, Declaration]:
        """The enrichments by the name of their output."""
        return {output_name(each.name): each for each in self.declarations}

    @cached_property
    def assets(self) -> dict[str, dg.AssetKey]:
        names = self.project.names
        return {output: names.enrichment(self.collection, each.name) for output, each in self.by_output.items()}

    @cached_property
    def code_versions(self) -> dict[str, str]:
        return {output: each.code_version for output, each in self.by_output.items()}

    @property
    def revision(self) -> str:
        """Changes when there is money again."""
        models = {enricher.model for enricher in self.enrichers.values()}
        return max((self.project.purse_of(model).resumed_on() for model in models), default="")

    def backfills_on_start(self, output: str) -> bool:
        return self.by_output[output].options.backfill_on_start

    @property
    def notes(self) -> Sequence[str]:
        return [self.note_of(output) for output in self.assets]

    def note_of(self, output: str) -> str:
        return f"{self.name}/{self.by_output[output].name}"

    @property
    def batch_size(self) -> int:
        return self.project.settings.config.translations.batch_size

    @cached_property
    def reader(self) -> ItemReader:
        """Reads the items with all fields that any of the enrichments needs."""
        return ItemReader(self.project.directus, self.declarations)

    @cached_property
    def enrichers(self) -> dict[str, Enricher]:
        """The enrichers by output."""
        return {output: enricher_of(self.project, self.reader, each) for output, each in self.by_output.items()}

    def existing(self, *, page: int, size: int) -> list[str]:
        # Pictures already become partitions for their presets.
        return [] if self.collection == FILES else self.reader.keys_page(page=page, size=size)

    def touched(self, entries: Sequence[Activity]) -> list[str]:
        by_collection: dict[str, list[str]] = {}
        for entry in entries:
            by_collection.setdefault(entry.collection, []).append(entry.item)
        found = list(by_collection.pop(self.collection, ()))
        if files := by_collection.pop(FILES, None):
            found += self.reader.of_files(files)
        for rows in by_collection.values():
            found += self.reader.of_rows(rows)
        return list(dict.fromkeys(found))

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        if self.collection != FILES:
            return self.examine_items(self.reader.read(keys), outputs)
        files = examine_files(self.project.files_by_id(keys).values(), [])
        items = self.examine_items(self.reader.read(files.present), outputs)
        return Examination(present=files.present, unfit=files.unfit, unready=files.unready, wanted=items.wanted)

    def examine_items(self, items: Iterable[EnrichedItem], outputs: Iterable[str]) -> Examination:
        """Like `examine`, for items that have been read. Nothing is made of an item without input."""
        chosen = {output: self.by_output[output] for output in outputs}
        matching = [item for item in items if item.matches]
        wanted = {
            (output, item.key): planned(partial(_fingerprint, each, item))
            for item in matching
            for output, each in chosen.items()
            if each.name in item.matches
        }
        return Examination(
            present=tuple(item.key for item in matching),
            wanted={output: found for output, found in wanted.items() if found},
        )


def _fingerprint(declaration: Declaration, item: EnrichedItem) -> str:
    """Empty if there is no input."""
    return fingerprint(declaration, item) if source_of(declaration, item) else ""


@dataclass(frozen=True)
class EnrichmentWork:
    """The work of one run on the items of one collection.

    Args:
        items: the items.
        enrichers: carry the enrichments out, by output.
        anew: whether to ask even what has been asked before.
    """

    items: EnrichedItems
    enrichers: Mapping[str, Enricher]
    anew: bool = False

    def read(self, outputs: Sequence[str], keys: Sequence[str]) -> FoundItems[EnrichedItem]:
        declared = {output: self.items.by_output[output] for output in outputs}
        found = self.items.reader.read(keys)
        return FoundItems(
            items=[
                (item, {output: planned(partial(fingerprint, each, item)) for output, each in declared.items()})
                for item in found
            ],
            left_out={
                (output, item.key)
                for item in found
                for output, each in declared.items()
                if each.name not in item.matches
            },
        )

    def prepare(self, work: Sequence[tuple[EnrichedItem, str]]) -> None:
        for output in dict.fromkeys(output for _, output in work):
            # What fails here fails again for each item, which then reports it on its partition.
            with suppress(Exception):
                self.enrichers[output].prepare([item for item, own in work if own == output])

    def make(self, item: EnrichedItem, output: str) -> Enriched:
        return self.enrichers[output].enrich(item, anew=self.anew)

    def record_of(self, output: str, result: Enriched) -> OutputRecord:
        project, enricher, reviews = self.items.project, self.enrichers[output], result.outcome.reviews
        passages = tuple(Passage(field=each.target, human=each.human, proposal=each.proposal) for each in reviews)
        return OutputRecord(
            data_version=result.fingerprint + (REVIEW_MARK if reviews else ""),
            metadata=enrichment_metadata(
                result,
                collection=self.items.collection,
                engine=enricher.engine_name,
                cost=project.purse_of(enricher.model).cost(result.usage),
                public_url=project.public_url,
            ),
            note=as_markdown(result.note) or ("Needs review: a value written by a person was kept." if reviews else ""),
            notice=Notice(title=self.items.titles[output], passages=passages) if passages else None,
        )


def _asks_anew(context: dg.AssetExecutionContext) -> bool:
    """Whether to ask again: a run started by a person does, a run that resumes another one does not."""
    return TRIGGER_TAG not in context.run.tags and not context.retry_number and not context.run.parent_run_id


def _describe(declaration: Declaration) -> str:
    languages = f", in {', '.join(row.code for row in declaration.languages)}" if declaration.languages else ""
    return as_markdown(
        f"Generates '{declaration.name}' for every item of '{declaration.collection.name}', from "
        f"{', '.join(declaration.reads)} into {', '.join(declaration.writes) or 'metadata'}{languages}. "
        f"{declaration.options.prompt}"
    )
