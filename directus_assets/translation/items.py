"""Items and their translation rows, as Directus has them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from directus_assets.directus.client import DirectusClient, items_path
from directus_assets.directus.models import JsonValue
from directus_assets.translation.scope import Scope

_KEYS_PER_REQUEST = 100


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the translations collection."""

    key: str
    values: Mapping[str, JsonValue]
    """The translated fields."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item with everything that its translation is made from and written to."""

    key: str
    source_language: str
    """The code of the language that it is written in; where its field names none of the project's, what that says."""
    source: Mapping[str, JsonValue]
    """The translated fields in the source language; empty where the item has no source row yet."""
    rows: Mapping[str, Row]
    """The target rows, by language code."""
    duplicates: tuple[str, ...] = ()
    """Codes of languages that have more than one row."""


def read_items(client: DirectusClient, scope: Scope, keys: Iterable[str], *, matching_only: bool = True) -> list[Item]:
    """The items with these keys, those that exist.

    Args:
        client: Directus.
        scope: which collection, fields and languages.
        keys: primary keys, as text.
        matching_only: leave out items that the scope's filter does not match.
    """
    wanted = list(dict.fromkeys(keys))
    found = []
    for start in range(0, len(wanted), _KEYS_PER_REQUEST):
        found += _read_some(client, scope, wanted[start : start + _KEYS_PER_REQUEST], matching_only=matching_only)
    return found


def item_keys(client: DirectusClient, scope: Scope, *, page: int, size: int) -> list[str]:
    """Page `page` (from 1) of the keys of all items that the scope's filter matches, in the order of keys."""
    key = scope.schema.key_field
    rows = _rows(client, scope, fields=[key], filter=scope.filter, sort=key, page=page, limit=size)
    return (
        [str(row[key]) for row in rows if row.get(key) is not None]
        if page == 1 or not scope.schema.is_singleton
        else []
    )


def existing_keys(client: DirectusClient, scope: Scope, keys: Sequence[str]) -> set[str]:
    """Those of the keys that Directus has an item for, whether the scope's filter matches it or not."""
    key = scope.schema.key_field
    return {
        str(row[key])
        for start in range(0, len(keys), _KEYS_PER_REQUEST)
        for row in _rows(
            client, scope, fields=[key], filter={key: {"_in": list(keys[start : start + _KEYS_PER_REQUEST])}}, limit=-1
        )
        if row.get(key) is not None
    }


def items_of_rows(client: DirectusClient, scope: Scope, row_keys: Sequence[str]) -> list[str]:
    """The items that these rows of the translations collection belong to; deleted rows belong to none."""
    schema = scope.schema
    rows = [
        row
        for start in range(0, len(row_keys), _KEYS_PER_REQUEST)
        for row in client.get(
            f"/items/{schema.translations}",
            fields=[schema.item_field],
            filter={schema.translations_key_field: {"_in": list(row_keys[start : start + _KEYS_PER_REQUEST])}},
            limit=-1,
        )
    ]
    return [str(row[schema.item_field]) for row in rows if row.get(schema.item_field) is not None]


def _read_some(client: DirectusClient, scope: Scope, keys: list[str], *, matching_only: bool) -> list[Item]:
    schema = scope.schema
    names = [field.name for field in schema.fields]
    conditions: list[Any] = [{schema.key_field: {"_in": keys}}]
    if matching_only and scope.filter:
        conditions.append(scope.filter)
    fields = [schema.key_field, *(names if scope.source_on_item else ())]
    fields += [scope.source_field] if scope.source_field else []
    parents = _rows(client, scope, fields=fields, filter={"_and": conditions}, limit=-1)
    rows = client.get(
        f"/items/{schema.translations}",
        fields=[schema.translations_key_field, schema.item_field, schema.language_field, *names],
        filter={schema.item_field: {"_in": keys}},
        sort=schema.translations_key_field,
        limit=-1,
    )
    codes = {row.key: row.code for row in schema.languages}
    by_item: dict[str, list[tuple[str, Row]]] = {}
    for row in rows:
        code = codes.get(str(row[schema.language_field]))
        if code is not None:
            values = {name: row.get(name) for name in names}
            by_item.setdefault(str(row[schema.item_field]), []).append(
                (code, Row(key=str(row[schema.translations_key_field]), values=values))
            )
    return [
        _item(scope, parent, by_item.get(str(parent[schema.key_field]), []), names)
        for parent in parents
        if str(parent.get(schema.key_field)) in keys
    ]


def _item(scope: Scope, parent: Mapping[str, Any], found: Sequence[tuple[str, Row]], names: Sequence[str]) -> Item:
    rows: dict[str, Row] = {}
    duplicates = []
    for code, row in found:
        if code in rows:
            duplicates.append(code)
        rows.setdefault(code, row)
    source_language = _source_language(scope, parent)
    source_row = rows.pop(source_language, None)
    on_item = {name: parent.get(name) for name in names} if scope.source_on_item else {}
    return Item(
        key=str(parent[scope.schema.key_field]),
        source_language=source_language,
        source=on_item or (source_row.values if source_row else {}),
        rows=rows,
        duplicates=tuple(duplicates),
    )


def _source_language(scope: Scope, parent: Mapping[str, Any]) -> str:
    named = parent.get(scope.source_field) if scope.source_field else None
    if named in (None, ""):
        return scope.source.code
    languages = scope.schema.languages
    return next((row.code for row in languages if str(named) in (row.key, row.code)), str(named))


def _rows(client: DirectusClient, scope: Scope, **query: Any) -> list[dict[str, Any]]:
    """Rows of the collection; a singleton answers with its only one."""
    answer = client.get(items_path(scope.collection), **{name: value for name, value in query.items() if value})
    return [answer] if isinstance(answer, dict) else list(answer or [])
