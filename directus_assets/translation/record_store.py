"""Where translation records are kept: a folder, or a bucket that several machines share."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from directus_assets.directus.storage import Storage
from directus_assets.errors import NotFound
from directus_assets.translation.records import TranslationRecord

_TYPE = "application/json"


@dataclass(frozen=True)
class RecordStore:
    """Keeps one record for each collection, item and language.

    Every method raises what its storage raises: a storage that cannot be read is never taken for an empty one.
    """

    storage: Storage

    def load(self, collection: str, item: str, language: str) -> TranslationRecord | None:
        """The record; None if there is none.

        Raises:
            BadInput: the record is damaged.
        """
        name = record_name(collection, item, language)
        try:
            return self._parsed(name, self.storage.read(name))
        except NotFound:
            return None

    def save(self, record: TranslationRecord) -> None:
        """Put `record` in the place of the last one, wholly or not at all."""
        name = record_name(record.collection, record.item, record.language)
        self.storage.write(name, record.to_json(), content_type=_TYPE)

    def update(
        self, collection: str, item: str, language: str, change: Callable[[TranslationRecord], TranslationRecord]
    ) -> None:
        """Put `change` of the record (an empty one if there is none) in its place; no update by anybody else is lost.

        Raises:
            BadInput: the record is damaged.
        """
        name = record_name(collection, item, language)

        def changed(content: bytes | None) -> bytes:
            known = self._parsed(name, content) if content is not None else None
            return change(known or TranslationRecord(collection=collection, item=item, language=language)).to_json()

        self.storage.update(name, changed, content_type=_TYPE)

    def replace(self, old: TranslationRecord, new: TranslationRecord) -> bool:
        """Put `new` in the place of `old`, unless another run has decided on a field since `old` was loaded.

        Returns:
            Whether `new` is there now.

        Raises:
            BadInput: the record is damaged.
        """
        is_as_loaded = False

        def unless_decided(known: TranslationRecord) -> TranslationRecord:
            nonlocal is_as_loaded
            is_as_loaded = known.fields == old.fields
            return new if is_as_loaded else known

        self.update(new.collection, new.item, new.language, unless_decided)
        return is_as_loaded

    def delete(self, collection: str, item: str, language: str) -> None:
        """Remove the record, if there is one."""
        self.storage.delete(record_name(collection, item, language))

    def _parsed(self, name: str, content: bytes) -> TranslationRecord:
        return TranslationRecord.from_json(content, name=f"{name} in {self.storage.describe()}")


def record_name(collection: str, item: str, language: str) -> str:
    """The relative path of a record: readable, and safe for any key that a database can hold.

    Each part is its text percent-encoded and shortened, with a digest that keeps apart what a file system would not
    (upper and lower case, long names) and that no special name (`..`, `CON`) survives.
    """
    return f"{record_folder(collection, language)}/{_safe(item)}.json"


def record_folder(collection: str, language: str) -> str:
    """The folder that holds all records of a collection in one language."""
    return f"{_safe(collection)}/{_safe(language)}"


def _safe(part: str) -> str:
    data = part.encode("utf-8", "surrogatepass")
    return f"{quote(data, safe='')[:60]}.{hashlib.sha256(data).hexdigest()[:12]}"
