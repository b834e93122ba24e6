"""Items and their translation rows, read from Directus and written back.

Only the translations collection is written, only the fields that change, and never a second row for one language.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from directus_assets.directus.client import DirectusClient, item_path, items_path
from directus_assets.directus.models import JsonValue
from directus_assets.directus.schema import LanguageRow
from directus_assets.errors import Forbidden, NotFound, PermanentError, Rejected
from directus_assets.translation.scope import Scope

_KEYS_PER_REQUEST = 100
_LOOKS = (0, 0.1, 0.3, 0.6, 1.0)
"""Seconds before each look at whether others have taken their rows back."""


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


def row_keys(
    client: DirectusClient, scope: Scope, places: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[str]]:
    """The rows of items in languages, in one request.

    Args:
        client: Directus.
        scope: of which collection.
        places: keys of items and of languages, as text.

    Returns:
        Keys of rows by place; nothing for a place that has none. There may be further places.
    """
    schema = scope.schema
    item, language = schema.item_field, schema.language_field
    items, languages = (list(dict.fromkeys(keys)) for keys in zip(*places, strict=True))
    found: dict[tuple[str, str], list[str]] = {}
    for row in client.get(
        f"/items/{schema.translations}",
        fields=[schema.translations_key_field, item, language],
        filter={"_and": [{item: {"_in": items}}, {language: {"_in": languages}}]},
        limit=-1,
    ):
        found.setdefault((str(row[item]), str(row[language])), []).append(str(row[schema.translations_key_field]))
    return found


def write_row(
    client: DirectusClient,
    scope: Scope,
    item: Item,
    language: LanguageRow,
    values: Mapping[str, JsonValue],
    *,
    look: Callable[[tuple[str, str]], list[str] | None] | None = None,
) -> bool:
    """Writes these fields of one language, into its row or into a new one; other fields stay as they are.

    Directus cannot be told that there may be one row only. So whoever has made a row looks again, and where others have
    made one at the same time, all but the first take theirs back at once. The first gives them the time to do so, and
    takes its own back where one stays: that one was made by somebody who could not see the first yet (a key is given
    before its row is committed). Nobody keeps a second row.

    Args:
        client: Directus.
        scope: of which collection.
        item: as it was read.
        language: of the row.
        values: what is written, by field.
        look: as `row_keys` for one place, for those who look together.

    Returns:
        Whether it was written. If not, the item has changed since it was read: read it again, and decide anew.

    Raises:
        DirectusAssetsError: Directus refuses or does not answer.
    """
    row = item.rows.get(language.code)
    try:
        if row:
            client.patch(item_path(scope.schema.translations, row.key), dict(values))
            return True
        own = _make_row(client, scope, item, language, values)
    except PermanentError:
        # Directus has the same answers for what is gone and for what is forbidden.
        if _is_as_read(client, scope, item, language):
            raise
        return False
    for wait in _LOOKS:
        time.sleep(wait)
        place = (item.key, language.key)
        keys = (look(place) if look else row_keys(client, scope, [place]).get(place)) or []
        if keys == [own]:
            return True
        if own not in keys or own != min(keys, key=_order):
            break
    _take_back(client, scope, own)
    return False


def _make_row(
    client: DirectusClient, scope: Scope, item: Item, language: LanguageRow, values: Mapping[str, JsonValue]
) -> str:
    schema = scope.schema
    keys = {schema.item_field: _typed(item.key), schema.language_field: _typed(language.key)}
    made = client.post(f"/items/{schema.translations}", {**keys, **values})
    if made is None:
        raise Rejected(
            f"Directus did not answer the row of {schema.translations} that was made.",
            remedy=f"Give the token's policy the right to read {schema.translations}.",
        )
    return str(made[schema.translations_key_field])


def _is_as_read(client: DirectusClient, scope: Scope, item: Item, language: LanguageRow) -> bool:
    """Whether the item is still there, with the same row, or still without one, in this language."""
    fresh = read_items(client, scope, [item.key], matching_only=False)
    return bool(fresh) and _row_key(fresh[0], language) == _row_key(item, language)


def _order(key: str) -> tuple[int, str]:
    """The order of numbers for keys that are numbers, and for others one that is the same for everybody."""
    return len(key), key


def _row_key(item: Item, language: LanguageRow) -> str | None:
    row = item.rows.get(language.code)
    return row.key if row else None


def _take_back(client: DirectusClient, scope: Scope, row_key: str) -> None:
    path = item_path(scope.schema.translations, row_key)
    try:
        client.delete(path)
    except (Forbidden, NotFound):
        # Without the right to delete, the row is unlinked from its item, as the Studio does when a row is removed.
        client.patch(path, {scope.schema.item_field: None})


def _read_some(client: DirectusClient, scope: Scope, keys: list[str], *, matching_only: bool) -> list[Item]:
    schema = scope.schema
    names = [field.name for field in schema.fields]
    conditions: list[Any] = [{schema.key_field: {"_in": keys}}]
    if matching_only and scope.filter:
        conditions.append(scope.filter)
    fields = [schema.key_field, *(names if scope.source_on_item else ())]
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
    source_row = rows.pop(scope.source.code, None)
    on_item = {name: parent.get(name) for name in names} if scope.source_on_item else {}
    return Item(
        key=str(parent[scope.schema.key_field]),
        source=on_item or (source_row.values if source_row else {}),
        rows=rows,
        duplicates=tuple(duplicates),
    )


def _rows(client: DirectusClient, scope: Scope, **query: Any) -> list[dict[str, Any]]:
    """Rows of the collection; a singleton answers with its only one."""
    answer = client.get(items_path(scope.collection), **{name: value for name, value in query.items() if value})
    return [answer] if isinstance(answer, dict) else list(answer or [])


def _typed(key: str) -> str | int:
    """A key as Directus' JSON has it: a number for an integer key. A text key of digits is accepted either way."""
    return int(key) if key.isdecimal() and str(int(key)) == key else key
