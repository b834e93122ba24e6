"""All definitions of one Directus project, from its settings and snapshot."""

import logging
from collections.abc import Iterable

import dagster as dg

from directus_assets.clicks import Button
from directus_assets.errors import ConfigurationError
from directus_assets.orchestration.buttons import build_buttons
from directus_assets.orchestration.failure_sensor import build_failure_sensor
from directus_assets.orchestration.files import Files
from directus_assets.orchestration.image_presets import build_image_presets
from directus_assets.orchestration.partition_sensor import build_partition_sensor
from directus_assets.orchestration.reconcile import Target
from directus_assets.orchestration.reconcile_job import build_reconcile
from directus_assets.orchestration.report import as_markdown
from directus_assets.orchestration.resources import Project
from directus_assets.orchestration.runs_sensor import build_runs_sensor
from directus_assets.orchestration.settings_sensor import build_settings_sensor
from directus_assets.orchestration.subject import Subject
from directus_assets.orchestration.survey import FileSurveyor, ItemSurveyor
from directus_assets.orchestration.translations import Items, build_translations
from directus_assets.settings import Settings
from directus_assets.snapshot import Snapshot, load_snapshot
from directus_assets.translation.glossary import Term
from directus_assets.translation.scope import plan_scopes

logger = logging.getLogger(__name__)


def build_defs(
    settings: Settings, *, snapshot: Snapshot | None = None, project: Project | None = None
) -> dg.Definitions:
    """The definitions of one project.

    Args:
        settings: environment and YAML file.
        snapshot: what to build from; without it, Directus as it is now or was last.
        project: what assets and sensors work with; for tests.
    """
    project = project or Project(settings)
    snapshot = snapshot or load_snapshot(
        settings.environment, with_translations=project.translates, shared=project.shared_memory
    )
    _warn_of_unknown_presets(project, snapshot)
    files, translated = image_files(project, snapshot), list(translated_items(project, snapshot))
    targets = reconcile_targets(project, snapshot)
    return dg.Definitions.merge(
        dg.Definitions(
            sensors=[build_settings_sensor(snapshot, project), _runs_sensor(project, targets)],
            executor=dg.in_process_executor,
        ),
        _images(project, files),
        *(_translations(project, items) for items in translated),
        build_reconcile(snapshot, project, targets),
        build_buttons(project, button_targets(project, snapshot)),
        _failures(project, [files, *translated]),
    )


def _warn_of_unknown_presets(project: Project, snapshot: Snapshot) -> None:
    """No error: a preset may be removed in Directus at any time, and definitions have to load even so."""
    known = [preset.key for preset in snapshot.settings.presets]
    for key in project.settings.config.images.presets:
        if known and key not in known:
            logger.warning(
                "`images.presets.%s` in the YAML file: Directus has no such preset, only %s.", key, ", ".join(known)
            )


def image_files(project: Project, snapshot: Snapshot) -> Files:
    """The pictures, and the presets that become assets."""
    images = project.settings.config.images
    return Files(project, [preset for preset in snapshot.settings.presets if images.is_enabled(preset.key)])


def reconcile_targets(project: Project, snapshot: Snapshot) -> list[Target]:
    """All that the reconcile compares."""
    translated = translated_items(project, snapshot)
    return [_files_target(image_files(project, snapshot)), *map(_items_target, translated)]


def button_targets(project: Project, snapshot: Snapshot) -> dict[tuple[Button, str], Target]:
    """What each button in the Studio makes again, by collection."""
    files = image_files(project, snapshot)
    found = {(Button.RENDER, files.collection): _files_target(files)} if files.presets else {}
    for items in translated_items(project, snapshot):
        found[Button.TRANSLATE, items.collection] = _items_target(items)
    return found


def _runs_sensor(project: Project, targets: Iterable[Target]) -> dg.SensorDefinition:
    return build_runs_sensor(
        project.names,
        jobs={project.names.reconcile, *(target.job_name for target in targets)},
        assets={key for target in targets for key in target.subject.assets.values()},
    )


def _failures(project: Project, subjects: Iterable[Subject]) -> dg.Definitions:
    notify = project.settings.config.notify
    if not (notify.editors or notify.webhook):
        return dg.Definitions()
    collections = {asset_key: subject.collection for subject in subjects for asset_key in subject.assets.values()}
    return dg.Definitions(sensors=[build_failure_sensor(project, collections)])


def _files_target(files: Files) -> Target:
    return Target(
        subject=files,
        survey=lambda: FileSurveyor(files),
        source=files.project.names.files,
        job_name=files.project.names.images_job,
        backfill_on_start=files.project.settings.config.images.backfill_on_start,
    )


def _items_target(items: Items) -> Target:
    return Target(
        subject=items,
        survey=lambda: ItemSurveyor(items),
        source=items.project.names.items(items.collection),
        job_name=items.project.names.translation_job(items.collection),
        backfill_on_start=items.project.settings.config.translations.backfill_on_start,
    )


def _images(project: Project, files: Files) -> dg.Definitions:
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        dg.AssetSpec(
            project.names.files,
            description="The files of Directus.",
            group_name=project.names.images_group,
            kinds={"directus"},
        )
    ]
    jobs = []
    if files.presets:
        image_presets = build_image_presets(project, files.presets)
        assets.append(image_presets)
        jobs.append(
            dg.define_asset_job(
                project.names.images_job,
                dg.AssetSelection.assets(image_presets),
                description="Makes image derivatives for a range of files.",
            )
        )
    sensor = build_partition_sensor(
        files,
        project,
        name=project.names.files_sensor,
        description="Follows uploads, replaced files, focal points and deletions in Directus.",
        job_name=project.names.images_job if files.presets else None,
        backfill_on_start=project.settings.config.images.backfill_on_start,
    )
    return dg.Definitions(assets=assets, jobs=jobs, sensors=[sensor])


def _translations(project: Project, items: Items) -> dg.Definitions:
    collection = items.collection
    source = dg.AssetSpec(
        project.names.items(collection),
        description=as_markdown(f"The items of '{collection}' in Directus."),
        group_name=project.names.translations_group,
        kinds={"directus"},
    )
    translations = build_translations(project, items)
    job = dg.define_asset_job(
        project.names.translation_job(collection),
        dg.AssetSelection.assets(translations),
        description=f"Translates a range of items of {collection}.",
    )
    sensor = build_partition_sensor(
        items,
        project,
        name=project.names.items_sensor(collection),
        description=f"Follows changes of {collection} and its translations in Directus.",
        job_name=project.names.translation_job(collection),
        backfill_on_start=project.settings.config.translations.backfill_on_start,
    )
    return dg.Definitions(assets=[source, translations], jobs=[job], sensors=[sensor])


def translated_items(project: Project, snapshot: Snapshot) -> Iterable[Items]:
    """What is translated; nothing, with a warning, where the YAML file does not fit the Directus schema."""
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
        logger.warning("Nothing is translated: the schema of Directus has not been read yet.")
        return []
    glossary = tuple(map(Term.of, settings.glossary))
    return [Items(project, scope, engine, glossary) for scope in scopes]
