"""Dagster's records of outputs: the fingerprints of partitions, stored as data versions, and failed attempts."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import dagster as dg

from directus_assets.errors import DirectusAssetsError, TransientError, bounded_wait
from directus_assets.fast.latest import Latest, latest_of, read_latest
from directus_assets.orchestration.runs.report import OutputRecord
from directus_assets.planning.verdicts import Failure, wait_seconds

_KEYS_PER_QUERY = 500
"""SQLite limits the number of variables in one statement."""

_FEW = 50
"""Records read at once when the first of them usually suffice."""

DATA_VERSION_TAG = "dagster/data_version"
CODE_VERSION_TAG = "dagster/code_version"


def version_tags(*, data_version: str, code_version: str, source: dg.AssetKey) -> dict[str, str]:
    """The tags by which Dagster decides whether a logged materialization is in sync.

    Dagster adds them only to outputs. An external asset that nobody observes has the data version `INITIAL` and no
    event; without these two tags every partition would show "new dependency" (Dagster 1.13).
    """
    return {
        DATA_VERSION_TAG: data_version,
        CODE_VERSION_TAG: code_version,
        f"dagster/input_data_version/{source.to_user_string()}": "INITIAL",
        f"dagster/input_event_pointer/{source.to_user_string()}": "NULL",
    }


def fingerprints(
    instance: dg.DagsterInstance, asset_keys: Mapping[str, dg.AssetKey], partition_keys: Iterable[str]
) -> dict[tuple[str, str], str]:
    """Map (name, partition key) to the fingerprint of the latest materialization, if there is one.

    Args:
        instance: Dagster's instance.
        asset_keys: the assets to look up, by the names to use in the result.
        partition_keys: the partitions to look up.
    """
    return {
        output: data_version(record) for output, record in latest_records(instance, asset_keys, partition_keys).items()
    }


def latest_records(
    instance: dg.DagsterInstance, asset_keys: Mapping[str, dg.AssetKey], partition_keys: Iterable[str]
) -> dict[tuple[str, str], Latest]:
    """Like `fingerprints`, with the record of the latest materialization."""
    keys = list(partition_keys)
    found: dict[tuple[str, str], Latest] = {}
    for name, asset_key in asset_keys.items():
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            some = keys[start : start + _KEYS_PER_QUERY]
            latest = read_latest(instance, asset_key, some)
            if latest is None:
                latest = _built(all_materializations(instance, asset_key, some))
            found |= {(name, key): record for key, record in latest.items()}
    return found


def _built(records: Iterable[dg.EventLogRecord]) -> dict[str, Latest]:
    """The first record of each partition."""
    found: dict[str, Latest] = {}
    for record in records:
        if record.partition_key is not None and record.asset_materialization:
            found.setdefault(record.partition_key, latest_of(record.asset_materialization, record.timestamp))
    return found


def all_materializations(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, partition_keys: Sequence[str]
) -> Iterator[dg.EventLogRecord]:
    """Materializations of these partitions, the newest of each first; a partition made often comes several times."""
    for start in range(0, len(partition_keys), _KEYS_PER_QUERY):
        some = partition_keys[start : start + _KEYS_PER_QUERY]
        filtered = dg.AssetRecordsFilter(asset_key=asset_key, asset_partitions=list(some))
        yield from _all_records(instance.fetch_materializations, filtered)


def data_version(record: Latest) -> str:
    """The fingerprint recorded with a materialization."""
    return record.tags.get(DATA_VERSION_TAG, "")


def try_metadata(error: DirectusAssetsError, *, fingerprint: str) -> dict[str, Any]:
    """The metadata of a failed attempt's observation, for `failures`: what was tried, and whether a retry may help."""
    tried = {"tried": fingerprint, "transient": isinstance(error, TransientError)}
    if isinstance(error, TransientError) and error.retry_after_seconds:
        return {**tried, "retry_after_seconds": error.retry_after_seconds}
    waits = {"longest_wait_seconds": error.longest_wait_seconds, "first_wait_seconds": error.first_wait_seconds}
    return {**tried, **{name: seconds for name, seconds in waits.items() if seconds}}


def failures(
    instance: dg.DagsterInstance,
    asset_keys: Mapping[str, dg.AssetKey],
    partition_keys: Sequence[str],
    *,
    first_wait_seconds: float,
) -> dict[tuple[str, str], tuple[float, Failure]]:
    """Map (name, partition key) to the time of the latest failed attempt, in seconds since 1970, and its outcome.

    Args:
        instance: Dagster's instance.
        asset_keys: the assets, by name.
        partition_keys: the partitions.
        first_wait_seconds: delay after the first failure that a person may fix, unless the failure states one.
    """
    found: dict[tuple[str, str], list[dg.EventLogRecord]] = {}
    for name, asset_key in asset_keys.items():
        for start in range(0, len(partition_keys), _KEYS_PER_QUERY):
            filtered = dg.AssetRecordsFilter(
                asset_key=asset_key, asset_partitions=partition_keys[start : start + _KEYS_PER_QUERY]
            )
            for record in _all_records(instance.fetch_observations, filtered):
                if record.partition_key is not None and "failed" in _metadata(record):
                    found.setdefault((name, record.partition_key), []).append(record)
    return {output: (records[0].timestamp, _failure(records, first_wait_seconds)) for output, records in found.items()}


def _failure(records: Sequence[dg.EventLogRecord], first_wait_seconds: float) -> Failure:
    """The outcome of the first record; the others are earlier attempts, latest first."""
    latest = _metadata(records[0])
    tried = str(latest.get("tried", ""))
    same = takewhile(lambda record: _metadata(record).get("tried", "") == tried, records)
    # Bounded here as well: earlier versions recorded whatever delay a server requested, including `inf`.
    asked = latest.get("retry_after_seconds")
    wait = None if asked is None else bounded_wait(float(asked))
    if longest := latest.get("longest_wait_seconds"):
        first = float(latest.get("first_wait_seconds", first_wait_seconds))
        wait = wait_seconds(sum(1 for _ in same), first=first, longest=float(longest))
    moment = dt.datetime.fromtimestamp(records[0].timestamp, dt.UTC)
    return Failure(
        fingerprint=tried,
        is_transient=bool(latest.get("transient")) or wait is not None,
        not_before=moment + dt.timedelta(seconds=wait) if wait else None,
    )


def _metadata(record: dg.EventLogRecord) -> dict[str, Any]:
    observation = record.asset_observation
    return {name: value.value for name, value in observation.metadata.items()} if observation else {}


@dataclass(frozen=True, kw_only=True)
class Observed:
    """One observation of an asset: the time in seconds since 1970, the partition, and the metadata."""

    timestamp: float
    partition: str | None
    metadata: Mapping[str, Any]


def observations(instance: dg.DagsterInstance, asset_key: dg.AssetKey) -> Iterator[Observed]:
    """The observations of an asset, newest first."""
    of_asset = dg.AssetRecordsFilter(asset_key=asset_key)
    for record in _all_records(instance.fetch_observations, of_asset, page_size=_FEW):
        yield Observed(timestamp=record.timestamp, partition=record.partition_key, metadata=_metadata(record))


def latest_materialization(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, partition: str
) -> dg.AssetMaterialization | None:
    """The latest materialization of one partition."""
    records = dg.AssetRecordsFilter(asset_key=asset_key, asset_partitions=[partition])
    found = instance.fetch_materializations(records, limit=1).records
    return found[0].asset_materialization if found else None


def record_output(
    instance: dg.DagsterInstance,
    asset_key: dg.AssetKey,
    partition: str,
    record: OutputRecord,
    *,
    code_version: str,
    source: dg.AssetKey,
) -> None:
    """Record an output that exists already, outside of a run."""
    tags = version_tags(data_version=record.data_version, code_version=code_version, source=source)
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            asset_key, description=record.note, partition=partition, metadata=record.metadata, tags=tags
        )
    )


def record_again(instance: dg.DagsterInstance, asset_key: dg.AssetKey, partition: str) -> None:
    """Record the latest materialization again: a run that failed marked the partition as failed, although its output
    exists and is correct.
    """
    if latest := latest_materialization(instance, asset_key, partition):
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key,
                description=latest.description,
                partition=partition,
                metadata=latest.metadata,
                tags=latest.tags,
            )
        )


def recorded_in_run(instance: dg.DagsterInstance, run_id: str) -> set[tuple[dg.AssetKey, str]]:
    """The (asset, partition) pairs that a run has materialized so far."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    return {(record.asset_key, record.partition_key) for record in records if record.asset_key and record.partition_key}


def failures_of_run(instance: dg.DagsterInstance, run_id: str) -> dict[tuple[dg.AssetKey, str], str]:
    """The (asset, partition) pairs that a run recorded as failed for good, each with the reason."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_OBSERVATION).records
    found: dict[tuple[dg.AssetKey, str], str] = {}
    for record in records:
        observation = record.asset_observation
        if observation and observation.partition and "failed" in observation.metadata:
            found[observation.asset_key, observation.partition] = str(observation.metadata["failed"].value)
    return found


def _all_records(
    fetch: Callable[..., Any], filtered: dg.AssetRecordsFilter, *, page_size: int = 1000
) -> Iterator[dg.EventLogRecord]:
    cursor = None
    while True:
        page = fetch(filtered, limit=page_size, cursor=cursor)
        yield from page.records
        if not page.has_more:
            return
        cursor = page.cursor


def failed_outputs(
    instance: dg.DagsterInstance, assets: Mapping[str, dg.AssetKey], keys: Sequence[str], *, partitions_name: str
) -> set[tuple[str, str]]:
    """The outputs (output, key) among these whose last attempt failed."""
    definition = dg.DynamicPartitionsDefinition(name=partitions_name)
    return {
        (output, key)
        for output, asset_key in assets.items()
        for key, status in (instance.get_status_by_partition(asset_key, list(keys), definition) or {}).items()
        if status is not None and status.value == "FAILED"
    }
