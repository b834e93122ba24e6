"""Decides which translations from an agency may be written: each is checked like an engine's answer. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from directus_assets.directus.models import JsonValue
from directus_assets.ownership.field_records import FieldRecord, canonical, digest
from directus_assets.ownership.protection import is_empty
from directus_assets.translation.conversation import Assignment, judge
from directus_assets.translation.exchange.hand_out import Present
from directus_assets.translation.exchange.xliff import XliffFile, XliffUnit
from directus_assets.translation.records import Arrived
from directus_assets.translation.segments.model import BadAnswer, Document, Segment, segment_key
from directus_assets.translation.shares import Share

TWICE: Final = "It is in the file more than once."
NOT_A_FIELD: Final = "The field is not translated (any more)."
SOURCE_CHANGED: Final = "The source has changed since the export, and this is no part of it any more."
TARGET_CHANGED: Final = "Somebody has changed this text since the export: theirs stays."
UNMATCHED: Final = "The source or the text has changed so far since the export that they cannot be matched any more."
NOT_SAID: Final = "The file has lost what it said of the text at the export, so a change since cannot be ruled out."
INCOMPLETE: Final = "Other texts of its field have no translation, and a field is written as a whole."


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftUnit:
    """One unit that is skipped, with the reason."""

    unit: XliffUnit
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedField:
    """A field that may be written.

    Attributes:
        name: the field's name.
        value: the new value.
        units: the imported units in the value.
        texts: all texts in the value.
        record: the field's record once the value is written.
    """

    name: str
    value: JsonValue
    units: tuple[XliffUnit, ...]
    texts: Mapping[Segment, str]
    record: FieldRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The result for one item of the file.

    Attributes:
        fields: the fields that may be written.
        good: all translations without defects, including those whose field cannot be written.
        problems: the skipped units.
        untouched: the number of units that nobody has worked on.
    """

    fields: tuple[JudgedField, ...]
    good: Mapping[Segment, str]
    problems: tuple[LeftUnit, ...]
    untouched: int

    def without(self, refused: Mapping[str, str]) -> "Judgement":
        """The result without fields that Directus has refused, given with its reasons."""
        lost = [each for each in self.fields if each.name in refused]
        units = [LeftUnit(unit=unit, reason=refused[each.name]) for each in lost for unit in each.units]
        kept = tuple(each for each in self.fields if each.name not in refused)
        return replace(self, fields=kept, problems=(*self.problems, *units))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    """The current state of one field."""

    share: Share
    document: Document
    present: Present

    def segment_of(self, unit: XliffUnit) -> Segment | None:
        return next((each for each in self.document.segments if each.id == unit.segment), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Offer:
    """A unit that matches a segment of the current source, with its translation."""

    unit: XliffUnit
    segment: Segment
    text: str


def judge_file(
    file: XliffFile, *, assignment: Assignment, documents: Mapping[str, Document], shares: Mapping[str, Share]
) -> Judgement:
    """Decide which parts of a file may be written into an item.

    Args:
        file: the returned file.
        assignment: languages and glossary.
        documents: the item's current fields in the source language, split into segments.
        shares: its fields in the target language.
    """
    tag = assignment.target.tag
    fields = {
        name: _Field(share=share, document=documents[name], present=_present(share, documents[name], tag))
        for name, share in shares.items()
        if name in documents
    }
    units = [unit for unit in file.units if not unit.is_context]
    worked_on = [unit for unit in units if _is_worked_on(unit)]
    offers, problems = _offers(worked_on, fields)
    good, wrong = _checked(offers, assignment)
    problems += wrong
    judged: list[JudgedField] = []
    for name in dict.fromkeys(offer.unit.field for offer in good):
        own = [offer for offer in good if offer.unit.field == name]
        value, faults = _assembled(fields[name], own, tag)
        good = [offer for offer in good if faults.get(offer.unit.id, INCOMPLETE) == INCOMPLETE]
        problems += [LeftUnit(unit=o.unit, reason=faults[o.unit.id]) for o in own if o.unit.id in faults]
        if taken := [offer for offer in own if offer.unit.id not in faults]:
            judged.append(_judged(fields[name], value, taken, tag))
    return Judgement(
        fields=tuple(judged),
        good={offer.segment: offer.text for offer in good},
        problems=tuple(problems),
        untouched=len(units) - len(worked_on),
    )


def _present(share: Share, document: Document, tag: str) -> Present:
    return Present.of(share.text_field, document, share.target, tag=tag)


def _is_worked_on(unit: XliffUnit) -> bool:
    """Whether someone has changed or confirmed the translation."""
    if not unit.target.strip():
        return bool(unit.defect)
    return unit.is_confirmed or digest(unit.target) != unit.digest


def _offers(units: Sequence[XliffUnit], fields: Mapping[str, _Field]) -> tuple[list[_Offer], list[LeftUnit]]:
    """Translations of the current source that may replace the existing text if they have no defects."""
    offers: dict[str, _Offer] = {}
    problems: list[LeftUnit] = []
    for unit in units:
        field = fields.get(unit.field)
        segment = field.segment_of(unit) if field else None
        if unit.defect or unit.id in offers:
            reason = unit.defect or TWICE
        elif field is None or segment is None:
            reason = SOURCE_CHANGED if field else NOT_A_FIELD
        else:
            reason = _change(unit, segment, field)
        if reason or segment is None:
            problems.append(LeftUnit(unit=unit, reason=reason))
        else:
            offers[unit.id] = _Offer(unit=unit, segment=segment, text=unit.target)
    return list(offers.values()), problems


def _change(unit: XliffUnit, segment: Segment, field: _Field) -> str:
    """Why a translation must not replace the existing text; empty if it may."""
    present = field.present
    if present.texts.get(segment.id) == unit.target or segment_key(segment) in field.share.ours:
        return ""
    if not unit.digest:
        return NOT_SAID
    if present.digest_of(segment.id) == unit.digest:
        return ""
    return TARGET_CHANGED if present.texts or is_empty(present.value) else UNMATCHED


def _checked(offers: Sequence[_Offer], assignment: Assignment) -> tuple[list[_Offer], list[LeftUnit]]:
    """The offers that pass the checks for engine answers, and the defects of the others."""
    by_id = {offer.unit.id: offer for offer in offers}
    segments = {key: offer.segment for key, offer in by_id.items()}
    texts = {key: offer.text for key, offer in by_id.items()}
    accepted, rejected = judge(assignment, list(by_id), segments, Arrived(texts=texts, engine=""))
    good = [replace(by_id[key], text=known.text) for key, known in accepted.items()]
    return good, [LeftUnit(unit=by_id[key].unit, reason=" ".join(each.defects)) for key, each in rejected.items()]


def _assembled(field: _Field, offers: Sequence[_Offer], tag: str) -> tuple[JsonValue, dict[str, str]]:
    """The field's value with all translations that fit, and the defects of the others by unit."""
    left = {offer.segment.id: offer for offer in offers}
    texts = {**field.present.texts, **{key: offer.text for key, offer in left.items()}}
    faults: dict[str, str] = {}
    while all(segment.id in texts for segment in field.document.segments):
        try:
            return field.document.splice(texts, language=tag), faults
        except BadAnswer as error:
            if (unfit := left.pop(error.segment_id, None)) is None:
                break  # The existing text does not fit either.
            faults[unfit.unit.id] = f"{error.defect[:1].upper()}{error.defect[1:]}"
            kept = field.present.texts.get(error.segment_id)
            texts = {key: text for key, text in texts.items() if key != error.segment_id}
            texts |= {} if kept is None else {error.segment_id: kept}
    return None, {**dict.fromkeys((offer.unit.id for offer in left.values()), INCOMPLETE), **faults}


def _judged(field: _Field, value: JsonValue, taken: Sequence[_Offer], tag: str) -> JudgedField:
    share, document = field.share, field.document
    done = {offer.segment.id: offer.text for offer in taken}
    kept = {segment: field.present.texts[segment.id] for segment in document.segments if segment.id not in done}
    record = FieldRecord(
        source=canonical(share.source),
        ours=_ours_of(field, kept, tag),
        seen_source=digest(share.source),
        seen_target=digest(value),
    )
    if share.record and share.waiting.difference(segment_key(offer.segment) for offer in taken):
        record = replace(record, source=share.record.source, ours="")
    return JudgedField(
        name=share.text_field.name,
        value=value,
        units=tuple(offer.unit for offer in taken),
        texts={**kept, **{offer.segment: offer.text for offer in taken}},
        record=record,
    )


def _ours_of(field: _Field, kept: Mapping[Segment, str], tag: str) -> str:
    """What counts as our translation from now on: for human segments the source, which belongs to nobody."""
    known = {s.id: text for s, text in kept.items() if segment_key(s) in field.share.ours}
    try:
        ours = field.document.splice(known, language=tag)
    except BadAnswer:
        return ""
    return ours if isinstance(ours, str) else ""
