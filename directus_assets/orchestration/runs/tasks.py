"""Runs tasks on items concurrently and isolates their failures."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Generic, TypeVar

import dagster as dg

from directus_assets.orchestration.runs.recorder import Recorder

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Task(Generic[T]):
    """The task for one output of one item.

    Attributes:
        asset_key: the asset.
        partition: the key of the item.
        do: does the work; runs in any thread.
        fingerprint: identifies the attempt for the reconcile if it fails.
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
    """Run all tasks in several threads, and record each result as soon as it is available.

    Args:
        tasks: the work.
        recorder: of the run; receives failures.
        record: receives the asset and the result of each success, in this thread.
        collection: of the items, for people.
        threads: the number of concurrent tasks.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix=collection) as pool:
        futures = {pool.submit(task.do): task for task in tasks}
        for future in as_completed(futures):
            task = futures[future]
            tried = {task.asset_key: task.fingerprint}
            with recorder.alone(tried, task.partition, name=f"{collection} {task.partition}"):
                record(task.asset_key, future.result())
