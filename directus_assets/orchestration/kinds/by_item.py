"""The multi-asset of a kind that makes each output of each item on its own: translations and enrichments alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

import dagster as dg

from directus_assets.enrichment.items import EnrichedItem
from directus_assets.enrichment.work import Enriched
from directus_assets.errors import PermanentError
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.kinds.outs import outs_of
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.runs.history import fingerprints
from directus_assets.orchestration.runs.recorder import Recorder, partitions_of
from directus_assets.orchestration.runs.report import LEFT_OUT_BY_FILTER, OutputRecord
from directus_assets.orchestration.runs.tasks import Task, do_all
from directus_assets.run_tags import CLICK_TAG, TRIGGER_TAG
from directus_assets.translation.items import Item
from directus_assets.translation.results import Translated

T = TypeVar("T", Item, EnrichedItem)
R = TypeVar("R", Translated, Enriched)


@dataclass(frozen=True, kw_only=True)
class FoundItems(Generic[T]):
    """The items of some partitions.

    Attributes:
        items: those that exist, each with the fingerprint of every output.
        left_out: outputs (name, key) that a filter leaves out.
    """

    items: Sequence[tuple[T, Mapping[str, str]]]
    left_out: Set[tuple[str, str]]


class Work(Protocol[T, R]):
    """The work of one run."""

    def read(self, outputs: Sequence[str], keys: Sequence[str]) -> FoundItems[T]:
        """The items of these partitions, with fingerprints for these outputs. Raises DirectusAssetsError."""

    def prepare(self, work: Sequence[tuple[T, str]]) -> None:
        """Do in advance what is cheaper for many items (each with an output) at once; never fails."""

    def make(self, item: T, output: str) -> R:
        """Bring an output of an item up to date; runs in any thread. Raises DirectusAssetsError."""

    def record_of(self, output: str, result: R) -> OutputRecord:
        """What Dagster records of a result."""


def adopt(work: Work[T, R], item: T, output: str) -> OutputRecord | None:
    """The record of an output that turns out to be correct, by work that pays for nothing; None if it does not."""
    try:
        result = work.make(item, output)
    except PermanentError:
        return None
    return work.record_of(output, result).as_adopted() if result.fingerprint else None


def build_by_item(
    project: Project,
    kind: Kind,
    specs: Mapping[str, dg.AssetSpec],
    *,
    op: str,
    start: Callable[[dg.AssetExecutionContext], Work[T, R]],
) -> dg.AssetsDefinition:
    """The multi-asset over the outputs of a kind, at least one.

    Args:
        project: the project.
        kind: the kind.
        specs: the asset of each output.
        op: the name of the op.
        start: starts the work of a run.
    """
    by_asset = {asset_key: output for output, asset_key in kind.assets.items()}
    code_versions = {asset_key: kind.code_versions[output] for asset_key, output in by_asset.items()}
    titles = {asset_key: kind.titles[output] for asset_key, output in by_asset.items()}
    partitions = dg.DynamicPartitionsDefinition(name=kind.partitions_name)

    @dg.multi_asset(
        name=op,
        description=kind.task,
        outs=outs_of(
            spec.replace_attributes(code_version=kind.code_versions[output], partitions_def=partitions, skippable=True)
            for output, spec in specs.items()
        ),
        deps=[kind.source],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.multi_run(kind.batch_size),
        pool="llm",
    )
    @without_secrets
    def outputs(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization]:
        desk = project.desk(
            kind.collection,
            partitions_of(context),
            warn=context.log.warning,
            notifies=CLICK_TAG not in context.run.tags,  # whoever clicked is notified of the whole outcome
        )
        with Recorder(context, kind.source, code_versions, desk=desk, titles=titles) as recorder:
            work = start(context)
            found = list(_open_work(context, recorder, work, kind))
            work.prepare([(item, output) for item, output, _ in found])
            tasks = [
                Task(
                    asset_key=kind.assets[output],
                    partition=item.key,
                    do=partial(work.make, item, output),
                    fingerprint=wanted,
                )
                for item, output, wanted in found
            ]

            def record(asset_key: dg.AssetKey, result: R) -> None:
                if result.fingerprint:
                    recorder.record(asset_key, result.item, work.record_of(by_asset[asset_key], result))

            do_all(tasks, recorder, record, collection=kind.collection, threads=project.threads)
        # Nothing to yield: the recorder has logged one event per partition, whereas an output would stand for all of
        # them.
        yield from ()

    return outputs


def _open_work(
    context: dg.AssetExecutionContext, recorder: Recorder, work: Work[T, R], kind: Kind
) -> Iterator[tuple[T, str, str]]:
    """The open outputs of this run, with fingerprints. A deleted item needs no work; its partition is removed."""
    selected = {output: key for output, key in kind.assets.items() if key in context.selected_asset_keys}
    names = {asset_key: output for output, asset_key in selected.items()}
    found = recorder.read(partial(work.read, list(selected)), collection=kind.collection)
    items: dict[str, tuple[T, Mapping[str, str]]] = {
        item.key: (item, wanted) for some in found for item, wanted in some.items
    }
    left_out: set[tuple[str, str]] = {output for some in found for output in some.left_out}
    made = fingerprints(context.instance, selected, items) if TRIGGER_TAG in context.run.tags else {}
    for key in dict.fromkeys([*items, *(key for _, key in left_out)]):
        item, wanted = items.get(key, (None, {}))
        for asset_key in recorder.open_outputs(key):
            output = names[asset_key]
            if item and made.get((output, key)) == wanted[output]:
                recorder.unchanged(asset_key, key)
            elif (output, key) in left_out:
                recorder.left_out(asset_key, key, reason=LEFT_OUT_BY_FILTER)
            elif item:
                yield item, output, wanted[output]
