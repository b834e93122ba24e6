"""Stores translation records in a folder, or in a bucket that several machines share."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.ownership.field_records import TranslationRecord


@dataclass(frozen=True)
class RecordStore:
    """Stores one record for each collection, item and language.

    Every method raises its storage's errors: a storage that cannot be read is never mistaken for an empty one. An
    unreadable record counts as lost (see `KeptFile`).
    """

    storage: Storage

    def load(self, collection: str, item: str, language: str) -> TranslationRecord | None:
        """The record; None if there is none."""
        return self._file(collection, item, language).read()

    def save(self, record: TranslationRecord) -> None:
        """Replace the stored record by `record`, atomically."""
        self._file(record.collection, record.item, record.language).write(record.to_json())

    def update(
        self, collection: str, item: str, language: str, change: Callable[[TranslationRecord], TranslationRecord]
    ) -> None:
        """Replace the record by `change` of it (an empty one if there is none) without losing concurrent updates."""

        def changed(known: TranslationRecord | None) -> bytes:
            return change(known or TranslationRecord(collection=collection, item=item, language=language)).to_json()

        self._file(collection, item, language).update(changed)

    def replace(self, old: TranslationRecord, new: TranslationRecord) -> bool:
        """Replace `old` by `new`, unless another run has decided on a field since `old` was loaded.

        Returns:
            Whether `new` was stored.
        """
        is_as_loaded = False

        def unless_decided(known: TranslationRecord) -> TranslationRecord:
            nonlocal is_as_loaded
            is_as_loaded = known.fields == old.fields
            return new if is_as_loaded else known

        self.update(new.collection, new.item, new.language, unless_decided)
        return is_as_loaded

    def delete(self, collection: str, item: str, language: str) -> None:
        """Delete the record, if there is one."""
        self.storage.delete(record_name(collection, item, language))

    def _file(self, collection: str, item: str, language: str) -> KeptFile[TranslationRecord]:
        return KeptFile(
            storage=self.storage,
            name=record_name(collection, item, language),
            what=f"translation record of {collection} {item} in {language}",
            loss="Without it, the texts in Directus count as written by people.",
            parse=TranslationRecord.from_json,
        )


def record_name(collection: str, item: str, language: str) -> str:
    """The relative path of a record: readable, and safe for any key that a database can hold.

    Each part is its text percent-encoded and shortened, with a digest that distinguishes what a file system would not
    (upper and lower case, long names) and defuses special names (`..`, `CON`).
    """
    return f"{record_folder(collection, language)}/{_safe(item)}.json"


def record_folder(collection: str, language: str) -> str:
    """The folder that holds all records of a collection in one language."""
    return f"{_safe(collection)}/{_safe(language)}"


def _safe(part: str) -> str:
    data = part.encode("utf-8", "surrogatepass")
    return f"{quote(data, safe='')[:60]}.{hashlib.sha256(data).hexdigest()[:12]}"
