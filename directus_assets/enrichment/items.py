"""Reads items with everything that their enrichments need, and writes the results back to Directus.

Writes only declared targets, and only those that change.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from directus_assets.directus.client import DirectusClient, items_path
from directus_assets.directus.compare_and_set import CompareAndSet, Values
from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.models import File, JsonValue
from directus_assets.directus.schema import LanguageRow
from directus_assets.directus.together import Together
from directus_assets.enrichment.declaration import FILES, Declaration, TargetField
from directus_assets.enrichment.rows import compare_and_set
from directus_assets.errors import ChangedMeanwhile
from directus_assets.ownership.refusals import FieldsRefused, update
from directus_assets.translation.items import Item, Row, items_of_rows, read_items
from directus_assets.translation.row_writer import RowWriter
from directus_assets.translation.scope import Scope

_NO_LANGUAGE = LanguageRow(key="", code="")
"""Used if no language is the source: all translation rows are then read alike."""


@dataclass(frozen=True, kw_only=True)
class EnrichedItem:
    """One item."""

    key: str
    own: Mapping[str, JsonValue]
    """Fields of the item itself."""
    rows: Mapping[str, Row] = field(default_factory=dict)
    """Its translations, by language code."""
    files: Mapping[str, File] = field(default_factory=dict)
    """The files referenced by its picture fields, by field."""
    matches: frozenset[str] = frozenset()
    """The enrichments whose filter it matches, by name."""

    def value(self, place: TargetField, code: str) -> JsonValue:
        """The value of a field; for translations, in the language `code`."""
        if not place.is_translated:
            return self.own.get(place.name)
        row = self.rows.get(code)
        return row.values.get(place.name) if row else None


@dataclass(frozen=True)
class ItemReader:
    """Reads and writes the items of one collection.

    Args:
        client: Directus.
        declarations: all enrichments of that collection, at least one: the fields that any of them needs are read for
            all.
    """

    client: DirectusClient
    declarations: Sequence[Declaration]

    @cached_property
    def collection(self) -> str:
        """The name of the collection."""
        return self.declarations[0].collection.name

    @cached_property
    def filters(self) -> list[dict[str, Any]]:
        """The filters of the enrichments; an empty one matches all items."""
        found: list[dict[str, Any]] = []
        for declaration in self.declarations:
            if declaration.options.filter not in found:
                found.append(declaration.options.filter)
        return found

    def read(self, keys: Iterable[str], *, matching: bool = True) -> list[EnrichedItem]:
        """The existing items with these keys.

        Args:
            keys: primary keys, as text.
            matching: whether to determine the filters that they match.
        """
        key, wanted = self._schema.key_field, list(dict.fromkeys(keys))
        found = {str(row.get(key)): row for row in self._with(key, wanted, fields=self._own_fields)}
        rows = {each: found[each] for each in wanted if each in found}
        scope = self.scope
        translations = {item.key: item.rows for item in read_items(self.client, scope, rows)} if scope else {}
        pictures = {str(row[name]) for row in rows.values() for name in self._picture_fields if row.get(name)}
        files = {file.id: file for file in self.client.files_by_id(sorted(pictures))} if pictures else {}
        matches = self._matches(list(rows)) if matching else {}
        return [
            EnrichedItem(
                key=each,
                own=row,
                rows=translations.get(each, {}),
                files={name: files[pic] for name in self._picture_fields if (pic := str(row.get(name))) in files},
                matches=matches.get(each, frozenset()),
            )
            for each, row in rows.items()
        ]

    @cached_property
    def present(self) -> Together[str, EnrichedItem]:
        """The current items, whatever they match, read in batches for all enrichments and items in progress."""
        return Together(lambda keys: {item.key: item for item in self.read(keys, matching=False)})

    def keys_page(self, *, page: int, size: int) -> list[str]:
        """Page `page` (from 1) of the keys of all items that match one of the filters, sorted by key."""
        key, start = self._schema.key_field, (page - 1) * size
        anything = {} if {} in self.filters else {"_or": self.filters}
        path = items_path(self.collection)
        rows = self.client.rows(path, start=start, most=size, fields=[key], filter=anything, sort=key)
        return [str(row[key]) for row in rows if row.get(key) is not None]

    def existing(self, keys: Sequence[str]) -> set[str]:
        """The keys that have an item in Directus."""
        return set(self._matching(keys, {}))

    def of_files(self, files: Sequence[str]) -> list[str]:
        """The items with pictures among these files."""
        if self.collection == FILES:
            return list(files)
        key = self._schema.key_field
        rows = (row for name in self._picture_fields for row in self._with(name, files, fields=[key]))
        return list(dict.fromkeys(str(row[key]) for row in rows))

    def of_rows(self, row_keys: Sequence[str]) -> list[str]:
        """The items that these translation rows belong to; deleted rows belong to none."""
        return items_of_rows(self.client, self.scope, row_keys) if self.scope else []

    def write(self, item: EnrichedItem, values: Values) -> bool:
        """Write these fields of the item itself.

        Returns:
            Whether they were written. If not, the item has changed since it was read: read it again, and decide anew.

        Raises:
            FieldsRefused: Directus refuses some of the fields; the others are written.
            DirectusAssetsError: Directus refuses or does not answer.
        """
        old = {name: item.own.get(name) for name in values}
        try:
            refused = update(
                lambda left: self._items.replace(item.key, {name: old[name] for name in left}, left), values
            )
        except ChangedMeanwhile:
            return False
        if refused:
            raise FieldsRefused(self.collection, refused)
        return True

    @cached_property
    def _items(self) -> CompareAndSet:
        return compare_and_set(self.client, self._schema)

    def write_language(self, item: EnrichedItem, language: LanguageRow, values: Mapping[str, JsonValue]) -> bool:
        """Write these fields of one language; return whether they were written (see `RowWriter.write`)."""
        source = next(
            (
                item.rows[each.source.code]
                for each in self.declarations
                if each.source and each.source.code in item.rows
            ),
            None,
        )
        carried = {name: value for name, value in (source.carried.items() if source else ()) if value is not None}
        row = Item(key=item.key, source_language="", source={}, rows=item.rows, carried=carried)
        return self._writer.write(row, language, values)

    def require_row_deleted(self, item: EnrichedItem, language: LanguageRow) -> None:
        """Check that a missing row is not merely hidden (see `RowWriter.require_deleted`)."""
        self._writer.require_deleted(item.key, language)

    @cached_property
    def _writer(self) -> RowWriter:
        assert self.scope is not None  # noqa: S101 - only a target in the translations leads here
        return RowWriter(self.client, self.scope)

    @cached_property
    def scope(self) -> Scope | None:
        """The scope of the items' translations, if one of the enrichments uses them."""
        concerned = [each for each in self.declarations if each.needs_rows]
        if not concerned or concerned[0].translated is None:
            return None
        names = {
            place.name: TextField(name=place.name, kind="plain", is_filterable=place.field.is_filterable)
            for each in concerned
            for place in (*each.inputs, *each.targets.values())
            if place.is_translated
        }
        schema = replace(concerned[0].translated, fields=tuple(names.values()), item_fields=())
        carried = tuple(name for name in schema.carried if name not in names and name != "status")
        return Scope(schema=schema, source=_NO_LANGUAGE, targets=schema.languages, filter={}, carried=carried)

    @property
    def _schema(self) -> Any:
        return self.declarations[0].collection

    @cached_property
    def _picture_fields(self) -> list[str]:
        return list(dict.fromkeys(each.options.picture for each in self.declarations if each.options.picture))

    @cached_property
    def _own_fields(self) -> list[str]:
        places = (place for each in self.declarations for place in (*each.inputs, *each.targets.values()))
        own = [place.name for place in places if not place.is_translated]
        return list(dict.fromkeys([self._schema.key_field, *own, *self._picture_fields]))

    def _matches(self, keys: Sequence[str]) -> dict[str, frozenset[str]]:
        by_key: dict[str, set[str]] = {key: set() for key in keys}
        for condition in self.filters:
            names = {each.name for each in self.declarations if each.options.filter == condition}
            for key in self._matching(keys, condition) if condition else keys:
                by_key[key] |= names
        return {key: frozenset(names) for key, names in by_key.items()}

    def _matching(self, keys: Sequence[str], condition: Mapping[str, Any]) -> list[str]:
        key = self._schema.key_field
        wanted = set(keys)
        found = (str(row[key]) for row in self._with(key, keys, matching=condition, fields=[key]))
        return [each for each in found if each in wanted]

    def _with(self, field: str, values: Iterable[str], **query: Any) -> Iterator[dict[str, Any]]:
        """The rows of the collection with one of these values in a field."""
        return self.client.rows_with(items_path(self.collection), field, values, sort=self._schema.key_field, **query)
