"""What a run was to make, for a run that Dagster plans nothing of: only so does Dagster show that it failed.

Dagster shows a partition as failed where a run that failed has planned it, with no materialization after that. Its
public interface has no way to say so; `tests/orchestration/test_scattered.py` holds this against the installed Dagster.
"""

from collections.abc import Iterable

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent


def plan_partitions(context: dg.AssetExecutionContext, asset_key: dg.AssetKey, partitions: Iterable[str]) -> None:
    """Notes that this run was to make these partitions of an asset."""
    step_key = context.op_execution_context.get_step_execution_context().step.key
    for partition in partitions:
        planned = DagsterEvent.build_asset_materialization_planned_event(
            context.job_name, step_key, AssetMaterializationPlannedData(asset_key, partition=partition)
        )
        context.instance.report_dagster_event(planned, run_id=context.run.run_id)
