"""The tags of runs, and what they stand for."""

import hashlib

PRIORITY_TAG = "dagster/priority"
PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

TRIGGER_TAG = "directus_assets/trigger"
"""Why a run was started by itself: `change`, `push` or `scan`. Such a run leaves alone what is already right; a run
that a person starts makes everything again."""

CHANGE = "change"
"""The trigger of a run that a sensor started for what has changed."""

PUSH = "push"
"""The trigger of a run that a flow in Directus started, over one item."""

ITEM_TAG = "directus_assets/item"
"""The item of a pushed run: `dagster.yaml` lets one run at a time work on it."""

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
PUSH_PRIORITY = "5"
"""Below what sensors start: where pushed runs have to wait, a batch over their items does the work sooner."""
SCAN_PRIORITY = "-10"


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags of a run over a contiguous range of partitions, both ends included."""
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}


_LONGEST_VALUE = 255
"""Characters. PostgreSQL refuses to index a value of more than 2,704 bytes, and 40 names of presets can be longer."""


def fitting(value: str) -> str:
    """`value` as Dagster can keep it in a tag: where it is too long, the end is a digest that tells it from others."""
    if len(value) <= _LONGEST_VALUE:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{value[: _LONGEST_VALUE - len(digest) - 1]}…{digest}"
