"""What Dagster remembers of outputs: the fingerprints of partitions, as their data versions."""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

_KEYS_PER_QUERY = 500
"""SQLite allows a limited number of variables in one statement."""

DATA_VERSION_TAG = "dagster/data_version"
CODE_VERSION_TAG = "dagster/code_version"


def version_tags(*, data_version: str, code_version: str, source: dg.AssetKey) -> dict[str, str]:
    """The tags by which Dagster tells whether a logged materialization is in sync.

    Dagster adds them to outputs only. An external asset that nobody observes has the data version `INITIAL` and no
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
    """(name, partition key) to the fingerprint of the latest materialization, where there is one.

    Args:
        instance: Dagster's instance.
        asset_keys: the assets to look up, by the names that the answer uses.
        partition_keys: the partitions to look up.
    """
    keys = list(partition_keys)
    found: dict[tuple[str, str], str] = {}
    for name, asset_key in asset_keys.items():
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            for event in _newest_first(instance, asset_key, keys[start : start + _KEYS_PER_QUERY]):
                if event.partition is not None:
                    found.setdefault((name, event.partition), (event.tags or {}).get(DATA_VERSION_TAG, ""))
    return found


def latest_materialization(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, partition: str
) -> dg.AssetMaterialization | None:
    """The latest materialization of one partition."""
    records = dg.AssetRecordsFilter(asset_key=asset_key, asset_partitions=[partition])
    found = instance.fetch_materializations(records, limit=1).records
    return found[0].asset_materialization if found else None


def recorded_in_run(instance: dg.DagsterInstance, run_id: str) -> set[tuple[dg.AssetKey, str]]:
    """The (asset, partition) pairs that a run has materialized so far."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    return {(record.asset_key, record.partition_key) for record in records if record.asset_key and record.partition_key}


def _newest_first(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, partition_keys: Sequence[str]
) -> Iterable[dg.AssetMaterialization]:
    """Materializations of these partitions; a partition made often comes several times."""
    records = dg.AssetRecordsFilter(asset_key=asset_key, asset_partitions=list(partition_keys))
    cursor = None
    while True:
        page = instance.fetch_materializations(records, limit=1000, cursor=cursor)
        for record in page.records:
            if record.asset_materialization:
                yield record.asset_materialization
        if not page.has_more:
            return
        cursor = page.cursor
