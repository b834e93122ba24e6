"""The work of one run on items: many at once, each on its own, so that what fails takes nothing along."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Generic, TypeVar

import dagster as dg

from directus_assets.errors import DirectusAssetsError
from directus_assets.orchestration.recorder import Recorder

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Job(Generic[T]):
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
    fingerprint: Callable[[], str]


def do_all(
    jobs: Iterable[Job[T]],
    recorder: Recorder,
    record: Callable[[dg.AssetKey, T], None],
    *,
    collection: str,
    threads: int,
) -> None:
    """Does all jobs in so many threads, and records what came of each as soon as it is there.

    Args:
        jobs: the work.
        recorder: of the run; is told of what failed.
        record: is told of the asset and the result of what succeeded, in this thread.
        collection: of the items, for people.
        threads: how many jobs at once.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix=collection) as pool:
        futures = {pool.submit(job.do): job for job in jobs}
        for future in as_completed(futures):
            job = futures[future]
            try:
                result = future.result()
            except DirectusAssetsError as error:
                recorder.failed(
                    job.asset_key,
                    job.partition,
                    error,
                    name=f"{collection} {job.partition}",
                    fingerprint=job.fingerprint(),
                )
            else:
                record(job.asset_key, result)
