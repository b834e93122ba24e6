"""Purges pictures that are gone from a cache in front of Directus, and files that no run reads.

Runs purge what they have remade, but no run notices that a file or a preset is gone.
"""

import datetime as dt
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import dagster as dg

from directus_assets.directus.models import Activity, File, Preset
from directus_assets.directus.uploads import FILES
from directus_assets.images.handed_out import HandedOut, paths_of, queries_of, was_uploaded_since
from directus_assets.images.plan import content_fingerprint
from directus_assets.images.purge import Purger
from directus_assets.orchestration.project import Project

_SECONDS = 10.0
"""A part of the time limit that Dagster sets for a tick."""
_LATE = dt.timedelta(seconds=60)
"""The longest time between an upload and its entry in Directus' activity log."""


@dataclass(frozen=True, kw_only=True)
class CacheUpkeep:
    """The cache in front of a project with these presets."""

    project: Project
    presets: Sequence[Preset]
    purger: Purger
    handed_out: HandedOut

    def without_partitions(self, ids: Iterable[str]) -> None:
        """Mark these files: they are gone, are no longer pictures, or have become pictures again.

        Raises:
            DirectusAssetsError: Directus does not answer.
        """
        keys, presets = list(ids), [preset.key for preset in self.presets]
        self.handed_out.note(path for file_id in keys for path in self.handed_out.paths_at(file_id, presets))
        there = {file.id: file for file in self.project.directus.files_by_id(keys)}
        for key in keys:
            if key in there:
                self.handed_out.look(there[key])
            else:
                self.handed_out.forget(key)

    def files_changed(self, entries: Iterable[Activity], made: Set[tuple[str, str]]) -> None:
        """Check the files of these entries, except those that a run checks because it reads their bytes anyway.

        Args:
            entries: from the change feed.
            made: the outputs (preset, file) that are made here.

        Raises:
            DirectusAssetsError: Directus does not answer.
        """
        files = [entry for entry in entries if entry.collection == FILES]
        touched = {entry.item: entry for entry in files if entry.action != "delete"}
        new = {entry.item for entry in files if entry.action == "create"}
        presets = {preset.key for preset in self.presets}
        read_by_runs = {file_id for output, file_id in made if output in presets}
        for file in self.project.directus.files_by_id(sorted(touched)):
            if file.id in read_by_runs and (file.id in new or self._has_new_content(file)):
                continue
            is_replaced = file.id not in new and was_uploaded_since(file, touched[file.id].timestamp - _LATE)
            self.handed_out.look(file, uploaded=is_replaced)

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
            # Without filenames, which would have to be read file by file.
            places = [place for file_id in sorted(present) for place in paths_of(file_id, ())]
            self.handed_out.note(f"{place}?{query}" for place in places for query in queries_of(key))

    def _has_new_content(self, file: File) -> bool:
        """Whether a known file was replaced. One that was only renamed is of no interest to a run."""
        known = self.handed_out.known(file.id)
        return known is not None and known.content != content_fingerprint(file)

    def tell(self) -> bool:
        """Purge the marked pictures; return whether all are purged. Raises DirectusAssetsError."""
        return self.purger.flush(seconds=_SECONDS)
