"""Asking an engine for segments until each has a checked translation or a reason why it has none.

All that is the same for every engine is here: batches, splitting what is too long, finding what is refused, checks,
and handing on every answer the moment it arrives, before it is checked, so that it is not paid for again when the run
is killed.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial

from directus_assets.ownership.field_records import Arrived, Remembered, segment_key
from directus_assets.spending.paid_request import paid_request
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.case import Case
from directus_assets.translation.checks import defects, shared_defect
from directus_assets.translation.engines import pseudo
from directus_assets.translation.engines.protocol import Answer, AskedSegment, Engine, Failure, Request, Usage
from directus_assets.translation.glossary import Term, digest_of_terms, terms_in
from directus_assets.translation.languages import Language
from directus_assets.translation.segments.model import Segment

REFUSED = "The engine refused to translate this."
"""Not repaired: the same text is refused again."""

_CUT_OFF = "The translation did not fit into one answer; it must not be longer than the source needs."
_UNREADABLE = "The answer was not one JSON object with a string for each segment."
_MISSING = "There was no translation of this segment in the answer."


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """An answer that was not taken (empty if there was none), and what is wrong with it, in sentences."""

    answer: str
    defects: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """How an item is to be translated: `source` and `target` language, the whole glossary, and the style guide."""

    source: Language
    target: Language
    glossary: tuple[Term, ...] = ()
    style_guide: str = ""

    def request(self, segments: tuple[AskedSegment, ...]) -> Request:
        """The request for `segments`."""
        return Request(
            source=self.source,
            target=self.target,
            segments=segments,
            glossary=self.glossary,
            style_guide=self.style_guide,
        )

    def terms_in(self, segment: Segment) -> tuple[Term, ...]:
        """The glossary's terms that `segment` contains."""
        return terms_in(segment.text, self.glossary)


@dataclass(kw_only=True)
class Conversation:
    """One item's exchange with an engine.

    Args:
        assignment: languages, glossary, style guide.
        engine: who is asked.
        gate: the gate that all who ask this engine go through.
        admit: called with an estimate before each request; raises to stop.
        on_answer: called with the translations that a request brought the moment they arrive, one call at a time.
        settle: called after each request that was admitted, whether it succeeded or not, with what it consumed and
            the estimate that it was admitted with.
    """

    assignment: Assignment
    engine: Engine
    gate: RateGate
    admit: Callable[[Usage], None]
    on_answer: Callable[[Arrived], None]
    settle: Callable[[Usage, Usage], None]
    usage: Usage = field(default_factory=Usage)
    accepted: dict[str, Remembered] = field(default_factory=dict)
    rejected: dict[str, Rejected] = field(default_factory=dict)
    repaired: set[str] = field(default_factory=set)
    """Whose answer, good or bad, is one to a repair request."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def resume(self, segments: Mapping[str, Segment], answers: Sequence[Arrived]) -> None:
        """Judge what arrived in an earlier try that was killed, as if it arrived now; see `answered`.

        Args:
            segments: what would be asked for otherwise.
            answers: what arrived, the latest last. Answers to anything else are passed over.
        """
        for answer in answers:
            keys = [key for key in answer.texts if key in segments and is_usable(answer.engine, self.engine)]
            self._forget(keys)
            self._take(keys, self._judge(keys, segments, answer, failure=None), is_repair=answer.is_repair)

    @property
    def answered(self) -> set[str]:
        """The keys that have an answer, good or bad."""
        return {*self.accepted, *self.rejected}

    def ask(self, segments: Mapping[str, Segment], *, repairs: Mapping[str, Rejected] | None = None) -> None:
        """Ask for `segments` by key; afterwards each key is in `accepted` or in `rejected`.

        Args:
            segments: what to ask for.
            repairs: what was wrong with earlier answers to some of them.

        Raises:
            DirectusAssetsError: a request failed. What other requests brought was handed on.
        """
        repairs = repairs or {}
        self._forget(segments)
        requests = [self.assignment.request(batch) for batch in batches(self.engine, segments, repairs)]
        if len(requests) == 1:
            self._exchange(requests[0], segments)
            return
        with ThreadPoolExecutor(max_workers=max(1, min(self.gate.limit, len(requests)))) as pool:
            exchanges = [pool.submit(self._exchange, request, segments) for request in requests]
            if any(exchange.exception() for exchange in wait(exchanges, return_when=FIRST_EXCEPTION).done):
                pool.shutdown(wait=False, cancel_futures=True)
        for exchange in exchanges:
            if not exchange.cancelled():
                exchange.result()

    def _exchange(self, request: Request, segments: Mapping[str, Segment]) -> None:
        """One batch, in as many requests as it takes."""
        waiting = [request]
        found_a_refused_one = False
        while waiting:
            request = waiting.pop()
            answer = self._send(request)
            is_refused = answer.failure is Failure.REFUSED
            # One segment that is refused fails the whole item, so a second one is not worth a search.
            is_worth_a_split = answer.failure is Failure.TOO_LONG or (is_refused and not found_a_refused_one)
            if is_worth_a_split and len(request.segments) > 1:
                waiting += reversed(_halves(request))
                continue
            found_a_refused_one |= is_refused
            keys = [asked.key for asked in request.segments]
            judged = self._judge(keys, segments, self._arrived(request, answer), failure=answer.failure)
            self._take(keys, judged, is_repair=request.is_repair)

    def _send(self, request: Request) -> Answer:
        """The answer to one request, kept and booked before anything else happens to it."""

        def keep(answer: Answer) -> None:
            with self._lock:
                self.usage += answer.usage
                if answer.texts:
                    self.on_answer(self._arrived(request, answer))

        return paid_request(
            partial(self.engine.translate, request),
            estimate=self.engine.estimate(request),
            gate=self.gate,
            admit=self.admit,
            keep=keep,
            settle=self.settle,
        )

    def _arrived(self, request: Request, answer: Answer) -> Arrived:
        return Arrived(texts=answer.texts, engine=self.engine.name, usage=answer.usage, is_repair=request.is_repair)

    def _judge(
        self, keys: Sequence[str], segments: Mapping[str, Segment], answer: Arrived, *, failure: Failure | None
    ) -> tuple[dict[str, Remembered], dict[str, Rejected]]:
        cases: dict[str, Case] = {}
        rejected: dict[str, Rejected] = {}
        for key in keys:
            if key not in answer.texts:
                rejected[key] = Rejected(answer="", defects=(_reason(failure),))
                continue
            case = self._case(segments[key], answer.texts[key].strip(), is_pseudo=answer.engine == pseudo.NAME)
            if wrong := defects(case):
                rejected[key] = Rejected(answer=case.answer, defects=wrong)
            else:
                cases[key] = case
        if shared := shared_defect([*cases.values()]):
            rejected |= {key: Rejected(answer=case.answer, defects=(shared,)) for key, case in cases.items()}
            return {}, rejected
        return {key: _remembered(case, answer.engine) for key, case in cases.items()}, rejected

    def _case(self, segment: Segment, answer: str, *, is_pseudo: bool) -> Case:
        source, target = self.assignment.source, self.assignment.target
        terms = self.assignment.terms_in(segment)
        return Case(segment=segment, answer=answer, source=source, target=target, terms=terms, is_pseudo=is_pseudo)

    def _take(
        self, keys: Iterable[str], judged: tuple[dict[str, Remembered], dict[str, Rejected]], *, is_repair: bool
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


def is_usable(made_by: str, engine: Engine) -> bool:
    """Whether the work of the engine of that name will do: that of `pseudo` does not, where a real one is at hand."""
    return made_by != pseudo.NAME or engine.name == pseudo.NAME


def batches(
    engine: Engine, segments: Mapping[str, Segment], repairs: Mapping[str, Rejected]
) -> Iterator[tuple[AskedSegment, ...]]:
    """`segments` in their order, in groups that fit into one request to `engine`."""
    batch: list[AskedSegment] = []
    characters = 0
    for key, segment in segments.items():
        full = len(batch) >= engine.max_segments or characters + len(segment.text) > engine.max_characters
        if batch and full:
            yield tuple(batch)
            batch, characters = [], 0
        repair = repairs.get(key, Rejected(answer="", defects=()))
        batch.append(
            AskedSegment(
                key=key, text=segment.text, context=segment.context, rejected=repair.answer, defects=repair.defects
            )
        )
        characters += len(segment.text)
    if batch:
        yield tuple(batch)


def by_key(segments: Sequence[Segment]) -> dict[str, Segment]:
    """The segments by what their translations are remembered by: each text once, however often it occurs."""
    keyed: dict[str, Segment] = {}
    for segment in segments:
        keyed.setdefault(segment_key(segment), segment)
    return keyed


def _remembered(case: Case, engine: str) -> Remembered:
    return Remembered(text=case.answer, glossary=digest_of_terms(case.terms), engine=engine)


def _halves(request: Request) -> list[Request]:
    middle = len(request.segments) // 2
    return [replace(request, segments=half) for half in (request.segments[:middle], request.segments[middle:])]


def _reason(failure: Failure | None) -> str:
    match failure:
        case Failure.REFUSED:
            return REFUSED
        case Failure.TOO_LONG:
            return _CUT_OFF
        case Failure.UNREADABLE:
            return _UNREADABLE
    return _MISSING
