"""Writes translations to Directus.

Writes only the translations collection, only changed fields, and never a second row for one language.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeAlias

from directus_assets.directus.client import DirectusClient, all_of, item_path, items_path
from directus_assets.directus.compare_and_set import CompareAndSet, Values
from directus_assets.directus.feed import read_deletions
from directus_assets.directus.models import JsonValue
from directus_assets.directus.schema import LanguageRow
from directus_assets.directus.sight import sees_all_rows
from directus_assets.directus.together import Company, Together
from directus_assets.errors import ChangedMeanwhile, Forbidden, NotFound, PermanentError, Unreachable, Unreadable
from directus_assets.ownership.refusals import FieldsRefused, Refusals, create, update
from directus_assets.translation.items import Item, Row, read_items
from directus_assets.translation.scope import Scope

logger = logging.getLogger(__name__)

_LOOKS = (0, 0.1, 0.3, 0.6, 1.0)
"""Seconds before each check whether other writers have removed their rows."""

_ROWS_PER_REQUEST = 20
"""Keeps one request under 1 MB, Directus' `MAX_PAYLOAD_SIZE`, for texts of a few thousand words."""

_Place: TypeAlias = tuple[str, str]
"""Keys of an item and of a language, as text."""


@dataclass(frozen=True, eq=False, slots=True)
class _NewRow:
    """A row to create. All are distinct, even for the same place."""

    place: _Place
    values: Values


@dataclass(frozen=True)
class RowWriter:
    """Writes translations of one collection; thread-safe: concurrent creations share one request.

    Args:
        client: Directus.
        scope: the collection.
        company: the workers that write here.
    """

    client: DirectusClient
    scope: Scope
    company: Company = field(default_factory=Company)

    def write(self, item: Item, language: LanguageRow, values: Values) -> bool:
        """Write these fields of one language, into its row or into a new one; other fields stay as they are.

        Directus cannot be told that there may be only one row. So a writer that has created a row checks again, and if
        others have created one at the same time, all but the first remove theirs at once. The first waits for that, and
        removes its own if another one stays: that one was created by a writer that could not see the first yet (a key
        is assigned before its row is committed). Nobody keeps a second row.

        Args:
            item: as it was read.
            language: of the row.
            values: the values to write, by field.

        Returns:
            Whether it was written. If not, the item has changed since it was read: read it again, and decide anew.

        Raises:
            FieldsRefused: Directus refuses some of the fields; the others are written.
            Forbidden: there is a row that the token cannot see.
            DirectusAssetsError: Directus refuses or does not answer.
        """
        row, own = item.rows.get(language.code), None
        try:
            if row:
                refused = update(partial(self._replace, row), values)
            else:
                self._require_no_hidden_row(item.key, language)
                own, refused = self._create(item, language, values)
                if own and not self._stays((item.key, language.key), own):
                    return False
            if refused:
                written = [name for name in values if name not in refused] if row or own else ()
                raise FieldsRefused(self.scope.schema.translations, refused, written=written)
        except ChangedMeanwhile:
            return False
        except PermanentError:
            # Directus gives the same response for deleted and for forbidden rows.
            if self._is_as_read(item, language):
                raise
            return False
        return True

    @cached_property
    def sees_all_rows(self) -> bool:
        """Whether no row is hidden from the token, as of the first check."""
        return sees_all_rows(self.client, self.scope.schema.translations)

    def require_deleted(self, item_key: str, language: LanguageRow, row_key: str | None = None) -> None:
        """Check that a missing row is deleted and not hidden, before another one replaces it.

        Args:
            item_key: the item that it belongs to.
            language: of the row.
            row_key: its key, if known.

        Raises:
            Forbidden: it may be hidden from the token.
            DirectusAssetsError: Directus does not answer.
        """
        translations = self.scope.schema.translations
        if row_key and read_deletions(self.client, translations, [row_key]):
            return
        if not sees_all_rows(self.client, translations):
            raise Forbidden(
                f"Item {item_key} of {self.scope.collection} had a row for {language.code} in {translations}. The "
                "token can no longer see it, and Directus has no record of its deletion, so we did not create a "
                "second one.",
                remedy=f"Give the token's policy permission to read {translations} without conditions.",
            )

    def _require_no_hidden_row(self, item_key: str, language: LanguageRow) -> None:
        """Check that there is no row hidden from the token, before one is created.

        Directus finds items by all of their rows, including those that a rule hides (seen in 10.13, 11.14 and 11.17). A
        singleton cannot be found that way, so the answer stays unknown.

        Raises:
            Forbidden: there is one, or there may be.
            DirectusAssetsError: Directus does not answer.
        """
        if self.sees_all_rows:
            return
        schema = self.scope.schema
        condition = all_of(
            {schema.key_field: {"_eq": item_key}},
            {schema.alias_field: {schema.language_field: {"_eq": language.key}}},
        )
        path, fields = items_path(schema.collection), [schema.key_field]
        if schema.is_singleton or self.client.get(path, filter=condition, fields=fields, sort=fields, limit=1):
            raise Forbidden(
                f"Item {item_key} of {schema.collection} has, or may have, a row for {language.code} in "
                f"{schema.translations} that the token cannot see, so we did not create a second one.",
                remedy=f"Give the token's policy permission to read {schema.translations} without conditions.",
            )

    @cached_property
    def _rows(self) -> CompareAndSet:
        schema = self.scope.schema
        filterable = [field.name for field in schema.fields if field.is_filterable]
        return CompareAndSet(
            self.client, schema.translations, schema.translations_key_field, filterable, company=self.company
        )

    def _replace(self, row: Row, values: Values) -> None:
        self._rows.replace(row.key, {name: row.values.get(name) for name in values}, values)

    def _add(self, row_key: str, values: Values) -> None:
        """Add fields to a row that was just created, whose values are those of a new row."""
        self._rows.replace(row_key, {}, values)

    def _create(self, item: Item, language: LanguageRow, values: Values) -> tuple[str | None, Refusals]:
        """Create a row from the texts and its initial values; Directus need not accept all of the latter."""
        make = partial(self._make, (item.key, language.key))
        texts = dict(values) if self.scope.status is None else {"status": self.scope.status, **values}
        carried = {name: value for name, value in item.carried.items() if name not in texts}
        try:
            own, refused = create(make, self._add, {**texts, **carried})
        except Forbidden:
            if not carried:
                raise
            # A token may be allowed to write texts only; Directus does not name the fields that it forbids.
            own, refused = create(make, self._add, texts)
        if left := carried.keys() & refused.keys():
            logger.warning(
                "A new row of %s has the default of %s: %s",
                self.scope.schema.translations,
                ", ".join(sorted(left)),
                " ".join(refused[name] for name in sorted(left)),
            )
        return own, {name: reason for name, reason in refused.items() if name not in left}

    def _stays(self, place: _Place, own: str) -> bool:
        for wait in _LOOKS:
            time.sleep(wait)
            keys = self._current.get(place) or []
            if keys == [own]:
                return True
            if own not in keys or own != min(keys, key=_order):
                break
        self._take_back(own)
        return False

    def _make(self, place: _Place, values: Values) -> str:
        key = self._made.get(_NewRow(place, values))
        if key is None:
            translations = self.scope.schema.translations
            raise Unreadable(
                f"Directus created the row of {translations} but did not return it.",
                remedy=f"Give the token's policy permission to read {translations}.",
            )
        return key

    @cached_property
    def _made(self) -> Together[_NewRow, str]:
        """New rows, created in batches; returns their keys. Directus creates all of them or none (one transaction)."""
        unrepeatable = (Unreachable, Unreadable)
        return Together(self._make_all, _ROWS_PER_REQUEST, unrepeatable=unrepeatable, company=self.company)

    def _make_all(self, rows: Sequence[_NewRow]) -> dict[_NewRow, str]:
        schema = self.scope.schema
        bodies = [
            {schema.item_field: _typed(row.place[0]), schema.language_field: _typed(row.place[1]), **row.values}
            for row in rows
        ]
        keys = _by_place(self.scope, self.client.post(f"/items/{schema.translations}", bodies) or [])
        return {row: keys[row.place].pop() for row in rows if keys.get(row.place)}

    @cached_property
    def _current(self) -> Together[_Place, list[str]]:
        """Keys of the existing rows, looked up in batches."""
        return Together(self._look, company=self.company)

    def _look(self, places: Sequence[_Place]) -> dict[_Place, list[str]]:
        schema = self.scope.schema
        item, language = schema.item_field, schema.language_field
        items, languages = (list(dict.fromkeys(keys)) for keys in zip(*places, strict=True))
        rows = self.client.rows_with(
            f"/items/{schema.translations}",
            item,
            items,
            matching={language: {"_in": languages}},
            fields=[schema.translations_key_field, item, language],
            sort=schema.translations_key_field,
        )
        return _by_place(self.scope, rows)

    def _is_as_read(self, item: Item, language: LanguageRow) -> bool:
        """Whether the item still exists, with the same row, or still without one, in this language."""
        fresh = read_items(self.client, self.scope, [item.key], matching_only=False)
        return bool(fresh) and _row_key(fresh[0], language) == _row_key(item, language)

    def _take_back(self, row_key: str) -> None:
        path = item_path(self.scope.schema.translations, row_key)
        try:
            self.client.delete(path)
        except (Forbidden, NotFound):
            # Without the right to delete, the row is unlinked from its item, as the Studio does when a row is removed.
            self.client.patch(path, {self.scope.schema.item_field: None})


def _by_place(scope: Scope, rows: Iterable[Mapping[str, JsonValue]]) -> dict[_Place, list[str]]:
    """Keys of rows from Directus, by item and language."""
    schema = scope.schema
    found: dict[_Place, list[str]] = {}
    for row in rows:
        place = str(row.get(schema.item_field)), str(row.get(schema.language_field))
        found.setdefault(place, []).append(str(row.get(schema.translations_key_field)))
    return found


def _order(key: str) -> tuple[int, str]:
    """Sort key: numeric order for integer keys, and for others an order that all writers share."""
    return len(key), key


def _row_key(item: Item, language: LanguageRow) -> str | None:
    row = item.rows.get(language.code)
    return row.key if row else None


def _typed(key: str) -> str | int:
    """A key as in Directus' JSON: a number for an integer key. A text key of digits is accepted in either form."""
    return int(key) if key.isdecimal() and str(int(key)) == key else key
