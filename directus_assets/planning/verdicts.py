"""The reconcile's decision about one output, given all evidence. Pure; nothing is read here."""

import datetime as dt
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How the reconcile handles one output."""

    RIGHT = "right"
    UNDER_WAY = "under way"
    ADOPT = "adopt"
    """It exists and is correct, but is not recorded: record it, make nothing."""
    START = "start"
    REPAIR = "repair"
    """It was made and is lost: make it again, although its fingerprint is current."""
    LATER = "later"
    """It failed for a reason that persists for now."""
    GIVEN_UP = "given up"
    """It would fail again, or be lost again."""
    WAITS = "waits"
    """It existed when the pipeline first started, and waits for a backfill."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """The outcome of the last attempt."""

    fingerprint: str
    """The fingerprint of the attempt; empty if unknown."""
    is_transient: bool
    not_before: dt.datetime | None = None
    """When a retry makes sense, if the failure said so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Everything known about one output."""

    wanted: str
    """Its current fingerprint."""
    made: str | None = None
    """The fingerprint of the last materialization."""
    failure: Failure | None = None
    """The last attempt, if it came after the last materialization."""
    was_tried: bool = False
    """Whether a run was ever supposed to make it, or there is a record of it."""
    existed_at_first: bool = False
    """Whether its row existed when the pipeline first started, and was left for a backfill."""
    is_under_way: bool = False
    is_lost: bool = False
    """Whether the materialized output is missing from its place."""
    is_there: bool = False
    """Whether Directus already has the output, though there is no record of it."""
    was_repaired: bool = False
    """Whether the same output was already lost and remade in the last comparison."""


def wait_seconds(tries: int, *, first: float, longest: float) -> float:
    """The delay after this many identical failures: it doubles each time.

    Short outages are noticed soon, and long ones cost little.
    """
    # A number that will be cut to `longest` is not worth computing.
    return float(min(longest, first * 2 ** min(tries - 1, 30)))


def judge(evidence: Evidence, *, now: dt.datetime) -> Verdict:
    """Decide how the reconcile handles an output."""
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
