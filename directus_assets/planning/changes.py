"""From changes to runs: pure decisions, the same for files and items.

An *output* is one asset's result for one partition, named by the preset or the language. It is stale if its recorded
fingerprint differs from the one that it would have now.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from directus_assets.directus.models import Activity

Fingerprints = Mapping[tuple[str, str], str]
"""(output, partition key) to a fingerprint."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """The state of some partition keys in Directus."""

    present: tuple[str, ...] = ()
    """Keys that are, or become, partitions; new ones in the order of their registration."""
    unfit: tuple[str, ...] = ()
    """Keys of rows that exist, but are not (or no longer) a source of outputs."""
    unready: tuple[str, ...] = ()
    """Keys of rows that are still being written; the feed will not report their completion."""
    wanted: Fingerprints = field(default_factory=dict)
    """The current fingerprints of all outputs of the present keys."""


def merged(examinations: Iterable[Examination]) -> Examination:
    """Combine several examinations of the same collection. A key that one of them uses is present in any case."""
    found = list(examinations)
    present = dict.fromkeys(key for each in found for key in each.present)
    return Examination(
        present=tuple(present),
        unfit=tuple(dict.fromkeys(key for each in found for key in each.unfit if key not in present)),
        unready=tuple(dict.fromkeys(key for each in found for key in each.unready if key not in present)),
        wanted={output: wanted for each in found for output, wanted in each.wanted.items()},
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangePlan:
    """What a set of changes requires."""

    registered: tuple[str, ...]
    """Keys that become partitions."""
    removed: tuple[str, ...]
    """Partitions to remove."""
    stale: Mapping[str, frozenset[str]]
    """Stale outputs by partition key; only keys with at least one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """The work of one run: all `outputs` for every one of these partitions."""

    keys: tuple[str, ...]
    """At least one; in partition order."""
    outputs: frozenset[str]
    is_range: bool
    """Whether they are contiguous, so that the first and the last one define them."""


def plan_changes(
    examination: Examination, *, deleted: Iterable[str], known: Iterable[str], materialized: Fingerprints
) -> ChangePlan:
    """Plan the work for changed keys.

    A row counts as deleted only if the feed says so: a row that cannot be read may be hidden.

    Args:
        examination: the state of the changed keys in Directus.
        deleted: keys whose deletion is in the feed.
        known: the keys that already are partitions.
        materialized: the recorded fingerprints of the keys.
    """
    partitions = set(known)
    there = {*examination.present, *examination.unfit, *examination.unready}
    leaving = [*(key for key in deleted if key not in there), *examination.unfit]
    return ChangePlan(
        registered=tuple(key for key in examination.present if key not in partitions),
        removed=tuple(key for key in dict.fromkeys(leaving) if key in partitions),
        stale=stale_outputs(examination.wanted, materialized),
    )


def stale_outputs(wanted: Fingerprints, materialized: Fingerprints) -> dict[str, frozenset[str]]:
    """By partition key, the outputs whose recorded fingerprint is not the wanted one; only keys with at least one."""
    stale: dict[str, set[str]] = {}
    for (output, key), fingerprint in wanted.items():
        if materialized.get((output, key)) != fingerprint:
            stale.setdefault(key, set()).add(output)
    return {key: frozenset(outputs) for key, outputs in stale.items()}


def right_outputs(wanted: Fingerprints, materialized: Fingerprints) -> set[tuple[str, str]]:
    """The outputs (output, partition key) that are current."""
    return {place for place, fingerprint in wanted.items() if materialized.get(place) == fingerprint}


def deleted_items(entries: Iterable[Activity], collection: str) -> list[str]:
    """The items of a collection whose last entry is a deletion."""
    own = sorted((entry for entry in entries if entry.collection == collection), key=lambda entry: entry.id)
    last = {entry.item: entry.action for entry in own}
    return [item for item, action in last.items() if action == "delete"]


def batches(stale: Mapping[str, Set[str]], order: Sequence[str], *, size: int) -> list[Batch]:
    """Group stale outputs into batches, in partition order.

    A batch never contains a partition or an output that is not stale. Scattered partitions share a batch just as
    neighbours do: a run takes seconds to start, however little it has to do.

    Args:
        stale: names of stale outputs by partition key. Keys missing from `order` are skipped.
        order: all partition keys in Dagster's order (that of their registration).
        size: the maximum number of partitions per batch.
    """
    index = {key: position for position, key in enumerate(order)}
    alike: dict[frozenset[str], list[int]] = {}
    for position in sorted(index[key] for key, outputs in stale.items() if outputs and key in index):
        alike.setdefault(frozenset(stale[order[position]]), []).append(position)
    chunks = [
        (positions[start : start + size], outputs)
        for outputs, positions in alike.items()
        for start in range(0, len(positions), size)
    ]
    return [
        Batch(
            keys=tuple(order[position] for position in chunk),
            outputs=outputs,
            is_range=chunk[-1] - chunk[0] == len(chunk) - 1,
        )
        for chunk, outputs in sorted(chunks, key=lambda each: each[0])
    ]
