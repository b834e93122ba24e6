"""Stale outputs into batches: one batch becomes one run over a contiguous range of partitions."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What one run brings up to date: all `outputs` for every partition from `first` to `last`, both included."""

    first: str
    last: str
    count: int
    outputs: frozenset[str]


def batches(stale: Mapping[str, Set[str]], order: Sequence[str], *, size: int) -> list[Batch]:
    """Stale outputs as batches, in the order of partitions.

    A batch never holds a partition or an output that is not stale, so it ends at every gap and wherever the set of
    outputs changes.

    Args:
        stale: partition key to the names of its stale outputs. Keys that `order` lacks are left out.
        order: all partition keys, in Dagster's order (that of their registration).
        size: the most partitions of one batch.
    """
    index = {key: position for position, key in enumerate(order)}
    positions = sorted(index[key] for key, outputs in stale.items() if outputs and key in index)
    found: list[Batch] = []
    start = previous = -1
    for position in [*positions, -1]:
        continues = (
            start >= 0
            and position == previous + 1
            and position - start < size
            and stale[order[position]] == stale[order[start]]
        )
        if not continues:
            if start >= 0:
                outputs = frozenset(stale[order[start]])
                found.append(
                    Batch(first=order[start], last=order[previous], count=previous - start + 1, outputs=outputs)
                )
            start = position
        previous = position
    return found
