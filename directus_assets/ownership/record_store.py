"""Stores the records of translations or of enrichments in a folder, or in a bucket that several machines share."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Generic, Protocol, Self, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.ownership.field_records import FieldRecord


class Record(Protocol):
    """A kind of record: a dataclass about one item and one output, which is a language or the name of an enrichment."""

    FOLDER: ClassVar[str]
    """The folder of all records of this kind, with a slash behind it; empty for the storage itself."""
    LOSS: ClassVar[str]
    """The consequence of losing a record, as a sentence."""

    @classmethod
    def empty(cls, collection: str, item: str, output: str) -> Self:
        """The record of an item that nothing is known about."""

    @property
    def collection(self) -> str:
        """The collection of the item."""

    @property
    def item(self) -> str:
        """The key of the item."""

    @property
    def output(self) -> str:
        """The language, or the name of the enrichment."""

    @property
    def fields(self) -> Mapping[str, FieldRecord]:
        """The records of its target fields."""

    @property
    def title(self) -> str:
        """A description of the record for people."""


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class RecordStore(Generic[R]):
    """Stores one record of one kind for each collection, item and output.

    Every method raises its storage's errors: a storage that cannot be read is never mistaken for an empty one. An
    unreadable record counts as lost (see `KeptFile`).
    """

    storage: Storage
    kind: type[R]

    def load(self, collection: str, item: str, output: str) -> R:
        """The record; an empty one if there is none."""
        empty = self.kind.empty(collection, item, output)
        return self._file(empty).read() or empty

    def is_known(self, collection: str, item: str, output: str) -> bool:
        """Whether there is a record."""
        return self._file(self.kind.empty(collection, item, output)).read() is not None

    def save(self, record: R) -> None:
        """Replace the stored record by `record`, atomically."""
        self._file(record).write(self._form.dump_json(record))

    def update(self, collection: str, item: str, output: str, change: Callable[[R], R]) -> None:
        """Replace the record by `change` of it (an empty one if there is none) without losing concurrent updates."""
        empty = self.kind.empty(collection, item, output)
        self._file(empty).update(lambda known: self._form.dump_json(change(known or empty)))

    def replace(self, old: R, new: R) -> bool:
        """Replace `old` by `new`, unless another run has decided on a field since `old` was loaded.

        Returns:
            Whether `new` was stored.
        """
        is_as_loaded = False

        def unless_decided(known: R) -> R:
            nonlocal is_as_loaded
            is_as_loaded = known.fields == old.fields
            return new if is_as_loaded else known

        self.update(new.collection, new.item, new.output, unless_decided)
        return is_as_loaded

    @cached_property
    def _form(self) -> TypeAdapter[R]:
        return TypeAdapter(self.kind)

    def _file(self, record: R) -> KeptFile[R]:
        return KeptFile(
            storage=self.storage,
            name=f"{record.FOLDER}{record_name(record.collection, record.item, record.output)}",
            what=record.title,
            loss=record.LOSS,
            parse=self._form.validate_json,
        )


def record_name(collection: str, item: str, output: str) -> str:
    """The relative path of a record: readable, and safe for any key that a database can hold.

    Each part is its text percent-encoded and shortened, with a digest that distinguishes what a file system would not
    (upper and lower case, long names) and defuses special names (`..`, `CON`).
    """
    return f"{record_folder(collection, output)}/{_safe(item)}.json"


def record_folder(collection: str, output: str) -> str:
    """The folder that holds all records of a collection for one output."""
    return f"{_safe(collection)}/{_safe(output)}"


def _safe(part: str) -> str:
    data = part.encode("utf-8", "surrogatepass")
    return f"{quote(data, safe='')[:60]}.{hashlib.sha256(data).hexdigest()[:12]}"
