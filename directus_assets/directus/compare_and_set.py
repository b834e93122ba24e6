"""Compare-and-set writes: replace only what was read, so that people win even within milliseconds.

Directus has no such write. Two techniques make up for that:

1. **The condition.** Directus can update the rows that match a query, so the query asks for the key and for the old
   values. But Directus selects the rows first and updates them by key some milliseconds later. Half of the edits saved
   in between are lost.
2. **The check.** Directus' log lists all writes to a row in their true order, with the values they set. So we read the
   log after each write, and restore what a human had set just before it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import dropwhile
from typing import Any, Final, TypeAlias

from directus_assets.directus.client import DirectusClient, item_path, items_path
from directus_assets.directus.feed import is_own
from directus_assets.directus.models import Activity, JsonValue
from directus_assets.directus.together import Company, Together
from directus_assets.errors import ChangedMeanwhile, Forbidden

Values: TypeAlias = Mapping[str, JsonValue]
Comparable: TypeAlias = Callable[[str, JsonValue], JsonValue]
"""Normalises a field's value, given its name, for comparison: databases return some values in another form."""

_LONGEST_CONDITION: Final = 100_000
"""Characters. A request contains the old value and the new one, and Directus accepts 1 MB by default."""

_READ_AS_OTHERS: Final = frozenset({"true", "false", "null", "NULL"})
"""In a filter, Directus interprets these texts as values of other types, and texts with a dollar sign as its own
variables.
"""

_LOOK_BACK: Final = "$NOW(-1 minutes)"
"""By Directus' own clock. Longer than the time between our read and our write; our read covers older changes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The values set by one write to a row."""

    is_own: bool
    """Whether the write is ours."""
    values: Values


@dataclass(frozen=True)
class CompareAndSet:
    """Replaces values in the rows of one collection; thread-safe.

    Args:
        client: Directus.
        collection: the collection.
        key_field: the field of its primary key.
        filterable: the fields by whose value rows can be selected (see `is_filterable`).
        is_singleton: whether the collection has a single row, which Directus updates without a query.
        comparable: normalises values for comparison.
        company: the workers that write rows here.
    """

    client: DirectusClient
    collection: str
    key_field: str
    filterable: Collection[str]
    is_singleton: bool = False
    comparable: Comparable = lambda _name, value: value
    company: Company = field(default_factory=Company)

    def replace(self, key: str, old: Values, new: Values) -> None:
        """Write `new` into a row whose values are `old`.

        Args:
            key: the row.
            old: the values as read or last written, which must still be there. Fields that are missing here were empty.
            new: the values to write, by field.

        Raises:
            ChangedMeanwhile: someone has changed or deleted the row in the meantime. Their values stay.
            DirectusAssetsError: Directus refuses or does not answer.
        """
        if not self.client.patch(*self._request(key, old, new), fields=[self.key_field], sort=self.key_field):
            raise self._changed(key)
        lost = overwritten(self._changes.get(key) or (), old=old, new=new, comparable=self.comparable)
        for name, value in lost.items():
            # One by one: if someone has changed one of them again, the others are still restored.
            try:
                self.replace(key, {name: new[name]}, {name: value})
            except ChangedMeanwhile:
                continue
        if lost:
            raise self._changed(key)

    def remove(self, key: str, old: Values) -> None:
        """Delete a row whose values are `old`; a row that someone has changed stays.

        Raises:
            DirectusAssetsError: Directus refuses or does not answer.
        """
        if _is_literal(key):
            self.client.delete(items_path(self.collection), {"query": self._query(key, old)})
        else:
            self.client.delete(item_path(self.collection, key))

    def _request(self, key: str, old: Values, new: Values) -> tuple[str, dict[str, Any]]:
        """Path and body."""
        if self.is_singleton:
            return items_path(self.collection), dict(new)
        if not _is_literal(key):
            return item_path(self.collection, key), dict(new)
        return items_path(self.collection), {"query": self._query(key, old), "data": dict(new)}

    def _query(self, key: str, old: Values) -> dict[str, Any]:
        conditions = [
            {name: condition}
            for name, value in old.items()
            if (condition := _condition(value, is_filterable=name in self.filterable)) is not None
        ]
        # Sorted, although there is one at most: by default Directus sorts by a field that need not be sortable.
        return {"filter": {"_and": [{self.key_field: {"_eq": key}}, *conditions]}, "sort": [self.key_field]}

    def _changed(self, key: str) -> ChangedMeanwhile:
        return ChangedMeanwhile(f"Somebody else changed row {key} of {self.collection} at the same moment.")

    @cached_property
    def _changes(self) -> Together[str, list[Change]]:
        """The latest changes of rows, newest first, read for all concurrently written rows at once."""
        return Together(partial(read_changes, self.client, self.collection), company=self.company)


def read_changes(
    client: DirectusClient, collection: str, keys: Sequence[str], *, action: str = "update"
) -> dict[str, list[Change]]:
    """The latest changes of rows by key, newest first; empty if no revisions are visible.

    Args:
        client: Directus.
        collection: the collection of the rows.
        keys: the rows.
        action: the action of such changes in Directus' log.

    Raises:
        DirectusAssetsError: Directus refuses or does not answer.
    """
    conditions: list[Any] = [
        {"timestamp": {"_gte": _LOOK_BACK}},
        {"collection": {"_eq": collection}},
        {"action": {"_eq": action}},
    ]
    if all(map(_is_literal, keys)):
        conditions.append({"item": {"_in": list(keys)}})
    fields = [*Activity.FIELDS, "revisions.item", "revisions.delta"]
    try:
        entries = [*client.rows("/activity", fields=fields, filter={"_and": conditions}, sort="-timestamp,-id")]
    except Forbidden:
        return {}  # An account created by a `setup` that did not know this right yet; `doctor` reports it.
    found: dict[str, list[Change]] = {}
    # Their ids are in the order of the writes: each was assigned while its row was locked.
    for entry in sorted(entries, key=lambda entry: int(entry["id"]), reverse=True):
        activity = Activity.parse(entry)
        for revision in entry.get("revisions") or ():
            if str(revision["item"]) == activity.item:
                change = Change(is_own=is_own(activity, client.own_user_id), values=revision["delta"] or {})
                found.setdefault(activity.item, []).append(change)
    return found


def overwritten(
    changes: Sequence[Change], *, old: Values, new: Values, comparable: Comparable = lambda _name, value: value
) -> dict[str, JsonValue]:
    """What someone had set just before our write, which overwrote it. Pure.

    Args:
        changes: of the row, newest first.
        old: the values that we expected in the row.
        new: the values that we wrote.
        comparable: as for `CompareAndSet`.
    """
    lost = {
        name: _overwritten(changes, name, old=old.get(name), new=value, comparable=partial(comparable, name))
        for name, value in new.items()
    }
    return {name: change.values[name] for name, change in lost.items() if change}


def _overwritten(
    changes: Sequence[Change],
    name: str,
    *,
    old: JsonValue,
    new: JsonValue,
    comparable: Callable[[JsonValue], JsonValue],
) -> Change | None:
    # Changes after our write stay.
    from_ours = [*dropwhile(lambda change: not change.is_own, (each for each in changes if name in each.values))]
    # An attempt without a response may have written the same values.
    earlier = dropwhile(lambda change: change.is_own and change.values[name] == from_ours[0].values[name], from_ours)
    last = next(earlier, None)
    is_lost = last and not last.is_own and comparable(last.values[name]) not in (comparable(old), comparable(new))
    return last if is_lost else None


def _condition(value: JsonValue, *, is_filterable: bool) -> dict[str, JsonValue] | None:
    """A filter for a field's value; None if Directus or its database cannot compare that value."""
    if value is None:
        return {"_null": True}
    if not is_filterable or isinstance(value, dict):
        return None
    if isinstance(value, list):
        value = ",".join(map(str, value))
    if value == "":
        return {"_empty": True}
    return {"_eq": value} if not isinstance(value, str) or _is_literal(value) else None


def _is_literal(text: str) -> bool:
    return text not in _READ_AS_OTHERS and not text.startswith("$") and len(text) <= _LONGEST_CONDITION
