"""Three-way merge by segment of our earlier translation, the present text, and a new translation.

A unit (see `segments.layout`) that a person has changed is theirs, and stays as they wrote it. All others are ours. If
the source of a unit is unchanged, the present text stays, whoever wrote it. If only the source has changed, our new
translation replaces the text. If both have changed, the person's text stays, and our translation waits for review.

Nothing is guessed: there is no merge if units cannot be matched, or if the result would not parse as intended.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from directus_assets.translation.segments.layout import Layout, normal_markup

LayOut = Callable[[str], Layout | None]
"""Lays out a text of the field's kind; None if that is impossible."""

_ALIKE: Final = 0.6
"""The minimum similarity for two texts to count as versions of each other."""
_NEAR: Final = 4
"""How many changed texts on either side are searched for a better match."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """A unit that both sides have changed, as written: the person's stays."""

    old_source: str
    new_source: str
    human: str
    proposal: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """The result of a merge.

    Attributes:
        text: the new value.
        source: the source that `text` is correct for: the new one, but with the old units of conflicts.
        ours: our translation of that `source`.
        conflicts: units that wait for a person.
        waiting: digests of the new source units of conflicts, each with the digest of the human text that it waits
            beside.
        has_human: whether any part of `text` is human.
        resolved: `text` with our proposals in place of the human texts of conflicts.
    """

    text: str
    source: str
    ours: str
    conflicts: tuple[Conflict, ...]
    waiting: Mapping[str, str]
    has_human: bool
    resolved: str


@dataclass(frozen=True, slots=True)
class _Slot:
    """The part of the present text that corresponds to one unit or gap of ours, with the content of its units."""

    raw: str
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """Matches units of the three texts, before there is a new translation.

    Attributes:
        base_source: the source of our earlier translation.
        base: our earlier translation.
        source: the current source.
        units: the present text for each unit of `base`.
        gaps: the present text for each gap of `base`.
        old: the unit of `base` for each unit of `source`; None for a new one.
        kept_gaps: the gap of the present text for each gap of `source`; None if the new one replaces it.
    """

    base_source: Layout
    base: Layout
    source: Layout
    units: Sequence[_Slot]
    gaps: Sequence[_Slot]
    old: Sequence[int | None]
    kept_gaps: Sequence[int | None]

    def is_human(self, index: int) -> bool:
        """Whether a person has changed this unit of `base`."""
        return _is_changed(self.base.units[index].normal, self.units[index])

    def is_settled(self, index: int) -> bool:
        """Whether this unit of `source` has a human text that is still correct, so that no translation is needed."""
        old = self.old[index]
        return old is not None and self.is_human(old) and not self._is_source_changed(index, old)

    def ours_of(self, index: int) -> "_Slot":
        """Our earlier text for this unit of `source`, which must have an old unit."""
        unit = self.base.units[self.old[index] or 0]
        return _Slot(unit.raw, (unit.normal,))

    def is_torn(self, index: int) -> bool:
        """Whether this unit of `source` has a human text and has changed since."""
        old = self.old[index]
        return old is not None and self.is_human(old) and self._is_source_changed(index, old)

    def wording(self, index: int) -> str:
        """The human text for this unit of `source`; empty if the text is ours."""
        old = self.old[index]
        if old is None or not self.is_human(old):
            return ""
        return " ".join(re.sub("\0[^\0]*\0", "", " ".join(self.units[old].says)).split())

    def plain_wording(self, index: int) -> str:
        """The human text if it is a single text without markup; else empty."""
        old = self.old[index]
        says = self.units[old].says if old is not None else ()
        return self.wording(index) if len(says) == 1 and "\0" not in says[0] else ""

    @property
    def is_ours(self) -> bool:
        """Whether no person has changed any readable text or meaningful markup."""
        units = (self.is_human(index) for index in range(len(self.units)))
        return not any(units) and not any(map(_is_other_markup, self.base.gaps, self.gaps))

    @property
    def agreements(self) -> int:
        """The number of units that are as we wrote them."""
        return sum(not self.is_human(index) for index in range(len(self.units)))

    def _is_source_changed(self, index: int, old: int) -> bool:
        return self.base_source.units[old].normal != self.source.units[index].normal

    def merge(
        self,
        proposal: Layout,
        *,
        lay_out: LayOut,
        waiting: Mapping[str, str] | None = None,
        is_reviewed: bool = False,
        is_accepted: bool = False,
    ) -> Merged | None:
        """Merge our new translations into the present text.

        Args:
            proposal: our translation of `source`.
            lay_out: lays out a text of this kind.
            waiting: from the last merge: whoever has changed the human text since then has seen the proposal.
            is_reviewed: whether all human texts are correct for the current source.
            is_accepted: whether our translation replaces units that both sides have changed.

        Returns:
            None if the parts do not fit together.
        """
        if len(proposal.units) != len(self.source.units):
            return None
        merging = _Merging(self, proposal, waiting or {}, is_reviewed=is_reviewed, is_accepted=is_accepted)
        for index in range(len(proposal.units)):
            merging.add_unit(index)
        return merging.result(lay_out)


@dataclass
class _Text:
    """A text under construction: alternating units and gaps, and the content that its units should have."""

    parts: list[str] = field(default_factory=list)
    says: list[str] = field(default_factory=list)

    def add(self, slot: _Slot) -> None:
        self.parts.append(slot.raw)
        self.says += slot.says

    def read(self, lay_out: LayOut) -> str | None:
        """The text; None if it does not parse as it was assembled."""
        text = "".join(self.parts)
        layout = lay_out(text)
        return text if layout and layout.normals == self.says else None


class _New(NamedTuple):
    """The current source, with the unit of our earlier translation for each of its units."""

    source: Layout
    old: Sequence[int | None]


class _Merging:
    """One merge, unit by unit."""

    def __init__(
        self, match: Match, proposal: Layout, waiting: Mapping[str, str], *, is_reviewed: bool, is_accepted: bool
    ) -> None:
        self._match = match
        self._proposal = proposal
        self._before = waiting
        self._is_reviewed = is_reviewed
        self._is_accepted = is_accepted
        self._conflicts: list[Conflict] = []
        self._waiting: dict[str, str] = {}
        self._is_torn = False
        self._has_human = any(map(_is_other_markup, match.base.gaps, match.gaps))
        self._text, self._resolved, self._source, self._ours = _Text(), _Text(), _Text(), _Text()
        self._add_gap(0)

    def add_unit(self, index: int) -> None:
        match, new = self._match, self._proposal.units[index]
        proposal, source = _Slot(new.raw, (new.normal,)), match.source.units[index]
        present, is_waiting = self._present(index, proposal)
        is_settled = match.is_settled(index)
        self._has_human |= is_settled or present.says != proposal.says
        self._text.add(present)
        if is_waiting and (old := match.old[index]) is not None:
            old_source, ours = match.base_source.units[old], match.base.units[old]
            conflict = Conflict(
                old_source=old_source.raw, new_source=source.raw, human=present.raw, proposal=proposal.raw
            )
            self._conflicts.append(conflict)
            self._waiting[_digest(source.normal)] = _digest(*present.says)
            self._resolved.add(proposal)
            self._source.add(_Slot(old_source.raw, (old_source.normal,)))
            self._ours.add(_Slot(ours.raw, (ours.normal,)))
        else:
            self._resolved.add(present)
            self._source.add(_Slot(source.raw, (source.normal,)))
            # Whatever we would write today: human text stays human.
            self._ours.add(match.ours_of(index) if is_settled else proposal)
        self._add_gap(index + 1)

    def result(self, lay_out: LayOut) -> Merged | None:
        text, resolved, ours, source = (
            each.read(lay_out) for each in (self._text, self._resolved, self._ours, self._source)
        )
        if self._is_torn or text is None or resolved is None or ours is None or source is None:
            return None
        return Merged(
            text=text,
            source=source,
            ours=ours,
            conflicts=tuple(self._conflicts),
            waiting=self._waiting,
            has_human=self._has_human,
            resolved=resolved,
        )

    def _present(self, index: int, proposal: _Slot) -> tuple[_Slot, bool]:
        """The text for a unit, and whether it waits for a person."""
        match = self._match
        old = match.old[index]
        if old is None:
            return proposal, False
        present = match.units[old]
        if not match.is_human(old):
            # Keep an editor's spelling if the content is to stay the same.
            is_respelled = present.raw != match.base.units[old].raw and present.says == proposal.says
            return (present if is_respelled else proposal), False
        if match.is_settled(index) or present.says == proposal.says or self._is_reviewed:
            return present, False
        seen = self._before.get(_digest(match.source.units[index].normal))
        is_seen = seen in (None, _digest(*present.says))
        # The text that it waited beside has moved.
        self._is_torn |= not is_seen and any(_digest(*unit.says) == seen for unit in match.units)
        return (proposal, False) if is_seen and self._is_accepted else (present, is_seen)

    def _add_gap(self, index: int) -> None:
        gap, kept = self._proposal.gaps[index], self._match.kept_gaps[index]
        present = _Slot(gap) if kept is None else self._match.gaps[kept]
        self._text.add(present)
        self._resolved.add(present)
        self._source.add(_Slot(self._match.source.gaps[index]))
        self._ours.add(_Slot(gap))


def match(base_source: Layout, base: Layout, present: Layout, source: Layout) -> Match | None:
    """Match the units of the texts.

    Args:
        base_source: the source of our earlier translation.
        base: our earlier translation.
        present: the present text.
        source: the current source.

    Returns:
        None if the match is not certain.
    """
    if len(base_source.units) != len(base.units) or (projected := _projected(base, present)) is None:
        return None
    units, gaps = projected
    changed = {index for index, unit in enumerate(base.units) if _is_changed(unit.normal, units[index])}
    old = _old_units(base_source.normals, source.normals, changed)
    if old is None:
        return None
    kept = _kept_gaps(base_source, base, units, gaps, _New(source, old))
    if kept is None:
        return None
    return Match(base_source, base, source, units, gaps, old, kept)


def _projected(base: Layout, present: Layout) -> tuple[list[_Slot], list[_Slot]] | None:
    """The present text divided by our units and gaps: a person's additions belong to the gap that they are in."""
    units: list[_Slot] = []
    gaps: list[_Slot] = []
    gap = _Slot(present.gaps[0])
    added: list[str] = []
    removed: list[str] = []
    for tag, start, end, first, last in _steps(base.normals, present.normals):
        if tag == "delete":
            removed += base.normals[start:end]
            for _ in range(start, end):
                units.append(_Slot(""))
                gaps.append(gap)
                gap = _Slot("")
        elif tag == "insert":
            added += present.normals[first:last]
            raw = gap.raw + _raw(present, first, last) + present.gaps[last]
            gap = _Slot(raw, (*gap.says, *present.normals[first:last]))
        elif tag == "equal" or end - start == 1 or _are_in_place(base.normals[start:end], present.normals[first:last]):
            for here, there in _parts(end - start, first, last):
                units.append(_Slot(_raw(present, here, there), tuple(present.normals[here:there])))
                gaps.append(gap)
                gap = _Slot(present.gaps[there])
        else:
            return None
    gaps.append(gap)
    # A text removed here and added there may have been moved.
    return (units, gaps) if not any(_is_alike(old, new) for old in removed for new in added) else None


def _parts(count: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    """One unit that became several, or an equal number."""
    if count == 1:
        yield first, last
    else:
        yield from pairwise(range(first, last + 1))


def _raw(layout: Layout, first: int, last: int) -> str:
    parts = [layout.units[first].raw]
    for index in range(first + 1, last):
        parts += [layout.gaps[index], layout.units[index].raw]
    return "".join(parts)


def _steps(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[str, int, int, int, int]]:
    """The edits from `old` to `new`, like `SequenceMatcher.get_opcodes`; unit by unit if none has moved."""
    if _are_in_place(old, new):
        return [("replace", index, index + 1, index, index + 1) for index in range(len(old))]
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _are_in_place(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether the number is equal and no changed unit resembles a neighbour's version."""
    if len(old) != len(new):
        return False
    changed = [index for index, (was, now) in enumerate(zip(old, new, strict=True)) if was != now]
    gone = {old[index] for index in changed}
    if any(new[index] in gone for index in changed):
        return False
    for position, index in enumerate(changed):
        others = changed[max(0, position - _NEAR) : position + _NEAR + 1]
        if not _is_alike(old[index], new[index]) and any(_is_alike(old[other], new[index]) for other in others):
            return False
    return True


def _old_units(old: Sequence[str], new: Sequence[str], human: set[int]) -> list[int | None] | None:
    """The old unit for each new one; None if the fate of a human unit is uncertain."""
    found: list[int | None] = [None] * len(new)
    left: set[int] = set()
    for tag, start, end, first, last in _steps(old, new):
        if tag == "equal" or _are_in_place(old[start:end], new[first:last]):
            found[first:last] = range(start, end)
        else:
            left.update(range(start, end))
    times_old, times_new = Counter(old), Counter(new)
    places = {text: index for index, text in enumerate(new)}
    for index in sorted(left):
        text = old[index]
        if times_old[text] == times_new[text] == 1 and found[places[text]] is None:
            found[places[text]] = index  # it has moved
            left.discard(index)
    return None if left & human else found


def _kept_gaps(
    base_source: Layout, base: Layout, units: Sequence[_Slot], gaps: Sequence[_Slot], new: _New
) -> list[int | None] | None:
    """The present gap for each new one that is to stay; None if human markup would be lost."""
    kept: list[int | None] = []
    there: set[int] = set()
    for index, (before, after) in enumerate(pairwise([-1, *new.old, len(base.units)])):
        if before is None or after is None or after != before + 1:
            kept.append(None)
            continue
        was, now, ours, present = base_source.gaps[after], new.source.gaps[index], base.gaps[after], gaps[after]
        is_kept = was.split() == now.split() or (ours != present.raw and normal_markup(was) == normal_markup(now))
        kept.append(after if is_kept else None)
        if is_kept or ours == present.raw:
            there.add(after)
    # Where a unit was removed, the markup of its neighbours has merged.
    torn = {gap for index, unit in enumerate(units) if not unit.raw for gap in (index, index + 1)}
    lost = [index for index in range(len(gaps)) if index not in there]
    return None if any(index in torn or _is_other_markup(base.gaps[index], gaps[index]) for index in lost) else kept


def _is_changed(ours: str, present: _Slot) -> bool:
    return present.says != (ours,)


def _is_other_markup(ours: str, present: _Slot) -> bool:
    return bool(present.says) or (ours != present.raw and normal_markup(ours) != normal_markup(present.raw))


def _is_alike(one: str, other: str) -> bool:
    return _likeness(one, other) >= _ALIKE


def _likeness(one: str, other: str) -> float:
    """The share of common trigrams of two texts, from 0 to 1; works in any script."""
    first, second = _trigrams(one), _trigrams(other)
    return 2 * len(first & second) / max(1, len(first) + len(second))


@lru_cache(maxsize=1024)
def _trigrams(text: str) -> frozenset[str]:
    return frozenset(text[start : start + 3] for start in range(max(1, len(text) - 2)))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
