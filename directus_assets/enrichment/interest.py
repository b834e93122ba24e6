"""Recommendations for audience segments: pure scores from interactions, tags and vectors, each with a reason.

An interaction's weight is halved after each half-life. A segment's interest is the decayed sum over the tags of the
items that it interacted with, and over their vectors. A candidate's score combines the share of that interest that its
tags match, and the cosine of its vector with the interest vector; items already seen are never candidates.
"""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from directus_assets.enrichment.neighbours import Vector

_NAMED: Final = 2
"""The maximum number of tags in a reason."""
_SECONDS_PER_DAY: Final = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Interaction:
    """Someone of a segment interacted with an item; `weight` is the strength of the signal (negative: disliked)."""

    segment: str
    item: str
    at: dt.datetime
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """An item that can be recommended."""

    key: str
    title: str = ""
    tags: tuple[str, ...] = ()
    vector: Vector | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recommendation:
    """One item for one segment; `rank` is counted from 1."""

    segment: str
    item: str
    rank: int
    score: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrases:
    """The templates of reasons: `{tags}` and `{title}` are filled in."""

    tags: str = "Matches an interest in {tags}."
    similar: str = "Similar to “{title}”."
    both: str = "Matches an interest in {tags}, and is similar to “{title}”."


@dataclass(frozen=True, kw_only=True, slots=True)
class Taste:
    """The parameters of the recommendations.

    Attributes:
        count: the maximum number of items per segment.
        half_life_days: the half-life of an interaction's weight.
        tag_share: the share of tags in the score, from 0 to 1; the rest comes from vectors.
        least: the minimum score of a recommendation.
        phrases: the templates of reasons.
    """

    count: int = 10
    half_life_days: float = 30.0
    tag_share: float = 0.5
    least: float = 0.05
    phrases: Phrases = field(default_factory=Phrases)


def recommend(
    interactions: Iterable[Interaction], candidates: Iterable[Candidate], *, taste: Taste, now: dt.datetime
) -> list[Recommendation]:
    """Recommendations by segment and rank. Deterministic, whatever the order of the input.

    Args:
        interactions: all interactions that count.
        candidates: all items that can be recommended or that have interactions.
        taste: the parameters.
        now: the time from which age is measured; a future interaction counts as current.
    """
    items = {each.key: each for each in sorted(candidates, key=lambda each: each.key)}
    by_segment: dict[str, list[Interaction]] = defaultdict(list)
    for each in interactions:
        by_segment[each.segment].append(each)
    found = []
    for segment, own in sorted(by_segment.items()):
        found += _for_segment(segment, _decayed(own, taste, now), items, taste)
    return found


def _decayed(interactions: Iterable[Interaction], taste: Taste, now: dt.datetime) -> dict[str, float]:
    """The decayed weight of each item, by key."""
    parts: dict[str, list[float]] = defaultdict(list)
    for each in interactions:
        days = max(0.0, (now - each.at).total_seconds() / _SECONDS_PER_DAY)
        parts[each.item].append(each.weight * math.exp2(-days / taste.half_life_days))
    # `fsum` has no order-dependent rounding.
    return {key: math.fsum(parts[key]) for key in sorted(parts)}


def _for_segment(
    segment: str, dealt_with: Mapping[str, float], items: Mapping[str, Candidate], taste: Taste
) -> list[Recommendation]:
    tags = _tag_interest(dealt_with, items)
    direction = _direction(dealt_with, items)
    scored = []
    for key, item in items.items():
        if key in dealt_with:
            continue
        by_tag = min(1.0, sum(sorted(tags.get(tag, 0.0) for tag in set(item.tags))))
        by_vector = _cosine(direction, item.vector)
        score = round(taste.tag_share * by_tag + (1 - taste.tag_share) * by_vector, 4)
        if score >= taste.least and score > 0:
            scored.append((-score, key))
    return [
        Recommendation(
            segment=segment,
            item=key,
            rank=rank,
            score=-score,
            reason=_reason(items[key], tags, dealt_with, items, taste.phrases),
        )
        for rank, (score, key) in enumerate(sorted(scored)[: taste.count], start=1)
    ]


def _tag_interest(dealt_with: Mapping[str, float], items: Mapping[str, Candidate]) -> dict[str, float]:
    """The share of each tag in the interest; dislikes lower it, but never below zero."""
    sums: dict[str, float] = defaultdict(float)
    for key, weight in dealt_with.items():
        for tag in set(items[key].tags) if key in items else ():
            sums[tag] += weight
    liked = {tag: weight for tag, weight in sums.items() if weight > 0}
    total = math.fsum(liked.values())
    return {tag: weight / total for tag, weight in liked.items()} if total else {}


def _direction(dealt_with: Mapping[str, float], items: Mapping[str, Candidate]) -> NDArray[np.float64] | None:
    vectors = [
        weight * vector.astype(np.float64)
        for key, weight in dealt_with.items()
        if key in items and (vector := items[key].vector) is not None
    ]
    if not vectors:
        return None
    total: NDArray[np.float64] = np.sum(vectors, axis=0)
    return total


def _cosine(one: NDArray[np.float64] | None, other: Vector | None) -> float:
    """From 0 to 1: an opposite vector is as uninteresting as an unrelated one."""
    if one is None or other is None or len(one) != len(other):
        return 0.0
    length = float(np.linalg.norm(one) * np.linalg.norm(other.astype(np.float64)))
    return min(1.0, max(0.0, float(one @ other) / length)) if length else 0.0


def _reason(
    item: Candidate,
    tags: Mapping[str, float],
    dealt_with: Mapping[str, float],
    items: Mapping[str, Candidate],
    phrases: Phrases,
) -> str:
    shared = sorted((tag for tag in set(item.tags) if tags.get(tag, 0) > 0), key=lambda tag: (-tags[tag], tag))
    named = ", ".join(shared[:_NAMED])
    title = _nearest_title(item, dealt_with, items)
    if named and title:
        return phrases.both.format(tags=named, title=title)
    return phrases.tags.format(tags=named) if named else phrases.similar.format(title=title)


def _nearest_title(item: Candidate, dealt_with: Mapping[str, float], items: Mapping[str, Candidate]) -> str:
    """Of the items that the segment interacted with and did not dislike, the title of the one whose vector contributed
    most.
    """
    near: Sequence[tuple[float, str]] = sorted(
        (-weight * _cosine(vector.astype(np.float64), item.vector), key)
        for key, weight in dealt_with.items()
        if weight > 0 and key in items and (vector := items[key].vector) is not None
    )
    if not near or near[0][0] >= 0:
        return ""
    nearest = items[near[0][1]]
    return nearest.title or nearest.key
