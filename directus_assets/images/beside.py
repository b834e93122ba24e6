"""Lets idle workers of a pool help one that has several things to do."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

R = TypeVar("R")


def beside(pool: ThreadPoolExecutor, calls: Sequence[Callable[[], R]]) -> list[Callable[[], R]]:
    """These calls, which idle workers of the pool make in advance; the caller makes those that none has begun.

    So a worker of the same pool may use it: it waits only for calls in progress, never for one in the queue.

    Args:
        pool: whatever it already has to do comes first.
        calls: independent of each other.

    Returns:
        The same calls, to be made in this order.

    >>> with ThreadPoolExecutor(2) as pool:
    ...     [call() for call in beside(pool, [lambda: 1, lambda: 2])]
    [1, 2]
    """
    try:
        shared = [(call, pool.submit(call)) for call in calls]
    except RuntimeError:  # the pool is being shut down
        return list(calls)
    return [partial(_result, shared, index) for index in range(len(shared))]


def _result(shared: list[tuple[Callable[[], R], Future[R]]], index: int) -> R:
    call, future = shared[index]
    if future.cancel():
        return call()
    # A worker has begun it: until that is done, make what none has begun.
    for later in range(index + 1, len(shared)):
        if future.done():
            break
        call, unbegun = shared[later]
        if unbegun.cancel():
            shared[later] = call, _made(call)
    return future.result()


def _made(call: Callable[[], R]) -> Future[R]:
    future = Future[R]()
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 - it belongs to whoever asks for the result
        future.set_exception(error)
    return future
