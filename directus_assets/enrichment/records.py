"""Enrichment records: what is stored about one item and one enrichment.

A record answers two questions: which answer need not be paid for again, and whether the values in Directus are ours.
Losing a record does no harm: everything in Directus then counts as human and is kept.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from directus_assets.ownership.field_records import FieldRecord, Refused, with_refused
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

    FOLDER: ClassVar[str] = "enrichments/"
    """No collection's translation records share this name."""
    LOSS: ClassVar[str] = "Without it, the values in Directus count as written by people."

    collection: str
    item: str
    name: str
    answers: Mapping[str, KeptAnswer] = field(default_factory=dict)
    fields: Mapping[str, FieldRecord] = field(default_factory=dict)
    rows: tuple[MadeRow, ...] = ()
    intended_rows: tuple[str, ...] = ()
    refused: Refused = field(default_factory=dict)
    version: Literal[1] = 1

    @classmethod
    def empty(cls, collection: str, item: str, output: str) -> "EnrichmentRecord":
        """The record of an item that the enrichment `output` has not been made for."""
        return cls(collection=collection, item=item, name=output)

    @property
    def output(self) -> str:
        """The name of the enrichment."""
        return self.name

    @property
    def title(self) -> str:
        """A description of the record for people."""
        return f"record of the enrichment {self.name} of {self.collection} {self.item}"

    def with_answer(self, code: str, answer: KeptAnswer) -> "EnrichmentRecord":
        """This record with the answer in one language."""
        return replace(self, answers={**self.answers, code: answer})

    def intending(
        self, fields: Mapping[str, FieldRecord], rows: Sequence[str], *, removed: Collection[str] = ()
    ) -> "EnrichmentRecord":
        """The record before a write.

        Args:
            fields: replace these targets' entries.
            rows: digests of rows to be made.
            removed: keys of rows to be removed. Those that are there after a killed run are still ours, and those that
                are not were not removed by a human.
        """
        going = [row.digest for row in self.rows if row.key in removed]
        return replace(
            self,
            fields={**self.fields, **fields},
            rows=tuple(row for row in self.rows if row.key not in removed),
            intended_rows=tuple(dict.fromkeys((*self.intended_rows, *going, *rows))),
        )

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


def target_name(code: str, field_name: str) -> str:
    """The key of a target in the record."""
    return f"{code}:{field_name}" if code else field_name
