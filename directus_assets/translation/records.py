"""Translation records: what is stored about one item in one language.

A record answers two questions: which segments need not be paid for again, and whether the text in Directus is ours.
Losing a record does no harm: everything in Directus then counts as human and is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from directus_assets.ownership.field_records import FieldRecord, Refused, digest, with_refused
from directus_assets.spending.usage import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """The translation of one segment: `glossary` is the digest of the terms in it, `engine` the engine that made it."""

    text: str
    glossary: str
    engine: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """The raw result of one request: nothing in it has been checked.

    Attributes:
        texts: translations by `segment_key`.
        engine: the engine that made them.
        usage: the usage of the request.
        is_repair: whether the request reported the defects of an earlier answer; there is no second repair.
    """

    texts: Mapping[str, str]
    engine: str
    usage: Usage = field(default_factory=Usage)
    is_repair: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TranslationRecord:
    """The record of one item in one language.

    `segments` holds translations by `segment_key`, whatever field they are from; `fields` holds the rest by field name.
    `answers` holds the results of an attempt that is in progress or was killed: they are paid for, and stored before
    anyone examines them. `source_language` is the code of the source language of both; empty for the project's. `row`
    is the key of the row in Directus; empty if it is about to be created, and None if unknown. `refused` holds by field
    the values that Directus has refused, with its reasons (see `refused_values`). `seen` holds digests of human
    versions of segments that are not news here, by key: they were learnt from here, or reverted here. `corrected` holds
    the versions that the last write replaced by human ones from elsewhere, if that was its purpose. `waits` says that
    someone has reverted our write: text missing since then is not a loss to repair.
    """

    FOLDER: ClassVar[str] = ""
    LOSS: ClassVar[str] = "Without it, the texts in Directus count as written by people."

    collection: str
    item: str
    language: str
    segments: Mapping[str, Remembered] = field(default_factory=dict)
    fields: Mapping[str, FieldRecord] = field(default_factory=dict)
    answers: tuple[Arrived, ...] = ()
    source_language: str = ""
    row: str | None = None
    refused: Refused = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    corrected: Mapping[str, Remembered] = field(default_factory=dict)
    waits: bool = False
    version: Literal[1] = 1

    @classmethod
    def empty(cls, collection: str, item: str, output: str) -> "TranslationRecord":
        """The record of an item that has not been translated into the language `output`."""
        return cls(collection=collection, item=item, language=output)

    @property
    def output(self) -> str:
        """The language."""
        return self.language

    @property
    def title(self) -> str:
        """A description of the record for people."""
        return f"translation record of {self.collection} {self.item} in {self.language}"

    def translated_from(self, language: str, *, project: str) -> "TranslationRecord":
        """The record for an item in `language`; translations from another language are dropped.

        Args:
            language: the code of the item's language.
            project: the language of items that name none.
        """
        if (self.source_language or project) == language:
            return self
        return replace(self, source_language=language, segments={}, answers=(), seen={}, corrected={})

    @property
    def has_seen_a_row(self) -> bool:
        """Whether there ever was a row in Directus, as far as recorded."""
        fields = self.fields.values()
        return bool(self.row) or (self.row is None and any(f.written or f.intended or f.seen_target for f in fields))

    def with_answer(self, answer: Arrived) -> "TranslationRecord":
        """The record with one more answer."""
        return replace(self, answers=(*self.answers, answer))

    def remembering(self, segments: Mapping[str, Remembered]) -> "TranslationRecord":
        """The record with additional translations, which replace the answers that they came from."""
        return replace(self, segments={**self.segments, **segments}, answers=())

    def remembering_only(self, segments: Mapping[str, Remembered]) -> "TranslationRecord":
        """The record with only these translations, so that it does not grow with every edit."""
        return replace(self, segments=dict(segments), answers=(), corrected={})

    def having_seen(self, texts: Mapping[str, str]) -> "TranslationRecord":
        """The record in which these human versions of segments, by key, are no longer news."""
        return replace(self, seen={**self.seen, **{key: digest(text) for key, text in texts.items()}})

    def is_news(self, key: str, text: str) -> bool:
        """Whether a human version of a segment has neither been learnt from here nor reverted here."""
        return self.seen.get(key) != digest(text)

    def with_fields(self, fields: Mapping[str, FieldRecord]) -> "TranslationRecord":
        """The record with these fields' entries replaced."""
        return replace(self, fields={**self.fields, **fields})

    def refusing(self, more: Refused) -> "TranslationRecord":
        """The record with additional refused values by field; the oldest are dropped if there are too many."""
        return replace(self, refused=with_refused(self.refused, more))

    def confirmed(self) -> "TranslationRecord":
        """The record after all intended writes have succeeded."""
        return replace(self, fields={name: known.confirmed() for name, known in self.fields.items()}, waits=False)
