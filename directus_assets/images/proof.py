"""Checks by names, sizes and times whether derivatives are in the storage; opens no file."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import Entry, Storage
from directus_assets.images.outcomes import Delivered, Made
from directus_assets.images.plan import fingerprint
from directus_assets.images.transforms import Derivative

_PRECISION = dt.timedelta(seconds=1)
"""Directus stores whole seconds: a file stored in the second of the upload may be older than the upload."""

_UNIT, _REST = 4096, 1337
"""The size of a marked file divided by `_UNIT` leaves `_REST`."""

_BOX_HEADER = 8
"""Bytes that state the size and type of a box (ISO 14496-12, 4.2). An AVIF file consists of boxes."""


def marked(content: bytes) -> bytes:
    """A picture with a mark that decoders ignore: in AVIF it is an empty box, in other formats it is past the end.

    A process may be killed before it removes the mark, and a listing shows nothing but sizes. So the size of a file
    tells whether it is marked. One unmarked file in 4,096 has such a size by chance, and is made once more.

    >>> len(marked(bytes(5000)))
    5433
    """
    size = (_REST - len(content) - _BOX_HEADER) % _UNIT + _BOX_HEADER
    return content + size.to_bytes(4, "big") + b"free" + bytes(size - _BOX_HEADER)


def is_marked(size: int) -> bool:
    """Whether a file of this size counts as `marked`."""
    return size % _UNIT == _REST


def look_up(storage: Storage, wanted: Iterable[Derivative]) -> dict[str, Entry]:
    """The existing files among these derivatives, by stored name."""
    found = (storage.entry(derivative.stored_name) for derivative in wanted)
    return {entry.name: entry for entry in found if entry}


def are_right(file: File, wanted: Sequence[Derivative], found: Mapping[str, Entry]) -> bool:
    """Whether all these derivatives exist, are not empty or marked, and are not older than the file's upload.

    A derivative being requested from Directus exists and is empty until it is rendered, and one of a replaced file with
    a custom name on disk stays behind (Directus 12).
    """
    if not file.uploaded_on:
        return False
    uploaded = dt.datetime.fromisoformat(file.uploaded_on)
    earliest = uploaded.replace(tzinfo=uploaded.tzinfo or dt.UTC) + _PRECISION
    entries = [found.get(derivative.stored_name) for derivative in wanted]
    return all(entry and entry.size and not is_marked(entry.size) and entry.modified >= earliest for entry in entries)


def adopted(file: File, preset: Preset, wanted: Sequence[Derivative], found: Mapping[str, Entry]) -> Delivered | None:
    """The outcome for derivatives that already exist and are correct; None if they are not."""
    if not are_right(file, wanted, found):
        return None
    return Delivered(
        file_id=file.id,
        file_name=file.name,
        preset=preset.key,
        fingerprint=fingerprint(file, preset),
        delivery="storage",
        made=tuple(
            Made(
                label=derivative.label,
                name=derivative.stored_name,
                mime_type=derivative.mime_type,
                bytes=found[derivative.stored_name].size,
            )
            for derivative in wanted
        ),
        original_bytes=file.filesize,
        seconds=0.0,
    )


def are_lost(wanted: Sequence[Derivative], found: Mapping[str, Entry], sizes: Mapping[str, int]) -> bool:
    """Whether one of these derivatives is missing, is empty, or has a size other than the recorded one.

    Args:
        wanted: the derivatives that were made.
        found: the existing files, by stored name.
        sizes: recorded bytes by stored name. If none are recorded, any size but 0 is accepted; if only some are
            missing, Directus keeps those under an unknown name.
    """
    for derivative in wanted:
        if sizes and derivative.stored_name not in sizes:
            continue
        entry = found.get(derivative.stored_name)
        if not entry or not entry.size or sizes.get(derivative.stored_name, entry.size) != entry.size:
            return True
    return False
