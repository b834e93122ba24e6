"""The work of one run on items: many at once, each on its own, so that what fails takes nothing along."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Generic, TypeVar

import dagster as dg

from directus_assets.orchestration.runs.recorder import Recorder

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Task(Generic[T]):
    """What is to be done for one output of one item.

    Attributes:
        asset_key: the asset.
        partition: the key of the item.
        do: the work itself; runs in any thread.
        fingerprint: what the reconcile knows the try by, should it fail.
    """

    asset_key: dg.AssetKey
    partition: str
    do: Callable[[], T]
    fingerprint: str


def do_all(
    tasks: Iterable[Task[T]],
    recorder: Recorder,
    record: Callable[[dg.AssetKey, T], None],
    *,
    collection: str,
    threads: int,
) -> None:
    """Does all tasks in so many threads, and records what came of each as soon as it is there.

    Args:
        tasks: the work.
        recorder: of the run; is told of what failed.
        record: is told of the asset and the result of what succeeded, in this thread.
        collection: of the items, for people.
        threads: how many tasks at once.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix=collection) as pool:
        futures = {pool.submit(task.do): task for task in tasks}
        for future in as_completed(futures):
            task = futures[future]
            tried = {task.asset_key: task.fingerprint}
            with recorder.alone(tried, task.partition, name=f"{collection} {task.partition}"):
                record(task.asset_key, future.result())
