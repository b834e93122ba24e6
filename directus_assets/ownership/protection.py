"""People win: determines who owns the text in a target field, and what may be done with it.

A three-way comparison per field of the record, the current source, and the current target. Each decision updates the
field's record, which has to be stored before anything is written.
"""

from dataclasses import dataclass, replace
from enum import Enum

from directus_assets.directus.models import JsonValue
from directus_assets.ownership.field_records import FieldRecord, canonical, digest


class Standing(Enum):
    """The owner of a target field."""

    EMPTY = "nobody's: ours to fill"
    OURS = "what we wrote last"
    HUMAN = "a human's, for the present source"
    OUTDATED = "a human's, for an earlier source"


class FieldAction(Enum):
    """What happens to a target field."""

    WRITE = "write"
    NOTHING = "nothing"
    KEEP = "keep"
    REVIEW = "needs review"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """An action, and the field's record from then on."""

    action: FieldAction
    record: FieldRecord


def standing(record: FieldRecord | None, *, source: JsonValue, target: JsonValue) -> Standing:
    """Determine who owns the text in the target. Only a `HUMAN` one needs no translation.

    Args:
        record: the field's record; without one (None), every text counts as human.
        source: the field's value in the source language.
        target: the field's value in the target language.
    """
    if is_empty(target):
        return Standing.EMPTY
    if record is None:
        return Standing.HUMAN
    if digest(target) in {record.written, record.intended}:
        return Standing.OURS
    if canonical(source) == record.source or _was_revised(record, source=source, target=target):
        return Standing.HUMAN
    return Standing.OUTDATED


def decide(record: FieldRecord | None, *, source: JsonValue, target: JsonValue, proposal: JsonValue = None) -> Decision:
    """What to do with one field.

    Args:
        record: as for `standing`.
        source: as for `standing`.
        target: as for `standing`, read as late as possible.
        proposal: our translation of `source`; ignored if the target is `HUMAN`.
    """
    whose = standing(record, source=source, target=target)
    known = record or FieldRecord(source=canonical(source))
    seen = replace(known, intended="", seen_source=digest(source), seen_target=digest(target))
    if whose is Standing.HUMAN:
        return Decision(action=FieldAction.KEEP, record=replace(seen, source=canonical(source)))
    if canonical(proposal) == canonical(target) or (is_empty(proposal) and is_empty(target)):
        written = "" if is_empty(target) else digest(target)
        return Decision(action=FieldAction.NOTHING, record=FieldRecord(source=canonical(source), written=written))
    if whose is Standing.OUTDATED:
        return Decision(action=FieldAction.REVIEW, record=seen)
    # The current text, not the recorded one: a killed run may have written what it only intended.
    written = digest(target) if whose is Standing.OURS else known.written
    record = FieldRecord(source=canonical(source), written=written, intended=digest(proposal))
    return Decision(action=FieldAction.WRITE, record=record)


def is_empty(value: JsonValue) -> bool:
    """Whether a field is empty, so that nobody can have meant anything by it."""
    return value in (None, [], {}) or (isinstance(value, str) and not value.strip())


def _was_revised(record: FieldRecord, *, source: JsonValue, target: JsonValue) -> bool:
    """Whether a human has changed the text since it was last seen while the source stayed the same: it was reviewed."""
    return record.seen_source == digest(source) and record.seen_target not in {"", digest(target)}
