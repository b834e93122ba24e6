"""Decides who owns each target field and writes results; whatever the engine, people win."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from directus_assets.directus.models import JsonValue
from directus_assets.enrichment.declaration import Declaration, TargetField
from directus_assets.enrichment.items import EnrichedItem, ItemReader
from directus_assets.enrichment.questions import source_code
from directus_assets.enrichment.records import EnrichmentRecord, MadeRow, target_name
from directus_assets.enrichment.rows import ResultRowWriter, RowPlan, comparable, plan_rows
from directus_assets.enrichment.vocabularies import Vocabularies
from directus_assets.ownership.field_records import canonical, digest
from directus_assets.ownership.protection import Decision, FieldAction, Standing, decide, is_empty, standing
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.refusals import FieldsRefused, Refusals, refusal_key, short_reason
from directus_assets.ownership.versions import save_proposals

Values = Mapping[str, JsonValue]

_OF_HUMANS = frozenset({Standing.HUMAN, Standing.OUTDATED})


@dataclass(frozen=True, kw_only=True)
class ValueReview:
    """A target whose human value stays although the input has changed: a person has to review it."""

    target: str
    human: str
    proposal: str


@dataclass(frozen=True, kw_only=True)
class Written:
    """The result for the targets of one item."""

    written: tuple[str, ...] = ()
    """Targets that were written."""
    kept: tuple[str, ...] = ()
    """Targets whose human value was kept and, as far as known, is correct for the current input."""
    reviews: tuple[ValueReview, ...] = ()
    rows_written: int = 0
    rows_removed: int = 0


@dataclass(frozen=True, kw_only=True)
class _Decided:
    """The decision about one target."""

    code: str
    place: TargetField
    value: JsonValue
    human: JsonValue
    decision: Decision | None
    """None if it is left alone and nothing is to be recorded about it."""

    @property
    def action(self) -> FieldAction:
        if self.decision is not None:
            return self.decision.action
        return FieldAction.NOTHING if is_empty(self.human) else FieldAction.KEEP

    @property
    def name(self) -> str:
        return target_name(self.code, self.place.name)


@dataclass(frozen=True, kw_only=True)
class Targets:
    """The targets of one enrichment.

    Args:
        reader: reads and writes the items.
        declaration: the enrichment with its targets.
        records: the enrichment records.
        vocabularies: convert choices to stored values.
    """

    reader: ItemReader
    declaration: Declaration
    records: RecordStore[EnrichmentRecord]
    vocabularies: Vocabularies

    @property
    def codes(self) -> list[str]:
        """The requested languages; a single empty code to ask once."""
        return [row.code for row in self.declaration.languages] or [""]

    def record(self, item: EnrichedItem) -> EnrichmentRecord:
        """The current record: another run may be processing the same item."""
        return self.records.load(self.reader.collection, item.key, self.declaration.name)

    def remember(self, item: EnrichedItem, change: Callable[[EnrichmentRecord], EnrichmentRecord]) -> None:
        """Update the record without losing concurrent updates."""
        self.records.update(self.reader.collection, item.key, self.declaration.name, change)

    def wants(self, record: EnrichmentRecord, item: EnrichedItem, code: str, source: str) -> bool:
        """Whether an answer in this language may be written anywhere, or is shown on the partition."""
        found = [self._standing(record, item, (code, result), source) for result in self.declaration.targets]
        if self._fills_only and not _OF_HUMANS.isdisjoint(found):
            return False
        return self.declaration.rows is not None or not found or any(each is not Standing.HUMAN for each in found)

    def refusals(self, item: EnrichedItem, code: str, values: Values) -> tuple[str, ...]:
        """Directus' reasons, as sentences, for values that it has refused before."""
        record = self.record(item)
        found = []
        for result, place in self.declaration.targets.items():
            if why := _refusal(record, code, place, self._stored(place, result, values)):
                found.append(f"`{result}` was refused by Directus: {short_reason(why).rstrip('.')}.")
        if rows := self.declaration.rows:
            refused = record.refused.get(rows.name, {})
            for number, row in enumerate(self._wanted_rows(values)):
                if reason := refused.get(rows.refusal_key(row)):
                    named = f"`{rows.each}[{number}]`" if rows.each else "The result"
                    found.append(f"{named} was refused by Directus: {short_reason(reason).rstrip('.')}.")
        return tuple(found)

    def write(self, item: EnrichedItem, source: str, answers: Mapping[str, Values]) -> Written | None:
        """Write the permitted values.

        Args:
            item: read immediately before.
            source: digest of the input.
            answers: the results by language.

        Returns:
            What was done; None if the item has changed in the meantime: read it again, and decide anew.

        Raises:
            FieldsRefused: Directus refuses some of the values, or refused them before; the others are written.
            DirectusAssetsError: Directus refuses or does not answer.
        """
        # After the item, never before it: whoever writes has recorded beforehand that the value is ours.
        earlier = self.record(item)
        if any(self.wants(earlier, item, code, source) for code in self.codes if code not in answers):
            return None  # A value that was human no longer is, so nothing has been derived for it yet.
        decided = [
            self._decide(earlier, item, (code, result), source, answers.get(code))
            for code in self.codes
            for result in self.declaration.targets
        ]
        rows = self._plan_rows(item, earlier, answers)
        intended = tuple(digest(dict(values)) for values in (*rows.changed.values(), *rows.made)) if rows else ()
        removed = rows.removed if rows else ()
        fields = {each.name: each.decision.record for each in decided if each.decision}
        # Record the intention first, then write: values from a killed run are then recognised as ours.
        self.remember(item, lambda known: known.intending(fields, intended, removed=removed))
        refused = self._carry_out(item, [each for each in decided if each.action is FieldAction.WRITE], earlier)
        if refused is None:
            return None
        made: list[MadeRow] = []
        if rows:
            written = self._write_rows(item, earlier, rows)
            if written is None:
                return None
            made, refused_rows = written
            refused |= refused_rows
        if refused:
            raise FieldsRefused(self.reader.collection, refused)
        self.remember(item, EnrichmentRecord.done)
        reviews = [each for each in decided if each.action is FieldAction.REVIEW]
        if self.declaration.options.review == "version":
            self._propose(item, reviews)
        return Written(
            written=tuple(each.name for each in decided if _is_written(each, earlier)),
            kept=tuple(each.name for each in decided if each.action is FieldAction.KEEP),
            reviews=(
                *(ValueReview(target=e.name, human=canonical(e.human), proposal=canonical(e.value)) for e in reviews),
                *([self._review_of_row(answers)] if rows and rows.is_kept else ()),
            ),
            rows_written=len(made),
            rows_removed=len(rows.removed) if rows else 0,
        )

    @property
    def _fills_only(self) -> bool:
        return self.declaration.options.when == "empty"

    def _current(self, record: EnrichmentRecord, item: EnrichedItem, target: tuple[str, str]) -> JsonValue:
        """The value of a target; None if it is a database default and we have never written it."""
        code, result = target
        place = self.declaration.targets[result]
        value = comparable(item.value(place, code or source_code(self.declaration)), place.field)
        known = record.fields.get(target_name(code, place.name))
        neutral = self.declaration.builtin.neutral.get(result, ()) if self.declaration.builtin else ()
        return None if value in neutral and not (known and known.written) else value

    def _standing(self, record: EnrichmentRecord, item: EnrichedItem, target: tuple[str, str], source: str) -> Standing:
        known = record.fields.get(target_name(target[0], self.declaration.targets[target[1]].name))
        return standing(known, source=source, target=self._current(record, item, target))

    def _decide(
        self, record: EnrichmentRecord, item: EnrichedItem, target: tuple[str, str], source: str, values: Values | None
    ) -> _Decided:
        code, result = target
        place = self.declaration.targets[result]
        human = self._current(record, item, target)
        whose = self._standing(record, item, target, source)
        value, decision = None, None
        if values is not None:
            value = self._stored(place, result, values)
        builtin = self.declaration.builtin
        overrules = builtin is not None and result in builtin.overrules
        if (overrules and value is None) or self._was_cleared(record, target, human, source):
            return _Decided(code=code, place=place, value=None, human=human, decision=None)
        if whose is Standing.HUMAN or (values is not None and not (self._fills_only and whose in _OF_HUMANS)):
            known = record.fields.get(target_name(code, place.name))
            # A human value that applied only to earlier content no longer counts.
            is_over = whose is Standing.OUTDATED and builtin is not None and builtin.follows_content
            is_over = is_over or (overrules and (known is None or known.source != source))
            decision = decide(known, source=source, target=None if is_over else human, proposal=value)
        return _Decided(code=code, place=place, value=value, human=human, decision=decision)

    def _stored(self, place: TargetField, result: str, values: Values) -> JsonValue:
        """The value of a result as it is written to its target."""
        return comparable(self.vocabularies.stored(values.get(result), result, place.field), place.field)

    def _was_cleared(self, record: EnrichmentRecord, target: tuple[str, str], present: JsonValue, source: str) -> bool:
        """Whether a human has cleared our value as a decision about this very content."""
        builtin = self.declaration.builtin
        known = record.fields.get(target_name(target[0], self.declaration.targets[target[1]].name))
        if builtin is None or not builtin.follows_content or known is None or not is_empty(present):
            return False
        return known.source == source and known.written not in ("", digest(None))

    def _carry_out(self, item: EnrichedItem, decided: Sequence[_Decided], earlier: EnrichmentRecord) -> Refusals | None:
        """Write the decided values, which are recorded as ours.

        Returns:
            Why Directus refuses some of them, now or before; None if the item has changed in the meantime.
        """
        refused = {each.name: why for each in decided if (why := _refusal(earlier, each.code, each.place, each.value))}
        for write, some in self._writes(item, decided, earlier):
            by_field = {each.place.name: each for each in some if each.name not in refused}
            try:
                if by_field and not write({name: each.value for name, each in by_field.items()}):
                    return None
            except FieldsRefused as error:
                if not by_field.keys() & error.fields.keys():
                    raise
                new = [(by_field[name], why) for name, why in error.fields.items() if name in by_field]
                keys = {each.name: {refusal_key(each.place.field, each.value): why} for each, why in new}
                self.remember(item, lambda known, keys=keys: known.refusing(keys))  # type: ignore[misc]
                refused |= {each.name: why for each, why in new}
        return refused

    def _writes(
        self, item: EnrichedItem, decided: Sequence[_Decided], earlier: EnrichmentRecord
    ) -> Iterator[tuple[Callable[[Values], bool], list[_Decided]]]:
        """The writer and values of each write: one for the item itself, and one for each language."""
        yield partial(self.reader.write, item), [each for each in decided if not each.place.is_translated]
        for language in self.declaration.translated.languages if self.declaration.translated else ():
            own_of_row = [
                each
                for each in decided
                if each.place.is_translated and (each.code or source_code(self.declaration)) == language.code
            ]
            known = (earlier.fields.get(each.name) for each in own_of_row)
            if language.code not in item.rows and any(each and (each.written or each.seen_target) for each in known):
                self.reader.require_row_deleted(item, language)
            yield partial(self.reader.write_language, item, language), own_of_row

    @cached_property
    def _rows(self) -> ResultRowWriter | None:
        return ResultRowWriter(self.reader.client, self.declaration.rows) if self.declaration.rows else None

    def _plan_rows(self, item: EnrichedItem, record: EnrichmentRecord, answers: Mapping[str, Values]) -> RowPlan | None:
        if self._rows is None or "" not in answers:
            return None
        return plan_rows(
            self._wanted_rows(answers[""]),
            self._rows.read(item.key),
            known=record.rows,
            intended=record.intended_rows,
            is_one=self._rows.target.each is None,
            about=self._rows.target.about if self._rows.target.each else None,
        )

    def _write_rows(
        self, item: EnrichedItem, earlier: EnrichmentRecord, plan: RowPlan
    ) -> tuple[list[MadeRow], Refusals] | None:
        """Carry out the plan for rows.

        Returns:
            The rows that were written, and why Directus refuses others, now or before; None if someone has changed one
            of them in the meantime.
        """
        writer, target = self._rows, self.declaration.rows
        if writer is None or target is None:
            return [], {}
        known = earlier.refused.get(target.name, {})
        why = {
            key: known[key] for row in (*plan.changed.values(), *plan.made) if (key := target.refusal_key(row)) in known
        }

        def refuse(values: Values, reason: str) -> None:
            why[target.refusal_key(values)] = reason
            self.remember(item, lambda found: found.refusing({target.name: {target.refusal_key(values): reason}}))

        made = writer.carry_out(
            item.own[self.declaration.collection.key_field],
            plan,
            is_refused=lambda values: target.refusal_key(values) in known,
            refuse=refuse,
        )
        if made is None:
            return None
        # Where Directus refuses the new row, the old one stays, and stays ours.
        stayed = plan.changed.keys() - {row.key for row in made}
        ours = (*plan.remembered, *(row for row in earlier.rows if row.key in stayed), *made)
        self.remember(item, lambda found: replace(found, rows=ours))
        return made, {target.collection.name: " ".join(dict.fromkeys(why.values()))} if why else {}

    def _wanted_rows(self, values: Values) -> list[Values]:
        target = self.declaration.rows
        if target is None:
            return []
        if target.each is None:
            elements: list[JsonValue] = [dict(values)]
            path = ""
        else:
            found = values.get(target.each)
            elements = found if isinstance(found, list) else []
            path = f"{target.each}[]"
        rows: list[Values] = []
        for element in elements:
            members = element if isinstance(element, dict) else {"value": element}
            row: dict[str, JsonValue] = {}
            for member, field in target.fields.items():
                at = path if member == "value" and not isinstance(element, dict) else f"{path}.{member}".lstrip(".")
                row[field.name] = comparable(self.vocabularies.stored(members.get(member), at, field), field)
            rows.append(row)
        return rows

    def _review_of_row(self, answers: Mapping[str, Values]) -> ValueReview:
        assert self.declaration.rows is not None  # noqa: S101 - a kept row implies a row target
        (wanted,) = self._wanted_rows(answers[""])
        return ValueReview(
            target=self.declaration.rows.collection.name, human="the row", proposal=canonical(dict(wanted))
        )

    def _propose(self, item: EnrichedItem, reviews: Sequence[_Decided]) -> None:
        """Save proposals as content versions of their targets."""
        translated = self.declaration.translated
        setting = f"enrichments.{self.declaration.collection.name}.{self.declaration.name}.review"
        for code in dict.fromkeys(each.code for each in reviews):
            own = {e.place.name: e.value for e in reviews if e.code == code and not e.place.is_translated}
            of_row = {e.place.name: e.value for e in reviews if e.code == code and e.place.is_translated}
            row = item.rows.get(code or source_code(self.declaration))
            schema = self.declaration.collection
            client = self.reader.client
            if own:
                versioned = schema.is_versioned
                save_proposals(client, schema.name, item.key, own, is_versioned=versioned, setting=setting)
            if of_row and row and translated:
                versioned = translated.is_versioned
                save_proposals(
                    client, translated.translations, row.key, of_row, is_versioned=versioned, setting=setting
                )


def _refusal(record: EnrichmentRecord, code: str, place: TargetField, value: JsonValue) -> str:
    """Why Directus refused this value of a target before; empty if it did not."""
    return record.refused.get(target_name(code, place.name), {}).get(refusal_key(place.field, value), "")


def _is_written(each: _Decided, earlier: EnrichmentRecord) -> bool:
    """Whether a target is written now, or was by an unfinished attempt, so that it has not been reported yet."""
    known = earlier.fields.get(each.name)
    if each.action is not FieldAction.NOTHING or known is None:
        return each.action is FieldAction.WRITE
    return known.intended not in ("", known.written) and known.intended == digest(each.human)
