"""The files written by delivery `export`, and which of them are no longer used."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from directus_assets.commands.prune.undo import EXPORT, Orphan
from directus_assets.directus.models import Preset
from directus_assets.directus.storage import Entry, Storage, safe_name
from directus_assets.errors import BadInput, NotFound
from directus_assets.images.delivery import MANIFEST, Exported
from directus_assets.images.export_names import folder_of
from directus_assets.images.inventory import Inventory
from directus_assets.images.orphans import OrphanEvidence, is_deleted

_UNDER_WAY = dt.timedelta(hours=1)
"""A file this recent may be about to enter the manifest."""


@dataclass(frozen=True, kw_only=True)
class Exports:
    """The manifest's files by id, and the contents of the preset folders by name.

    Both are empty if there is no manifest: without it, nothing tells which exported files are in use.
    """

    manifest: Mapping[str, Any] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, target: Storage, presets: Sequence[Preset]) -> "Exports":
        """Read the current export.

        Raises:
            DirectusAssetsError: the manifest is not ours or cannot be read.
        """
        files = Exported(target).files()
        if files is None:
            return cls()
        keys = {preset.key for preset in presets} | {key for row in files.values() for key in row["presets"]}
        # An earlier version used every key as a folder name unchanged.
        folders = {folder for key in keys for folder in (folder_of(key), *_earlier_folder(key))}
        entries = (entry for folder in sorted(folders) for entry in _listed(target, folder))
        return cls(manifest=files, entries={entry.name: entry for entry in entries})

    def gone(self, inventory: Inventory) -> set[str]:
        """Ids of exported files that no longer exist in Directus."""
        return {file_id for file_id in {*self.manifest, *self.unlisted_ids()} if file_id not in inventory.files}

    def unlisted_ids(self) -> set[str]:
        """Ids of files with an exported picture that the manifest does not list."""
        return {PurePosixPath(name).stem for name in self._unlisted()}

    def orphans(self, inventory: Inventory, evidence: OrphanEvidence) -> Iterator[Orphan]:
        """Manifest entries of deleted files with their pictures, and pictures of ours that the manifest does not
        list.
        """
        for file_id, row in self.manifest.items():
            paths = _paths(row)
            if any(is_deleted(inventory, file_id, path, evidence) for path in paths):
                # The entry goes first, so that the manifest never names a missing file.
                yield Orphan(
                    place=EXPORT, name=MANIFEST, size=0, reason="file deleted", file_id=file_id, manifest_row=row
                )
                yield from (self._orphan(path, file_id, "file deleted") for path in paths if path in self.entries)
        for name in self._unlisted():
            file_id = PurePosixPath(name).stem
            if (file_id, name) in evidence.made:
                yield self._orphan(name, file_id, "not in the manifest")

    def _unlisted(self) -> list[str]:
        listed = {path for row in self.manifest.values() for path in _paths(row)}
        latest = dt.datetime.now(dt.UTC) - _UNDER_WAY
        return [name for name, entry in self.entries.items() if name not in listed and entry.modified < latest]

    def _orphan(self, name: str, file_id: str, reason: str) -> Orphan:
        return Orphan(place=EXPORT, name=name, size=self.entries[name].size, reason=reason, file_id=file_id)


def _paths(row: Mapping[str, Any]) -> list[str]:
    return [output["path"] for outputs in row["presets"].values() for output in outputs]


def _earlier_folder(key: str) -> Iterator[str]:
    with contextlib.suppress(BadInput):
        yield str(safe_name(key))


def _listed(target: Storage, folder: str) -> list[Entry]:
    with contextlib.suppress(NotFound):
        return list(target.entries(f"{folder}/"))
    return []
