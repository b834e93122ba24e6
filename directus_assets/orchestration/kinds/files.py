"""Pictures as a kind: files are partitions, presets are outputs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from directus_assets.directus.models import TRANSFORMED_TYPES, Activity, Preset
from directus_assets.images.plan import code_version, examine_files
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.kinds.pictures import build_image_presets
from directus_assets.orchestration.kinds.survey_files import FileSurveyor
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.cache_upkeep import CacheUpkeep
from directus_assets.orchestration.reconcile.export_upkeep import ExportUpkeep
from directus_assets.planning.changes import Examination


@dataclass(frozen=True)
class Files(Kind):
    """The pictures of a project with these presets."""

    project: Project
    presets: Sequence[Preset]

    collection = "directus_files"
    feed_collections = ("directus_files",)
    name = "directus_files"
    notes = ("directus_files",)
    button = Button.RENDER
    task = "Makes image derivatives for a range of files."

    @property
    def group(self) -> str:
        return self.project.names.images_group

    @property
    def source(self) -> dg.AssetKey:
        return self.project.names.files

    def build(self) -> dg.AssetsDefinition:
        return build_image_presets(self.project, self.presets)

    def survey(self) -> FileSurveyor:
        return FileSurveyor(self)

    @property
    def partitions_name(self) -> str:
        return str(self.project.names.files_partitions.name)

    @property
    def job_name(self) -> str | None:
        return self.project.names.images_job if self.presets else None

    def is_for_all(self, output: str, *, is_new: bool) -> bool:  # noqa: ARG002 (derivatives cost nothing)
        return True

    def backfills_on_start(self, output: str) -> bool:  # noqa: ARG002 (one setting for all presets)
        return self.project.settings.config.images.backfill_on_start

    def note_of(self, output: str) -> str:  # noqa: ARG002 (one note for all presets)
        return self.name

    @property
    def batch_size(self) -> int:
        return self.project.settings.config.images.batch_size

    @cached_property
    def upkeep(self) -> ExportUpkeep:
        return ExportUpkeep(self.project, self.presets)

    @cached_property
    def cache(self) -> CacheUpkeep | None:
        purger, handed_out = self.project.purger, self.project.handed_out
        if purger is None or handed_out is None:
            return None
        return CacheUpkeep(project=self.project, presets=self.presets, purger=purger, handed_out=handed_out)

    @cached_property
    def assets(self) -> dict[str, dg.AssetKey]:
        return {preset.key: self.project.names.preset(preset.key) for preset in self.presets}

    @cached_property
    def code_versions(self) -> dict[str, str]:
        return {preset.key: code_version(preset) for preset in self.presets}

    @property
    def revision(self) -> str:
        """Changes with the filter: files that it excluded may have changed in the meantime."""
        matching = self.project.settings.config.images.filter
        return json.dumps(matching, sort_keys=True) if matching else ""

    def existing(self, *, page: int, size: int) -> list[str]:
        matching = self.project.settings.config.images.filter
        return self.project.directus.file_ids_page(types=TRANSFORMED_TYPES, page=page, size=size, matching=matching)

    def touched(self, entries: Sequence[Activity]) -> list[str]:
        return list(dict.fromkeys(entry.item for entry in entries))

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        presets = [preset for preset in self.presets if preset.key in outputs]
        rows = self.project.files_by_id(keys)
        return examine_files([rows[key] for key in keys if key in rows], presets)
