"""From changes to runs: pure decisions, the same for files and for items.

An *output* is what one asset makes of one partition; it is named by the preset or the language. It is stale where the
fingerprint of what was made last is not the one that it would have now.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from directus_assets.directus.models import Activity

Fingerprints = Mapping[tuple[str, str], str]
"""(output, partition key) to a fingerprint."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """What Directus has for some partition keys."""

    present: tuple[str, ...] = ()
    """Keys that are, or become, partitions; in the order in which new ones are registered."""
    unfit: tuple[str, ...] = ()
    """Keys of rows that exist, but that nothing is derived from (any more)."""
    unready: tuple[str, ...] = ()
    """Keys of rows that are still being written, with no word in the feed when they are complete."""
    wanted: Fingerprints = field(default_factory=dict)
    """Fingerprints of all outputs of the present keys, as they would be made now."""


def merged(examinations: Iterable[Examination]) -> Examination:
    """What several looks at the same collection have found. A key that one has a use for is present in any case."""
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
    """What a set of changes asks for."""

    registered: tuple[str, ...]
    """Keys that become partitions."""
    removed: tuple[str, ...]
    """Partitions to remove."""
    stale: Mapping[str, frozenset[str]]
    """Partition key to its stale outputs; only keys with at least one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What one run brings up to date: all `outputs` for every one of these partitions."""

    keys: tuple[str, ...]
    """At least one; in the order of partitions."""
    outputs: frozenset[str]
    is_range: bool
    """Whether they are neighbours, so that the first and the last of them name them all."""


def plan_changes(
    examination: Examination, *, deleted: Iterable[str], known: Iterable[str], materialized: Fingerprints
) -> ChangePlan:
    """What changed keys ask for.

    A row counts as deleted only if the feed says so: a row that cannot be read may be a lost right.

    Args:
        examination: what Directus has for the changed keys.
        deleted: keys that the feed says were deleted.
        known: those of the keys that are partitions.
        materialized: fingerprints of what is materialized for the keys.
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
    """Partition key to the outputs whose fingerprint is not the wanted one; only keys with at least one."""
    stale: dict[str, set[str]] = {}
    for (output, key), fingerprint in wanted.items():
        if materialized.get((output, key)) != fingerprint:
            stale.setdefault(key, set()).add(output)
    return {key: frozenset(outputs) for key, outputs in stale.items()}


def right_outputs(wanted: Fingerprints, materialized: Fingerprints) -> set[tuple[str, str]]:
    """The outputs (output, partition key) that are as they would be made now."""
    return {place for place, fingerprint in wanted.items() if materialized.get(place) == fingerprint}


def deleted_items(entries: Iterable[Activity], collection: str) -> list[str]:
    """The items of a collection of which these entries say last that they were deleted."""
    own = sorted((entry for entry in entries if entry.collection == collection), key=lambda entry: entry.id)
    last = {entry.item: entry.action for entry in own}
    return [item for item, action in last.items() if action == "delete"]


def batches(stale: Mapping[str, Set[str]], order: Sequence[str], *, size: int) -> list[Batch]:
    """Stale outputs as batches, in the order of partitions.

    A batch never holds a partition or an output that is not stale. What is scattered shares a batch as neighbours do: a
    run costs seconds to start, however little it has to do.

    Args:
        stale: partition key to the names of its stale outputs. Keys that `order` lacks are left out.
        order: all partition keys, in Dagster's order (that of their registration).
        size: the most partitions of one batch.
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
