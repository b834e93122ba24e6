"""Isolates items: an error caused by one of many is its own failure, and does not affect the others.

An outage, a missing right or a wrong setting concerns all items, and is raised unchanged.
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
    """The outcome for some keys."""

    results: Sequence[R]
    """One result for each group that the keys were split into; a single group if nothing failed."""
    culprits: dict[K, DirectusAssetsError]
    """The keys that cannot be processed, with the errors."""


def isolate(keys: Iterable[K], work: Callable[[Sequence[K]], R]) -> Isolated[K, R]:
    """Call `work` on all keys at once; if it fails, on ever smaller groups, until the faulty keys are known.

    One faulty key among `n` costs about `2 * log2(n)` additional calls.

    >>> found = isolate([1, 2, 0, 4], lambda some: [8 // key for key in some])
    >>> found.results, list(found.culprits)
    ([[8, 4], [2]], [0])

    Args:
        keys: all are processed; none is lost.
        work: must be safe to repeat.

    Raises:
        DirectusAssetsError: an error that concerns all keys: an outage, a missing right, a wrong setting.
    """
    # In a thread of its own, since the readable nesting depth of a value depends on the depth of the caller's stack: a
    # sensor, a reconcile and a run have to come to the same result about an item.
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
        except Exception as error:  # noqa: BLE001 - this is where items are isolated
            fault = fault_of(error)
            if len(some) == 1:
                culprits[some[0]] = fault
            else:
                middle = len(some) // 2
                groups += [some[middle:], some[:middle]]
    return Isolated(results, culprits)


def fault_of(error: Exception) -> DirectusAssetsError:
    """What an exception says about the current item.

    Raises:
        DirectusAssetsError: it concerns all items.
    """
    fault = as_error(error)
    if not isinstance(fault, BadInput | Unexpected):
        raise fault
    return fault


def stand_in(fault: DirectusAssetsError) -> str:
    """A stand-in for the fingerprint of an output whose computation fails.

    It stays the same until the item can be planned, so that a failed attempt is not repeated before.
    """
    return f"{_STAND_IN}{type(fault).__name__}"


def planned(compute: Callable[[], R]) -> R | str:
    """Compute the fingerprint of one output, or its stand-in.

    Raises:
        DirectusAssetsError: an error that concerns all items.
    """
    try:
        return compute()
    except Exception as error:  # noqa: BLE001 - this is where outputs are isolated
        return stand_in(fault_of(error))


@contextmanager
def noted(problems: list[str]) -> Iterator[None]:
    """Record any error in this block, which is about one item, as one of the problems."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a list without one item is better than none
        problems.append(str(as_error(error)))


def readable(groups: Iterable[Sequence[K]], read: Callable[[Sequence[K]], R], problems: list[str]) -> Iterator[R]:
    """Yield what `read` returns for each group; record keys that it cannot read as problems."""
    for keys in groups:
        found = isolate(keys, read)
        problems += [f"{key}: {fault}" for key, fault in found.culprits.items()]
        yield from found.results
