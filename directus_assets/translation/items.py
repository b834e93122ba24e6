"""Items and their translation rows in Directus."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from directus_assets.directus.client import NO_FILTER, DirectusClient, items_path
from directus_assets.directus.models import JsonValue
from directus_assets.directus.schema import LanguageRow
from directus_assets.ownership.protection import is_empty
from directus_assets.translation.scope import Scope


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the translations collection."""

    key: str
    values: Mapping[str, JsonValue]
    """The translated fields."""
    carried: Mapping[str, JsonValue] = field(default_factory=dict)
    """The fields without text that new rows start with."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item with everything that its translation is made from and written to."""

    key: str
    source_language: str
    """The code of its language; if that is not one of the project's, the value of its language field."""
    source: Mapping[str, JsonValue]
    """The translated fields in the source language; empty if the item has no source row yet."""
    rows: Mapping[str, Row]
    """The target rows, by language code."""
    carried: Mapping[str, JsonValue] = field(default_factory=dict)
    """Initial values of a new row: the source's fields without text."""
    duplicates: tuple[str, ...] = ()
    """Codes of languages that have more than one row."""


def read_items(client: DirectusClient, scope: Scope, keys: Iterable[str], *, matching_only: bool = True) -> list[Item]:
    """The existing items with these keys.

    Args:
        client: Directus.
        scope: the collection, fields and languages.
        keys: primary keys, as text.
        matching_only: skip items that the scope's filter excludes.
    """
    schema, wanted = scope.schema, list(dict.fromkeys(keys))
    names = [each.name for each in schema.fields]
    on_item = [*names, *(name for name in scope.carried if name in schema.carried_on_item)]
    fields = [schema.key_field, *(on_item if scope.source_on_item else ())]
    fields += [scope.source_field] if scope.source_field else []
    parents = client.rows_with(
        items_path(scope.collection),
        schema.key_field,
        wanted,
        matching=scope.filter if matching_only else NO_FILTER,
        fields=fields,
        sort=schema.key_field,
    )
    by_key = {str(row.get(schema.key_field)): row for row in parents}
    there = [key for key in wanted if key in by_key]
    rows = _translations(client, scope, there, names)
    return [_item(scope, key, by_key[key], rows.get(key, ()), names) for key in there]


def item_keys(client: DirectusClient, scope: Scope, *, page: int, size: int) -> list[str]:
    """Page `page` (from 1) of the keys of all items that match the scope's filter, sorted by key."""
    key = scope.schema.key_field
    path, start = items_path(scope.collection), (page - 1) * size
    rows = client.rows(path, start=start, most=size, fields=[key], filter=scope.filter, sort=key)
    return [str(row[key]) for row in rows if row.get(key) is not None]


def existing_keys(client: DirectusClient, scope: Scope, keys: Sequence[str]) -> set[str]:
    """The keys that have an item in Directus, whether it matches the scope's filter or not."""
    key = scope.schema.key_field
    rows = client.rows_with(items_path(scope.collection), key, keys, fields=[key], sort=key)
    return {str(row[key]) for row in rows if row.get(key) is not None}


def items_of_rows(client: DirectusClient, scope: Scope, row_keys: Sequence[str]) -> list[str]:
    """The items that these translation rows belong to; deleted rows belong to none."""
    schema = scope.schema
    key = schema.translations_key_field
    rows = client.rows_with(f"/items/{schema.translations}", key, row_keys, fields=[schema.item_field], sort=key)
    return [str(row[schema.item_field]) for row in rows if row.get(schema.item_field) is not None]


def _translations(
    client: DirectusClient, scope: Scope, keys: Sequence[str], names: Sequence[str]
) -> dict[str, list[tuple[str, Row]]]:
    """The rows of these items, each with its language code, by item."""
    schema = scope.schema
    key, item, language = schema.translations_key_field, schema.item_field, schema.language_field
    codes = {row.key: row.code for row in schema.languages}
    found: dict[str, list[tuple[str, Row]]] = {}
    for row in client.rows_with(
        f"/items/{schema.translations}", item, keys, fields=[key, item, language, *names, *scope.carried], sort=key
    ):
        code = codes.get(str(row[language]))
        if code is not None:
            values = {name: row.get(name) for name in names}
            carried = {name: row.get(name) for name in scope.carried}
            found.setdefault(str(row[item]), []).append((code, Row(key=str(row[key]), values=values, carried=carried)))
    return found


def _item(
    scope: Scope, key: str, parent: Mapping[str, Any], found: Sequence[tuple[str, Row]], names: Sequence[str]
) -> Item:
    rows: dict[str, Row] = {}
    duplicates = []
    for code, row in found:
        if code in rows:
            duplicates.append(code)
            row = _together(rows[code], row)  # noqa: PLW2901 - merge the rows of that language
        rows[code] = row
    source_language = _source_language(scope, parent)
    source_row = rows.pop(source_language, None)
    on_item = {name: parent.get(name) for name in names} if scope.source_on_item else {}
    carried = parent if scope.source_on_item else source_row.carried if source_row else {}
    return Item(
        key=key,
        source_language=source_language,
        source=on_item or (source_row.values if source_row else {}),
        rows=rows,
        carried={name: carried[name] for name in scope.carried if carried.get(name) is not None},
        duplicates=tuple(duplicates),
    )


def target_value(item: Item, target: LanguageRow, name: str) -> JsonValue:
    """The value of an item's field in a language."""
    row = item.rows.get(target.code)
    return row.values.get(name) if row else None


def _together(first: Row, other: Row) -> Row:
    """The first of two rows of one language, completed by the other."""
    values = {name: other.values.get(name) if is_empty(value) else value for name, value in first.values.items()}
    return replace(first, values=values)


def _source_language(scope: Scope, parent: Mapping[str, Any]) -> str:
    named = parent.get(scope.source_field) if scope.source_field else None
    if named in (None, ""):
        return scope.source.code
    languages = scope.schema.languages
    return next((row.code for row in languages if str(named) in (row.key, row.code)), str(named))
