"""The reconcile's decision: what becomes of one output, from all that is known of it. Pure; nothing is read here."""

import datetime as dt
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What the reconcile does with one output."""

    RIGHT = "right"
    UNDER_WAY = "under way"
    ADOPT = "adopt"
    """It is there and right, though nothing is remembered of it: remember it, make nothing."""
    START = "start"
    REPAIR = "repair"
    """It was made, and is lost: make it again, although its fingerprint is right."""
    LATER = "later"
    """It failed for a reason that has not passed yet."""
    GIVEN_UP = "given up"
    """It would fail again, or be lost again."""
    WAITS = "waits"
    """It existed when the pipeline first started, and a backfill is what makes it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """How the last try ended."""

    fingerprint: str
    """What was tried; empty where that is not known."""
    is_transient: bool
    not_before: dt.datetime | None = None
    """When another try makes sense, where the failure said so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """All that is known of one output."""

    wanted: str
    """The fingerprint that it would have now."""
    made: str | None = None
    """The fingerprint of what was made last."""
    failure: Failure | None = None
    """The last try, where it came after what was made last."""
    was_tried: bool = False
    """Whether a run has ever had it to do, or a record remembers it."""
    existed_at_first: bool = False
    """Whether its row existed when the pipeline first started, and was left for a backfill."""
    is_under_way: bool = False
    is_lost: bool = False
    """Whether what was made is not where it was put."""
    is_there: bool = False
    """Whether Directus has what would be made, though nothing is remembered of it."""
    was_repaired: bool = False
    """Whether the same was lost, and made again, in the last comparison already."""


def wait_seconds(tries: int, *, first: float, longest: float) -> float:
    """How long to wait after so many failures of the same: twice as long each time.

    What passes soon is then seen soon, and what lasts costs little.
    """
    # A number that is large enough to be cut to `longest` is not worth computing.
    return float(min(longest, first * 2 ** min(tries - 1, 30)))


def judge(evidence: Evidence, *, now: dt.datetime) -> Verdict:
    """What the reconcile does with an output."""
    if evidence.made == evidence.wanted and not evidence.is_lost:
        return Verdict.RIGHT
    if evidence.is_under_way:
        return Verdict.UNDER_WAY
    if evidence.failure and evidence.failure.fingerprint == evidence.wanted:
        return _after_failure(evidence.failure, now)
    if evidence.made == evidence.wanted:
        return Verdict.GIVEN_UP if evidence.was_repaired else Verdict.REPAIR
    if evidence.made is None and not evidence.was_tried:
        return _untried(evidence)
    return Verdict.START


def _after_failure(failure: Failure, now: dt.datetime) -> Verdict:
    if not failure.is_transient:
        return Verdict.GIVEN_UP
    return Verdict.LATER if failure.not_before and now < failure.not_before else Verdict.START


def _untried(evidence: Evidence) -> Verdict:
    if evidence.is_there:
        return Verdict.ADOPT
    return Verdict.WAITS if evidence.existed_at_first else Verdict.START
