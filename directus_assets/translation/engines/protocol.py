"""What every translation engine takes and gives. One call of an engine is one request to its service.

Engines know nothing of fields, markup or records: a segment is text with numbered placeholders (`<g1>…</g1>`, `<x2/>`).
They do not retry, split or check; `translate.py` does that in one way for all of them.
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
    """A text and its translation; empty where there is none."""

    source: str
    translation: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """How texts are worded in one language.

    `register` is "formal" or "informal", and `tone` a few words such as "warm, plain"; all may be empty.
    """

    register: str = ""
    tone: str = ""
    instructions: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """What is shown beside a segment, and not translated. All may be empty.

    `place` is the field that it stands in; `before` and `after` are what stands beside it; `was` is what it was, and
    how that was translated; `longest` is how many characters its translation may have; `legend` says what its
    placeholders stand for; `examples` are similar texts of other items.
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
    """One segment as it is asked for.

    `key` names it in the answer; `context` is a short hint such as `heading` or `link text`; `rejected` is the
    previous answer, if there was one, and `defects` are sentences that say what was wrong with it; `reference` is what
    is around it.
    """

    key: str
    text: str
    context: str = ""
    rejected: str = ""
    defects: tuple[str, ...] = ()
    reference: Reference = NO_REFERENCE


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Segments of one item, to be translated from `source` into `target`.

    `glossary` is the whole of the project's; `style_guide` is Markdown; `voice` is that of the target language; `title`
    is what the item is called, where that is not among the segments; `chosen` is how other parts of the same document
    were translated that have terms and names in common with it.
    """

    source: Language
    target: Language
    segments: tuple[AskedSegment, ...]
    glossary: tuple[Term, ...] = ()
    style_guide: str = ""
    voice: Voice = NO_VOICE
    title: Wording | None = None
    chosen: tuple[Wording, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        """The glossary's terms that occur in the segments."""
        return terms_in("\n".join(segment.text for segment in self.segments), self.glossary)

    @property
    def is_repair(self) -> bool:
        """Whether it names what was wrong with earlier answers."""
        return any(segment.defects for segment in self.segments)

    @property
    def characters(self) -> int:
        """Characters of all segments together."""
        return sum(len(segment.text) for segment in self.segments)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Translations by key. Keys that were asked for may be missing; others never occur.

    With a `failure` there are no texts, but for those that were whole before an answer was cut off; what was consumed
    is told even so, since it is paid for even so. `reason` is what the service says of it. `was_sent_back` says that it
    did not even try, so that the same request will not do better.
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
        """What is remembered with each translation, such as `openai:gpt-4.1-mini` or `deepl`."""

    @property
    def model(self) -> str:
        """What the price table calls it."""

    @property
    def max_characters(self) -> int:
        """How many characters one request may hold."""

    @property
    def max_segments(self) -> int:
        """How many segments one request may hold."""

    @property
    def can_repair(self) -> bool:
        """Whether asking again, with what was wrong, can give another answer."""

    def estimate(self, request: Request) -> Usage:
        """What `request` will about consume, without sending it."""

    def translate(self, request: Request) -> Answer:
        """The answer to one request, sent once.

        Raises:
            TransientError: no answer, or one that asks for patience.
            PermanentError: wrong key, unknown model, unknown language: the same request fails again.
        """

    def check(self) -> str:
        """Nothing, where the service answers and takes the key; else a doubt in one sentence. Costs nothing.

        Raises:
            TransientError: no answer.
            PermanentError: wrong key, or the service refuses for another reason.
        """

    def close(self) -> None:
        """Give back connections; the engine is not used afterwards."""
