"""Reverts what an enrichment has written (see `ownership.take_back`), wherever it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.compare_and_set import CompareAndSet
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.questions import source_code
from directus_assets.enrichment.records import EnrichmentRecord, target_name
from directus_assets.enrichment.rows import comparable, compare_and_set
from directus_assets.ownership.field_records import digest
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.take_back import OverwrittenRow, Period, Place, of_earlier, plan_taking_back, take_back


@dataclass(frozen=True)
class EnrichmentRevert:
    """Reverts what one enrichment has written.

    Args:
        declaration: the enrichment.
        records: the enrichment records.
        place: the target.
    """

    declaration: Declaration
    records: RecordStore[EnrichmentRecord]
    place: Place

    def plan(self, period: Period) -> list[OverwrittenRow]:
        """Determine what can be reverted and what stays.

        Raises:
            DirectusAssetsError: Directus refuses (the token must be able to read its log with revisions) or does not
                answer.
        """
        return plan_taking_back(self.place, period, enrichment=self.declaration.name)

    def carry_out(self, rows: Sequence[OverwrittenRow]) -> Iterator[tuple[OverwrittenRow, str]]:
        """Restore row by row; yield each row with the reason if it could not be restored.

        Raises:
            DirectusAssetsError: Directus does not answer; rows restored before that stay restored.
        """
        collection = self.declaration.collection.name
        return take_back(self.place.table, rows, self.records, collection, intending=self._intending, done=_done)

    def _intending(self, known: EnrichmentRecord, row: OverwrittenRow) -> EnrichmentRecord:
        """The record with the restored values, and without an answer that turned out to be bad."""
        if self.place.holds_results:
            intended = (digest(dict(row.before)),) if row.was_ours and not row.plan.removed else ()
            return replace(known, answers={}, intended_rows=(*known.intended_rows, *intended))
        # Without languages, a target is recorded under none.
        code = row.language if self.declaration.languages else ""
        names = {target_name(code, name): back for name, back in row.plan.back.items()}
        fields = {name: of_earlier(known.fields[name], back) for name, back in names.items() if name in known.fields}
        return replace(known, answers={}, fields={**known.fields, **fields})


def _done(known: EnrichmentRecord, row: OverwrittenRow) -> EnrichmentRecord:
    stays_ours = row.was_ours and not row.plan.removed
    rows = (
        replace(each, digest=digest(dict(row.before))) if each.key == row.key else each
        for each in known.rows
        if each.key != row.key or stays_ours
    )
    return replace(known.done(), rows=tuple(rows) if row.before else known.rows)


def places_of(client: DirectusClient, declaration: Declaration) -> Iterator[Place]:
    """The targets of an enrichment."""
    schema, translated, rows = declaration.collection, declaration.translated, declaration.rows
    own = tuple(place.name for place in declaration.targets.values() if not place.is_translated)
    if own:
        yield Place(table=compare_and_set(client, schema), item_field=schema.key_field, names=own)
    fields = {place.name: place.field for place in declaration.targets.values() if place.is_translated}
    if translated and fields:
        codes = {row.code for row in declaration.languages} or {source_code(declaration)}
        yield Place(
            table=CompareAndSet(
                client,
                translated.translations,
                translated.translations_key_field,
                [name for name, field in fields.items() if field.is_filterable],
                comparable=lambda name, value: comparable(value, fields[name]) if name in fields else value,
            ),
            item_field=translated.item_field,
            names=tuple(fields),
            languages={row.key: row.code for row in translated.languages if row.code in codes},
            language_field=translated.language_field,
            made_with=frozenset({translated.item_field, translated.language_field, "status", *translated.carried}),
        )
    if rows:
        yield Place(
            table=compare_and_set(client, rows.collection),
            item_field=rows.item_field,
            names=tuple(field.name for field in rows.fields.values()),
            made_with=frozenset({rows.item_field}),
            holds_results=True,
        )
