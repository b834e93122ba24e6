"""What is pushed and what a sensor hears of is the same change: nothing is done twice.

A push is fast and may get lost; the sensor is slower and sees everything. So the sensor leaves an item to the door and
to its run, and looks at it again when that has ended. The door in turn leaves alone what a run is at work on already.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

import dagster as dg

from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.orchestration.runs.tags import TRIGGER_TAG, keys_of_run
from directus_assets.orchestration.runs.unfinished import UNFINISHED


def items_at_work(
    instance: dg.DagsterInstance,
    parts: Iterable[Subject],
    keys: Collection[str],
    order: Callable[[], Sequence[str]],
    *,
    triggers: Collection[str],
) -> set[str]:
    """Those of the items that an unfinished run of any of these parts works on.

    Args:
        instance: Dagster's instance.
        parts: what is derived from the items.
        keys: the items that are asked about.
        order: gives all partitions, in Dagster's order.
        triggers: why such a run was started.
    """
    if not keys:
        return set()
    jobs = {part.job_name for part in parts}
    chosen = dg.RunsFilter(tags={TRIGGER_TAG: list(triggers)}, statuses=UNFINISHED)
    runs = [run for run in instance.get_runs(chosen) if run.job_name in jobs]
    return {key for run in runs for key in keys_of_run(run, order)}.intersection(keys)
