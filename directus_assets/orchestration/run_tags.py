"""The tags of runs, and what they stand for."""

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
