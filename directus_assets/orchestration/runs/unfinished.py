"""Unfinished runs: their work is not requested again, and their ranges are not cut."""

from collections.abc import Mapping

import dagster as dg

from directus_assets.run_tags import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""The statuses of a run that has not ended."""


def unfinished_runs(
    instance: dg.DagsterInstance, *, tags: Mapping[str, str] | None = None, job_name: str | None = None
) -> int:
    """The number of unfinished runs with these tags or of this job."""
    return instance.get_runs_count(dg.RunsFilter(tags=dict(tags or {}), job_name=job_name, statuses=UNFINISHED))


def marks_an_unfinished_run(instance: dg.DagsterInstance, partition: str) -> bool:
    """Whether a partition is one end of an unfinished run's range: without it, that run could not be planned."""
    return any(
        unfinished_runs(instance, tags={tag: partition}) for tag in (RANGE_START_TAG, RANGE_END_TAG, PARTITION_TAG)
    )
