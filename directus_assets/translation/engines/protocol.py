"""What every translation engine takes and gives. One call of an engine is one request to its service.

Engines know nothing of fields, markup or records: a segment is text with numbered placeholders (`<g1>…</g1>`, `<x2/>`).
They do not retry, split or check; `translate.py` does that in one way for all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Final, Protocol

from directus_assets.errors import DirectusAssetsError, NotFound, Rejected
from directus_assets.translation.glossary import Term, terms_in
from directus_assets.translation.languages import Language

_MOST_COUNTED: Final = 10**9
"""Tokens or characters: no request has as many."""


class Failure(Enum):
    """Why an answer could not be used."""

    TOO_LONG = "cut off, or over a limit; fewer segments at once may work"
    REFUSED = "the model or its content filter will not translate one of the segments"
    UNREADABLE = "not the JSON that was asked for"
    BLIND = "the model does not look at pictures"


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedSegment:
    """One segment as it is asked for.

    `key` names it in the answer; `context` is a short hint such as `heading` or `link text`; `rejected` is the
    previous answer, if there was one, and `defects` are sentences that say what was wrong with it.
    """

    key: str
    text: str
    context: str = ""
    rejected: str = ""
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Segments of one item, to be translated from `source` into `target`.

    `glossary` is the whole of the project's; `style_guide` is Markdown.
    """

    source: Language
    target: Language
    segments: tuple[AskedSegment, ...]
    glossary: tuple[Term, ...] = ()
    style_guide: str = ""

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
class Usage:
    """What requests consumed. `cached_tokens` are part of `input_tokens`; `characters` are of the source.

    Where a service does not tell, or tells what cannot be (see `counted`), the numbers are estimates.
    """

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    characters: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            characters=self.characters + other.characters,
        )


def counted(value: object) -> int | None:
    """A count of tokens or characters as a service tells it; None where it is none that can be."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MOST_COUNTED:
        return None
    return int(value) if value == int(value) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Translations by key. Keys that were asked for may be missing; others never occur.

    With a `failure` there are no texts, but for those that were whole before an answer was cut off; what was consumed
    is told even so, since it is paid for even so. `reason` is what the service says of it. `was_sent_back` says that it
    did not even try, so that the same request will not do better.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    failure: Failure | None = None
    reason: str = ""
    was_sent_back: bool = False


class RequestRefused(Rejected):
    """The service takes no such request, whatever its texts: an unknown model, a wrong address, a broken gateway."""

    # It costs nothing to ask again.
    longest_wait_seconds: ClassVar[float | None] = 3600

    @classmethod
    def of(cls, error: DirectusAssetsError) -> DirectusAssetsError:
        """`error` as it is, but for one that says no more than that the service does not take the request."""
        if isinstance(error, (NotFound, Rejected)):
            return cls(error.message, remedy=error.remedy)
        return error


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
