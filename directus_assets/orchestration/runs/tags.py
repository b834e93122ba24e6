"""The tags of runs, and what they stand for."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

import dagster as dg

from directus_assets.planning.changes import Batch

PRIORITY_TAG = "dagster/priority"
PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

KEYS_TAG = "directus_assets/keys"
"""The partitions of a run that are no range, as JSON; what does not fit goes on in `directus_assets/keys.1`."""

TRIGGER_TAG = "directus_assets/trigger"
"""Why a run was started by itself: `change`, `push` or `scan`. Such a run leaves alone what is already right; a run
that a person starts makes everything again."""

CHANGE = "change"
"""The trigger of a run that a sensor started for what has changed."""

PUSH = "push"
"""The trigger of a run that the door started for what Directus' flows pushed."""

ITEM_TAG = "directus_assets/item"
"""The item of a run that a flow of an earlier version has started: one run at a time works on it."""

CLICK_TAG = "directus_assets/click"
"""The id of the click in the Studio that a run was started for."""

BUTTON_TAG = "directus_assets/button"
FIELD_TAG = "directus_assets/field"
"""What was clicked, and the one field that it is about."""

COLLECTION_TAG = "directus_assets/collection"
OUTPUTS_TAG = "directus_assets/outputs"
"""What a backfill of the reconcile is for: a title has room for neither."""

ROOT_RUN_TAG = "dagster/root_run_id"
WILL_RETRY_TAG = "dagster/will_retry"
RETRIED_BY_TAG = "dagster/auto_retry_run_id"
"""On a failed run: whether there will be a run in its place, and which one it is."""

SENSOR_TAG = "dagster/sensor_name"

FRESH_PRIORITY = "10"
SCAN_PRIORITY = "-10"


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags of a run over a contiguous range of partitions, both ends included."""
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}


def batch_tags(batch: Batch) -> dict[str, str]:
    """The tags of a run over a batch: the ends of a range, which Dagster knows, or the keys themselves.

    Dagster has no run over some partitions that are no range. A run without a range plans nothing by itself, and asks
    for its partitions by `keys_of_tags`.
    """
    if batch.is_range:
        return range_tags(batch.keys[0], batch.keys[-1])
    values: list[list[str]] = [[]]
    for key in batch.keys:
        if values[-1] and len(_as_json([*values[-1], key]).encode()) > _LONGEST_KEYS_BYTES:
            values.append([])
        values[-1].append(key)
    return {_keys_tag(number): _as_json(keys) for number, keys in enumerate(values)}


def keys_of_tags(tags: Mapping[str, str]) -> list[str]:
    """The partitions that the tags of a run name one by one; none where it is over a range."""
    found: list[str] = []
    number = 0
    while (text := tags.get(_keys_tag(number))) is not None:
        found += json.loads(text)
        number += 1
    return found


def keys_of_run(run: dg.DagsterRun, order: Callable[[], Sequence[str]]) -> Sequence[str]:
    """The partitions that a run is over.

    Args:
        run: the run.
        order: gives all partitions, in Dagster's order.
    """
    if named := keys_of_tags(run.tags):
        return named
    first, last = run.tags.get(RANGE_START_TAG), run.tags.get(RANGE_END_TAG)
    if first is None or last is None:
        return [run.tags[PARTITION_TAG]] if PARTITION_TAG in run.tags else []
    if first == last:
        return [first]
    keys = order()
    # An end that is no partition any more keeps its run from working at all.
    return keys[keys.index(first) : keys.index(last) + 1] if first in keys and last in keys else []


def _keys_tag(number: int) -> str:
    return f"{KEYS_TAG}.{number}" if number else KEYS_TAG


def _as_json(keys: Sequence[str]) -> str:
    return json.dumps(keys, ensure_ascii=False, separators=(",", ":"))


_LONGEST_KEYS_BYTES = 2000
"""PostgreSQL refuses to index a value of more than 2,704."""
_LONGEST_VALUE = 255
"""Characters. PostgreSQL refuses to index a value of more than 2,704 bytes, and 40 names of presets can be longer."""


def fitting(value: str) -> str:
    """`value` as Dagster can keep it in a tag: where it is too long, the end is a digest that tells it from others."""
    if len(value) <= _LONGEST_VALUE:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{value[: _LONGEST_VALUE - len(digest) - 1]}…{digest}"
