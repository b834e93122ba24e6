"""Reverts what we wrote over translations (see `ownership.take_back`).

The translation memory forgets reverted translations, so that they are not reused for other items.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.compare_and_set import CompareAndSet
from directus_assets.directus.models import JsonValue
from directus_assets.errors import BadInput
from directus_assets.ownership.field_records import canonical
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.take_back import OverwrittenRow, Period, Place, of_earlier, plan_taking_back, take_back
from directus_assets.translation.cut_fields import cut_field
from directus_assets.translation.languages import language
from directus_assets.translation.memory import Memory, pair_of
from directus_assets.translation.memory_index import without_tags
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.scope import Scope
from directus_assets.translation.segments.model import BadAnswer, Segment, segment_key


@dataclass(frozen=True)
class TranslationRevert:
    """Reverts our writes to the translations of one collection.

    Args:
        client: Directus.
        scope: the collection.
        records: the translation records.
        languages: limits the revert to these language codes; all if empty.
        memory: the translation memory; None if the collection does not use it.
    """

    client: DirectusClient
    scope: Scope
    records: RecordStore[TranslationRecord]
    languages: Collection[str] = ()
    memory: Memory | None = None

    def plan(self, period: Period) -> list[OverwrittenRow]:
        """Determine what can be reverted and what stays.

        Raises:
            DirectusAssetsError: Directus refuses (the token must be able to read its log with revisions) or does not
                answer.
        """
        return plan_taking_back(self._place, period)

    def carry_out(self, rows: Sequence[OverwrittenRow]) -> Iterator[tuple[OverwrittenRow, str]]:
        """Restore row by row; yield each row with the reason if it could not be restored.

        Raises:
            DirectusAssetsError: Directus does not answer; rows restored before that stay restored.
        """
        self._forget([row for row in rows if not row.is_kept])
        return take_back(
            self._place.table,
            rows,
            self.records,
            self.scope.name,
            intending=self._intending,
            done=lambda known, _: replace(known.confirmed(), waits=True),
        )

    @property
    def _place(self) -> Place:
        schema = self.scope.schema
        key, item, language_field = schema.translations_key_field, schema.item_field, schema.language_field
        filterable = [field.name for field in schema.fields if field.is_filterable]
        return Place(
            table=CompareAndSet(self.client, schema.translations, key, filterable),
            item_field=item,
            names=tuple(field.name for field in schema.fields),
            languages={
                row.key: row.code for row in schema.languages if not self.languages or row.code in self.languages
            },
            language_field=language_field,
            made_with=frozenset({item, language_field, "status", *self.scope.carried}),
        )

    def _forget(self, rows: Iterable[OverwrittenRow]) -> None:
        """Remove reverted translations from the memory; human ones stay."""
        bad: dict[str, set[str]] = {}
        for row in rows if self.memory else ():
            known = self.records.load(self.scope.name, row.item, row.output)
            source = known.source_language or self.scope.source.code
            bad.setdefault(pair_of(source, row.output), set()).update(self._bad_texts(row))
        for pair, texts in bad.items():
            if self.memory:
                self.memory.forget(pair, texts)

    def _bad_texts(self, row: OverwrittenRow) -> Iterator[str]:
        """The reverted translations, except those that the restored value contains as well.

        They are cut out of the values themselves: a record only knows those of the last write.
        """
        for name, values in row.plan.bad.items():
            earlier = row.plan.back[name].earlier if name in row.plan.back else None
            good = {without_tags(each.text) for each in self._segments(name, earlier)}
            found = {each.text for value in values for each in self._segments(name, value)}
            yield from (text for text in found if without_tags(text) not in good)

    def _segments(self, name: str, value: JsonValue) -> Sequence[Segment]:
        """The segments of a field's value; none if it cannot be segmented."""
        text_field = next(each for each in self.scope.schema.fields if each.name == name)
        try:
            return cut_field(text_field, value).segments
        except BadInput:
            return ()

    def _intending(self, known: TranslationRecord, row: OverwrittenRow) -> TranslationRecord:
        """The record with the restored values, and without translations that turned out to be bad.

        If human versions propagated from other items are reverted, the earlier versions are valid again, and the
        propagated ones are not applied here again.
        """
        back = {name: each for name, each in row.plan.back.items() if name in known.fields}
        if not known.corrected or not all(each.is_last_write for each in row.plan.back.values()):
            fields = {name: of_earlier(known.fields[name], each) for name, each in back.items()}
            return replace(known.with_fields(fields), segments={}, answers=())
        taken_back = {key: known.segments[key].text for key in known.corrected if key in known.segments}
        before = replace(known.having_seen(taken_back), segments={**known.segments, **known.corrected}, corrected={})
        fields = {
            name: of_earlier(known.fields[name], each, ours=self._ours(before, name, row.output))
            for name, each in back.items()
        }
        return before.with_fields(fields)

    def _ours(self, record: TranslationRecord, name: str, code: str) -> str:
        """Our translation of a field according to the record; empty if it cannot be determined."""
        text_field = next(each for each in self.scope.schema.fields if each.name == name)
        try:
            document = cut_field(text_field, record.fields[name].source)
            texts = {each.id: record.segments[segment_key(each)].text for each in document.segments}
            return canonical(document.splice(texts, language=language(code).tag))
        except (BadAnswer, BadInput, KeyError):
            return ""
