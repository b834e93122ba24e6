"""Figures: the measured value, its comparison, and its target. Pure arithmetic."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Several rounds of the same measurement."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The median, minimum and maximum of one or more values."""
        return cls(median=statistics.median(values), low=min(values), high=max(values))


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """A limit for a figure's median, or for the median of its ratio to the alternative."""

    limit: float
    kind: Literal["at least", "at most"]
    of: Literal["ratio", "ours"]

    def is_reached(self, value: float) -> bool:
        """Whether this value is within the limit."""
        return value >= self.limit if self.kind == "at least" else value <= self.limit


def ratio_at_least(limit: float) -> Goal:
    """The goal that ours is at least this multiple of theirs."""
    return Goal(limit=limit, kind="at least", of="ratio")


def ratio_at_most(limit: float) -> Goal:
    """The goal that ours is at most this fraction of theirs."""
    return Goal(limit=limit, kind="at most", of="ratio")


def ours_at_most(limit: float) -> Goal:
    """The goal that ours is at most this value, whatever theirs is."""
    return Goal(limit=limit, kind="at most", of="ours")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One measurement, in rounds, beside what it is compared with.

    Attributes:
        part: the part of the bench.
        what: what of ours was measured.
        unit: of both sides.
        ours: one value for each round.
        against: what it is compared with; empty where a figure stands alone.
        theirs: one value for each round, or one that is the same for all of them.
        goal: what was hoped for.
        note: what a reader has to know about it.
    """

    part: str
    what: str
    unit: str
    ours: tuple[float, ...]
    against: str = ""
    theirs: tuple[float, ...] = ()
    goal: Goal | None = None
    note: str = ""

    @property
    def ratio(self) -> Spread | None:
        """Ours divided by theirs, by round; None if there is no comparison, or theirs was zero."""
        if not self.theirs or 0 in self.theirs:
            return None
        theirs = self.theirs * len(self.ours) if len(self.theirs) == 1 else self.theirs
        return Spread.of([mine / other for mine, other in zip(self.ours, theirs, strict=True)])

    @property
    def is_reached(self) -> bool | None:
        """Whether the goal is reached; None if there is no goal."""
        if self.goal is None:
            return None
        measured = self.ratio if self.goal.of == "ratio" else Spread.of(self.ours)
        return measured is not None and self.goal.is_reached(measured.median)

    def to_json(self) -> dict[str, Any]:
        """All fields, with the derived values."""
        ratio = self.ratio
        return {
            "part": self.part,
            "what": self.what,
            "unit": self.unit,
            "ours": list(self.ours),
            "against": self.against,
            "theirs": list(self.theirs),
            "ratio": {"median": ratio.median, "low": ratio.low, "high": ratio.high} if ratio else None,
            "goal": f"{self.goal.of} {self.goal.kind} {self.goal.limit:g}" if self.goal else None,
            "reached": self.is_reached,
            "note": self.note,
        }
