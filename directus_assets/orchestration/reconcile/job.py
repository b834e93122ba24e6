"""The job and the schedule `directus_reconcile`."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from directus_assets.errors import DirectusAssetsError, TransientError
from directus_assets.isolation import noted
from directus_assets.orchestration.checks import evaluate_checks
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.propagation import Propagation
from directus_assets.orchestration.proposals import Proposals
from directus_assets.orchestration.reconcile.report import Report, Trouble
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.runs.alive import signs_of_life
from directus_assets.orchestration.runs.unfinished import unfinished_runs
from directus_assets.orchestration.webserver import Webserver
from directus_assets.snapshot import Snapshot, take_snapshot, write_snapshot

_SNAPSHOT_TAG = "directus_assets/snapshot"
"""The digest of the snapshot that the definitions were built from when the run was requested."""

_GRACE_SECONDS = 1800
"""The time a run may exceed its limit by: for the current page, and for its requests."""

_TROUBLES_SHOWN = 5


def build_reconcile(loaded: Snapshot, project: Project, kinds: Sequence[Kind]) -> dg.Definitions:
    """The job and its schedule.

    Args:
        loaded: the snapshot that these definitions were built from.
        project: the project to compare.
        kinds: everything derived from it.
    """
    options, names = project.settings.config.reconcile, project.names
    digest = loaded.digest

    @dg.op(
        name=names.reconcile_op,
        description="Compares everything, and starts backfills for missing, stale or lost outputs.",
        out=dg.Out(dg.Nothing),
        retry_policy=dg.RetryPolicy(
            max_retries=3, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
        ),
    )
    @without_secrets
    def compare_with_directus(context: dg.OpExecutionContext) -> None:
        webserver = Webserver(project.settings.environment.webserver_url)
        try:
            with signs_of_life(context.log):
                if _rebuild_definitions(project, webserver, loaded, context.run.tags.get(_SNAPSHOT_TAG)):
                    context.log.info(
                        "Directus' presets, languages or collections changed unnoticed. The definitions are being "
                        "reloaded; the next run will use them."
                    )
                    return
                report = Reconcile(
                    instance=context.instance,
                    memory=project.memory,
                    webserver=webserver,
                    names=names,
                    kinds=kinds,
                    seconds=options.minutes * 60,
                    first_wait_seconds=options.look_again_after_minutes * 60,
                ).run()
                _look_after_memory(context, project, kinds, report)
                _evaluate_checks(context.instance, kinds)
        except TransientError:
            raise
        except DirectusAssetsError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        if report.troubles:
            raise dg.Failure(
                _describe(report.troubles),
                metadata=_metadata(report, webserver),
                allow_retries=all(isinstance(each.error, TransientError) for each in report.troubles),
            )
        context.add_output_metadata(_metadata(report, webserver))

    @dg.job(
        name=names.reconcile,
        description="Compares everything in Directus with everything that has been made.",
        executor_def=dg.in_process_executor,
        tags={"dagster/max_runtime": str(options.minutes * 60 + _GRACE_SECONDS), **names.tags},
    )
    def reconcile_job() -> None:
        compare_with_directus()

    @dg.schedule(
        name=names.reconcile,
        job=reconcile_job,
        cron_schedule=options.cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Finds changes that Directus' change feed does not show.",
    )
    @without_secrets
    def reconcile_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if unfinished_runs(context.instance, job_name=names.reconcile):
            return dg.SkipReason("The last reconcile is still running.")
        return dg.RunRequest(tags={_SNAPSHOT_TAG: digest})

    return dg.Definitions(jobs=[reconcile_job], schedules=[reconcile_schedule])


def _evaluate_checks(instance: dg.DagsterInstance, kinds: Sequence[Kind]) -> None:
    """Evaluate and record the asset checks, now that everything has been compared."""
    by_source: dict[dg.AssetKey, list[Kind]] = {}
    for kind in kinds:
        if kind.assets:
            by_source.setdefault(kind.source, []).append(kind)
    for source, several in by_source.items():
        evaluate_checks(instance, source, several)


def _look_after_memory(context: dg.OpExecutionContext, project: Project, kinds: Sequence[Kind], report: Report) -> None:
    """Show or apply proposals from human corrections, and merge the files of the memory."""
    subjects = [kind for kind in kinds if isinstance(kind, Items) and kind.scope.shares_memory]
    if not subjects:
        return
    proposals, problems = Proposals(project, context.instance), list[str]()
    if project.settings.config.translations.memory.propagate:
        propagation = Propagation(subjects, subjects)
        outcome = list(propagation.carry_out(propagation.proposals()))
        report.corrected = sum(is_written for _, is_written in outcome)
        proposals.tell([each for each, is_written in outcome if not is_written], about=propagation.assets)
        problems += propagation.problems
    else:
        # All else has been done, and the next run tries again.
        with noted(problems):
            problems += proposals.look(subjects)
    with noted(problems):
        project.segments.merge_files()
    for problem in problems[:_TROUBLES_SHOWN]:
        context.log.warning("Left as it is: %s", problem)


def _rebuild_definitions(project: Project, webserver: Webserver, loaded: Snapshot, digest: str | None) -> bool:
    """Reload the definitions if Directus has other presets, languages or collections; return whether it did.

    Args:
        project: the project to compare.
        webserver: reloads the definitions.
        loaded: the snapshot that this run's definitions were built from.
        digest: of the snapshot behind the definitions that requested the run; None if a person started it.
    """
    if digest is None:
        return False
    current = take_snapshot(project.directus, project.wanted, known=loaded, faults={})
    if current.digest == digest:
        return False
    write_snapshot(current, project.settings.environment.state_folder)
    webserver.reload_definitions(project.names.settings_sensor)
    return True


def _describe(troubles: Sequence[Trouble]) -> str:
    first = "; ".join(f"{each.what}: {each.error}" for each in troubles[:_TROUBLES_SHOWN])
    more = len(troubles) - _TROUBLES_SHOWN
    return f"Everything else was done. {first}" + (f"; and {more} more." if more > 0 else "")


def _metadata(report: Report, webserver: Webserver) -> dict[str, Any]:
    asked = [
        dg.TableRecord(
            {
                "collection": asked.collection,
                "outputs": ", ".join(asked.outputs),
                "partitions": len(asked.keys),
                "backfill": f"{webserver.url}/runs/b/{asked.backfill}",
            }
        )
        for asked in report.asked
    ]
    found = [
        dg.TableRecord({"collection": collection, "outputs": count, "verdict": verdict.value})
        for (collection, verdict), count in sorted(
            report.verdicts.items(), key=lambda row: (row[0][0], row[0][1].value)
        )
    ]
    metadata: dict[str, Any] = {
        "compared_everything": report.is_complete,
        "registered": report.registered.total(),
        "removed": report.removed.total(),
    }
    if report.corrected:
        metadata["corrected"] = report.corrected
    if report.passed_over:
        metadata["passed_over"] = f"Skipped, because a scan is in progress: {', '.join(report.passed_over)}."
    if found:
        metadata["found"] = dg.MetadataValue.table(found)
    if report.troubles:
        rows = [dg.TableRecord({"what": each.what, "why": str(each.error)}) for each in report.troubles]
        metadata["troubles"] = dg.MetadataValue.table(rows)
    if asked:
        metadata["asked_for"] = dg.MetadataValue.table(asked)
    return metadata
