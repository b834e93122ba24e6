"""`directus_runs_sensor`: ends runs whose worker is dead, so that Dagster retries them."""

import time
from collections.abc import Collection

import dagster as dg

from directus_assets.orchestration.names import Names
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.runs.alive import Heartbeat, Silence, is_dead
from directus_assets.orchestration.sensors.cursor import read_cursor
from directus_assets.orchestration.sensors.interval import minimum_interval
from directus_assets.orchestration.sensors.outages import through_outages

_MESSAGE = "This run's worker has died: there has been no heartbeat for several minutes."


def build_runs_sensor(names: Names, *, jobs: Collection[str], assets: Collection[dg.AssetKey]) -> dg.SensorDefinition:
    """Build the sensor.

    Args:
        names: the Dagster names of the project.
        jobs: the names of our jobs, whose runs send `signs_of_life`.
        assets: our assets, which people and backfills materialize in a job of Dagster's own.
    """

    @dg.sensor(
        name=names.runs_sensor,
        minimum_interval_seconds=minimum_interval(30),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose worker died silently, so that they are retried.",
    )
    @through_outages
    @without_secrets
    def runs_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        watch = read_cursor(Heartbeat, context.cursor, context.log) or Heartbeat()
        dead, watch = end_dead_runs(context.instance, watch, jobs=jobs, assets=assets, now=time.time())
        context.update_cursor(watch.model_dump_json())
        return dg.SkipReason(
            f"Ended because their workers had died: {', '.join(dead)}." if dead else "All workers are alive."
        )

    return runs_sensor


def end_dead_runs(
    instance: dg.DagsterInstance,
    watch: Heartbeat,
    *,
    jobs: Collection[str],
    assets: Collection[dg.AssetKey],
    now: float,
) -> tuple[list[str], Heartbeat]:
    """Mark our started runs as failed if their worker is dead.

    A failed run is retried (`run_retries`). A run that was not dead after all does no harm: both make the same.

    Args:
        instance: holds the runs.
        watch: the state of the previous check.
        jobs: as for the sensor.
        assets: as for the sensor.
        now: seconds since 1970.

    Returns:
        The ids of the ended runs, and the state of this check.
    """
    dead = []
    seen: dict[str, Silence] = {}
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        if run.job_name not in jobs and not (run.asset_selection or frozenset()) & set(assets):
            continue
        latest = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
        if not latest:
            continue
        seen[run.run_id] = watch.look(run.run_id, latest[0].storage_id, now=now)
        if is_dead(latest[0].event_log_entry, silent_seconds=seen[run.run_id].seconds):
            instance.report_run_failed(run, _MESSAGE)
            dead.append(run.run_id)
    return dead, Heartbeat(looked_at=now, runs=seen)
