"""The Dagster side of the Studio buttons: a click becomes runs over the chosen items, and the editor is notified of the
result.

The door starts the job with the click as its config. The sensor answers the click when all runs over the chosen items
have ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import dagster as dg

from directus_assets.errors import BadInput, DirectusAssetsError, TransientError, as_error
from directus_assets.orchestration.buttons.clicks import (
    Button,
    Click,
    forget_click,
    keep_click,
    open_clicks,
    tell_clicker,
)
from directus_assets.orchestration.buttons.outcome import find_outcome
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.kinds.subject import Subject, examine_each
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.runs.alive import signs_of_life
from directus_assets.orchestration.sensors.interval import minimum_interval
from directus_assets.orchestration.sensors.outages import through_outages
from directus_assets.orchestration.webserver import Webserver, execution_params
from directus_assets.planning.changes import Batch, batches
from directus_assets.run_tags import (
    BUTTON_TAG,
    CLICK_TAG,
    FIELD_TAG,
    FRESH_PRIORITY,
    PRIORITY_TAG,
    ROOT_RUN_TAG,
    batch_tags,
    keys_of_run,
)

_SECONDS = 5

KindsByButton: TypeAlias = Mapping[tuple[Button, str], Sequence[Kind]]
"""The outputs that each button remakes, by collection."""


def build_buttons(project: Project, kinds: KindsByButton) -> dg.Definitions:
    """The job that flows start, and the sensor that answers; empty if no button applies."""
    if not kinds:
        return dg.Definitions()

    @dg.op(
        name=project.names.buttons_op,
        description="Starts runs for the items that an editor selected in the Studio.",
        out=dg.Out(dg.Nothing),
        config_schema={
            "button": str,
            "collection": str,
            "keys": dg.Any,
            "user": str,
            "files": dg.Field(dg.Any, is_required=False),
            "language": dg.Field(dg.Any, is_required=False),
            "field": dg.Field(dg.Any, is_required=False),
        },
        retry_policy=dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL),
    )
    @without_secrets
    def make_chosen_again(context: dg.OpExecutionContext) -> None:
        click = _click(context.run, context.op_config)
        keep_click(project.memory, click)
        try:
            with signs_of_life(context.log):
                keep_click(project.memory, _start_runs(context.instance, project, kinds, click))
        except DirectusAssetsError as error:
            keep_click(project.memory, click.model_copy(update={"trouble": str(error)}))
            if isinstance(error, TransientError):
                raise
            raise dg.Failure(str(error), allow_retries=False) from None

    @dg.job(
        name=project.names.buttons_job,
        description="Carries out what an editor requested in the Studio.",
        executor_def=dg.in_process_executor,
        tags={PRIORITY_TAG: FRESH_PRIORITY, **project.names.tags},
    )
    def buttons_job() -> None:
        make_chosen_again()

    @dg.sensor(
        name=project.names.buttons_sensor,
        minimum_interval_seconds=minimum_interval(_SECONDS),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Notifies editors in Directus of the outcome of their requests.",
    )
    @through_outages
    @without_secrets
    def buttons_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        # Dagster's storage is opened only for a click, so that a quiet tick costs next to nothing.
        for click in open_clicks(project.memory):
            try:
                _answer(context, project, click)
            except TransientError:
                raise
            except Exception as error:  # noqa: BLE001 - an unanswerable click must not delay the others
                context.log.warning("Could not answer a click, will retry: %s", as_error(error))
        return dg.SkipReason("Every finished click has been answered.")

    return dg.Definitions(jobs=[buttons_job], sensors=[buttons_sensor])


def _answer(context: dg.SensorEvaluationContext, project: Project, click: Click) -> None:
    """Notify the editor once all runs of the click have ended; if Directus is down, the next tick tries again."""
    outcome = find_outcome(context.instance, click)
    if outcome is None:
        return
    try:
        tell_clicker(project.directus, click, outcome)
    except TransientError:
        raise
    except DirectusAssetsError as error:
        context.log.warning("Could not notify the editor: %s", error)
    forget_click(project.memory, click)


def _click(run: dg.DagsterRun, config: Mapping[str, Any]) -> Click:
    """Parse the click from a flow's config. Anyone may edit a flow, so nothing is taken for granted."""
    try:
        button = Button(config["button"])
    except ValueError:
        raise dg.Failure(f"Unknown button {config['button']!r}.", allow_retries=False) from None
    # For content items, the files they reference are the chosen keys.
    is_content = button is Button.RENDER and "files" in config
    keys = _values(config["files"] if is_content else config["keys"])
    return Click(
        id=run.tags.get(ROOT_RUN_TAG, run.run_id),
        button=button,
        collection="directus_files" if is_content else config["collection"],
        keys=tuple(dict.fromkeys(keys)),
        user=config["user"],
        language=chosen(config.get("language")),
        field=chosen(config.get("field")),
    )


def chosen(value: Any) -> str:
    """The value chosen in the form; empty if Directus had nothing to fill into the template."""
    return value if isinstance(value, str) and value != "undefined" else ""


def _values(found: Any) -> Iterator[str]:
    """The keys in lists and in the fields of rows."""
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, list):
        for each in found:
            yield from _values(each)
    elif isinstance(found, (str, int)):
        yield str(found)


def _start_runs(instance: dg.DagsterInstance, project: Project, kinds: KindsByButton, click: Click) -> Click:
    """Register new partitions and start the runs; return the click with the items that were skipped."""
    found = kinds.get((click.button.made_by, click.collection), ())
    chosen = [(kind, assets) for kind in found if (assets := _assets(kind, click))]
    if not chosen:
        raise BadInput(
            f"'{click.button.label}' is not available for '{click.collection}'{_where(click)}.",
            remedy="Choose something else. `directus-assets setup --flows` updates the form.",
        )
    if not click.keys:
        raise BadInput("None of the selected items has a picture.", remedy="Choose others.")
    # An earlier attempt may have come this far.
    tags = {
        **project.names.tags,
        CLICK_TAG: click.id,
        BUTTON_TAG: click.button.value,
        PRIORITY_TAG: FRESH_PRIORITY,
        **({FIELD_TAG: click.field} if click.field else {}),
    }
    earlier = instance.get_runs(dg.RunsFilter(tags={CLICK_TAG: click.id}))
    webserver = Webserver(project.settings.environment.webserver_url)
    location = webserver.location_of(project.names.buttons_sensor)
    runs, passed_over = [], set(click.keys)
    for kind, assets in chosen:
        present = examine_each(kind, click.keys, ()).present
        passed_over -= set(present)
        runs += [
            execution_params(
                kind.job_name or "",
                location=location,
                tags=batch_tags(batch) | tags,
                assets=assets if click.language else (),
            )
            for batch in _batches(
                instance, kind, present, begun=[run for run in earlier if run.job_name == kind.job_name]
            )
        ]
    webserver.launch_runs(runs)
    return click.model_copy(update={"passed_over": tuple(key for key in click.keys if key in passed_over)})


def _assets(kind: Kind, click: Click) -> list[dg.AssetKey]:
    """The assets that the click is about: all, or only the chosen language."""
    if not click.language:
        return list(kind.assets.values())
    return [kind.assets[output] for output, row in kind.languages.items() if row.code == click.language]


def _where(click: Click) -> str:
    return f" in {click.language}" if click.language else ""


def _batches(
    instance: dg.DagsterInstance, subject: Subject, present: Sequence[str], *, begun: Sequence[dg.DagsterRun]
) -> list[Batch]:
    """The batches of existing items that no run is processing yet; registers new partitions."""
    if present:
        instance.add_dynamic_partitions(subject.partitions_name, list(present))
    order = instance.get_dynamic_partitions(subject.partitions_name)
    started = {key for run in begun for key in keys_of_run(run.tags, lambda: order)}
    rest = [key for key in present if key not in started]
    return batches(dict.fromkeys(rest, frozenset(subject.assets)), order, size=subject.batch_size)
