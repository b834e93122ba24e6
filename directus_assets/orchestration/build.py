"""Builds all definitions of one Directus project from its settings and snapshot."""

import logging
from collections.abc import Collection, Iterable, Sequence

import dagster as dg

from directus_assets.enrichment.declaration import FILES, Declaration
from directus_assets.enrichment.declare import declare
from directus_assets.enrichment.recommendation_plan import plan_recommendations
from directus_assets.errors import ConfigurationError
from directus_assets.fast.worker import is_forked
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.buttons.job import build_buttons
from directus_assets.orchestration.checks import build_checks
from directus_assets.orchestration.kinds.enrichers import engine_of
from directus_assets.orchestration.kinds.enrichments import EnrichedItems
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.kinds.recommendations import build_recommendations
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.job import build_reconcile
from directus_assets.orchestration.runs.report import as_markdown
from directus_assets.orchestration.sensors.collection import Job, build_partition_sensor
from directus_assets.orchestration.sensors.failures import build_failure_sensor
from directus_assets.orchestration.sensors.runs import build_runs_sensor
from directus_assets.orchestration.sensors.settings import build_settings_sensor
from directus_assets.settings import Settings
from directus_assets.snapshot import Snapshot, load_snapshot, read_snapshot
from directus_assets.translation.glossary import Term
from directus_assets.translation.scope import plan_scopes

logger = logging.getLogger(__name__)


def build_defs(
    settings: Settings, *, snapshot: Snapshot | None = None, project: Project | None = None
) -> dg.Definitions:
    """The definitions of one project.

    Args:
        settings: environment and YAML file.
        snapshot: the snapshot to build from; by default the current one, or the last one if Directus is down.
        project: the domain objects for assets and sensors; for tests.
    """
    project = project or Project(settings)
    snapshot = snapshot or _last_snapshot(project)
    _warn_of_unknown_presets(project, snapshot)
    kinds = all_kinds(project, snapshot)
    by_collection: dict[str, list[Kind]] = {}
    for kind in kinds:
        by_collection.setdefault(kind.collection, []).append(kind)
    definitions = dg.Definitions.merge(
        dg.Definitions(
            sensors=[build_settings_sensor(snapshot, project)],
            executor=dg.in_process_executor,
        ),
        *(_collection(project, own, is_seen=snapshot.is_taken) for own in by_collection.values()),
        build_reconcile(snapshot, project, kinds),
        build_buttons(project, kinds_by_button(kinds)),
        _recommendations(project, snapshot),
    )
    jobs = {job.name for job in definitions.jobs or ()}
    assets = {key for kind in kinds for key in kind.assets.values()}
    runs_sensor = build_runs_sensor(project.names, jobs=jobs, assets=assets)
    return dg.Definitions.merge(
        definitions, dg.Definitions(sensors=[runs_sensor]), _failures(project, kinds, jobs=jobs)
    )


def _last_snapshot(project: Project) -> Snapshot:
    """Directus as it is now or was last. A fork is beside its code location, which has just kept what it is built from,
    and what its runs are planned with."""
    environment = project.settings.environment
    if is_forked():
        kept = read_snapshot(environment.state_folder, url=environment.directus_url)
        if kept.is_taken:
            return kept
    return load_snapshot(environment, project.wanted, shared=project.shared_memory)


def validate_defs(project: Project, snapshot: Snapshot) -> int:
    """Let Dagster validate the definitions as it does when it loads them.

    Returns:
        The number of assets.

    Raises:
        DagsterError: Dagster rejects the definitions.
        ConfigurationError: the YAML file does not fit the snapshot.
    """
    definitions = build_defs(project.settings, snapshot=snapshot, project=project)
    dg.Definitions.validate_loadable(definitions)
    return len(definitions.resolve_all_asset_keys())


def _warn_of_unknown_presets(project: Project, snapshot: Snapshot) -> None:
    """Only a warning: a preset may be removed in Directus at any time, and definitions have to load even so."""
    known = [preset.key for preset in snapshot.settings.presets]
    for key in project.settings.config.images.presets:
        if known and key not in known:
            logger.warning(
                "`images.presets.%s` in the YAML file: Directus has no such preset. It has: %s.", key, ", ".join(known)
            )


def image_files(project: Project, snapshot: Snapshot) -> Files:
    """The pictures, and the presets that become assets."""
    images = project.settings.config.images
    return Files(project, [preset for preset in snapshot.settings.presets if images.is_enabled(preset.key)])


def all_kinds(project: Project, snapshot: Snapshot) -> list[Kind]:
    """All kinds of generated content in this project: pictures first, then translations, then enrichments."""
    return [image_files(project, snapshot), *translated_items(project, snapshot), *enriched_items(project, snapshot)]


def kinds_by_button(kinds: Iterable[Kind]) -> dict[tuple[Button, str], list[Kind]]:
    """The assets that each Studio button regenerates, by collection."""
    found: dict[tuple[Button, str], list[Kind]] = {}
    for kind in kinds:
        if kind.job_name:
            found.setdefault((kind.button, kind.collection), []).append(kind)
    return found


def _failures(project: Project, kinds: Iterable[Kind], *, jobs: Collection[str]) -> dg.Definitions:
    notify = project.settings.config.notify
    if not (notify.editors or notify.webhook):
        return dg.Definitions()
    collections = {asset_key: kind.collection for kind in kinds for asset_key in kind.assets.values()}
    return dg.Definitions(sensors=[build_failure_sensor(project, collections, jobs=jobs)])


def _collection(project: Project, kinds: Sequence[Kind], *, is_seen: bool) -> dg.Definitions:
    """Everything derived from one Directus collection: its assets, one job per kind, and one sensor."""
    made = [built for kind in kinds if (built := _outputs(kind))]
    jobs = [job for _, job in made]
    names, collection = project.names, kinds[0].collection
    is_files = collection == FILES
    source = names.spec(
        names.source_props(collection, group=kinds[0].group),
        description=as_markdown("The files of Directus." if is_files else f"The items of '{collection}' in Directus."),
        kinds=frozenset({"directus"}),
    )
    sensor = build_partition_sensor(
        kinds,
        project,
        name=names.files_sensor if is_files else names.items_sensor(collection),
        description=(
            "Watches Directus for uploads, replaced files, new focal points and deletions."
            if is_files
            else f"Watches {collection}, and its related collections in Directus, for changes."
        ),
        jobs=jobs,
        is_seen=is_seen,
    )
    return dg.Definitions(
        assets=[source, *(assets for assets, _ in made)],
        asset_checks=[build_checks(names, source.key, kinds)] if made else [],
        jobs=jobs,
        sensors=[sensor],
    )


def _outputs(kind: Kind) -> tuple[dg.AssetsDefinition, Job] | None:
    """The assets of one kind and the job for its runs; None if the kind has no outputs."""
    if kind.job_name is None:
        return None
    assets = kind.build()
    return assets, dg.define_asset_job(kind.job_name, dg.AssetSelection.assets(assets), description=kind.task)


def enriched_items(project: Project, snapshot: Snapshot) -> Iterable[EnrichedItems]:
    """The enriched collections; empty, with a warning, if the schema has not been read or there is no engine."""
    if not project.declared:
        return []
    if snapshot.schema is None or not snapshot.schema.collections:
        logger.warning("No enrichments yet: we have not read Directus' schema.")
        return []
    by_collection: dict[str, list[Declaration]] = {}
    for each in declare(project.declared, snapshot.schema, default_language=snapshot.settings.default_language):
        if engine_of(project, each) is None:
            logger.warning(
                "`enrichments.%s.%s` waits for an engine: set OPENAI_API_KEY.", each.collection.name, each.name
            )
        else:
            by_collection.setdefault(each.collection.name, []).append(each)
    return [EnrichedItems(project, own) for own in by_collection.values()]


def _recommendations(project: Project, snapshot: Snapshot) -> dg.Definitions:
    if snapshot.schema is None or not snapshot.schema.collections:
        return dg.Definitions()
    return build_recommendations(project, plan_recommendations(project.declared, snapshot.schema))


def translated_items(project: Project, snapshot: Snapshot) -> Iterable[Items]:
    """The translated collections; empty, with a warning, if the YAML file does not fit the Directus schema."""
    engine = project.engine
    if engine is None or not project.translates:
        return []
    settings = snapshot.settings
    try:
        scopes = plan_scopes(
            snapshot.collections, project.settings.config.translations, default_language=settings.default_language
        )
    except ConfigurationError:
        if snapshot.collections:
            raise
        logger.warning("No translations yet: we have not read Directus' schema.")
        return []
    glossary = tuple(map(Term.of, settings.glossary))
    return [Items(project, scope, engine, glossary) for scope in scopes]
