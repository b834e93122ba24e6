"""Each item alone: whatever one of many does to us is its own failure, and nothing else suffers.

An outage, a lost right or a wrong setting is nobody's own: it concerns all, and is raised as it came.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from directus_assets.errors import BadInput, DirectusAssetsError, Unexpected, as_error

K = TypeVar("K")
R = TypeVar("R")

_STAND_IN = "unplannable:"


@dataclass(frozen=True)
class Isolated(Generic[K, R]):
    """What became of some keys."""

    results: Sequence[R]
    """Of the groups that they were split into; of one group where nothing went wrong."""
    culprits: dict[K, DirectusAssetsError]
    """The keys that nothing can be done with, and why."""


def isolate(keys: Iterable[K], work: Callable[[Sequence[K]], R]) -> Isolated[K, R]:
    """Does `work` on all keys at once; where that fails, on ever smaller groups, until it is known which are to blame.

    One culprit among `n` costs about `2 * log2(n)` further calls.

    >>> found = isolate([1, 2, 0, 4], lambda some: [8 // key for key in some])
    >>> found.results, list(found.culprits)
    ([[8, 4], [2]], [0])

    Args:
        keys: each is worked on; none is lost.
        work: has no effect that doing it twice would harm.

    Raises:
        DirectusAssetsError: what concerns all: an outage, a lost right, a wrong setting.
    """
    # In a thread of its own, since how deeply nested a value can be read depends on how deep the caller stands: what a
    # sensor, a reconcile and a run find out about an item has to be the same.
    with ThreadPoolExecutor(1, thread_name_prefix="isolate") as thread:
        return thread.submit(_isolate, list(keys), work).result()


def _isolate(keys: list[K], work: Callable[[Sequence[K]], R]) -> Isolated[K, R]:
    results: list[R] = []
    culprits: dict[K, DirectusAssetsError] = {}
    groups = [keys] if keys else []
    while groups:
        some = groups.pop()
        try:
            results.append(work(some))
        except Exception as error:  # noqa: BLE001 - this is where items are kept apart
            fault = fault_of(error)
            if len(some) == 1:
                culprits[some[0]] = fault
            else:
                middle = len(some) // 2
                groups += [some[middle:], some[:middle]]
    return Isolated(results, culprits)


def fault_of(error: Exception) -> DirectusAssetsError:
    """What an exception says of the item that was worked on.

    Raises:
        DirectusAssetsError: it says nothing of the item, since it concerns all.
    """
    fault = as_error(error)
    if not isinstance(fault, BadInput | Unexpected):
        raise fault
    return fault


def stand_in(fault: DirectusAssetsError) -> str:
    """The fingerprint of an output that has none, since computing it fails.

    It is the same until the item becomes one that can be planned, so that a try that failed is not repeated before.
    """
    return f"{_STAND_IN}{type(fault).__name__}"


def planned(compute: Callable[[], R]) -> R | str:
    """What `compute` gives: the fingerprint of one output; or its stand-in.

    Raises:
        DirectusAssetsError: what concerns all.
    """
    try:
        return compute()
    except Exception as error:  # noqa: BLE001 - this is where outputs are kept apart
        return stand_in(fault_of(error))


@contextmanager
def noted(problems: list[str]) -> Iterator[None]:
    """Whatever goes wrong in this block, which is about one item, becomes one of the problems."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a list that leaves out one item is better than none
        problems.append(str(as_error(error)))


def readable(groups: Iterable[Sequence[K]], read: Callable[[Sequence[K]], R], problems: list[str]) -> Iterator[R]:
    """What `read` finds of each group; keys that it cannot read become problems."""
    for keys in groups:
        found = isolate(keys, read)
        problems += [f"{key}: {fault}" for key, fault in found.culprits.items()]
        yield from found.results
