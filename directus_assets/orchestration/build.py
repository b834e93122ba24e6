"""All definitions of one Directus project, from its settings and snapshot."""

import dagster as dg

from directus_assets.orchestration.files import Files
from directus_assets.orchestration.image_presets import IMAGES_JOB, build_image_presets
from directus_assets.orchestration.partition_sensor import build_partition_sensor
from directus_assets.orchestration.partitions import IMAGES_GROUP, files_key, files_partitions
from directus_assets.orchestration.resources import Project
from directus_assets.orchestration.settings_sensor import build_settings_sensor
from directus_assets.settings import Settings
from directus_assets.snapshot import Snapshot, load_snapshot


def build_defs(
    settings: Settings, *, snapshot: Snapshot | None = None, project: Project | None = None
) -> dg.Definitions:
    """The definitions.

    Args:
        settings: environment and YAML file.
        snapshot: what to build from; without it, Directus as it is now or was last.
        project: what assets and sensors work with; for tests.
    """
    snapshot = snapshot or load_snapshot(settings.environment)
    project = project or Project(settings)
    images = settings.config.images
    presets = [p for p in snapshot.settings.presets if images.is_enabled(p.key)]
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [_files_asset()]
    jobs = []
    if presets:
        image_presets = build_image_presets(project, presets)
        assets.append(image_presets)
        jobs.append(
            dg.define_asset_job(
                IMAGES_JOB,
                dg.AssetSelection.assets(image_presets),
                description="Makes image derivatives for a range of files.",
                partitions_def=files_partitions,
            )
        )
    files_sensor = build_partition_sensor(
        Files(project, presets),
        project,
        name="directus_files_sensor",
        description="Follows uploads, replaced files, focal points and deletions in Directus.",
        job_name=IMAGES_JOB if presets else None,
        backfill_on_start=images.backfill_on_start,
    )
    return dg.Definitions(
        assets=assets,
        jobs=jobs,
        sensors=[files_sensor, build_settings_sensor(snapshot, project)],
        executor=dg.in_process_executor,
    )


def _files_asset() -> dg.AssetSpec:
    return dg.AssetSpec(files_key, description="The files of Directus.", group_name=IMAGES_GROUP, kinds={"directus"})
