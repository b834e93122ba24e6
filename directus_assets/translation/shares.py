"""Decides who owns a target field, by segment if possible, and what happens to it.

`protection` decides about a field as a whole; a three-way merge (`merge`) decides about its segments if it is known
what we wrote and the present text can be matched with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.models import JsonValue
from directus_assets.errors import BadInput
from directus_assets.ownership.field_records import Base, FieldRecord, canonical, digest
from directus_assets.ownership.protection import FieldAction, Standing, decide, standing
from directus_assets.translation.cut_fields import cut_field, rule_of
from directus_assets.translation.merge import Conflict, Match, Merged, match
from directus_assets.translation.order import Reviews, reviewed
from directus_assets.translation.segments.layout import Layout, lay_out
from directus_assets.translation.segments.model import Segment, segment_key


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldDecision:
    """What happens to a field.

    Attributes:
        action: the action to take.
        record: the field's record from then on.
        value: the value to write, if any.
        conflicts: the segments that wait for a human; empty if the field waits as a whole.
        resolved: the field's value with our proposals in it, for a human to adopt.
    """

    action: FieldAction
    record: FieldRecord
    value: JsonValue = None
    conflicts: tuple[Conflict, ...] = ()
    resolved: JsonValue = None


@dataclass(frozen=True, kw_only=True)
class Share:
    """The current state of a target field.

    Attributes:
        text_field: the field.
        record: its record; None if there is none.
        source: its value in the source language.
        target: its value in the target language.
        reviews: how to handle what both sides have changed.
        whose: its owner. `OUTDATED` also if a human has changed some segments: everything else may be translated anew.
    """

    text_field: TextField
    record: FieldRecord | None
    source: JsonValue
    target: JsonValue
    whose: Standing
    reviews: Reviews = Reviews.WAIT
    _match: Match | None = None
    _base: Base | None = None

    @classmethod
    def of(
        cls,
        text_field: TextField,
        record: FieldRecord | None,
        *,
        source: JsonValue,
        target: JsonValue,
        reviews: Reviews = Reviews.WAIT,
    ) -> "Share":
        """Determine the state of a field with these values."""
        whose = standing(record, source=source, target=target)
        share = cls(text_field=text_field, record=record, source=source, target=target, whose=whose, reviews=reviews)
        if record is None or whose is Standing.EMPTY or digest(target) in (record.written, record.intended):
            return share
        found = _matches(text_field, record, source, target)
        if not found:
            record = reviewed(record, reviews, source=source, target=target)
            return replace(share, record=record, whose=standing(record, source=source, target=target))
        base, best = max(found, key=lambda pair: pair[1].agreements)  # the first of equal ones: see `_bases`
        whose = Standing.OURS if best.is_ours else Standing.OUTDATED
        return replace(share, whose=whose, _match=best, _base=base)

    @property
    def settled(self) -> Mapping[str, bool]:
        """The keys of the source's segments that have a human text, each with whether it is correct."""
        if self._match is None:
            return {}
        found: dict[str, bool] = {}
        for index, unit in enumerate(self._match.source.units):
            is_settled = self._match.is_settled(index)
            for key in map(segment_key, unit.segments):
                found[key] = found.get(key, True) and is_settled
        return found

    @property
    def waiting(self) -> frozenset[str]:
        """The keys of the source's segments that need human review: both sides have changed them."""
        if self._match is not None:
            units = enumerate(self._match.source.units)
            return frozenset(segment_key(s) for i, unit in units if self._match.is_torn(i) for s in unit.segments)
        if self.whose is not Standing.OUTDATED:
            return frozenset()
        return frozenset(map(segment_key, cut_field(self.text_field, self.source).segments))

    @property
    def ours(self) -> frozenset[str]:
        """The keys of the source's segments without any human text."""
        if self._match is not None:
            old = zip(self._match.source.units, self._match.old, strict=True)
            theirs = {
                segment_key(s) for unit, i in old if i is not None and self._match.is_human(i) for s in unit.segments
            }
        elif self.whose in (Standing.OURS, Standing.EMPTY):
            theirs = set()
        else:
            return frozenset()
        return frozenset(map(segment_key, cut_field(self.text_field, self.source).segments)) - theirs

    @property
    def wordings(self) -> Mapping[str, str]:
        """The human versions of the source's segments, by key."""
        if self._match is None:
            return {}
        units = enumerate(self._match.source.units)
        found = {segment_key(unit.segments[0]): self._match.wording(i) for i, unit in units if len(unit.segments) == 1}
        return {key: text for key, text in found.items() if text}

    @property
    def corrections(self) -> Mapping[Segment, str]:
        """The human versions of segments without markup that are correct for the current source."""
        if self._match is None:
            return {}
        return {
            unit.segments[0]: wording
            for index, unit in enumerate(self._match.source.units)
            if self._match.is_settled(index)
            and len(unit.segments) == 1
            and not unit.segments[0].placeholders
            and "\n" not in unit.segments[0].text
            and (wording := self._match.plain_wording(index))
        }

    def decide(self, proposal: JsonValue) -> FieldDecision:
        """Decide what to do with the field.

        Args:
            proposal: our translation of the source; ignored if the target is `HUMAN`.
        """
        record = self.record
        if merged := self._merge(proposal):
            return self._by_segment(merged)
        if record and self._match and self.whose is Standing.OURS:
            record = replace(record, intended=digest(self.target))  # rewritten by an editor, and still ours
        elif record:
            record = reviewed(record, self.reviews, source=self.source, target=self.target)
        decision = decide(record, source=self.source, target=self.target, proposal=proposal)
        return FieldDecision(
            action=decision.action,
            record=self._knowing_ours(decision.action, decision.record, proposal),
            value=proposal if decision.action is FieldAction.WRITE else None,
            resolved=proposal,
        )

    def _merge(self, proposal: JsonValue) -> Merged | None:
        if self._match is None or self.record is None or not isinstance(proposal, str):
            return None
        lay_out_text = partial(_laid_out, self.text_field)
        if (laid_out := lay_out_text(proposal)) is None:
            return None
        # A person who saves while we write sees the current source.
        is_reviewed = self._base == self.record.before and canonical(self.source) == self.record.source
        merged = self._match.merge(
            laid_out,
            lay_out=lay_out_text,
            waiting=self.record.waiting,
            is_reviewed=is_reviewed or self.reviews is Reviews.KEEP,
            is_accepted=self.reviews is Reviews.ACCEPT,
        )
        rule = rule_of(self.text_field)
        return merged if merged and (rule is None or rule.accepts(merged.text)) else None

    def _by_segment(self, merged: Merged) -> FieldDecision:
        record = FieldRecord(
            source=merged.source, ours=merged.ours, written=digest(merged.ours), waiting=merged.waiting
        )
        if merged.text != self.target:
            action, record = FieldAction.WRITE, replace(record, before=self._base)
        elif merged.conflicts:
            action = FieldAction.REVIEW
        else:
            action = FieldAction.KEEP if merged.has_human else FieldAction.NOTHING
        is_whole = (
            action is FieldAction.REVIEW and self._match and len(merged.conflicts) == len(self._match.source.units)
        )
        return FieldDecision(
            action=action,
            record=record,
            value=merged.text if action is FieldAction.WRITE else None,
            conflicts=() if is_whole else merged.conflicts,
            resolved=merged.resolved,
        )

    def _knowing_ours(self, action: FieldAction, decided: FieldRecord, proposal: JsonValue) -> FieldRecord:
        known = self.record
        if action is FieldAction.REVIEW:
            return decided
        if action is FieldAction.KEEP:
            is_for_ours = known is not None and known.source == decided.source
            return replace(decided, ours=decided.ours if is_for_ours else "", before=None, waiting={})
        if not isinstance(proposal, str):
            return decided
        before = self._present_base() if action is FieldAction.WRITE else None
        return replace(decided, ours=proposal, before=before)

    def _present_base(self) -> Base | None:
        """The base that the target equals, if it is ours."""
        if self.record is None or self.whose is not Standing.OURS:
            return None
        return next((base for base in _bases(self.record) if digest(base.ours) == digest(self.target)), self._base)


def _bases(record: FieldRecord) -> Iterator[Base]:
    """The possible bases of the target; what a killed run left comes first."""
    if record.before:
        yield record.before
    if record.ours:
        yield Base(source=record.source, ours=record.ours)


def _matches(
    text_field: TextField, record: FieldRecord, source: JsonValue, target: JsonValue
) -> list[tuple[Base, Match]]:
    """The possible bases of the target whose units can be matched with the present ones."""
    if not isinstance(source, str) or not isinstance(target, str):
        return []
    found = []
    for base in _bases(record):
        was, ours, present, now = (_laid_out(text_field, text) for text in (base.source, base.ours, target, source))
        if was and ours and present and now and (each := match(was, ours, present, now)):
            found.append((base, each))
    return found


def _laid_out(text_field: TextField, text: str) -> Layout | None:
    try:
        return lay_out(cut_field(text_field, text))
    except BadInput:
        return None
