"""What every enrichment engine takes and gives. One call of an engine is one request to its service.

Engines know nothing of items, fields or records. They do not retry, repair or check; `work.py` does that in one way for
all of them.
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
    """What is asked about one item.

    Attributes:
        name: of the enrichment, such as `summary`.
        task: what to do.
        input: the item's texts by field, written by others.
        result: what the answer looks like; its choices have been read.
        language: the language that texts in the answer are written in; None to leave it to the task.
        picture: a `data:` URI of what to look at.
        rejected: the previous answer as JSON, if there was one, and `defects` what was wrong with it, in sentences.
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
        """Characters of all texts together."""
        return sum(map(len, self.input.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer that nobody has checked yet, or why there is none and in whose words, and what was consumed even so."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    failure: AnswerFault | None = None
    reason: str = ""


class EnrichmentEngine(Protocol):
    """A service that answers questions about content."""

    @property
    def name(self) -> str:
        """What is remembered with each answer, such as `openai:gpt-4.1-mini`."""

    @property
    def model(self) -> str:
        """What the price table calls it."""

    @property
    def can_repair(self) -> bool:
        """Whether asking again, with what was wrong, can give another answer."""

    def estimate(self, question: Question) -> Usage:
        """What `question` will about consume, without sending it."""

    def answer(self, question: Question) -> Reply:
        """The answer to one request, sent once.

        Raises:
            TransientError: no answer, or one that asks for patience.
            PermanentError: wrong key or unknown model: the same request fails again.
        """

    def check(self) -> str:
        """Nothing, where the service answers and takes the key; else a doubt in one sentence. Costs nothing.

        Raises:
            TransientError: no answer.
            PermanentError: wrong key, or the service refuses for another reason.
        """

    def close(self) -> None:
        """Give back connections; the engine is not used afterwards."""
