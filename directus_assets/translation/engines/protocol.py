"""The interface of all translation engines. One call of an engine is one request to its service.

Engines know nothing about fields, markup or records: a segment is text with numbered placeholders (`<g1>…</g1>`,
`<x2/>`). They do not retry, split or check; `translate.py` does that the same way for all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from directus_assets.spending.faults import AnswerFault
from directus_assets.spending.usage import Usage
from directus_assets.translation.glossary import Term, terms_in
from directus_assets.translation.languages import Language


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """A text and its translation; empty if there is none."""

    source: str
    translation: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """The style of texts in one language.

    `register` is "formal" or "informal", and `tone` a few words such as "warm, plain"; all may be empty.
    """

    register: str = ""
    tone: str = ""
    instructions: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """Context shown with a segment, which is not translated. All fields may be empty.

    `place` is its field; `before` and `after` are its neighbours; `was` is its earlier version with translation;
    `longest` is the maximum length of its translation in characters; `legend` explains its placeholders; `examples` are
    similar texts of other items.
    """

    place: str = ""
    before: Wording | None = None
    after: Wording | None = None
    was: Wording | None = None
    longest: int | None = None
    legend: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[Wording, ...] = ()


NO_VOICE: Final = Voice()
NO_REFERENCE: Final = Reference()


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedSegment:
    """One segment in a request.

    `key` identifies it in the answer; `context` is a short hint such as `heading` or `link text`; `rejected` is the
    previous answer, if there was one, and `defects` are sentences about its faults; `reference` is its context.
    """

    key: str
    text: str
    context: str = ""
    rejected: str = ""
    defects: tuple[str, ...] = ()
    reference: Reference = NO_REFERENCE


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Segments of one item to translate from `source` into `target`.

    `glossary` is the project's full glossary; `style_guide` is Markdown; `voice` is the style in the target language;
    `title` is the item's title, if it is not among the segments; `chosen` contains translations of other parts of the
    same document that share terms and names with it; `document` contains the texts of the whole item, if the segments
    are a part of it: their surroundings should not cost more than they are worth.
    """

    source: Language
    target: Language
    segments: tuple[AskedSegment, ...]
    glossary: tuple[Term, ...] = ()
    style_guide: str = ""
    voice: Voice = NO_VOICE
    title: Wording | None = None
    chosen: tuple[Wording, ...] = ()
    document: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        """The glossary's terms that occur in the segments."""
        return terms_in("\n".join(segment.text for segment in self.segments), self.glossary)

    @property
    def is_repair(self) -> bool:
        """Whether it reports defects of earlier answers."""
        return any(segment.defects for segment in self.segments)

    @property
    def characters(self) -> int:
        """The total number of characters in all segments."""
        return sum(len(segment.text) for segment in self.segments)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Translations by key. Requested keys may be missing; others never occur.

    With a `failure` there are no texts, except those complete before an answer was cut off. The usage is reported in
    any case, since it is paid for in any case. `reason` is the service's message. `was_sent_back` means that the
    service did not even try, so repeating the request will not help.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    failure: AnswerFault | None = None
    reason: str = ""
    was_sent_back: bool = False


class Engine(Protocol):
    """A translation service."""

    @property
    def name(self) -> str:
        """The name stored with each translation, such as `openai:gpt-4.1-mini` or `deepl`."""

    @property
    def model(self) -> str:
        """Its name in the price table."""

    @property
    def max_characters(self) -> int:
        """The maximum number of characters per request."""

    @property
    def max_segments(self) -> int:
        """The maximum number of segments per request."""

    @property
    def can_repair(self) -> bool:
        """Whether asking again with a list of defects can produce a different answer."""

    def estimate(self, request: Request) -> Usage:
        """The estimated usage of `request`, without sending it."""

    def translate(self, request: Request) -> Answer:
        """Answer one request, sent once.

        Raises:
            TransientError: no answer, or the service asks to wait.
            PermanentError: wrong key, unknown model, unknown language: repeating the request would fail again.
        """

    def check(self) -> str:
        """Empty if the service answers and accepts the key; else a warning in one sentence. Costs nothing.

        Raises:
            TransientError: no answer.
            PermanentError: wrong key, or the service refuses for another reason.
        """

    def close(self) -> None:
        """Close connections; the engine is not used afterwards."""
