"""What the rest of the project sees of a text that was cut: segments, documents, and answers that do not fit."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from directus_assets.directus.models import JsonValue
from directus_assets.errors import PermanentError


class TextKind(StrEnum):
    """How a field's value is to be read."""

    PLAIN = "plain"
    HTML = "html"
    MARKDOWN = "markdown"
    BLOCKS = "blocks"
    SLUG = "slug"
    TAGS = "tags"
    REPEATER = "repeater"
    AUTO = "auto"
    """What the value itself tells: rich text of an editor, HTML, Markdown, or members that read as text."""
    PATH = "path"
    """An address of which each part is a slug."""


class BadAnswer(PermanentError):
    """An answer that cannot be put in the place of its segment.

    `segment_id` names the segment; `defect` is a sentence that an engine can be shown to do better.
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
    """What one number in a segment's text stands for.

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
        id: a digest of `text` and the number of its occurrence in the document, so that edits elsewhere keep it.
        text: never empty, never with white space at its ends; decoded, with inline markup and protected text as
            `<g1>…</g1>` (paired) and `<x2/>` (single). Whatever matches `notation.PLACEHOLDER` in it is a placeholder.
        placeholders: in order of their numbers, which start at 1.
        context: where the text stands: "text", "heading", "link title", "alt text", …
    """

    id: str
    text: str
    placeholders: tuple[SegmentTag, ...] = ()
    context: str = "text"


class Document(Protocol):
    """A value that was cut, and can be put together again in another language."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in the order of the text."""

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> JsonValue:
        """The value with every segment's text replaced by its translation; everything else is byte for byte the source.

        Args:
            translations: answer by segment id. Segments without one keep their source text, and so does a segment
                whose answer equals its text, down to the spelling of entities. Ids of other documents are ignored.
            language: BCP 47 tag of the answers; slugs need it.

        Raises:
            BadAnswer: an answer lacks a placeholder, has one too many, or would change the markup around it.
        """


@dataclass(slots=True)
class Ids:
    """Hands out segment ids; one for all the parts of a document. `language` is the BCP 47 tag of what is cut."""

    language: str = ""
    _seen: Counter[str] = field(default_factory=Counter)

    def next(self, text: str) -> str:
        """A new id for a segment with this text."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._seen[digest] += 1
        return f"{digest}-{self._seen[digest]}"


def segment_key(segment: Segment) -> str:
    """What a segment's translation is remembered by: the same text in the same kind of place, in whatever field."""
    return key_of(segment.context, segment.text)


def key_of(context: str, text: str) -> str:
    """The same, of a segment that is known by its context and text alone."""
    return hashlib.sha256(f"{context}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
