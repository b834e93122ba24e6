"""Purges pictures that are gone from a cache in front of Directus.

Runs purge what they have remade, but no run notices that a file or a preset is gone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import dagster as dg

from directus_assets.directus.models import Preset
from directus_assets.images.purge import Purger, address_of
from directus_assets.orchestration.project import Project

_SECONDS = 10.0
"""A part of the time limit that Dagster sets for a tick."""


@dataclass(frozen=True, kw_only=True)
class CacheUpkeep:
    """The cache in front of a project with these presets."""

    project: Project
    presets: Sequence[Preset]
    purger: Purger

    def without_partitions(self, ids: Iterable[str]) -> None:
        """Mark these files: they are gone, are no longer pictures, or have become pictures again."""
        self.purger.note(self._address(file_id, preset.key) for file_id in ids for preset in self.presets)

    def without_outputs(self, instance: dg.DagsterInstance, outputs: Iterable[str], ids: Iterable[str]) -> None:
        """Mark these presets: they are no longer made here. Directus continues to serve those that are only disabled.

        Args:
            instance: holds the records of what was made for them.
            outputs: keys of presets.
            ids: the existing files.

        Raises:
            DirectusAssetsError: the presets cannot be read from Directus.
        """
        there = {preset.key for preset in self.project.directus.project_settings().presets}
        for key in sorted(set(outputs) - there):
            made = instance.get_materialized_partitions(self.project.names.preset(key))
            present = made.intersection(ids)
            # A file that is a document now was served through the preset as well.
            present |= set(self.project.directus.existing_files(sorted(made - present)))
            self.purger.note(self._address(file_id, key) for file_id in sorted(present))

    def tell(self) -> bool:
        """Purge the marked pictures; return whether all are purged. Raises DirectusAssetsError."""
        return self.purger.flush(seconds=_SECONDS)

    def _address(self, file_id: str, preset: str) -> str:
        return address_of(self.project.public_url, file_id, preset)
