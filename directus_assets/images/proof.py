"""Whether derivatives are in the storage, as far as names, sizes and times tell; nothing is opened."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import Entry, Storage
from directus_assets.images.outcomes import Delivered, Made
from directus_assets.images.plan import fingerprint
from directus_assets.images.transforms import Derivative

_PRECISION = dt.timedelta(seconds=1)
"""Directus keeps whole seconds: what was stored in the second of the upload may be older than the upload."""


def look_up(storage: Storage, wanted: Iterable[Derivative]) -> dict[str, Entry]:
    """What the storage has of these derivatives, by stored name."""
    found = (storage.entry(derivative.stored_name) for derivative in wanted)
    return {entry.name: entry for entry in found if entry}


def are_right(file: File, wanted: Sequence[Derivative], found: Mapping[str, Entry]) -> bool:
    """Whether all these derivatives are there, not empty, and not older than the file's upload.

    A derivative that Directus is being asked for is there and empty until it is rendered, and one of a replaced file
    with a name of its own on disk stays behind (Directus 12).
    """
    if not file.uploaded_on:
        return False
    uploaded = dt.datetime.fromisoformat(file.uploaded_on)
    earliest = uploaded.replace(tzinfo=uploaded.tzinfo or dt.UTC) + _PRECISION
    entries = [found.get(derivative.stored_name) for derivative in wanted]
    return all(entry and entry.size and entry.modified >= earliest for entry in entries)


def adopted(file: File, preset: Preset, wanted: Sequence[Derivative], found: Mapping[str, Entry]) -> Delivered | None:
    """The outcome that stands for derivatives which are there and right already; None where they are not."""
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
    """Whether one of these derivatives is not there any more, is empty, or has another size than the one recorded.

    Args:
        wanted: what was made.
        found: what the storage has, by stored name.
        sizes: bytes by stored name, as recorded. Where none is recorded, all may have any size but 0; what is missing
            among others is kept by Directus under a name that is not known.
    """
    for derivative in wanted:
        if sizes and derivative.stored_name not in sizes:
            continue
        entry = found.get(derivative.stored_name)
        if not entry or not entry.size or sizes.get(derivative.stored_name, entry.size) != entry.size:
            return True
    return False
