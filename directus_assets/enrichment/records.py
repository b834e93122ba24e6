"""Enrichment records: what is stored about one item and one enrichment, and where.

A record answers two questions: which answer need not be paid for again, and whether the values in Directus are ours.
Losing a record does no harm: everything in Directus then counts as human and is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import TypeAdapter

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.ownership.field_records import FieldRecord, Refused, with_refused
from directus_assets.ownership.record_store import record_name
from directus_assets.spending.usage import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptAnswer:
    """A stored answer as it arrived.

    Attributes:
        question: digest of the question.
        answer: the response, checked or not.
        engine: the engine that answered.
        failure: why there is no answer, as a sentence; empty if there is one.
        is_repair: whether it answers a repair request.
        is_used: whether it was written, so that a manual request asks again.
        usage: the usage, until a partition reports it.
    """

    question: str
    answer: Mapping[str, Any]
    engine: str
    failure: str = ""
    is_repair: bool = False
    is_used: bool = False
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeRow:
    """A row that we made: its key, a digest of its values, and the item that it is about, if any."""

    key: str
    digest: str
    about: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class EnrichmentRecord:
    """The record of one item and one enrichment.

    `answers` holds the latest answer by language code (empty for the only one); `fields` the record of each target (see
    `target_name`); `rows` the rows we made in another collection; `intended_rows` the digests of rows about to be made;
    `refused` the values that Directus refused, by target.
    """

    collection: str
    item: str
    name: str
    answers: Mapping[str, KeptAnswer] = field(default_factory=dict)
    fields: Mapping[str, FieldRecord] = field(default_factory=dict)
    rows: tuple[MadeRow, ...] = ()
    intended_rows: tuple[str, ...] = ()
    refused: Refused = field(default_factory=dict)
    version: Literal[1] = 1

    def with_answer(self, code: str, answer: KeptAnswer) -> "EnrichmentRecord":
        """This record with the answer in one language."""
        return replace(self, answers={**self.answers, code: answer})

    def intending(self, fields: Mapping[str, FieldRecord], rows: Sequence[str]) -> "EnrichmentRecord":
        """The record before a write: with these targets' entries replaced, and digests of rows to be made."""
        intended = tuple(dict.fromkeys((*self.intended_rows, *rows)))
        return replace(self, fields={**self.fields, **fields}, intended_rows=intended)

    def refusing(self, more: Refused) -> "EnrichmentRecord":
        """The record with additional refused values by field; the oldest are dropped if there are too many."""
        return replace(self, refused=with_refused(self.refused, more))

    def done(self) -> "EnrichmentRecord":
        """The record after all intended writes have succeeded."""
        return replace(
            self,
            answers={code: replace(answer, is_used=True, usage=Usage()) for code, answer in self.answers.items()},
            fields={name: known.confirmed() for name, known in self.fields.items()},
            intended_rows=(),
        )


_RECORD = TypeAdapter(EnrichmentRecord)


def target_name(code: str, field_name: str) -> str:
    """The key of a target in the record."""
    return f"{code}:{field_name}" if code else field_name


@dataclass(frozen=True)
class EnrichmentRecords:
    """Stores one record for each collection, enrichment and item.

    Every method raises its storage's errors: a storage that cannot be read is never mistaken for an empty one. An
    unreadable record counts as lost (see `KeptFile`).
    """

    storage: Storage

    def load(self, collection: str, name: str, item: str) -> EnrichmentRecord:
        """The record; an empty one if there is none."""
        known = self._file(collection, name, item).read()
        return known or EnrichmentRecord(collection=collection, item=item, name=name)

    def save(self, record: EnrichmentRecord) -> None:
        """Replace the stored record by `record`, atomically."""
        self._file(record.collection, record.name, record.item).write(_RECORD.dump_json(record))

    def update(
        self, collection: str, name: str, item: str, change: Callable[[EnrichmentRecord], EnrichmentRecord]
    ) -> None:
        """Replace the record by `change` of it (an empty one if there is none) without losing concurrent updates."""

        def changed(known: EnrichmentRecord | None) -> bytes:
            return _RECORD.dump_json(change(known or EnrichmentRecord(collection=collection, item=item, name=name)))

        self._file(collection, name, item).update(changed)

    def is_known(self, collection: str, name: str, item: str) -> bool:
        """Whether there is a record."""
        return self._file(collection, name, item).read() is not None

    def _file(self, collection: str, name: str, item: str) -> KeptFile[EnrichmentRecord]:
        return KeptFile(
            storage=self.storage,
            # In a folder of their own, whose name no collection's translation records share.
            name=f"enrichments/{record_name(collection, item, name)}",
            what=f"record of the enrichment {name} of {collection} {item}",
            loss="Without it, the values in Directus count as written by people.",
            parse=_RECORD.validate_json,
        )
