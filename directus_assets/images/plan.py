"""What has to be made: pure decisions from file rows, presets and fingerprints."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from directus_assets.directus.models import Activity, File, Preset
from directus_assets.errors import PermanentError
from directus_assets.images.transforms import derivatives

Fingerprints = Mapping[tuple[str, str], str]
"""(preset key, file id) to the fingerprint of what is materialized."""

_RENDERING = 1
"""Part of every code version: raise it when the same preset has to give other bytes than before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePlan:
    """What a set of changed files asks for."""

    registered: tuple[str, ...]
    """Files that become partitions, in the order of their upload."""
    removed: tuple[str, ...]
    """Partitions to remove: their file is deleted, or is no picture any more."""
    stale: Mapping[str, frozenset[str]]
    """File id to the keys of the presets to make; only files with at least one."""


def plan_changes(
    entries: Sequence[Activity],
    *,
    files: Iterable[File],
    known: Iterable[str],
    presets: Sequence[Preset],
    materialized: Fingerprints,
) -> FilePlan:
    """What these feed entries ask for.

    A file counts as deleted only if the feed says so: a row that cannot be read may be a lost right.

    Args:
        entries: changes of `directus_files` by others.
        files: the rows of the entries' files, as far as they exist now.
        known: the partitions there are.
        presets: all presets that are assets.
        materialized: fingerprints of the entries' files.
    """
    rows = {file.id: file for file in files}
    registered = set(known)
    deleted = [entry.item for entry in entries if entry.action == "delete" and entry.item not in rows]
    ids = list(dict.fromkeys(entry.item for entry in entries))
    pictures = [rows[i] for i in ids if i in rows and rows[i].is_transformable]
    others = [i for i in ids if i in rows and not rows[i].is_transformable]
    return FilePlan(
        registered=tuple(file.id for file in pictures if file.id not in registered),
        removed=tuple(i for i in dict.fromkeys([*deleted, *others]) if i in registered),
        stale=stale_presets(pictures, presets, materialized),
    )


def stale_presets(
    files: Iterable[File], presets: Sequence[Preset], materialized: Fingerprints
) -> dict[str, frozenset[str]]:
    """File id to the presets whose materialized fingerprint is not what it would be now."""
    stale = {
        file.id: frozenset(p.key for p in presets if materialized.get((p.key, file.id)) != fingerprint(file, p))
        for file in files
    }
    return {file_id: keys for file_id, keys in stale.items() if keys}


def fingerprint(file: File, preset: Preset) -> str:
    """A digest of all inputs that decide the derivatives of `file` through `preset`.

    The stored names cover the resolved transforms, focal point and limits to the file's size included where they
    count, so that an edit of a title, or of a focal point that the preset ignores, changes nothing.
    """
    try:
        outputs = [derivative.stored_name for derivative in derivatives(preset, file)]
    except PermanentError as error:
        outputs = [str(error)]
    content = [file.id, file.storage, file.filename_disk, file.type, file.filesize, file.uploaded_on]
    return _digest([content, outputs, _RENDERING])


def code_version(preset: Preset) -> str:
    """A digest of the preset's parameters."""
    return _digest([repr(preset), _RENDERING])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
