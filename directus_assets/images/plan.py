"""What decides a derivative: fingerprints of files through presets, and code versions of presets."""

import hashlib
import json
from collections.abc import Iterable, Sequence

from directus_assets.directus.models import File, Preset
from directus_assets.errors import PermanentError
from directus_assets.images.transforms import derivatives
from directus_assets.planning import Examination

_RENDERING = 1
"""Part of every code version: raise it when the same preset has to give other bytes than before."""


def examine_files(files: Iterable[File], presets: Sequence[Preset]) -> Examination:
    """Which of these files are pictures, and the fingerprints of all their derivatives."""
    rows = list(files)
    pictures = [file for file in rows if file.is_transformable]
    return Examination(
        present=tuple(file.id for file in pictures),
        unfit=tuple(file.id for file in rows if not file.is_transformable),
        wanted={(preset.key, file.id): fingerprint(file, preset) for file in pictures for preset in presets},
    )


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
