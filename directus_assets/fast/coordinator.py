"""A run coordinator that starts fresh work at once, since the queue is only processed once a second.

Enabled by one line of `dagster.yaml` that replaces `run_queue`, whose settings become its `config`:

    run_coordinator: {module: directus_assets.fast, class: FreshFirstCoordinator, config: {…}}

Everything that it uses beyond Dagster's public interface is in this module, and
`tests/orchestration/test_coordinator.py` verifies it on the installed Dagster: the coordinator interface
(`dagster._core.run_coordinator`), the statuses of runs that have not ended (`dagster._core.storage.dagster_run`), and
how Dagster's queue launches a run, and requeues it on failure (`dagster._daemon.run_coordinator`).
"""

import logging
import os

import dagster as dg
from dagster._core.events import DagsterEvent
from dagster._core.launcher import LaunchRunContext
from dagster._core.run_coordinator import SubmitRunContext
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from directus_assets.fast.launcher import RUNS_ELSEWHERE
from directus_assets.run_tags import CHANGE, ITEM_TAG, PUSH, TRIGGER_TAG

AT_ONCE = 2
"""Once this many runs are in progress, fresh ones queue like all others: a burst of pushes becomes a batch."""

logger = logging.getLogger(__name__)


class FreshFirstCoordinator(dg.QueuedRunCoordinator):
    """Dagster's queue, which runs over fresh or pushed changes bypass if they would leave it at once."""

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Launch the run, or queue it."""
        run = context.dagster_run
        is_new = run.status is dg.DagsterRunStatus.NOT_STARTED
        may_launch = is_new and run.tags.get(TRIGGER_TAG) in (CHANGE, PUSH) and not os.environ.get(RUNS_ELSEWHERE)
        if may_launch and self._has_room(run):
            return self._launch(context)
        return super().submit_run(context)

    def _launch(self, context: SubmitRunContext) -> dg.DagsterRun:
        run_id = context.dagster_run.run_id
        self._instance.report_dagster_event(
            DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, context.dagster_run.job_name), run_id=run_id
        )
        starting = self._run(run_id)
        try:
            self._instance.run_launcher.launch_run(LaunchRunContext(starting, context.workspace))
        except Exception as error:  # noqa: BLE001 - like the queue, whatever the error
            # For example a code server being replaced: the queue retries, and knows when to give up.
            logger.warning("Run %s could not be launched at once, and is queued: %s", run_id, error)
            if self._run(run_id).status is dg.DagsterRunStatus.STARTING:
                self._instance.report_dagster_event(DagsterEvent.job_enqueue(starting), run_id=run_id)
        return self._run(run_id)

    def _run(self, run_id: str) -> dg.DagsterRun:
        [record] = self._instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
        return record.dagster_run

    def _has_room(self, run: dg.DagsterRun) -> bool:
        """Whether no run is queued, few are in progress, and none of them processes the same item."""
        # One more than allowed already means that there is no room; thousands may be queued.
        unfinished = self._instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES), limit=AT_ONCE + 1)
        others = [each for each in unfinished if each.run_id != run.run_id]
        queue = self._instance.get_concurrency_config().run_queue_config
        limit = queue.max_concurrent_runs if queue else 0
        item = run.tags.get(ITEM_TAG)
        return (
            len(others) < (min(AT_ONCE, limit) if limit >= 0 else AT_ONCE)
            and all(each.status is not dg.DagsterRunStatus.QUEUED for each in others)
            and (item is None or all(each.tags.get(ITEM_TAG) != item for each in others))
        )
