"""The inputs of a derivative: fingerprints of files for presets, and code versions of presets."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import partial

from directus_assets.directus.models import File, Preset
from directus_assets.errors import PermanentError
from directus_assets.images.transforms import derivatives
from directus_assets.isolation import planned
from directus_assets.planning.changes import Examination

_RENDERING = 1
"""Part of every code version: increment it when the same preset has to produce different bytes than before."""

_LONGEST_UPLOAD = dt.timedelta(hours=1)
"""A file without `uploaded_on` is accepted as it is once nothing has happened to it for this long."""


def examine_files(files: Iterable[File], presets: Sequence[Preset], *, now: dt.datetime | None = None) -> Examination:
    """Find the pictures among these files, with the fingerprints of all their derivatives.

    Args:
        files: the rows.
        presets: the presets.
        now: the current time; by default this machine's.
    """
    now = now or dt.datetime.now(dt.UTC)
    rows = list(files)
    pictures = [file for file in rows if file.is_transformable and not _is_being_uploaded(file, now)]
    return Examination(
        present=tuple(file.id for file in pictures),
        unfit=tuple(file.id for file in rows if not file.is_transformable),
        unready=tuple(file.id for file in rows if file.is_transformable and _is_being_uploaded(file, now)),
        wanted={
            (preset.key, file.id): planned(partial(fingerprint, file, preset))
            for file in pictures
            for preset in presets
        },
    )


def fingerprint(file: File, preset: Preset) -> str:
    """A digest of all inputs that determine the derivatives of `file` for `preset`.

    The stored names cover the resolved transforms, including the focal point and the limits to the file's size where
    they matter. An edited title, or a focal point that the preset ignores, changes nothing.
    """
    try:
        outputs = [derivative.stored_name for derivative in derivatives(preset, file)]
    except PermanentError as error:
        outputs = [str(error)]
    return _digest([_content(file), outputs, _RENDERING])


def content_fingerprint(file: File) -> str:
    """A digest of the content of `file` according to its row in Directus."""
    return _digest(_content(file))


def _content(file: File) -> list[str | int | None]:
    return [file.id, file.storage, file.filename_disk, file.type, file.filesize, file.uploaded_on]


def code_version(preset: Preset) -> str:
    """A digest of the preset's parameters."""
    later = [preset.focal_point_x, preset.focal_point_y, preset.fault]
    return _digest([repr(preset), _RENDERING, *(later if any(later) else ())])


def _is_being_uploaded(file: File, now: dt.datetime) -> bool:
    """Whether the upload is still in progress.

    Directus creates the row and its entry in the change feed before it receives the bytes; at the end it sets
    `uploaded_on` with name and size, without another entry (its `FilesService.uploadOne`). A row created without an
    upload, for a file already in the storage, never gets that date. Neither does one uploaded in chunks before
    Directus 12.4, which has its size from the beginning and is listed at the end (see `Version.dates_chunked_uploads`).
    """
    if file.uploaded_on or file.filesize is not None:
        return False
    try:
        touched = dt.datetime.fromisoformat(file.modified_on or "0001-01-01")
    except ValueError:
        return False  # Without a date from Directus, nothing is in progress.
    return now - touched.replace(tzinfo=touched.tzinfo or dt.UTC) < _LONGEST_UPLOAD


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
