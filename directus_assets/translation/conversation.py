"""Asks an engine for segments until each has a checked translation or a reason why it has none.

Everything common to all engines is here: batching, splitting requests that are too long, isolating refused segments,
and checks. Every answer is passed on the moment it arrives, before it is checked, so that a killed run does not pay for
it again.
"""

import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from directus_assets.spending.faults import AnswerFault
from directus_assets.spending.paid_request import paid_request
from directus_assets.spending.payer import Payer
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage
from directus_assets.translation.case import Case
from directus_assets.translation.checks import defects, shared_defect
from directus_assets.translation.chosen import chosen
from directus_assets.translation.engines import pseudo
from directus_assets.translation.engines.protocol import (
    NO_REFERENCE,
    NO_VOICE,
    Answer,
    AskedSegment,
    Engine,
    Reference,
    Request,
    Voice,
    Wording,
)
from directus_assets.translation.glossary import Term, digest_of_terms, terms_in
from directus_assets.translation.languages import Language
from directus_assets.translation.records import Arrived, Remembered
from directus_assets.translation.reference import Near, Surroundings
from directus_assets.translation.segments.model import Segment, segment_key

_REFUSED = "The engine refused to translate this."
_CUT_OFF = "The translation did not fit into one answer; it must not be longer than the source needs."
_UNREADABLE = "The answer was not one JSON object with a string for each segment."
_MISSING = "There was no translation of this segment in the answer."
_OVER_A_LIMIT = "The text is too long for the engine."

_MOST_SINGLES: Final = 3
"""The number of consecutive failures of single-segment requests after which the segments are no longer to blame."""

_REQUESTS_FOR_FAULTS: Final = 24
_REQUESTS_PER_BATCH: Final = 4
"""The number of requests allowed per batch of an item, in addition to those above."""


FEW: Final = 6
"""Up to this many segments per request are shown with their surroundings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedAnswer:
    """A rejected answer (empty if there was none), with sentences about its defects.

    `is_final`: asking again would return the same.
    """

    answer: str
    defects: tuple[str, ...]
    is_final: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """How to translate an item.

    Attributes:
        source: the item's language.
        target: the target language.
        glossary: the project's full glossary.
        style_guide: the project's style guide.
        voice: the style in the target language.
        title: the item's title, and the key of its segment.
        surroundings: the surroundings of its segments, by key.
        examples: similar segments of other items, by key.
        document: the texts of all its segments.
    """

    source: Language
    target: Language
    glossary: tuple[Term, ...] = ()
    style_guide: str = ""
    voice: Voice = NO_VOICE
    title: Near | None = None
    surroundings: Mapping[str, Surroundings] = field(default_factory=dict)
    examples: Mapping[str, tuple[Wording, ...]] = field(default_factory=dict)
    document: tuple[str, ...] = ()

    def request(self, segments: tuple[AskedSegment, ...]) -> Request:
        """The request for `segments`, with their surroundings if they are few: a whole document explains itself."""
        asked = {each.key for each in segments}
        is_shown = len(segments) <= FEW
        if is_shown:
            segments = tuple(replace(each, reference=self._reference(each.key, asked)) for each in segments)
        return Request(
            source=self.source,
            target=self.target,
            segments=segments,
            glossary=self.glossary,
            style_guide=self.style_guide,
            voice=self.voice,
            title=self.title.wording if is_shown and self.title and self.title.key not in asked else None,
            document=self.document if is_shown else (),
        )

    def with_examples(self, examples: Mapping[str, tuple[Wording, ...]]) -> "Assignment":
        """The assignment with similar segments as examples, by the key of the segment that they resemble."""
        return replace(self, examples={key: found for key, found in examples.items() if found})

    def _reference(self, key: str, asked: AbstractSet[str]) -> Reference:
        about = self.surroundings.get(key)
        if about is None:
            return replace(NO_REFERENCE, examples=self.examples.get(key, ()))
        before, after = (
            near.wording if near and near.key not in asked else None for near in (about.before, about.after)
        )
        return Reference(
            place=about.field,
            before=before,
            after=after,
            was=about.was,
            longest=about.longest,
            legend=about.legend,
            examples=self.examples.get(key, ()),
        )

    def terms_in(self, segment: Segment) -> tuple[Term, ...]:
        """The glossary's terms that `segment` contains."""
        return terms_in(segment.text, self.glossary)


@dataclass(kw_only=True)
class Conversation:
    """One item's exchange with an engine.

    Args:
        assignment: languages, glossary and style.
        engine: the engine to ask.
        gate: the rate limiter shared by all users of the engine.
        payer: pays for the requests; raises to stop.
        on_answer: called with each request's translations the moment they arrive, one call at a time.
    """

    assignment: Assignment
    engine: Engine
    gate: RateGate
    payer: Payer
    on_answer: Callable[[Arrived], None]
    usage: Usage = field(default_factory=Usage)
    accepted: dict[str, Remembered] = field(default_factory=dict)
    rejected: dict[str, RejectedAnswer] = field(default_factory=dict)
    repaired: set[str] = field(default_factory=set)
    """Keys whose answer, good or bad, came from a repair request."""
    _requests: int = 0
    _most_requests: int = _REQUESTS_FOR_FAULTS
    _too_long: int | None = None
    """The size in characters of the smallest request that was too long."""
    _failed_alone: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def resume(self, segments: Mapping[str, Segment], answers: Sequence[Arrived]) -> None:
        """Judge answers that arrived in an earlier, killed attempt as if they arrived now; see `answered`.

        Args:
            segments: the segments that would otherwise be requested.
            answers: the earlier answers, latest last. Answers to other segments are ignored.
        """
        for answer in answers:
            keys = [key for key in answer.texts if key in segments and is_usable(answer.engine, self.engine)]
            self._forget(keys)
            self._take(keys, judge(self.assignment, keys, segments, answer), is_repair=answer.is_repair)

    def adopt(self, translations: Mapping[str, Remembered]) -> None:
        """Use translations that others have requested and checked, by key."""
        self._forget(translations)
        self.accepted.update(translations)

    @property
    def answered(self) -> set[str]:
        """The keys with an answer, good or bad."""
        return {*self.accepted, *self.rejected}

    def ask(self, segments: Mapping[str, Segment], *, repairs: Mapping[str, RejectedAnswer] | None = None) -> None:
        """Request `segments` by key; afterwards each key is in `accepted` or in `rejected`.

        Args:
            segments: the segments to request.
            repairs: earlier rejected answers to some of them.

        Raises:
            DirectusAssetsError: a request failed. The results of other requests were passed on.
        """
        repairs = repairs or {}
        self._forget(segments)
        parts = [*batches(self.engine, segments, repairs)]
        self._most_requests += _REQUESTS_PER_BATCH * len(parts)
        if len(parts) == 1:
            self._exchange(self.assignment.request(parts[0]), segments)
            return
        if self.engine.can_repair and not repairs and parts:
            # Its wordings accompany the later parts. An engine that ignores them need not be waited for.
            self._exchange(self.assignment.request(parts.pop(0)), segments)
        with ThreadPoolExecutor(max_workers=max(1, min(self.gate.limit, len(parts)))) as pool:
            exchanges = [pool.submit(self._exchange_part, part, segments) for part in parts]
            if any(exchange.exception() for exchange in wait(exchanges, return_when=FIRST_EXCEPTION).done):
                pool.shutdown(wait=False, cancel_futures=True)
        for exchange in exchanges:
            if not exchange.cancelled():
                exchange.result()

    def _exchange_part(self, part: tuple[AskedSegment, ...], segments: Mapping[str, Segment]) -> None:
        """Exchange one of several batches, with the wordings chosen in those before it."""
        with self._lock:
            accepted = {key: known.text for key, known in self.accepted.items() if key in segments}
        earlier = [Wording(source=segments[key].text, translation=text) for key, text in accepted.items()]
        request = self.assignment.request(part)
        self._exchange(replace(request, chosen=chosen([each.text for each in part], earlier)), segments)

    def _exchange(self, request: Request, segments: Mapping[str, Segment]) -> None:
        """Exchange one batch in as many requests as it takes and as make sense."""
        waiting = [request]
        stopped_by: Answer | None = None
        while waiting:
            request = waiting.pop()
            if len(request.segments) > 1 and self._too_long is not None and request.characters >= self._too_long:
                waiting += reversed(_halves(request))
                continue
            if why := self._reason_to_stop(stopped_by):
                self._reject(request, (why,), is_final=True)
                continue
            answer = self._send(request)
            self._take_texts(request, segments, answer)
            rest = _without(request, answer.texts)
            if rest is None:
                continue
            if answer.failure not in (AnswerFault.TOO_LONG, AnswerFault.REFUSED):
                self._reject(rest, _reason(answer), is_final=False)
                continue
            stopped_by = answer
            if len(request.segments) > 1:
                self._note(request, answer)
                waiting += reversed(_parts(rest, answer))
            else:
                self._failed_alone += 1
                self._reject(
                    rest, _reason(answer), is_final=answer.was_sent_back or answer.failure is AnswerFault.REFUSED
                )

    def _note(self, request: Request, answer: Answer) -> None:
        if answer.failure is AnswerFault.TOO_LONG and not answer.texts:
            self._too_long = min(self._too_long or request.characters, request.characters)

    def _reason_to_stop(self, stopped_by: Answer | None) -> str:
        """Why further requests for this item make no sense; empty if they do."""
        if self._failed_alone >= _MOST_SINGLES and stopped_by is not None:
            return f"Not requested, after {self._failed_alone} other failures: {' '.join(_reason(stopped_by))}"
        if self._requests >= self._most_requests:
            return f"Not requested, because this item has already used {self._requests} requests."
        return ""

    def _take_texts(self, request: Request, segments: Mapping[str, Segment], answer: Answer) -> None:
        keys = [asked.key for asked in request.segments if asked.key in answer.texts]
        if keys:
            self._failed_alone = 0
            judged = judge(self.assignment, keys, segments, self._arrived(request, answer))
            self._take(keys, judged, is_repair=request.is_repair)

    def _reject(self, request: Request, defects: tuple[str, ...], *, is_final: bool) -> None:
        keys = [asked.key for asked in request.segments]
        rejected = {key: RejectedAnswer(answer="", defects=defects, is_final=is_final) for key in keys}
        self._take(keys, ({}, rejected), is_repair=request.is_repair)

    def _send(self, request: Request) -> Answer:
        """Send one request; the answer is stored and booked before anything else happens to it."""

        with self._lock:
            self._requests += 1

        def keep(answer: Answer) -> None:
            with self._lock:
                self.usage += answer.usage
                if answer.texts:
                    self.on_answer(self._arrived(request, answer))

        return paid_request(
            partial(self.engine.translate, request),
            estimate=self.engine.estimate(request),
            gate=self.gate,
            payer=self.payer,
            keep=keep,
        )

    def _arrived(self, request: Request, answer: Answer) -> Arrived:
        return Arrived(texts=answer.texts, engine=self.engine.name, usage=answer.usage, is_repair=request.is_repair)

    def _take(
        self, keys: Iterable[str], judged: tuple[dict[str, Remembered], dict[str, RejectedAnswer]], *, is_repair: bool
    ) -> None:
        accepted, rejected = judged
        with self._lock:
            self.accepted.update(accepted)
            self.rejected.update(rejected)
            if is_repair:
                self.repaired.update(keys)

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.rejected.pop(key, None)
            self.accepted.pop(key, None)


def judge(
    assignment: Assignment, keys: Sequence[str], segments: Mapping[str, Segment], answer: Arrived
) -> tuple[dict[str, Remembered], dict[str, RejectedAnswer]]:
    """The translations that may be written, and the defects of the others.

    Args:
        assignment: languages and glossary.
        keys: the keys of `answer.texts` to judge.
        segments: the segments to translate, by these keys.
        answer: the translations.
    """
    cases: dict[str, Case] = {}
    rejected: dict[str, RejectedAnswer] = {}
    for key in keys:
        case = Case(
            segment=segments[key],
            answer=answer.texts[key].strip(),
            source=assignment.source,
            target=assignment.target,
            terms=assignment.terms_in(segments[key]),
            is_pseudo=answer.engine == pseudo.NAME,
        )
        if wrong := defects(case):
            rejected[key] = RejectedAnswer(answer=case.answer, defects=wrong)
        else:
            cases[key] = case
    if shared := shared_defect([*cases.values()]):
        rejected |= {key: RejectedAnswer(answer=case.answer, defects=(shared,)) for key, case in cases.items()}
        return {}, rejected
    return {key: _remembered(case, answer.engine) for key, case in cases.items()}, rejected


def is_usable(made_by: str, engine: Engine) -> bool:
    """Whether to accept translations by the engine with that name: not those of `pseudo` if a real one is available."""
    return made_by != pseudo.NAME or engine.name == pseudo.NAME


def batches(
    engine: Engine, segments: Mapping[str, Segment], repairs: Mapping[str, RejectedAnswer]
) -> Iterator[tuple[AskedSegment, ...]]:
    """Group `segments`, in their order, into batches that fit into one request to `engine`."""
    batch: list[AskedSegment] = []
    characters = 0
    for key, segment in segments.items():
        full = len(batch) >= engine.max_segments or characters + len(segment.text) > engine.max_characters
        if batch and full:
            yield tuple(batch)
            batch, characters = [], 0
        repair = repairs.get(key, RejectedAnswer(answer="", defects=()))
        batch.append(
            AskedSegment(
                key=key, text=segment.text, context=segment.context, rejected=repair.answer, defects=repair.defects
            )
        )
        characters += len(segment.text)
    if batch:
        yield tuple(batch)


def by_key(segments: Sequence[Segment]) -> dict[str, Segment]:
    """The segments by the key under which their translations are stored: each text once, however often it occurs."""
    keyed: dict[str, Segment] = {}
    for segment in segments:
        keyed.setdefault(segment_key(segment), segment)
    return keyed


def _remembered(case: Case, engine: str) -> Remembered:
    return Remembered(text=case.answer, glossary=digest_of_terms(case.terms), engine=engine)


def _halves(request: Request) -> list[Request]:
    middle = len(request.segments) // 2
    return [replace(request, segments=half) for half in (request.segments[:middle], request.segments[middle:])]


def _without(request: Request, texts: Container[str]) -> Request | None:
    """The unanswered rest of a request; None if there is none."""
    rest = tuple(segment for segment in request.segments if segment.key not in texts)
    return replace(request, segments=rest) if rest else None


def _parts(rest: Request, answer: Answer) -> list[Request]:
    """Split the unanswered rest into requests about the size of the part that was answered, if any."""
    answered = len(answer.texts)
    if not answered:
        return _halves(rest)
    pieces = [rest.segments[at : at + answered] for at in range(0, len(rest.segments), answered)]
    return [replace(rest, segments=piece) for piece in pieces]


def _reason(answer: Answer) -> tuple[str, ...]:
    """What went wrong, in our words and in the service's."""
    match answer.failure:
        case AnswerFault.REFUSED:
            ours = _REFUSED
        case AnswerFault.TOO_LONG:
            ours = _OVER_A_LIMIT if answer.was_sent_back else _CUT_OFF
        case AnswerFault.UNREADABLE:
            ours = _UNREADABLE
        case _:
            ours = _MISSING
    return (ours, answer.reason) if answer.reason else (ours,)
