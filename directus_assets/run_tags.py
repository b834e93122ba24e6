"""The tags of Dagster's runs and their meaning: what those who start runs tell those who carry them out.

Below everything that uses Dagster, since the coordinator in `fast/` reads them as well.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from directus_assets.planning.changes import Batch

PRIORITY_TAG = "dagster/priority"
PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

KEYS_TAG = "directus_assets/keys"
"""The partitions of a run that are not a range, as JSON; the remainder continues in `directus_assets/keys.1`."""

TRIGGER_TAG = "directus_assets/trigger"
"""Why a run was started automatically: `change`, `push` or `scan`.

Such a run skips what is current; a run started by a person remakes everything.
"""

CHANGE = "change"
"""The trigger of a run that a sensor started for a change."""

PUSH = "push"
"""The trigger of a run that the door started for a push from Directus' flows."""

SCAN = "scan"
"""The trigger of a run that a comparison of everything started."""

ITEM_TAG = "directus_assets/item"
"""The item of a run started by a flow of an earlier version; only one run at a time processes it."""

CLICK_TAG = "directus_assets/click"
"""The id of the Studio click that started a run."""

BUTTON_TAG = "directus_assets/button"
FIELD_TAG = "directus_assets/field"
"""The clicked button, and the single field that the click is about."""

COLLECTION_TAG = "directus_assets/collection"
OUTPUTS_TAG = "directus_assets/outputs"
"""What a reconcile backfill is for; a title has room for neither."""

ROOT_RUN_TAG = "dagster/root_run_id"
WILL_RETRY_TAG = "dagster/will_retry"
RETRIED_BY_TAG = "dagster/auto_retry_run_id"
"""On a failed run: whether another run will replace it, and which one."""

SENSOR_TAG = "dagster/sensor_name"

FRESH_PRIORITY = "10"
SCAN_PRIORITY = "-10"


def backfill_tags(collection: str, outputs: Sequence[str], *, skips_current: bool) -> dict[str, str]:
    """The tags of the runs of a backfill; they give way to fresh changes.

    Args:
        collection: the collection.
        outputs: the names of the outputs.
        skips_current: whether the runs skip what has become current by then, rather than remake everything.
    """
    trigger = {TRIGGER_TAG: SCAN} if skips_current else {}
    named = {COLLECTION_TAG: fitting(collection), OUTPUTS_TAG: fitting(", ".join(outputs))}
    return {PRIORITY_TAG: SCAN_PRIORITY, **named, **trigger}


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags of a run over a contiguous range of partitions, both ends included."""
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}


def batch_tags(batch: Batch) -> dict[str, str]:
    """The tags of a run over a batch: the ends of a range, which Dagster supports, or the keys themselves.

    Dagster has no run over partitions that are not a range. A run without a range plans nothing by itself, and reads
    its partitions with `keys_of_tags`.
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
    """The partitions that a run's tags list individually; empty if it is over a range."""
    found: list[str] = []
    number = 0
    while (text := tags.get(_keys_tag(number))) is not None:
        found += json.loads(text)
        number += 1
    return found


def keys_of_run(tags: Mapping[str, str], order: Callable[[], Sequence[str]]) -> Sequence[str]:
    """The partitions of the run with these tags.

    Args:
        tags: the tags of the run.
        order: returns all partitions in Dagster's order.
    """
    if named := keys_of_tags(tags):
        return named
    first, last = tags.get(RANGE_START_TAG), tags.get(RANGE_END_TAG)
    if first is None or last is None:
        return [tags[PARTITION_TAG]] if PARTITION_TAG in tags else []
    if first == last:
        return [first]
    keys = order()
    # A run cannot start if an end of its range is no longer a partition.
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
    """Shorten `value` so that Dagster can store it in a tag; a long value ends in a digest that keeps it distinct."""
    if len(value) <= _LONGEST_VALUE:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{value[: _LONGEST_VALUE - len(digest) - 1]}…{digest}"
