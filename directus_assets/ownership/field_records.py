"""The translation record: what is remembered of one item in one language, and its form as JSON.

It answers two questions: which segments need not be paid for again, and whether the text in Directus is ours. A lost
record is harmless: everything in Directus then counts as a human's and is kept.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from pydantic import TypeAdapter

from directus_assets.directus.models import JsonValue
from directus_assets.json_text import shallow, well_formed
from directus_assets.spending.usage import Usage

_MOST_REFUSED: Final = 60
"""Refused values of one field that are remembered: more than an address gets numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """The translation of one segment: `glossary` is the digest of the terms in it, `engine` who made it."""

    text: str
    glossary: str
    engine: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """What one request brought, as it came: nothing of it has been checked.

    Attributes:
        texts: translations by `segment_key`.
        engine: who made them.
        usage: what the request consumed.
        is_repair: whether the request named what was wrong with an earlier answer; there is no second one.
    """

    texts: Mapping[str, str]
    engine: str
    usage: Usage = field(default_factory=Usage)
    is_repair: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """A source value and our translation of it, both as text."""

    source: str
    ours: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldRecord:
    """What is known of one field of the target.

    Attributes:
        source: the source value (see `canonical`) that the target was last known to be right for.
        written: digest of what we wrote last; empty where we never did.
        intended: digest of what we are about to write; empty where nothing is under way. It is stored before the
            write, so that text which a killed run wrote is known as ours.
        seen_source: digest of the source when the target was last found to be a human's.
        seen_target: digest of that human's text.
        ours: our translation of `source`, as text, also where a human has changed some of it since; empty where it is
            not known, and then the field is somebody's as a whole.
        before: what `source` and `ours` were before the write that is under way; a killed run may not have written.
        waiting: which segments wait for a human: see `merge.Merged.waiting`.
    """

    source: str
    written: str = ""
    intended: str = ""
    seen_source: str = ""
    seen_target: str = ""
    ours: str = ""
    before: Base | None = None
    waiting: Mapping[str, str] = field(default_factory=dict)

    def confirmed(self) -> "FieldRecord":
        """The record after the write that it was made for has succeeded."""
        return replace(self, written=self.intended or self.written, intended="", before=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class TranslationRecord:
    """All that is remembered of one item in one language.

    `segments` holds translations by `segment_key`, whatever field they are from; `fields` holds the rest by field name.
    `answers` holds what arrived in a try that has not ended yet, or was killed: it is paid for, and kept as it came
    before anybody looks at it. `source_language` is what both are translated from, a code; empty for the project's.
    `row` is the key of the row in Directus; empty where one is to be made, and None where it is not known. `refused`
    has for each field the values that Directus has refused, with its reasons (see `refused_values`). `seen` holds
    digests of people's versions of segments that are no news here, by key: they were learnt from here, or taken back
    here. `corrected` holds what the last write has replaced by such versions from elsewhere, where that was its aim.
    `waits` says that somebody has taken back what we wrote: what is missing since is no loss to repair.
    """

    collection: str
    item: str
    language: str
    segments: Mapping[str, Remembered] = field(default_factory=dict)
    fields: Mapping[str, FieldRecord] = field(default_factory=dict)
    answers: tuple[Arrived, ...] = ()
    source_language: str = ""
    row: str | None = None
    refused: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    corrected: Mapping[str, Remembered] = field(default_factory=dict)
    waits: bool = False
    version: Literal[1] = 1

    def translated_from(self, language: str, *, project: str) -> "TranslationRecord":
        """This record for an item in `language`: what was translated from another language is not remembered.

        Args:
            language: the code of the item's language.
            project: that of items that name none.
        """
        if (self.source_language or project) == language:
            return self
        return replace(self, source_language=language, segments={}, answers=(), seen={}, corrected={})

    @property
    def has_seen_a_row(self) -> bool:
        """Whether there was a row in Directus, as far as anybody remembers."""
        fields = self.fields.values()
        return bool(self.row) or (self.row is None and any(f.written or f.intended or f.seen_target for f in fields))

    def with_answer(self, answer: Arrived) -> "TranslationRecord":
        """This record with one more answer."""
        return replace(self, answers=(*self.answers, answer))

    def remembering(self, segments: Mapping[str, Remembered]) -> "TranslationRecord":
        """This record with more translations, in the place of the answers that they came from."""
        return replace(self, segments={**self.segments, **segments}, answers=())

    def remembering_only(self, segments: Mapping[str, Remembered]) -> "TranslationRecord":
        """This record with these translations only, so that it does not grow with every edit."""
        return replace(self, segments=dict(segments), answers=(), corrected={})

    def having_seen(self, texts: Mapping[str, str]) -> "TranslationRecord":
        """This record where people's versions of segments, by key, are no news any more."""
        return replace(self, seen={**self.seen, **{key: digest(text) for key, text in texts.items()}})

    def is_news(self, key: str, text: str) -> bool:
        """Whether a person's version of a segment has neither been learnt from here nor taken back here."""
        return self.seen.get(key) != digest(text)

    def with_fields(self, fields: Mapping[str, FieldRecord]) -> "TranslationRecord":
        """This record with these fields' entries replaced."""
        return replace(self, fields={**self.fields, **fields})

    def refusing(self, refused: Mapping[str, Mapping[str, str]]) -> "TranslationRecord":
        """This record with more refused values, by field; the oldest of too many are forgotten."""
        more = {
            name: dict([*{**self.refused.get(name, {}), **values}.items()][-_MOST_REFUSED:])
            for name, values in refused.items()
        }
        return replace(self, refused={**self.refused, **more})

    def confirmed(self) -> "TranslationRecord":
        """The record after all intended writes have succeeded."""
        return replace(self, fields={name: known.confirmed() for name, known in self.fields.items()}, waits=False)

    def to_json(self) -> bytes:
        """The record as UTF-8 JSON."""
        return _RECORD.dump_json(self)

    @classmethod
    def from_json(cls, data: bytes) -> "TranslationRecord":
        """The record that `data` holds.

        Raises:
            ValidationError: it is damaged, or of another version.
        """
        return _RECORD.validate_json(data)


_RECORD = TypeAdapter(TranslationRecord)


def canonical(value: JsonValue) -> str:
    """A field's value as text: equal for equal values, however the database orders an object's keys."""
    if value is None:
        return ""
    return well_formed(value if isinstance(value, str) else _sorted_json(value))


def digest(value: JsonValue) -> str:
    """A digest of a field's value."""
    return _sha256(canonical(value))[:32]


def _sorted_json(value: JsonValue) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError):  # no JSON, or nested too deeply
        return json.dumps(shallow(value), ensure_ascii=False, sort_keys=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
