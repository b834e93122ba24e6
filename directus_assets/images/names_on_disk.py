"""Handles custom names on disk: Directus manages derivatives correctly only if it named the original itself.

It names a derivative after the stem of its original, ignoring folder and extension. So two originals may share one set
of derivatives. And on a replacement it deletes files whose names start with the file's *id*, so derivatives of a file
with another name stay and continue to be served (`FilesService.uploadOne`, Directus 12).
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import Activity, File, Preset
from directus_assets.errors import Correctable, Forbidden, Malformed, PermanentError
from directus_assets.images.cache_name import original_stem
from directus_assets.images.transforms import Derivative, derivatives

_AT_ONCE = dt.timedelta(seconds=3)
"""Directus logs a replacement within this time."""

_ENTRIES = 20


def is_chosen(file: File) -> bool:
    """Whether someone chose the name on disk, so that Directus does not find the derivatives by the file's id."""
    return not original_stem(file.filename_disk).startswith(file.id)


def sharers(client: DirectusClient, file: File) -> list[File]:
    """Other pictures in the same storage whose derivatives have the same stem.

    Rows that share the very same original do not count: their derivatives show the same.
    """
    stem = original_stem(file.filename_disk)
    condition = {"_and": [{"storage": {"_eq": file.storage}}, {"filename_disk": {"_contains": stem}}]}
    found = []
    for row in client.rows("/files", fields=File.FIELDS, filter=condition, sort="id"):
        with suppress(Malformed):  # this error belongs to that picture
            found.append(File.parse(row))
    return [row for row in found if row.filename_disk != file.filename_disk and _shares(row, stem)]


def require_own(file: File, preset: Preset, wanted: Iterable[Derivative], others: Sequence[File]) -> None:
    """Refuse derivatives that Directus would mistake for those of another picture.

    Raises:
        Correctable: whichever of the two pictures is requested first would be served for both.
    """
    names = {derivative.stored_name for derivative in wanted}
    for other in others:
        if not names.isdisjoint(_names(other, preset)):
            raise Correctable(
                f"{file.name} ({file.id}) is called '{file.filename_disk}' on disk, and {other.name} ({other.id}) is "
                f"called '{other.filename_disk}'. Directus gives their derivatives the same names, and serves one "
                "picture's derivatives for the other.",
                remedy="Change `filename_disk` of one of the two files in Directus.",
            )


def was_replaced(client: DirectusClient, file: File) -> bool:
    """Whether, as far as Directus tells, the picture has replaced an earlier one.

    It has if the upload is dated later than the row and the log has an update at the time of the upload: dates are in
    whole seconds, and not every token may read the row's date.
    """
    uploaded = _moment(file.uploaded_on)
    try:
        (row,) = client.rows_with("/files", "id", [file.id], fields=["id", "created_on"], sort="id")
        created = row.get("created_on")
    except (Forbidden, ValueError):
        created = None
    if created and uploaded > _moment(str(created)):
        return True
    condition = {"collection": {"_eq": "directus_files"}, "item": {"_eq": file.id}, "action": {"_eq": "update"}}
    entries = client.rows("/activity", most=_ENTRIES, fields=Activity.FIELDS, filter=condition, sort="-id")
    return any(abs(Activity.parse(entry).timestamp - uploaded) < _AT_ONCE for entry in entries)


def _shares(row: File, stem: str) -> bool:
    try:
        return row.is_transformable and original_stem(row.filename_disk) == stem
    except PermanentError:
        return False


def _names(file: File, preset: Preset) -> Iterator[str]:
    try:
        yield from (derivative.stored_name for derivative in derivatives(preset, file))
    except PermanentError:
        return


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC)
