"""Keeps the export current: removes what no longer belongs there, and updates texts from Directus.

Runs add and replace pictures, but no run notices that a file is gone or has a new title.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from directus_assets.directus.models import Preset
from directus_assets.errors import DirectusAssetsError
from directus_assets.images.delivery import Exported
from directus_assets.images.transforms import asks_for_nothing
from directus_assets.orchestration.project import Project


@dataclass(frozen=True)
class ExportUpkeep:
    """The export of a project with these presets."""

    project: Project
    presets: Sequence[Preset]

    @cached_property
    def keys(self) -> frozenset[str]:
        """Keys of the presets that are exported."""
        return frozenset(each.key for each in self.presets if self.project.delivery_of(each.key) == "export")

    @property
    def state(self) -> str:
        """Determines which files and presets belong in the export: a changed state triggers a check of all of it.

        Empty if nothing is exported.
        """
        images = self.project.settings.config.images
        text = json.dumps([sorted(self.keys), images.filter, images.export.model_dump()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16] if self.keys else ""

    def keep(self, ids: Iterable[str] | None = None) -> None:
        """Remove what does not belong there, and update texts.

        Args:
            ids: the files to check; all if None.

        Raises:
            DirectusAssetsError: Directus or the export cannot be read or written.
        """
        among = None if ids is None else list(dict.fromkeys(ids))
        target = Exported(self.project.export)
        if among != [] and target.files():
            target.keep(self.project.texts(among), self.keys, among=among)

    def missing(self, outputs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """The outputs (preset, file id) among these that should be in the export and are not.

        An export that cannot be read or does not exist counts as complete: a volume may not be mounted.
        """
        visible = self.keys - {preset.key for preset in self.presets if asks_for_nothing(preset)}
        asked = {output for output in outputs if output[0] in visible}
        if not asked:
            return set()
        try:
            files = Exported(self.project.export).files()
        except DirectusAssetsError:
            files = None
        if files is None:
            return set()
        return {(key, file_id) for key, file_id in asked if key not in files.get(file_id, {}).get("presets", {})}
