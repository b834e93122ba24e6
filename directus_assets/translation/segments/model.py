"""The public model of a segmented text: segments, documents, and answers that do not fit."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from directus_assets.directus.models import JsonValue
from directus_assets.errors import PermanentError


class TextKind(StrEnum):
    """How to parse a field's value."""

    PLAIN = "plain"
    HTML = "html"
    MARKDOWN = "markdown"
    BLOCKS = "blocks"
    SLUG = "slug"
    TAGS = "tags"
    REPEATER = "repeater"
    AUTO = "auto"
    """Determined by the value itself: an editor's rich text, HTML, Markdown, or members that look like text."""
    PATH = "path"
    """An address whose parts are slugs."""


class BadAnswer(PermanentError):
    """An answer that cannot replace its segment.

    `segment_id` names the segment; `defect` is a sentence that helps an engine to do better.
    """

    def __init__(self, segment_id: str, defect: str) -> None:
        self.segment_id = segment_id
        self.defect = defect
        super().__init__(
            f"The answer for segment {segment_id} is not usable: {defect}",
            remedy="Ask for this segment again; its old text stays until then.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentTag:
    """The meaning of one placeholder number in a segment's text.

    `opening` is the markup (or protected text) in the source; `closing` is its counterpart, empty unless `paired`.
    """

    number: int
    paired: bool
    opening: str
    closing: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """The smallest piece of text that is translated, checked and remembered on its own.

    Attributes:
        id: a digest of `text` and the number of its occurrence in the document, so that it survives edits elsewhere.
        text: never empty, never with white space at its ends; decoded, with inline markup and protected text as
            `<g1>…</g1>` (paired) and `<x2/>` (single). Everything in it that matches `notation.PLACEHOLDER` is a
            placeholder.
        placeholders: in order of their numbers, which start at 1.
        context: the kind of place the text is from: "text", "heading", "link title", "alt text", …
    """

    id: str
    text: str
    placeholders: tuple[SegmentTag, ...] = ()
    context: str = "text"


class Document(Protocol):
    """A segmented value that can be reassembled in another language."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in text order."""

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> JsonValue:
        """The value with every segment's text replaced by its translation; everything else is byte for byte the source.

        Args:
            translations: answers by segment id. Segments without one keep their source text, and so does a segment
                whose answer equals its text, down to the spelling of entities. Ids of other documents are ignored.
            language: BCP 47 tag of the answers; slugs need it.

        Raises:
            BadAnswer: an answer lacks a placeholder, has an extra one, or would change the markup around it.
        """


@dataclass(slots=True)
class Ids:
    """Generates segment ids; one instance for all parts of a document. `language` is the BCP 47 tag of the text."""

    language: str = ""
    _seen: Counter[str] = field(default_factory=Counter)

    def next(self, text: str) -> str:
        """A new id for a segment with this text."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._seen[digest] += 1
        return f"{digest}-{self._seen[digest]}"


def segment_key(segment: Segment) -> str:
    """The key under which a segment's translation is stored: the same text in the same context, in any field."""
    return key_of(segment.context, segment.text)


def key_of(context: str, text: str) -> str:
    """The same key for a segment given by context and text alone."""
    return hashlib.sha256(f"{context}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
