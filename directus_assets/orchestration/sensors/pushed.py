"""Runs that a flow in Directus started, and the sensor that hears of the same change: nothing is done twice.

A push is fast and may get lost; the sensor is slower and sees everything. So it leaves an item to its pushed run, and
looks at it again when that has ended. Where many are pushed at once, a batch is far cheaper than a run for each: then
those that have not begun are taken out of the queue, and their items become a batch.
"""

from collections.abc import Collection, Mapping, Sequence

import dagster as dg

from directus_assets.orchestration.names import PROJECT_TAG, Names
from directus_assets.orchestration.runs.tags import ITEM_TAG, PUSH, RANGE_START_TAG, TRIGGER_TAG
from directus_assets.orchestration.runs.unfinished import UNFINISHED

PushedRuns = Mapping[str, Sequence[dg.DagsterRun]]
"""Item to its unfinished pushed runs."""


def pushed_runs(instance: dg.DagsterInstance, names: Names, collection: str) -> PushedRuns:
    """The unfinished pushed runs of a collection."""
    found: dict[str, list[dg.DagsterRun]] = {}
    for run in instance.get_runs(dg.RunsFilter(tags={TRIGGER_TAG: PUSH}, statuses=UNFINISHED)):
        item = run.tags.get(RANGE_START_TAG, "")
        if run.tags.get(ITEM_TAG) == f"{collection}/{item}" and run.tags.get(PROJECT_TAG, "") == names.project:
            found.setdefault(item, []).append(run)
    return found


def items_at_work(instance: dg.DagsterInstance, pushed: PushedRuns, stale: Collection[str]) -> set[str]:
    """Those of the stale items that are left to their pushed runs; the others' runs are taken out of the queue."""
    waiting: PushedRuns = {item: runs for item, runs in pushed.items() if item in stale and all(map(_waits, runs))}
    if len(waiting) > 1:
        waiting = _still_waiting(instance, waiting)
    if len(waiting) < 2:
        return pushed.keys() & set(stale)
    for run in (run for runs in waiting.values() for run in runs):
        instance.delete_run(run.run_id)
    return pushed.keys() & set(stale) - waiting.keys()


def _still_waiting(instance: dg.DagsterInstance, waiting: PushedRuns) -> PushedRuns:
    """Those of them that wait even now: since they were read, Directus was asked, and the queue moves every second."""
    ids = [run.run_id for runs in waiting.values() for run in runs]
    queued = dg.RunsFilter(run_ids=ids, statuses=[dg.DagsterRunStatus.QUEUED])
    still = {run.run_id for run in instance.get_runs(queued)}
    return {item: runs for item, runs in waiting.items() if all(run.run_id in still for run in runs)}


def _waits(run: dg.DagsterRun) -> bool:
    return run.status is dg.DagsterRunStatus.QUEUED
