"""Translates one item into one language: reuses what is remembered, requests the rest, and builds field values."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from directus_assets.directus.models import JsonValue
from directus_assets.errors import PermanentError
from directus_assets.spending.payer import Payer, Unlimited
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage
from directus_assets.translation.conversation import (
    Assignment,
    Conversation,
    RejectedAnswer,
    batches,
    by_key,
    is_usable,
)
from directus_assets.translation.engines.protocol import Engine
from directus_assets.translation.glossary import digest_of_terms
from directus_assets.translation.records import Arrived, Remembered
from directus_assets.translation.segments.model import BadAnswer, Document, Segment, segment_key


class Untranslatable(PermanentError):
    """Some segments have no acceptable translation after one repair.

    `rejected` contains each by its text; `accepted` contains the good translations that came with them, by key.
    """

    # Asking again later may succeed; only these segments are requested, and paid for, again.
    longest_wait_seconds: ClassVar[float | None] = 6 * 3600

    def __init__(
        self, message: str, *, rejected: Mapping[str, RejectedAnswer], accepted: Mapping[str, Remembered]
    ) -> None:
        self.rejected = rejected
        self.accepted = accepted
        super().__init__(
            message,
            remedy=(
                "These fields keep their old text. Change the source, add a glossary term, translate by hand, or "
                "try again."
            ),
        )

    def beside(self, other: PermanentError) -> "Untranslatable":
        """Combine this failure with another one of the same item."""
        return Untranslatable(f"{self.message} {other.message}", rejected=self.rejected, accepted=self.accepted)


@dataclass(frozen=True, kw_only=True, slots=True)
class Others:
    """What other items are requesting at the same time.

    Attributes:
        keys: the segments that this item needs as well.
        wait: called with this item's accepted translations, for which others may be waiting; returns the translations
            obtained by others. The remaining segments are then this item's to request.
    """

    keys: Container[str]
    wait: Callable[[Mapping[str, Remembered]], Mapping[str, Remembered]]


NO_OTHERS = Others(keys=(), wait=lambda _accepted: {})


@dataclass(frozen=True, kw_only=True, slots=True)
class TranslationOutcome:
    """The outcome for one item in one language.

    Attributes:
        values: our translation of each field, except held-back ones.
        segments: the translations in `values`, by key: those worth storing from now on.
        usage: the consumed usage.
        reused: the number of distinct segments that were remembered or had been answered before.
        sent: the number of distinct segments requested.
        held: fields held back because one of their segments has no acceptable translation.
        repaired: fields with a segment for which a repair was requested.
        failure: those segments with their defects; None if no field is held back.
        corrected: the versions replaced by human ones, if nothing else is done.
    """

    values: Mapping[str, JsonValue]
    segments: Mapping[str, Remembered]
    usage: Usage
    reused: int
    sent: int
    held: frozenset[str] = frozenset()
    repaired: frozenset[str] = frozenset()
    failure: Untranslatable | None = None
    corrected: Mapping[str, Remembered] = field(default_factory=dict)

    def following(self, earlier: "TranslationOutcome") -> "TranslationOutcome":
        """This outcome without the fields held back by an earlier one of the same item."""
        failures = [each for each in (earlier.failure, self.failure) if each]
        return replace(
            self,
            segments={**earlier.segments, **self.segments},
            reused=earlier.reused,
            sent=earlier.sent + self.sent,
            held=self.held | earlier.held,
            failure=failures[0].beside(failures[1]) if len(failures) > 1 else next(iter(failures), None),
        )


def translate(
    documents: Mapping[str, Document],
    remembered: Mapping[str, Remembered],
    *,
    assignment: Assignment,
    engine: Engine,
    gate: RateGate,
    answers: Sequence[Arrived] = (),
    on_answer: Callable[[Arrived], None] = lambda _answer: None,
    payer: Payer | None = None,
    others: Others = NO_OTHERS,
) -> TranslationOutcome:
    """Translate one item's fields into one language.

    Args:
        documents: the source, split into segments, by field name.
        remembered: translations by `segment_key`, from the item's record in this language.
        assignment: languages, glossary and style guide.
        engine: the engine for everything else.
        gate: the engine's rate limiter.
        answers: unprocessed answers of earlier attempts, latest last.
        on_answer: called with each request's results the moment they arrive, one call at a time. If it stores them and
            they come back in `answers`, they are not paid for again, however this call ends.
        payer: pays for the requests; stops the work when there is no money.
        others: other items' requests; they are waited for last.

    Raises:
        Untranslatable: every field has a segment that was refused, or whose second answer was no better than the first.
        TransientError: the engine is currently unreachable, or today's budget is spent.
        PermanentError: the engine refuses the key, the model or the language.
    """
    segments = by_key([segment for document in documents.values() for segment in document.segments])
    asked = outstanding(documents, remembered, assignment=assignment, engine=engine)
    known = {key: remembered[key] for key in segments if key not in asked}
    conversation = Conversation(
        assignment=assignment, engine=engine, gate=gate, payer=payer or Unlimited(), on_answer=on_answer
    )
    conversation.resume(asked, answers)
    unanswered = {key: segment for key, segment in asked.items() if key not in conversation.answered}
    own = {key: segment for key, segment in unanswered.items() if key not in others.keys}
    conversation.ask(own)
    sent = len(own)
    if sent < len(unanswered):
        _, unfit = splice(documents, {**known, **conversation.accepted}, assignment.target.tag)
        conversation.adopt(others.wait({key: each for key, each in conversation.accepted.items() if key not in unfit}))
        left = {key: segment for key, segment in unanswered.items() if key not in conversation.answered}
        conversation.ask(left)
        sent += len(left)
    values, unfit = splice(documents, {**known, **conversation.accepted}, assignment.target.tag)
    wrong = {**conversation.rejected, **unfit}
    repairs = {
        key: rejected
        for key, rejected in wrong.items()
        if key not in conversation.repaired and _is_worth_a_repair(rejected, engine)
    }
    if repairs:
        conversation.ask({key: segments[key] for key in repairs}, repairs=repairs)
        values, unfit = splice(documents, {**known, **conversation.accepted}, assignment.target.tag)
        wrong = {**conversation.rejected, **unfit}
    failure = _untranslatable(documents, segments, wrong, assignment, conversation.accepted) if wrong else None
    # A field is written completely or not at all; the other fields do not wait for it.
    held, repaired = (_fields_with(keys, documents) for keys in (wrong, conversation.repaired))
    if failure and not any(document.segments for name, document in documents.items() if name not in held):
        raise failure
    return TranslationOutcome(
        values={name: value for name, value in values.items() if name not in held},
        segments={**known, **conversation.accepted},
        usage=conversation.usage,
        reused=len(segments) - sent,
        sent=sent,
        held=held,
        repaired=repaired,
        failure=failure,
    )


def outstanding(
    documents: Mapping[str, Document],
    remembered: Mapping[str, Remembered],
    *,
    assignment: Assignment,
    engine: Engine,
) -> dict[str, Segment]:
    """The segments to request, by key: new ones, those whose glossary terms have changed, and those that only `pseudo`
    has translated while a real engine is available.
    """

    def is_known(key: str, segment: Segment) -> bool:
        if (known := remembered.get(key)) is None:
            return False
        return is_usable(known.engine, engine) and known.glossary == digest_of_terms(assignment.terms_in(segment))

    segments = by_key([segment for document in documents.values() for segment in document.segments])
    return {key: segment for key, segment in segments.items() if not is_known(key, segment)}


def estimate(segments: Mapping[str, Segment], *, assignment: Assignment, engine: Engine) -> Usage:
    """The estimated usage of requesting `segments` from `engine`, without repairs."""
    estimates = (engine.estimate(assignment.request(batch)) for batch in batches(engine, segments, {}))
    return sum(estimates, Usage())


def splice(
    documents: Mapping[str, Document], known: Mapping[str, Remembered], language: str
) -> tuple[dict[str, JsonValue], dict[str, RejectedAnswer]]:
    """The values of all fields, and the translations that would damage the surrounding markup, which are left out."""
    values: dict[str, JsonValue] = {}
    unfit: dict[str, RejectedAnswer] = {}
    for name, document in documents.items():
        keys = {segment.id: segment_key(segment) for segment in document.segments}
        texts = {id_: known[key].text for id_, key in keys.items() if key in known}
        while name not in values:
            try:
                values[name] = document.splice(texts, language=language)
            except BadAnswer as error:
                unfit[keys[error.segment_id]] = RejectedAnswer(
                    answer=texts.pop(error.segment_id), defects=(error.defect,)
                )
    return values, unfit


def _fields_with(keys: Container[str], documents: Mapping[str, Document]) -> frozenset[str]:
    """The fields that contain one of these segments."""
    return frozenset(name for name, doc in documents.items() if any(segment_key(s) in keys for s in doc.segments))


def _is_worth_a_repair(rejected: RejectedAnswer, engine: Engine) -> bool:
    if rejected.is_final:
        return False
    return engine.can_repair or not rejected.answer


def _untranslatable(
    documents: Mapping[str, Document],
    segments: Mapping[str, Segment],
    wrong: Mapping[str, RejectedAnswer],
    assignment: Assignment,
    accepted: Mapping[str, Remembered],
) -> Untranslatable:
    examples = []
    for name, document in documents.items():
        for key in _unique(segment_key(segment) for segment in document.segments):
            if key in wrong:
                text = segments[key].text
                short = text if len(text) <= 80 else f"{text[:77]}..."
                examples.append(f"field '{name}', \"{short}\": {' '.join(wrong[key].defects)}")
    more = f" And {len(examples) - 3} more." if len(examples) > 3 else ""
    return Untranslatable(
        f"{len(wrong)} of {len(segments)} segments could not be translated into {assignment.target.name}: "
        f"{' | '.join(examples[:3])}{more}",
        rejected={segments[key].text: rejected for key, rejected in wrong.items()},
        accepted=accepted,
    )


def _unique(keys: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(keys))
