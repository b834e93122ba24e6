"""Items with all that their enrichments are made from and written to, read from Directus and written back.

Only declared targets are written, and only those that change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from directus_assets.directus.client import DirectusClient, item_path, items_path
from directus_assets.directus.models import File, JsonValue
from directus_assets.directus.schema import LanguageRow, TextField
from directus_assets.directus.together import Together
from directus_assets.enrichment.declaration import FILES, Declaration, Place
from directus_assets.translation.items import Item, Row, read_items
from directus_assets.translation.refusals import FieldsRefused, update
from directus_assets.translation.row_writer import RowWriter
from directus_assets.translation.scope import Scope

_KEYS_PER_REQUEST = 100

_NO_LANGUAGE = LanguageRow(key="", code="")
"""Where no language is the source, all rows of translations are read alike."""


@dataclass(frozen=True, kw_only=True)
class EnrichedItem:
    """One item."""

    key: str
    own: Mapping[str, JsonValue]
    """Fields of the item itself."""
    rows: Mapping[str, Row] = field(default_factory=dict)
    """Its translations, by language code."""
    files: Mapping[str, File] = field(default_factory=dict)
    """The files that its picture fields point to, by field."""
    matches: frozenset[str] = frozenset()
    """The enrichments whose filter it matches, by name."""

    def value(self, place: Place, code: str) -> JsonValue:
        """What is in a field; of translations, in the language `code`."""
        if not place.is_translated:
            return self.own.get(place.name)
        row = self.rows.get(code)
        return row.values.get(place.name) if row else None


@dataclass(frozen=True)
class ItemReader:
    """Reads and writes the items of one collection.

    Args:
        client: Directus.
        declarations: all enrichments of that collection, at least one: what one of them needs is read for all.
    """

    client: DirectusClient
    declarations: Sequence[Declaration]

    @cached_property
    def collection(self) -> str:
        """The name of the collection."""
        return self.declarations[0].collection.name

    @cached_property
    def filters(self) -> list[dict[str, Any]]:
        """The filters that there are; an empty one for all items."""
        found: list[dict[str, Any]] = []
        for declaration in self.declarations:
            if declaration.options.filter not in found:
                found.append(declaration.options.filter)
        return found

    def read(self, keys: Iterable[str], *, matching: bool = True) -> list[EnrichedItem]:
        """The items with these keys, those that exist.

        Args:
            keys: primary keys, as text.
            matching: whether to look which filters they match.
        """
        wanted = list(dict.fromkeys(keys))
        found: list[EnrichedItem] = []
        for start in range(0, len(wanted), _KEYS_PER_REQUEST):
            found += self._read_some(wanted[start : start + _KEYS_PER_REQUEST], matching=matching)
        return found

    @cached_property
    def present(self) -> Together[str, EnrichedItem]:
        """Items as they are now, whatever they match, read for all enrichments and items at work together."""
        return Together(lambda keys: {item.key: item for item in self.read(keys, matching=False)})

    def keys_page(self, *, page: int, size: int) -> list[str]:
        """Page `page` (from 1) of the keys of all items that one of the filters matches, in the order of keys."""
        if self._schema.is_singleton and page > 1:
            return []
        key = self._schema.key_field
        anything = {} if {} in self.filters else {"_or": self.filters}
        rows = self._rows(fields=[key], filter=anything, sort=key, page=page, limit=size)
        return [str(row[key]) for row in rows if row.get(key) is not None]

    def existing(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that Directus has an item for."""
        return set(self._matching(keys, {}))

    def of_files(self, files: Sequence[str]) -> list[str]:
        """The items whose pictures are among these files."""
        if self.collection == FILES:
            return list(files)
        key = self._schema.key_field
        found: list[str] = []
        for start in range(0, len(files), _KEYS_PER_REQUEST):
            some = list(files[start : start + _KEYS_PER_REQUEST])
            condition = {"_or": [{name: {"_in": some}} for name in self._picture_fields]}
            found += [str(row[key]) for row in self._rows(fields=[key], filter=condition, limit=-1)]
        return found

    def of_rows(self, row_keys: Sequence[str]) -> list[str]:
        """The items that these rows of translations belong to; deleted rows belong to none."""
        if self.scope is None:
            return []
        schema = self.scope.schema
        found: list[str] = []
        for start in range(0, len(row_keys), _KEYS_PER_REQUEST):
            some = {schema.translations_key_field: {"_in": list(row_keys[start : start + _KEYS_PER_REQUEST])}}
            rows = self.client.get(items_path(schema.translations), fields=[schema.item_field], filter=some, limit=-1)
            found += [str(row[schema.item_field]) for row in rows if row.get(schema.item_field) is not None]
        return found

    def write(self, item: EnrichedItem, values: Mapping[str, JsonValue]) -> None:
        """Writes these fields of the item itself.

        Raises:
            FieldsRefused: Directus does not take some of the fields; the others are written.
            DirectusAssetsError: Directus refuses or does not answer.
        """
        is_singleton = self._schema.is_singleton
        path = items_path(self.collection) if is_singleton else item_path(self.collection, item.key)
        if refused := update(lambda left: self.client.patch(path, dict(left)), values):
            raise FieldsRefused(self.collection, refused)

    def write_language(self, item: EnrichedItem, language: LanguageRow, values: Mapping[str, JsonValue]) -> bool:
        """Writes these fields of one language; whether it was written (see `RowWriter.write`)."""
        return self._writer.write(Item(key=item.key, source_language="", source={}, rows=item.rows), language, values)

    @cached_property
    def _writer(self) -> RowWriter:
        assert self.scope is not None  # noqa: S101 - a target in the translations is what made it
        return RowWriter(self.client, self.scope)

    @cached_property
    def scope(self) -> Scope | None:
        """The translations of the items, where one of the enrichments has to do with them."""
        concerned = [each for each in self.declarations if each.needs_rows]
        if not concerned or concerned[0].translated is None:
            return None
        names = {
            place.name: TextField(name=place.name, kind="plain")
            for each in concerned
            for place in (*each.inputs, *each.targets.values())
            if place.is_translated
        }
        schema = replace(concerned[0].translated, fields=tuple(names.values()), item_fields=())
        return Scope(schema=schema, source=_NO_LANGUAGE, targets=schema.languages, filter={})

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

    def _read_some(self, keys: list[str], *, matching: bool) -> list[EnrichedItem]:
        key = self._schema.key_field
        found = self._rows(fields=self._own_fields, filter={key: {"_in": keys}}, limit=-1)
        rows = {str(row[key]): row for row in found if str(row.get(key)) in keys}
        scope = self.scope
        translations = {item.key: item.rows for item in read_items(self.client, scope, rows)} if scope else {}
        pictures = {str(row[name]) for row in rows.values() for name in self._picture_fields if row.get(name)}
        files = {file.id: file for file in self.client.files_by_id(sorted(pictures))} if pictures else {}
        matches = self._matches(list(rows)) if matching else {}
        return [
            EnrichedItem(
                key=each,
                own=rows[each],
                rows=translations.get(each, {}),
                files={
                    name: files[pic] for name in self._picture_fields if (pic := str(rows[each].get(name))) in files
                },
                matches=matches.get(each, frozenset()),
            )
            for each in keys
            if each in rows
        ]

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
        found: list[str] = []
        for start in range(0, len(keys), _KEYS_PER_REQUEST):
            conditions: list[Any] = [{key: {"_in": list(keys[start : start + _KEYS_PER_REQUEST])}}]
            if condition:
                conditions.append(condition)
            found += [str(row[key]) for row in self._rows(fields=[key], filter={"_and": conditions}, limit=-1)]
        return [each for each in found if each in wanted]

    def _rows(self, **query: Any) -> list[dict[str, Any]]:
        """Rows of the collection; a singleton answers with its only one."""
        path = items_path(self.collection)
        answer = self.client.get(path, **{name: value for name, value in query.items() if value})
        return [answer] if isinstance(answer, dict) else list(answer or [])
