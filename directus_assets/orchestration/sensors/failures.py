"""`directus_failure_sensor`: notifies people of permanent failures. Defined only if the YAML file asks for it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

import dagster as dg

from directus_assets.notify import Cause, Letter, call_webhook, last_editors, tell_editor, tell_new
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.runs.history import failures_of_run
from directus_assets.orchestration.sensors.interval import minimum_interval
from directus_assets.run_tags import CLICK_TAG, WILL_RETRY_TAG


def build_failure_sensor(
    project: Project, collections: Mapping[dg.AssetKey, str], *, jobs: Collection[str]
) -> dg.SensorDefinition:
    """Build the sensor.

    Args:
        project: whose editors are notified.
        collections: the Directus collection of each asset's partitions.
        jobs: the names of our jobs; failures of other runs in the code location are not reported.
    """

    @dg.run_failure_sensor(
        name=project.names.failure_sensor,
        minimum_interval_seconds=minimum_interval(30),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reports permanent failures to the editor or a webhook.",
    )
    @without_secrets
    def failure_sensor(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if run.job_name not in jobs and not (run.asset_selection or frozenset()) & set(collections):
            return
        causes = _causes(context, collections)
        if not causes and run.tags.get(WILL_RETRY_TAG) == "true":
            return  # A worker died and another one takes over: nothing has failed for good.
        notify = project.settings.config.notify
        tell = partial(
            tell_new,
            project.memory,
            causes,
            warn=lambda why: context.log.warning("Could not notify everybody: %s", why),
        )
        if url := notify.webhook:

            def call(new: Sequence[Cause]) -> list[Letter]:
                send = partial(call_webhook, url.get_secret_value(), _body(context, new))
                return [Letter(causes=new, send=send)] if new or not causes else []

            tell(call, channel="webhook")
        if notify.editors and CLICK_TAG not in run.tags:  # whoever clicked is notified of the whole outcome
            tell(partial(_letters, project), channel="editors")

    return failure_sensor


def _causes(context: dg.RunFailureSensorContext, collections: Mapping[dg.AssetKey, str]) -> list[Cause]:
    """The recorded failures of the run's items; empty if the run itself died."""
    failures = failures_of_run(context.instance, context.dagster_run.run_id)
    found = {
        Cause(collection=collections[asset_key], item=item, text=text): None
        for (asset_key, item), text in failures.items()
        if asset_key in collections
    }
    return list(found)


def _letters(project: Project, causes: Sequence[Cause]) -> Iterator[Letter]:
    """One notification for each item whose editor is known."""
    by_item: dict[tuple[str, str], list[Cause]] = {}
    for cause in causes:
        by_item.setdefault((cause.collection, cause.item), []).append(cause)
    for collection in sorted({collection for collection, _ in by_item}):
        items = {item: own for (name, item), own in by_item.items() if name == collection}
        editors = last_editors(project.directus, collection, list(items))
        for item, editor in editors.items():
            yield Letter(causes=items[item], send=partial(tell_editor, project.directus, editor, items[item]))


def _body(context: dg.RunFailureSensorContext, causes: Sequence[Cause]) -> dict[str, object]:
    return {
        "run": context.dagster_run.run_id,
        "job": context.dagster_run.job_name,
        "error": context.failure_event.message or "",
        "failures": [{"collection": c.collection, "item": c.item, "reason": c.text} for c in causes],
    }
