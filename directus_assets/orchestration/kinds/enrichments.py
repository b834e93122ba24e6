"""The assets `enrichments/<collection>/<name>`: one multi-asset for each collection, over its enrichments.

`directus_assets.enrichment` decides what is asked, kept and written; this module turns it into Dagster events.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar

import dagster as dg

from directus_assets.directus.models import Activity
from directus_assets.directus.schema import LanguageRow
from directus_assets.enrichment.declaration import FILES, Declaration
from directus_assets.enrichment.items import EnrichedItem, ItemReader
from directus_assets.enrichment.questions import fingerprint, source_of
from directus_assets.enrichment.work import Enriched, Enricher
from directus_assets.images.plan import examine_files
from directus_assets.isolation import planned
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.kinds.enrichers import enricher_of
from directus_assets.orchestration.kinds.outs import outs_of
from directus_assets.orchestration.kinds.survey_enrichments import EnrichmentSurveyor
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.runs.history import fingerprints
from directus_assets.orchestration.runs.recorder import Recorder, partitions_of
from directus_assets.orchestration.runs.report import LEFT_OUT_BY_FILTER, REVIEW_MARK, as_markdown, enrichment_metadata
from directus_assets.orchestration.runs.tags import CLICK_TAG, TRIGGER_TAG
from directus_assets.orchestration.runs.tasks import Task, do_all
from directus_assets.planning.changes import Examination
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
class EnrichedItems:
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
    languages: ClassVar[Mapping[str, LanguageRow]] = {}
    text_fields = ()

    @property
    def group(self) -> str:
        return self.project.names.enrichments_group

    @property
    def task(self) -> str:
        return f"Enriches a range of items of {self.collection}."

    def build(self) -> dg.AssetsDefinition:
        return build_enrichments(self.project, self)

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

    @property
    def upkeep(self) -> None:
        return None

    @property
    def cache(self) -> None:
        return None

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

    def is_for_all(self, output: str, *, is_new: bool) -> bool:
        return is_new and self.backfills_on_start(output)

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

    def data_version_of(self, result: Enriched) -> str:
        """The fingerprint, marked if the result needs human review."""
        return result.fingerprint + (REVIEW_MARK if result.outcome.reviews else "")

    def metadata_of(self, result: Enriched, output: str) -> dict[str, object]:
        """The metadata for one item."""
        enricher = self.enrichers[output]
        return enrichment_metadata(
            result,
            collection=self.collection,
            engine=enricher.engine_name,
            cost=self.project.purse_of(enricher.model).cost(result.usage),
            public_url=self.project.public_url,
        )

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


def build_enrichments(project: Project, items: EnrichedItems) -> dg.AssetsDefinition:
    """The multi-asset over the enrichments of one collection, at least one."""
    by_asset = {asset_key: output for output, asset_key in items.assets.items()}
    code_versions = {asset_key: items.code_versions[output] for asset_key, output in by_asset.items()}
    titles = {asset_key: items.titles[output] for output, asset_key in items.assets.items()}
    specs = [
        project.names.spec(
            project.names.enrichment_props(items.collection, items.by_output[output].name),
            description=_describe(items.by_output[output]),
            kinds=frozenset({"directus", items.enrichers[output].engine_name.partition(":")[0]}),
        ).replace_attributes(code_version=code_versions[asset_key], partitions_def=items.partitions, skippable=True)
        for asset_key, output in by_asset.items()
    ]

    @dg.multi_asset(
        name=project.names.enrichment_op(items.collection),
        description=f"Enriches the items of {items.collection}.",
        outs=outs_of(specs),
        deps=[items.source],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.multi_run(items.batch_size),
        pool="llm",
    )
    @without_secrets
    def enrichments(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization]:
        desk = project.desk(
            items.collection,
            partitions_of(context),
            warn=context.log.warning,
            notifies=CLICK_TAG not in context.run.tags,  # whoever clicked is notified of the whole outcome
        )
        with Recorder(context, items.source, code_versions, desk=desk, titles=titles) as recorder:
            # Created anew for each run, so that choices are read once for all of its items.
            run = EnrichedItems(project, items.declarations)
            work = list(_open_work(context, recorder, run, by_asset))
            anew = _asks_anew(context)
            _prepare(run, [(item, by_asset[asset_key]) for item, asset_key, _ in work])
            tasks = [
                Task(
                    asset_key=asset_key,
                    partition=item.key,
                    do=partial(run.enrichers[by_asset[asset_key]].enrich, item, anew=anew),
                    fingerprint=wanted,
                )
                for item, asset_key, wanted in work
            ]
            record = partial(_record, recorder, run, by_asset)
            do_all(tasks, recorder, record, collection=items.collection, threads=project.threads)
        # Nothing to yield: the recorder has logged one event per partition, whereas an output would stand for all of
        # them.
        yield from ()

    return enrichments


def _prepare(items: EnrichedItems, work: Sequence[tuple[EnrichedItem, str]]) -> None:
    for output in dict.fromkeys(output for _, output in work):
        # An error here recurs for each item, where it is reported on the partition.
        with suppress(Exception):
            items.enrichers[output].prepare([item for item, own in work if own == output])


def _record(
    recorder: Recorder,
    items: EnrichedItems,
    by_asset: Mapping[dg.AssetKey, str],
    asset_key: dg.AssetKey,
    result: Enriched,
) -> None:
    if not result.fingerprint:
        return
    passages = tuple(
        Passage(field=each.target, human=each.human, proposal=each.proposal) for each in result.outcome.reviews
    )
    recorder.succeeded(
        asset_key,
        result.item,
        notice=Notice(title=recorder.titles[asset_key], passages=passages) if passages else None,
        data_version=items.data_version_of(result),
        metadata=items.metadata_of(result, by_asset[asset_key]),
        note=as_markdown(result.note)
        or ("Needs review: a value written by a person was kept." if result.outcome.reviews else ""),
    )


def _asks_anew(context: dg.AssetExecutionContext) -> bool:
    """Whether to ask again: a run started by a person does, a run that resumes another one does not."""
    return TRIGGER_TAG not in context.run.tags and not context.retry_number and not context.run.parent_run_id


def _open_work(
    context: dg.AssetExecutionContext, recorder: Recorder, items: EnrichedItems, by_asset: Mapping[dg.AssetKey, str]
) -> Iterator[tuple[EnrichedItem, dg.AssetKey, str]]:
    """The open work of this run, with fingerprints. A deleted item needs no work; its partition is removed."""
    keep_right = TRIGGER_TAG in context.run.tags
    selected = {output: key for key, output in by_asset.items() if key in context.selected_asset_keys}
    found = recorder.read(partial(_read, items, selected), collection=items.collection)
    work = {item.key: (item, wanted) for some in found for item, wanted in some}
    made = fingerprints(context.instance, selected, work) if keep_right else {}
    for key, (item, wanted) in work.items():
        for asset_key in recorder.open_outputs(key):
            output = by_asset[asset_key]
            if made.get((output, key)) == wanted[output]:
                recorder.unchanged(asset_key, key)
            elif items.by_output[output].name not in item.matches:
                recorder.left_out(asset_key, key, reason=LEFT_OUT_BY_FILTER)
            else:
                yield item, asset_key, wanted[output]


def _read(
    items: EnrichedItems, outputs: Iterable[str], keys: Sequence[str]
) -> list[tuple[EnrichedItem, dict[str, str]]]:
    """The items, each with the fingerprints of its enrichments."""
    return [
        (item, {output: planned(partial(fingerprint, items.by_output[output], item)) for output in outputs})
        for item in items.reader.read(keys)
    ]


def _describe(declaration: Declaration) -> str:
    languages = f", in {', '.join(row.code for row in declaration.languages)}" if declaration.languages else ""
    return as_markdown(
        f"Generates '{declaration.name}' for every item of '{declaration.collection.name}', from "
        f"{', '.join(declaration.reads)} into {', '.join(declaration.writes) or 'metadata'}{languages}. "
        f"{declaration.options.prompt}"
    )
