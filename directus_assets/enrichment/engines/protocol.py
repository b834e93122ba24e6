"""The interface of all enrichment engines. One call of an engine is one request to its service.

Engines know nothing about items, fields or records. They do not retry, repair or check; `work.py` does that the same
way for all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from directus_assets.settings import ResultOptions
from directus_assets.spending.faults import AnswerFault
from directus_assets.spending.usage import Usage
from directus_assets.translation.languages import Language


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question about one item.

    Attributes:
        name: of the enrichment, such as `summary`.
        task: the instructions.
        input: the item's texts by field, which are untrusted.
        result: the form of the answer, with its choices.
        language: the language for texts in the answer; None to leave it to the task.
        picture: the picture to look at, as a `data:` URI.
        rejected: the previous answer as JSON, if there was one, and `defects` are sentences about its faults.
    """

    name: str
    task: str
    input: Mapping[str, str]
    result: Mapping[str, ResultOptions]
    language: Language | None = None
    picture: str | None = None
    rejected: str = ""
    defects: tuple[str, ...] = ()

    @property
    def characters(self) -> int:
        """The total number of characters in all texts."""
        return sum(map(len, self.input.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An unchecked answer, or the reason why there is none and its source; in either case with the usage."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    failure: AnswerFault | None = None
    reason: str = ""


class EnrichmentEngine(Protocol):
    """A service that answers questions about content."""

    @property
    def name(self) -> str:
        """The name stored with each answer, such as `openai:gpt-4.1-mini`."""

    @property
    def model(self) -> str:
        """Its name in the price table."""

    @property
    def can_repair(self) -> bool:
        """Whether asking again with a list of defects can produce a different answer."""

    def estimate(self, question: Question) -> Usage:
        """The estimated usage of `question`, without sending it."""

    def answer(self, question: Question) -> Reply:
        """Answer one request, sent once.

        Raises:
            TransientError: no answer, or the service asks to wait.
            PermanentError: wrong key or unknown model: repeating the request would fail again.
        """

    def check(self) -> str:
        """Empty if the service answers and accepts the key; else a warning in one sentence. Costs nothing.

        Raises:
            TransientError: no answer.
            PermanentError: wrong key, or the service refuses for another reason.
        """

    def close(self) -> None:
        """Close connections; the engine is not used afterwards."""
