"""Has a cache in front of Directus forget pictures that are gone.

What runs have made anew, they tell themselves; a run is no place to notice that a file or a preset is gone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import dagster as dg

from directus_assets.directus.models import Preset
from directus_assets.images.purge import Purger, address_of
from directus_assets.orchestration.project import Project

_SECONDS = 10.0
"""Of the time that Dagster gives a tick."""


@dataclass(frozen=True, kw_only=True)
class CacheUpkeep:
    """The cache in front of a project that has these presets."""

    project: Project
    presets: Sequence[Preset]
    purger: Purger

    def without_partitions(self, ids: Iterable[str]) -> None:
        """These files are gone, or are no pictures any more, or have become pictures again."""
        self.purger.note(self._address(file_id, preset.key) for file_id in ids for preset in self.presets)

    def without_outputs(self, instance: dg.DagsterInstance, outputs: Iterable[str], ids: Iterable[str]) -> None:
        """Nothing is made here of these presets any more. Directus goes on to serve those that are only switched off.

        Args:
            instance: remembers what was made of them.
            outputs: keys of presets.
            ids: the files that are there.

        Raises:
            DirectusAssetsError: Directus does not tell its presets.
        """
        there = {preset.key for preset in self.project.directus.project_settings().presets}
        for key in sorted(set(outputs) - there):
            made = instance.get_materialized_partitions(self.project.names.preset(key))
            present = made.intersection(ids)
            # What is a document now was shown through the preset as well.
            present |= set(self.project.directus.existing_files(sorted(made - present)))
            self.purger.note(self._address(file_id, key) for file_id in sorted(present))

    def tell(self) -> bool:
        """Tells the cache; returns whether it knows all now. Raises DirectusAssetsError."""
        return self.purger.flush(seconds=_SECONDS)

    def _address(self, file_id: str, preset: str) -> str:
        return address_of(self.project.public_url, file_id, preset)
