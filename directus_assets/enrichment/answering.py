"""Asks one question until it has an acceptable answer or a reason why it has none; the same way for every engine.

An answer is stored the moment it arrives, before it is checked, so that a killed run does not pay for it again. Defects
are reported in one repair request; if they persist, the item fails with them, and nothing is written.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, TypeAlias

from directus_assets.directus.models import JsonValue
from directus_assets.enrichment.engines.protocol import EnrichmentEngine, Question, Reply
from directus_assets.enrichment.records import KeptAnswer
from directus_assets.enrichment.result import check_answer
from directus_assets.errors import PermanentError
from directus_assets.spending.faults import AnswerFault, RequestRefused
from directus_assets.spending.paid_request import paid_request
from directus_assets.spending.payer import Payer
from directus_assets.spending.rate_gate import RateGate

Values: TypeAlias = Mapping[str, JsonValue]

_DEFECTS: Mapping[AnswerFault, str] = {
    AnswerFault.TOO_LONG: "The answer was cut off because it was too long. Make it shorter.",
    AnswerFault.UNREADABLE: "The answer was not one JSON object.",
}


class UnusableAnswer(PermanentError):
    """No answer is acceptable after one repair."""

    # Asking again later may succeed.
    longest_wait_seconds: ClassVar[float | None] = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class Answerer:
    """Asks one engine.

    Args:
        engine: the engine to ask.
        gate: the rate limiter shared by all users of the engine.
        payer: pays for the requests; stops the work when there is no money.
    """

    engine: EnrichmentEngine
    gate: RateGate
    payer: Payer

    def answer(
        self,
        question: Question,
        asked: str,
        *,
        kept: KeptAnswer | None,
        keep: Callable[[KeptAnswer], None],
        refused: Callable[[Values], tuple[str, ...]] = lambda _: (),
    ) -> Values:
        """The checked answer.

        Args:
            question: the question.
            asked: a digest of the question.
            kept: the stored answer; used if it answers this very question.
            keep: called with each answer the moment it arrives.
            refused: returns Directus' reasons for values that it has refused before, as defects.

        Raises:
            UnusableAnswer: the second answer was no better than the first, or the engine refuses.
            RequestRefused: the model does not support pictures.
            DirectusAssetsError: the engine is currently unreachable, or today's budget is spent.
        """
        if kept is not None and kept.question != asked:
            kept = None
        if kept is None:
            kept = self._ask(question, asked, keep)
        values, defects = _judge(question, kept, refused)
        if defects and kept.is_repair:
            # The stored answer was rejected in an earlier attempt and not repaired: this attempt starts over.
            kept = self._ask(question, asked, keep)
            values, defects = _judge(question, kept, refused)
        if defects and self.engine.can_repair:
            rejected = json.dumps(kept.answer, ensure_ascii=False) if kept.answer else ""
            kept = self._ask(replace(question, rejected=rejected, defects=defects), asked, keep)
            values, defects = _judge(question, kept, refused)
        if defects:
            raise UnusableAnswer(
                f"{self.engine.name} did not give a usable answer for '{question.name}': {' '.join(defects)}",
                remedy=(
                    "The existing value is kept. Change the content or the prompt, fill the field in by hand, or "
                    "try again."
                ),
            )
        return values

    def _ask(self, question: Question, asked: str, keep: Callable[[KeptAnswer], None]) -> KeptAnswer:
        def kept(reply: Reply) -> KeptAnswer:
            failure = (_DEFECTS.get(reply.failure, ""), reply.reason) if reply.failure else ()
            return KeptAnswer(
                question=asked,
                answer=reply.answer,
                engine=self.engine.name,
                failure=" ".join(filter(None, failure)),
                is_repair=bool(question.defects),
                usage=reply.usage,
            )

        reply = paid_request(
            partial(self.engine.answer, question),
            estimate=self.engine.estimate(question),
            gate=self.gate,
            payer=self.payer,
            keep=lambda reply: keep(kept(reply)) if reply.failure is None or reply.failure in _DEFECTS else None,
        )
        if reply.failure is AnswerFault.BLIND:
            raise RequestRefused(
                f"{self.engine.name} does not support pictures, which '{question.name}' needs.",
                remedy="Choose a model with vision: set OPENAI_MODEL, or this enrichment's `model` in the YAML file.",
            )
        if reply.failure is AnswerFault.REFUSED:
            raise UnusableAnswer(
                f"{self.engine.name} refused to answer '{question.name}' about this content. {reply.reason}".strip(),
                remedy="The existing value is kept. Fill the field in by hand.",
            )
        return kept(reply)


def _judge(
    question: Question, kept: KeptAnswer, refused: Callable[[Values], tuple[str, ...]]
) -> tuple[Values, tuple[str, ...]]:
    if kept.failure:
        return {}, (kept.failure,)
    checked = check_answer(question.result, dict(kept.answer), source="\n".join(question.input.values()))
    return checked.values, checked.defects or refused(checked.values)
