"""Prevents duplicate work for a change that is both pushed and found by a sensor.

A push is fast and may get lost; the sensor is slower and sees everything. So the sensor leaves an item to the door's
run, and checks it again once that run has ended. The door in turn skips items that a run is already processing.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

import dagster as dg

from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.orchestration.runs.unfinished import UNFINISHED
from directus_assets.run_tags import TRIGGER_TAG, keys_of_run


def items_at_work(
    instance: dg.DagsterInstance,
    parts: Iterable[Subject],
    keys: Collection[str],
    order: Callable[[], Sequence[str]],
    *,
    triggers: Collection[str],
) -> set[str]:
    """The items among these that an unfinished run of any of these parts is processing.

    Args:
        instance: Dagster's instance.
        parts: what is derived from the items.
        keys: the items to check.
        order: returns all partitions in Dagster's order.
        triggers: counts only runs with one of these triggers.
    """
    if not keys:
        return set()
    jobs = {part.job_name for part in parts}
    chosen = dg.RunsFilter(tags={TRIGGER_TAG: list(triggers)}, statuses=UNFINISHED)
    runs = [run for run in instance.get_runs(chosen) if run.job_name in jobs]
    return {key for run in runs for key in keys_of_run(run.tags, order)}.intersection(keys)
