"""Reverts what an enrichment has written (see `ownership.take_back`), wherever it is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from directus_assets.directus.client import DirectusClient, items_path
from directus_assets.directus.compare_and_set import CompareAndSet
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.questions import source_code
from directus_assets.enrichment.records import EnrichmentRecord, target_name
from directus_assets.enrichment.rows import comparable, compare_and_set
from directus_assets.ownership.field_records import digest
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.take_back import (
    OverwrittenRow,
    Period,
    of_earlier,
    plan_row,
    read_writes,
    take_back,
    written_in,
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A target of an enrichment: fields of one collection."""

    table: CompareAndSet
    item_field: str
    """The field with the key of the item."""
    names: tuple[str, ...]
    languages: Mapping[str, str] | None = None
    """For a translations collection: the codes by the keys of languages."""
    language_field: str = ""
    made_with: frozenset[str] | None = None
    """As for `plan_row`."""
    holds_results: bool = False
    """Whether its rows themselves are results."""


@dataclass(frozen=True)
class EnrichmentRevert:
    """Reverts what one enrichment has written.

    Args:
        client: Directus.
        declaration: the enrichment.
        records: the enrichment records.
        place: the target.
    """

    client: DirectusClient
    declaration: Declaration
    records: RecordStore[EnrichmentRecord]
    place: Place

    def plan(self, period: Period) -> list[OverwrittenRow]:
        """Determine what can be reverted and what stays.

        Raises:
            DirectusAssetsError: Directus refuses (the token must be able to read its log with revisions) or does not
                answer.
        """
        return list(self._plan(self.place, period))

    def carry_out(self, rows: Sequence[OverwrittenRow]) -> Iterator[tuple[OverwrittenRow, str]]:
        """Restore row by row; yield each row with the reason if it could not be restored.

        Raises:
            DirectusAssetsError: Directus does not answer; rows restored before that stay restored.
        """
        for row in rows:
            if not row.is_kept:
                # Record the intention first, then write: what used to be ours is then recognised as ours again.
                self._remember(row, partial(_intending, row=row, place=self.place, code=self._code_of(row)))
                reason = take_back(self.place.table, row)
                if not reason:
                    self._remember(row, partial(_done, row=row))
                yield row, reason

    def _plan(self, place: Place, period: Period) -> Iterator[OverwrittenRow]:
        table, name = place.table, self.declaration.name
        fields = dict.fromkeys([table.key_field, place.item_field, *place.names])
        rows = self.client.rows_with(
            items_path(table.collection),
            table.key_field,
            written_in(self.client, table.collection, period),
            fields=[*fields, *([place.language_field] if place.language_field else [])],
            sort=table.key_field,
        )
        meant = {str(row[table.key_field]): row for row in rows if period.means(str(row[place.item_field]), name)}
        writes = read_writes(self.client, table.collection, list(meant), period)
        for key, row in meant.items():
            code = (place.languages or {}).get(str(row.get(place.language_field)), "")
            if place.languages is not None and not code:
                continue
            present = {field: table.comparable(field, row.get(field)) for field in place.names}
            made_with = place.made_with and {*place.made_with, table.key_field}
            plan = plan_row(writes.get(key, ()), present, made_with=made_with, comparable=table.comparable)
            before = {**present, **{field: back.earlier for field, back in plan.back.items()}}
            found = OverwrittenRow(
                key=key,
                item=str(row[place.item_field]),
                output=name,
                plan=plan,
                language=code,
                before=before if place.holds_results else {},
            )
            if not found.is_kept or plan.kept:
                yield found

    def _code_of(self, row: OverwrittenRow) -> str:
        """The language under which a target is recorded."""
        return row.language if self.declaration.languages else ""

    def _remember(self, row: OverwrittenRow, change: Callable[[EnrichmentRecord], EnrichmentRecord]) -> None:
        collection, name = self.declaration.collection.name, self.declaration.name
        if self.records.is_known(collection, row.item, name):
            self.records.update(collection, row.item, name, change)


def _intending(known: EnrichmentRecord, row: OverwrittenRow, place: Place, code: str) -> EnrichmentRecord:
    """The record with the restored values, and without an answer that turned out to be bad."""
    if place.holds_results:
        intended = (digest(dict(row.before)),) if row.was_ours and not row.plan.removed else ()
        return replace(known, answers={}, intended_rows=(*known.intended_rows, *intended))
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
