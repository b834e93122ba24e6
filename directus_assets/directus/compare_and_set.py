"""Writes that replace what was read and nothing else: people win, also in the last milliseconds.

Directus has no such write. Two things stand in for it:

1. **The condition.** It can update what a query matches, so the query asks for the key and for the old values. But it
   selects the rows first and updates them by key some milliseconds later. Half of those who save in between are lost.
2. **The look.** Its log has every write to a row in their true order, with what it has set. So the log is read after
   each write, and what a human had set just before is put back.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import dropwhile
from typing import Any, Final, TypeAlias

from directus_assets.directus.client import DirectusClient, item_path, items_path
from directus_assets.directus.feed import is_own
from directus_assets.directus.models import Activity, JsonValue
from directus_assets.directus.together import Together
from directus_assets.errors import ChangedMeanwhile, Forbidden

Values: TypeAlias = Mapping[str, JsonValue]
Comparable: TypeAlias = Callable[[str, JsonValue], JsonValue]
"""A field's value, by its name, as it compares with others: databases give some back in another form."""

_LONGEST_CONDITION: Final = 100_000
"""Characters. A request holds the old value and the new one, and Directus takes 1 MB unless told otherwise."""

_READ_AS_OTHERS: Final = frozenset({"true", "false", "null", "NULL"})
"""Directus takes these texts in a filter for values that are no text, and those with a dollar for its own variables."""

_LOOK_BACK: Final = "$NOW(-1 minutes)"
"""By Directus' own clock. Longer than what can lie between our read and our write; what is older was read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What one write to a row has set."""

    is_own: bool
    """Whether we have written it, and nobody else."""
    values: Values


@dataclass(frozen=True)
class CompareAndSet:
    """Replaces values of the rows of one collection, for any number of threads.

    Args:
        client: Directus.
        collection: the collection.
        key_field: the field of its primary key.
        filterable: the fields whose value rows can be selected by (see `is_filterable`).
        is_singleton: whether the collection has one row only, which Directus updates without a query.
        comparable: how values compare.
    """

    client: DirectusClient
    collection: str
    key_field: str
    filterable: Collection[str]
    is_singleton: bool = False
    comparable: Comparable = lambda _name, value: value

    def replace(self, key: str, old: Values, new: Values) -> None:
        """Writes `new` into a row whose values are `old`.

        Args:
            key: the row.
            old: what was read, or put there: what has to be there still. Fields that it does not have were empty.
            new: what is written, by field.

        Raises:
            ChangedMeanwhile: somebody has changed the row since, or it is gone. What they have set stays.
            DirectusAssetsError: Directus refuses or does not answer.
        """
        if not self.client.patch(*self._request(key, old, new), fields=[self.key_field]):
            raise self._changed(key)
        lost = overwritten(self._changes.get(key) or (), old=old, new=new, comparable=self.comparable)
        for name, value in lost.items():
            # One by one: where somebody has changed one of them again, the others come back all the same.
            try:
                self.replace(key, {name: new[name]}, {name: value})
            except ChangedMeanwhile:
                continue
        if lost:
            raise self._changed(key)

    def remove(self, key: str, old: Values) -> None:
        """Deletes a row whose values are `old`; one that somebody has changed stays.

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
        return {"filter": {"_and": [{self.key_field: {"_eq": key}}, *conditions]}}

    def _changed(self, key: str) -> ChangedMeanwhile:
        return ChangedMeanwhile(f"Somebody else changed row {key} of {self.collection} at the same moment.")

    @cached_property
    def _changes(self) -> Together[str, list[Change]]:
        """The latest changes of rows, the last one first, read for all rows that are written at the same time."""
        return Together(partial(read_changes, self.client, self.collection))


def read_changes(
    client: DirectusClient, collection: str, keys: Sequence[str], *, action: str = "update"
) -> dict[str, list[Change]]:
    """The latest changes of rows, by key, the last one first; none where there are no revisions of them to be seen.

    Args:
        client: Directus.
        collection: the collection of the rows.
        keys: the rows.
        action: what Directus' log calls such changes.

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
        return {}  # An account that `setup` has made before it knew of this; `doctor` says so.
    found: dict[str, list[Change]] = {}
    # Their ids are in the order of the writes: each was given while its row was locked.
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
    """What somebody had set just before our write, which has overwritten it; pure.

    Args:
        changes: of the row, the last one first.
        old: what we took for the row's values.
        new: what we have written.
        comparable: as of `CompareAndSet`.
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
    # What came after our write stands.
    from_ours = [*dropwhile(lambda change: not change.is_own, (each for each in changes if name in each.values))]
    # A try that got no answer may have written the same.
    earlier = dropwhile(lambda change: change.is_own and change.values[name] == from_ours[0].values[name], from_ours)
    last = next(earlier, None)
    is_lost = last and not last.is_own and comparable(last.values[name]) not in (comparable(old), comparable(new))
    return last if is_lost else None


def _condition(value: JsonValue, *, is_filterable: bool) -> dict[str, JsonValue] | None:
    """That a field has a value, as a filter; None where Directus or its database cannot be asked for that."""
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
