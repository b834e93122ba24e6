"""Records the planned partitions of a run for which Dagster plans nothing: only then does Dagster show their failure.

Dagster shows a partition as failed if a failed run planned it and no materialization followed. Its public interface
cannot express that; `tests/orchestration/test_scattered.py` verifies this on the installed Dagster.
"""

from collections.abc import Iterable

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent


def plan_partitions(context: dg.AssetExecutionContext, asset_key: dg.AssetKey, partitions: Iterable[str]) -> None:
    """Record that this run plans to make these partitions of an asset."""
    step_key = context.op_execution_context.get_step_execution_context().step.key
    for partition in partitions:
        planned = DagsterEvent.build_asset_materialization_planned_event(
            context.job_name, step_key, AssetMaterializationPlannedData(asset_key, partition=partition)
        )
        context.instance.report_dagster_event(planned, run_id=context.run.run_id)
