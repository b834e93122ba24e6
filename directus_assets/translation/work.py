"""Translates one item into one language, from reading Directus to writing it; whatever the engine, people win."""

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.models import JsonValue
from directus_assets.directus.schema import LanguageRow
from directus_assets.directus.together import Company, Together
from directus_assets.errors import BadInput, PermanentError, TransientError
from directus_assets.ownership.field_records import FieldRecord, canonical
from directus_assets.ownership.protection import FieldAction, Standing, is_empty, standing
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.refusals import FieldsRefused, Refusals, refusal_key
from directus_assets.ownership.versions import save_proposals
from directus_assets.spending.payer import Counting, Payer, Unlimited
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage
from directus_assets.translation.conversation import Assignment
from directus_assets.translation.cut_fields import cut_field, cut_item, rule_of, uncut
from directus_assets.translation.engines import pseudo
from directus_assets.translation.engines.protocol import NO_VOICE, Engine, Voice, Wording
from directus_assets.translation.fingerprints import fingerprint
from directus_assets.translation.glossary import Term, digest_of_terms
from directus_assets.translation.items import Item, read_items, target_value
from directus_assets.translation.languages import language
from directus_assets.translation.memory import Memory
from directus_assets.translation.order import NO_ORDER, Order
from directus_assets.translation.recall import Recall
from directus_assets.translation.records import Arrived, Remembered, TranslationRecord
from directus_assets.translation.reference import Near, Surroundings, surroundings, title_of
from directus_assets.translation.refused_values import RefusedWrite, UnrefusedDocument
from directus_assets.translation.results import Forecast, Translated, reviews_of
from directus_assets.translation.row_writer import RowWriter
from directus_assets.translation.scope import Scope
from directus_assets.translation.segments.model import Document, Segment, segment_key
from directus_assets.translation.shares import FieldDecision, Share
from directus_assets.translation.translate import TranslationOutcome, Untranslatable, estimate, outstanding, translate

_ROUNDS = 6
"""How often an item that keeps being edited during its translation is planned anew before that counts as a failure."""


class _SeveralRows(PermanentError):
    """There are several rows of one language, so it is unclear which one counts."""


@dataclass(frozen=True, kw_only=True)
class Translator:
    """Translates the items of one collection.

    Args:
        client: Directus.
        scope: the fields and languages to translate.
        engine: the translation engine.
        gate: the rate limiter shared by all users of the engine.
        records: the translation records.
        glossary: the project's terms.
        style_guide: the project's style guide, Markdown.
        voices: the style of texts, by language code.
        memory: how segments were translated in all items; None if each item stands alone.
        payer: pays for the requests; stops the work when there is no money.
        propose_in_versions: also save proposals for review as content versions of the translation row.
        sleep: waits for seconds.
    """

    client: DirectusClient
    scope: Scope
    engine: Engine
    gate: RateGate
    records: RecordStore[TranslationRecord]
    glossary: tuple[Term, ...] = ()
    style_guide: str = ""
    voices: Mapping[str, Voice] = field(default_factory=dict)
    memory: Memory | None = None
    payer: Payer = field(default_factory=Unlimited)
    propose_in_versions: bool = False
    sleep: Callable[[float], None] = time.sleep

    def translate(self, item: Item, target: LanguageRow, *, order: Order = NO_ORDER) -> Translated:
        """Bring one item up to date in one language.

        Args:
            item: the item.
            target: the language.
            order: what a person has requested beyond that.

        Raises:
            DirectusAssetsError: the item cannot be translated or written; the old texts stay.
        """
        with self._company.joined():
            return self._translated(item, target, order)

    def _translated(self, item: Item, target: LanguageRow, order: Order) -> Translated:
        started = time.monotonic()
        # The usage of a killed attempt has not been attributed to a partition yet.
        payer = Counting(self.payer, sum((answer.usage for answer in self.record_of(item, target).answers), Usage()))
        if order.anew and self.record_of(item, target).refused:
            self._remember(item, target, lambda known: replace(known, refused={}))
        refused: RefusedWrite | None = None
        attempt = 0
        while attempt < _ROUNDS:
            result = None
            try:
                result = self._round(item, target, payer, order, refused)
            except _SeveralRows:
                # Whoever created one at the same moment removes it again: see `RowWriter.write`.
                if attempt == _ROUNDS - 1:
                    raise
            if isinstance(result, Translated):
                result = _with_earlier(result, refused) if refused else result
                return replace(result, usage=payer.usage, seconds=time.monotonic() - started)
            if result:
                # The accepted fields are written, so that only the refused ones are requested again.
                refused, order = result, replace(order, anew=False)
            else:
                # Jitter separates runs that obstruct each other.
                self.sleep(random.uniform(0, 0.2 * 2**attempt))  # noqa: S311 - jitter, nothing secret
                attempt += 1
            fresh = self._present.get(item.key)
            if fresh is None:
                return Translated(item=item.key, language=target.code, fingerprint="")
            item = fresh
        raise TransientError(f"Item {item.key} of {self.scope.collection} kept being edited while we translated it.")

    def forecast(self, item: Item, target: LanguageRow, *, counted: set[tuple[str, str]] | None = None) -> Forecast:
        """What `translate` would request now. Nothing is sent or written.

        Args:
            item: the item.
            target: the language.
            counted: languages and keys of segments that earlier items request and share with this one; its own requests
                are added.

        Raises:
            DirectusAssetsError: as for `translate`, as far as it can be known in advance.
        """
        if item.source_language == target.code:
            return Forecast(segments=0, usage=Usage())
        record, ours = self._prepare(item, target, NO_ORDER)
        assignment = self.shown(record, item, target)
        remembered = self._remembered(record, item, target, ours, NO_ORDER)
        asked = outstanding(ours, remembered, assignment=assignment, engine=self.engine)
        arrived = {key for answer in record.answers for key in answer.texts}
        asked = {key: segment for key, segment in asked.items() if key not in arrived}
        free = self.recall(assignment).free(asked, counted)
        asked = {key: segment for key, segment in asked.items() if key not in free}
        return Forecast(segments=len(asked), usage=estimate(asked, assignment=assignment, engine=self.engine))

    def _prepare(self, item: Item, target: LanguageRow, order: Order) -> tuple[TranslationRecord, dict[str, Document]]:
        """The item's record, and the fields to translate."""
        refuse_unknown_language(self.scope, item)
        refuse_duplicates(self.scope, item, item.source_language)
        record = self.record_of(item, target)
        documents = cut_item(self.scope, item)
        ours = {
            name: UnrefusedDocument(document, self._field(name), known)
            if (known := record.refused.get(name))
            else document
            for name, document in documents.items()
            if self.share(record, item, target, name, order).whose is not Standing.HUMAN
        }
        if not all(is_empty(item.source[name]) and is_empty(target_value(item, target, name)) for name in ours):
            # If all texts are human, nothing is written, so it does not matter which row counts.
            refuse_duplicates(self.scope, item, target.code)
        return record, ours

    def _round(
        self, item: Item, target: LanguageRow, payer: Payer, order: Order, refused: RefusedWrite | None
    ) -> Translated | RefusedWrite | None:
        """One attempt; None if the item was edited in the meantime and has to be read again.

        Args:
            item: as last read.
            target: the language.
            payer: pays for the requests.
            order: what a person has requested.
            refused: the previous write, in which Directus refused fields.
        """
        if item.source_language == target.code:
            found = self.fingerprint(item, target)
            return Translated(item=item.key, language=target.code, fingerprint=found, is_source=True)
        record, ours = self._prepare(item, target, order)
        if refused:
            ours = {name: document for name, document in ours.items() if name not in refused.outcome.held}

        def keep(answer: Arrived) -> None:
            self._remember(item, target, lambda known: known.with_answer(answer))

        remembered = self._remembered(record, item, target, ours, order)
        recall = self.recall(self.shown(record, item, target))
        try:
            with recall.asking(ours, record, remembered, anew=order.anew) as (recalled, shown, others):
                outcome = translate(
                    ours,
                    {**remembered, **recalled},
                    assignment=shown,
                    engine=self.engine,
                    gate=self.gate,
                    answers=record.answers,
                    on_answer=keep,
                    payer=payer,
                    others=others,
                )
                recall.keep(ours, outcome.segments)
        except Untranslatable as error:
            # The next attempt asks anew for segments that failed twice.
            accepted = error.accepted
            self._remember(item, target, lambda known: known.remembering(accepted))
            raise (refused.outcome.failure.beside(error) if refused and refused.outcome.failure else error) from None
        fresh = self._present.get(item.key)
        if fresh is None:
            return Translated(item=item.key, language=target.code, fingerprint="")
        if (fresh.source_language, dict(fresh.source)) != (item.source_language, dict(item.source)):
            return None
        if refused:
            outcome = outcome.following(refused.outcome)
        try:
            return self._write_what_is_good(fresh, target, outcome, order)
        except FieldsRefused as error:
            result = RefusedWrite.after(
                refused,
                error,
                outcome,
                fields=self.scope.schema.fields,
                repaired=outcome.repaired & record.refused.keys(),
                can_repair=self.engine.can_repair,
            )
            if result.hopeful:
                return result
            # Directus may have refused the row because it lacks the held-back field.
            raise (outcome.failure.beside(error) if outcome.failure else error) from None

    def take_over(
        self,
        item: Item,
        target: LanguageRow,
        values: Mapping[str, JsonValue],
        *,
        fields: Mapping[str, FieldRecord],
        segments: Mapping[Segment, str],
        learnt: Mapping[Segment, str],
    ) -> Refusals | None:
        """Write human translations from outside Directus; from then on they are owned by people.

        Args:
            item: read immediately before.
            target: the language.
            values: the new value of each field.
            fields: the record of each field from then on.
            segments: the texts in the values.
            learnt: the texts that the memory stores as human.

        Returns:
            Why Directus refuses some of the fields, which stay as they are. None if the item has changed since
            it was read: nothing was written.

        Raises:
            DirectusAssetsError: Directus refuses the row, or does not answer.
        """
        earlier, row = self.record_of(item, target), item.rows.get(target.code)
        changed = {name: v for name, v in values.items() if canonical(v) != canonical(target_value(item, target, name))}
        made = self._row_to_make(earlier, item, target) if changed and row is None else earlier.row
        refused: Refusals = {}
        try:
            if changed and not self._writer.write(item, target, changed):
                return None
        except FieldsRefused as error:
            refused = dict(error.fields)
        # After the write: a text without a record counts as human as well.
        assignment = self.assignment(item, target)
        known = {
            segment_key(segment): Remembered(
                text=text, glossary=digest_of_terms(assignment.terms_in(segment)), engine=self.engine.name
            )
            for segment, text in segments.items()
        }
        theirs = {name: record for name, record in fields.items() if name not in refused}
        seen = {segment_key(segment): text for segment, text in learnt.items()}
        self._remember(
            item,
            target,
            lambda found: replace(
                found.with_fields(theirs).having_seen(seen),
                segments={**found.segments, **known},
                row=row.key if row else made,
            ),
        )
        if row is None and made == "":
            self._remember_row(item, target)
        self.recall(assignment).learn_texts(learnt)
        return refused

    def recall(self, assignment: Assignment) -> Recall:
        """The translation memory for this assignment."""
        return Recall(self.memory, self.engine, assignment)

    @cached_property
    def _company(self) -> Company:
        """The translations in progress."""
        return Company()

    @cached_property
    def _present(self) -> Together[str, Item]:
        """The current items, read in batches for all languages and items in progress."""
        read = partial(read_items, self.client, self.scope, matching_only=False)
        return Together(lambda keys: {item.key: item for item in read(keys)}, company=self._company)

    @cached_property
    def _writer(self) -> RowWriter:
        return RowWriter(self.client, self.scope, self._company)

    def record_of(self, item: Item, target: LanguageRow) -> TranslationRecord:
        """The current record: another run may be processing the same item."""
        known = self.records.load(self.scope.name, item.key, target.code)
        return known.translated_from(item.source_language, project=self.scope.source.code)

    def _remember(
        self, item: Item, target: LanguageRow, change: Callable[[TranslationRecord], TranslationRecord]
    ) -> None:
        def changed(known: TranslationRecord) -> TranslationRecord:
            return change(known.translated_from(item.source_language, project=self.scope.source.code))

        self.records.update(self.scope.name, item.key, target.code, changed)

    def _field(self, name: str) -> TextField:
        return next(field for field in self.scope.schema.fields if field.name == name)

    def share(
        self, record: TranslationRecord, item: Item, target: LanguageRow, name: str, order: Order = NO_ORDER
    ) -> Share:
        """The current state of a field."""
        return Share.of(
            self._field(name),
            record.fields.get(name),
            source=item.source[name],
            target=target_value(item, target, name),
            reviews=order.reviews_of(name),
        )

    def _remembered(
        self,
        record: TranslationRecord,
        item: Item,
        target: LanguageRow,
        ours: Mapping[str, Document],
        order: Order,
    ) -> Mapping[str, Remembered]:
        """Translations that need not be requested, including those used only where a human text stays, whatever has
        changed since.
        """
        settled: dict[str, bool] = {}
        for name, document in ours.items():
            of_field = self.share(record, item, target, name, order).settled
            for key in map(segment_key, document.segments):
                settled[key] = settled.get(key, True) and of_field.get(key, False)
        segments = {segment_key(segment): segment for document in ours.values() for segment in document.segments}
        assignment = self.assignment(item, target)
        current = {
            key: replace(
                record.segments[key],
                glossary=digest_of_terms(assignment.terms_in(segments[key])),
                engine=self.engine.name,
            )
            for key, is_settled in settled.items()
            if is_settled and key in record.segments
        }
        return {**order.remembered(record, ours).segments, **current}

    def _write_what_is_good(
        self, item: Item, target: LanguageRow, outcome: TranslationOutcome, order: Order
    ) -> Translated | None:
        """Like `_write`. If fields are held back, the others are written, but the item still fails."""
        written = self._write(item, target, outcome, order)
        if written is not None and outcome.failure:
            raise outcome.failure
        return written

    def _write(self, item: Item, target: LanguageRow, outcome: TranslationOutcome, order: Order) -> Translated | None:
        # After the row, never before it: whoever writes a row has recorded beforehand that the text is ours.
        earlier = self.record_of(item, target)
        outcome = replace(outcome, values={**outcome.values, **self._lasting(earlier, item, target)})
        names = [name for name in item.source if name not in outcome.held]
        shares = {name: self.share(earlier, item, target, name, order) for name in names}
        if any(n not in outcome.values and share.whose is not Standing.HUMAN for n, share in shares.items()):
            return None  # A field that was human no longer is, so there is no translation of it yet.
        recall = self.recall(self.assignment(item, target))
        lessons = recall.lessons(earlier, shares.values())
        recall.learn(lessons)
        decisions = {name: share.decide(outcome.values.get(name)) for name, share in shares.items()}
        wanted = {n: d.value for n, d in decisions.items() if d.action is FieldAction.WRITE}
        blocked = {n: why for n, value in wanted.items() if (why := self._refusal(earlier, n, value))}
        values = {name: value for name, value in wanted.items() if name not in blocked}
        reviews = [n for n, d in decisions.items() if d.action is FieldAction.REVIEW or d.conflicts]
        row = item.rows.get(target.code)
        record = replace(
            earlier.with_fields({name: decision.record for name, decision in decisions.items()}),
            row=row.key if row else self._row_to_make(earlier, item, target) if values else earlier.row,
        )
        record = record.having_seen({each.key: each.text for each in lessons})
        record = record.remembering_only({**self._kept(earlier, item, decisions), **outcome.segments})
        # Record the intention first, then write: text from a killed run is then recognised as ours.
        if not self.records.replace(earlier, replace(record, corrected=outcome.corrected)):
            return None
        if blocked or values:
            if not self._put(item, target, values, blocked, outcome):
                return None
            if any(_is_to_confirm(each) for each in decisions.values()):
                # Our earlier text would no longer count as ours if a human restored it; a first text has no
                # predecessor.
                self._remember(item, target, TranslationRecord.confirmed)
            if record.row == "":
                self._remember_row(item, target)
        if reviews and row and self.propose_in_versions:
            proposals = {name: decisions[name].resolved for name in reviews}
            save_proposals(
                self.client,
                self.scope.schema.translations,
                row.key,
                proposals,
                is_versioned=self.scope.schema.is_versioned,
                setting="translations.review",
            )
        return Translated(
            item=item.key,
            language=target.code,
            fingerprint=self.fingerprint(item, target),
            written=tuple(values),
            texts=tuple((name, canonical(item.source[name]), canonical(value)) for name, value in values.items()),
            kept=tuple(n for n, d in decisions.items() if d.action is FieldAction.KEEP),
            reviews=tuple(
                review for name in reviews for review in reviews_of(name, earlier, item, target, decisions[name])
            ),
            left=uncut(self.scope, item),
            has_duplicates=target.code in item.duplicates,
            row=row.key if row else None,
            reused=outcome.reused,
            sent=outcome.sent,
        )

    def _refusal(self, record: TranslationRecord, name: str, value: JsonValue) -> str:
        """Why Directus has refused this value before; empty if it has not."""
        return record.refused.get(name, {}).get(refusal_key(self._field(name), value), "")

    def _put(
        self,
        item: Item,
        target: LanguageRow,
        values: Mapping[str, JsonValue],
        blocked: Mapping[str, str],
        outcome: TranslationOutcome,
    ) -> bool:
        """Write values like `RowWriter.write`, and record what Directus refuses.

        Raises:
            FieldsRefused: Directus refuses some, or has refused the `blocked` ones before (with the reasons).
        """
        written: Collection[str] = tuple(values)
        refused: Mapping[str, str] = {}
        try:
            if values and not self._writer.write(item, target, values):
                return False
        except FieldsRefused as error:
            written, refused = error.written, error.fields
            keys = {
                name: {refusal_key(self._field(name), value): why for value in (values[name], outcome.values.get(name))}
                for name, why in refused.items()
                if name in values
            }
            self._remember(item, target, lambda known: known.refusing(keys))
        if blocked or refused:
            raise FieldsRefused(self.scope.schema.translations, {**blocked, **refused}, written=written)
        return True

    def _kept(
        self, earlier: TranslationRecord, item: Item, decisions: Mapping[str, FieldDecision]
    ) -> Mapping[str, Remembered]:
        """Translations for fields that are currently human, which may be needed again."""
        names = [n for n, d in decisions.items() if d.action is FieldAction.KEEP and d.record.ours]
        documents = {name: each for name, each in cut_item(self.scope, item).items() if name in names} if names else {}
        keys = (segment_key(segment) for document in documents.values() for segment in document.segments)
        return {key: earlier.segments[key] for key in keys if key in earlier.segments}

    def _remember_row(self, item: Item, target: LanguageRow) -> None:
        """If rows may be hidden, record that a row was created."""
        fresh = self._present.get(item.key)
        if fresh and (row := fresh.rows.get(target.code)):
            self._remember(item, target, lambda known: replace(known, row=row.key))

    def _row_to_make(self, record: TranslationRecord, item: Item, target: LanguageRow) -> str | None:
        """The record of the row before it is created.

        Raises:
            Forbidden: it may exist already.
        """
        if record.has_seen_a_row:
            self._writer.require_deleted(item.key, target, record.row)
            return record.row
        return None if self._writer.sees_all_rows else ""

    def _lasting(self, record: TranslationRecord, item: Item, target: LanguageRow) -> dict[str, JsonValue]:
        """Our addresses whose source is unchanged: a page keeps its address, whatever its words would be today."""
        lasting: dict[str, JsonValue] = {}
        for text_field in self.scope.schema.fields:
            name, value = text_field.name, target_value(item, target, text_field.name)
            known = record.fields.get(name)
            if text_field.kind not in ("slug", "path") or known is None or not isinstance(value, str) or not value:
                continue
            rule = rule_of(text_field)
            is_ours = standing(known, source=item.source.get(name), target=value) is Standing.OURS
            if is_ours and known.source == canonical(item.source.get(name)) and (rule is None or rule.accepts(value)):
                lasting[name] = value
        return lasting

    def fingerprint(self, item: Item, target: LanguageRow) -> str:
        """A digest of everything that determines the translation of `item` into `target`."""
        return fingerprint(self.scope, item, target, self.glossary, is_pseudo=self.engine.name == pseudo.NAME)

    def assignment(self, item: Item, target: LanguageRow) -> Assignment:
        """The assignment for the item."""
        return Assignment(
            source=language(item.source_language),
            target=language(target.code),
            glossary=self.glossary,
            style_guide=self.style_guide,
            voice=self.voices.get(target.code, NO_VOICE),
        )

    def shown(self, record: TranslationRecord, item: Item, target: LanguageRow) -> Assignment:
        """The assignment for the item, with the context shown for single segments."""
        documents = cut_item(self.scope, item)
        found: dict[str, Surroundings] = {}
        for text_field in self.scope.schema.fields:
            if (document := documents.get(text_field.name)) is None:
                continue
            known = record.fields.get(text_field.name)
            about = surroundings(
                text_field,
                document,
                earlier=_earlier_segments(text_field, known, item.source[text_field.name]),
                remembered=record.segments,
                wordings=self.share(record, item, target, text_field.name).wordings,
            )
            found = {**about, **found}
        title = title_of(documents)
        near = None
        if title:
            key = segment_key(title)
            own = record.segments.get(key)
            near = Near(key=key, wording=Wording(source=title.text, translation=own.text if own else ""))
        texts = tuple(segment.text for document in documents.values() for segment in document.segments)
        return replace(self.assignment(item, target), title=near, surroundings=found, document=texts)


def _with_earlier(result: Translated, refused: RefusedWrite) -> Translated:
    """The result for an item, including what was written before Directus refused the rest."""
    return replace(result, written=tuple(dict.fromkeys((*refused.written, *result.written))))


def _earlier_segments(text_field: TextField, known: FieldRecord | None, source: JsonValue) -> Sequence[Segment]:
    """The segments of the last translated source; none if there is no such source, or if it is the current one."""
    if known is None or known.source == canonical(source):
        return ()
    try:
        return cut_field(text_field, known.source).segments
    except BadInput:
        return ()


def _is_to_confirm(decision: FieldDecision) -> bool:
    """Whether the intention recorded for a killed run has to be cleared after the write."""
    return bool(decision.record.before or (decision.record.written and decision.record.intended))


def refuse_unknown_language(scope: Scope, item: Item) -> None:
    """Raise PermanentError if an item states a language that the project does not have."""
    if scope.schema.language(item.source_language) is None:
        raise PermanentError(
            f"Item {item.key} of {scope.collection} has '{item.source_language}' in '{scope.source_field}', but "
            f"{scope.schema.languages_collection} has no language with that key or code.",
            remedy="Choose a language there, or leave it empty to use the project's source language.",
        )


def refuse_duplicates(scope: Scope, item: Item, code: str) -> None:
    """Raise PermanentError if it is unclear which row of a language counts."""
    if code in item.duplicates:
        raise _SeveralRows(
            f"Item {item.key} of {scope.collection} has more than one row for {code} in {scope.schema.translations}.",
            remedy="Delete all but one of them in Directus; until then we cannot tell which one counts.",
        )
