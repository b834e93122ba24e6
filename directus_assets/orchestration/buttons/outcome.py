"""Determines the outcome of a click from its runs and their records."""

from collections.abc import Iterator

import dagster as dg

from directus_assets.orchestration.buttons.clicks import Click, Outcome
from directus_assets.orchestration.runs.history import DATA_VERSION_TAG, failures_of_run
from directus_assets.orchestration.runs.report import KEPT, LEFT_OUT, REVIEW_MARK
from directus_assets.orchestration.runs.unfinished import UNFINISHED
from directus_assets.run_tags import CLICK_TAG, RETRIED_BY_TAG, ROOT_RUN_TAG, WILL_RETRY_TAG


def find_outcome(instance: dg.DagsterInstance, click: Click) -> Outcome | None:
    """The outcome; None while a run of the click is unfinished or about to be retried."""
    taker = instance.get_run_by_id(click.id)
    # The latest attempt first.
    takers = [*instance.get_runs(dg.RunsFilter(tags={ROOT_RUN_TAG: click.id})), *([taker] if taker else [])]
    runs = instance.get_runs(dg.RunsFilter(tags={CLICK_TAG: click.id}))
    if any(_goes_on(run) for run in (*takers, *runs)):
        return None
    failed: dict[str, list[str]] = {}
    made, reviewed, endings = set[str](), set[str](), list[str]()
    left_out, kept, written, sent = set[str](), set[str](), set[str](), list[int]()
    for run in runs:
        events = list(_materialized(instance, run))
        made |= {str(event.partition) for event in events}
        sent += [int(value) for event in events if isinstance(value := _told(event, "segments_sent"), int)]
        if RETRIED_BY_TAG in run.tags:
            continue
        reviewed |= {str(event.partition) for event in events if _version(event).endswith(REVIEW_MARK)}
        left_out |= {str(event.partition) for event in events if _version(event) == LEFT_OUT}
        kept |= {str(event.partition) for event in events if any(_told(event, name) for name in KEPT)}
        written |= {str(event.partition) for event in events if _told(event, "fields_written")}
        reasons = failures_of_run(instance, run.run_id)
        for (_, item), reason in reasons.items():
            failed.setdefault(item, []).append(reason)
        if not reasons and run.status is not dg.DagsterRunStatus.SUCCESS:
            endings.append(_ending(run))
    if not click.trouble:
        endings += [_ending(run) for run in takers[:1] if run.status is not dg.DagsterRunStatus.SUCCESS]
    unmade = set(click.keys).difference(made, failed, click.passed_over) if endings else set()
    return Outcome(
        failed=failed,
        reviewed=reviewed,
        unmade=len(unmade),
        endings=endings,
        left_out=left_out,
        kept=kept,
        written=written,
        sent=sum(sent) if sent else None,
    )


def _goes_on(run: dg.DagsterRun) -> bool:
    is_waiting_for_retry = run.tags.get(WILL_RETRY_TAG) == "true" and RETRIED_BY_TAG not in run.tags
    return run.status in UNFINISHED or (run.status is dg.DagsterRunStatus.FAILURE and is_waiting_for_retry)


def _materialized(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[dg.AssetMaterialization]:
    """The materializations that a run recorded for items."""
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    for record in records:
        event = record.asset_materialization
        if event and event.partition:
            yield event


def _version(event: dg.AssetMaterialization) -> str:
    return (event.tags or {}).get(DATA_VERSION_TAG, "")


def _told(event: dg.AssetMaterialization, name: str) -> object:
    value = event.metadata.get(name)
    return value.value if value else None


def _ending(run: dg.DagsterRun) -> str:
    return f"A run did not finish ({run.status.value.lower()}): {run.run_id} in Dagster."
