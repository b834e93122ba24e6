"""A run coordinator that starts at once what Directus pushes: the queue is looked at once a second only.

Opt in with one line of `dagster.yaml`, in the place of `run_queue`, whose settings are then its `config`:

    run_coordinator: {module: directus_assets.orchestration.coordinator, class: PushedFirstCoordinator, config: {…}}

All that is used of Dagster beyond its public interface is in this module, and `tests/orchestration/test_coordinator.py`
holds it against the Dagster that is installed: what a coordinator is asked (`dagster._core.run_coordinator`), and how
Dagster's own coordinators launch a run (`DagsterInstance.launch_run`).
"""

import dagster as dg
from dagster._core.run_coordinator import SubmitRunContext

from directus_assets.orchestration.run_tags import ITEM_TAG, PUSH, TRIGGER_TAG
from directus_assets.orchestration.unfinished import UNFINISHED

AT_ONCE = 2
"""Where so many runs are under way already, pushed runs wait as all others do: a burst of them becomes a batch."""


class PushedFirstCoordinator(dg.QueuedRunCoordinator):
    """Dagster's queue, which a pushed run does not enter where it would leave it at once."""

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Launches the run, or puts it into the queue."""
        run = context.dagster_run
        if run.tags.get(TRIGGER_TAG) == PUSH and self._has_room(run):
            return self._instance.launch_run(run.run_id, context.workspace)
        return super().submit_run(context)

    def _has_room(self, run: dg.DagsterRun) -> bool:
        """Whether no run waits, few are under way, and none of them works on the same item."""
        # With one more than may be, there is no room in any case; thousands may wait.
        unfinished = self._instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=AT_ONCE + 1)
        others = [each for each in unfinished if each.run_id != run.run_id]
        queue = self._instance.get_concurrency_config().run_queue_config
        limit = queue.max_concurrent_runs if queue else 0
        return (
            len(others) < (min(AT_ONCE, limit) if limit >= 0 else AT_ONCE)
            and all(each.status is not dg.DagsterRunStatus.QUEUED for each in others)
            and all(each.tags.get(ITEM_TAG) != run.tags.get(ITEM_TAG) for each in others)
        )
