"""Reverts our writes with the help of Directus' log, which lists every write to a row with the values it set.

Later edits by others stay, and so do later writes of ours. Where the log has been pruned, nothing is known.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from directus_assets.directus.client import DirectusClient, items_path
from directus_assets.directus.compare_and_set import Comparable, CompareAndSet
from directus_assets.directus.feed import is_own
from directus_assets.directus.models import Activity, JsonValue
from directus_assets.errors import ChangedMeanwhile, Forbidden, PermanentError
from directus_assets.ownership.field_records import FieldRecord, canonical, digest
from directus_assets.ownership.record_store import R, RecordStore

BY_A_PERSON = "somebody has edited it since"
ANEW = "it has been written again since"
LOST = "Directus' activity log no longer has the earlier text"
NOTHING_BEFORE = "we created the row, so it had no earlier value, and the row has changed since"
MEANWHILE = "somebody edited it at the same moment"
MAY_NOT_DELETE = "we created the row, and the token may not delete it; delete it in Directus"

WHOLE_ROW = "all fields"
"""Replaces a field name if something applies to a whole row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """One write to a row, from Directus' log."""

    is_ours: bool
    """Whether the write is ours."""
    is_meant: bool
    """Whether it is among the writes to revert."""
    is_first: bool
    """Whether it created the row."""
    values: Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True, slots=True)
class Back:
    """The value to restore in a field."""

    bad: JsonValue
    earlier: JsonValue
    was_ours: bool
    """Whether all of it was written by us."""
    is_last_write: bool = field(default=True, compare=False)
    """Whether a single write is reverted, rather than several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackPlan:
    """The plan for a row."""

    back: Mapping[str, Back] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    """Fields that stay as they are, with the reason."""
    removed: Mapping[str, JsonValue] = field(default_factory=dict)
    """The values that we wrote in a row that we created and nobody else has touched: the row is deleted."""
    bad: Mapping[str, Sequence[JsonValue]] = field(default_factory=dict, compare=False)
    """Everything that the reverted writes put into the fields above, one write after the other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OverwrittenRow:
    """One row with its plan."""

    key: str
    item: str
    output: str
    """A language, or the name of an enrichment."""
    plan: BackPlan
    language: str = ""
    """The language of the row, if an enrichment has written into translations."""
    before: Mapping[str, JsonValue] = field(default_factory=dict)
    """The values of the restored row, if the row itself is a result."""

    @property
    def was_ours(self) -> bool:
        """Whether all restored values were written by us."""
        return all(back.was_ours for back in self.plan.back.values())

    @property
    def is_kept(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.plan.back or self.plan.removed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Our writes in a period, by Directus' clock; of all items and outputs unless some are listed."""

    start: dt.datetime
    end: dt.datetime | None = None
    only: Collection[tuple[str, str]] | None = None
    """Items, each with a language or the name of an enrichment."""

    def holds(self, moment: dt.datetime) -> bool:
        """Whether a moment is within the period."""
        return self.start <= moment and (self.end is None or moment <= self.end)

    def means(self, item: str, output: str) -> bool:
        """Whether it includes this output of an item."""
        return self.only is None or (item, output) in self.only


@dataclass(frozen=True, kw_only=True)
class Place:
    """Fields of one collection that we write to."""

    table: CompareAndSet
    item_field: str
    """The field with the key of the item."""
    names: tuple[str, ...]
    languages: Mapping[str, str] | None = None
    """For a translations collection: the codes of the languages concerned, by their keys."""
    language_field: str = ""
    made_with: frozenset[str] | None = None
    """As for `plan_row`."""
    holds_results: bool = False
    """Whether its rows themselves are results."""


def plan_row(
    writes: Sequence[Write],
    present: Mapping[str, JsonValue],
    *,
    made_with: Collection[str] | None = None,
    comparable: Comparable = lambda _name, value: value,
) -> BackPlan:
    """Decide which fields of a row to restore and which stay, with the reason. Pure.

    Args:
        writes: all known writes, in order.
        present: the current values of the fields that we write.
        made_with: additional fields that we set when creating a row, which may then be deleted; None if rows are never
            deleted.
        comparable: as for `CompareAndSet`.
    """

    def text(name: str, value: JsonValue) -> str:
        return canonical(comparable(name, value))

    if not any(write.is_meant for write in writes):
        # We made a write, but its values are unknown: the log is kept without revisions.
        return BackPlan(kept={WHOLE_ROW: LOST})
    histories = _histories(writes, text)
    are_meant = all(write.is_meant for history in histories.values() for write in history)
    if made_with is not None and writes[0].is_first and writes[0].is_meant and are_meant:
        last = {name: history[-1].values[name] for name, history in histories.items()}
        is_untouched = all(text(name, last[name]) == text(name, present[name]) for name in present if name in last)
        if is_untouched and last.keys() <= {*present, *made_with}:
            return BackPlan(removed=dict(present), bad=_meant_values(writes, present))
    back: dict[str, Back] = {}
    kept: dict[str, str] = {}
    for name, value in present.items():
        history = histories.get(name, ())
        end = max((index for index, write in enumerate(history, 1) if write.is_meant), default=0)
        if not end:
            continue
        before = history[: _start_of_meant(history, end)]
        earlier = before[-1].values[name] if before else None
        is_known = bool(before) or (writes[0].is_first and not writes[0].is_meant)
        if is_known and text(name, earlier) == text(name, value):
            continue  # It has been restored already.
        if end < len(history) or text(name, history[-1].values[name]) != text(name, value):
            kept[name] = ANEW if end < len(history) and history[-1].is_ours else BY_A_PERSON
        elif not is_known:
            kept[name] = NOTHING_BEFORE if history[0].is_first else LOST
        else:
            # What we wrote after someone else may contain sentences of theirs.
            was_ours = bool(before) and all(write.is_ours for write in before)
            is_last_write = len(before) == len(history) - 1
            back[name] = Back(bad=value, earlier=earlier, was_ours=was_ours, is_last_write=is_last_write)
    return BackPlan(back=back, kept=kept, bad=_meant_values(writes, back))


def _histories(writes: Sequence[Write], text: Callable[[str, JsonValue], str]) -> dict[str, Sequence[Write]]:
    """The writes to each field, except our later ones that have already been reverted."""
    found: dict[str, Sequence[Write]] = {}
    for name in dict.fromkeys(name for write in writes for name in write.values):
        history = [write for write in writes if name in write.values]
        end = max((index for index, write in enumerate(history, 1) if write.is_meant), default=len(history))
        values = [text(name, write.values[name]) for write in history]
        is_reverted = values[end - 1] == values[-1] and all(write.is_ours for write in history[end:])
        found[name] = history[:end] if is_reverted else history
    return found


def _meant_values(writes: Sequence[Write], names: Iterable[str]) -> dict[str, list[JsonValue]]:
    """The values to revert, by field."""
    return {name: [each.values[name] for each in writes if each.is_meant and name in each.values] for name in names}


def _start_of_meant(history: Sequence[Write], end: int) -> int:
    """The start of the consecutive writes to revert that end at `end`."""
    start = end
    while start and history[start - 1].is_meant:
        start -= 1
    return start


def plan_taking_back(place: Place, period: Period, *, enrichment: str = "") -> list[OverwrittenRow]:
    """Determine which of our writes to a place can be reverted, and what stays.

    Args:
        place: what we write to.
        period: the writes to revert.
        enrichment: the name of the enrichment that writes there; empty for translations, whose output is the language.

    Raises:
        DirectusAssetsError: Directus refuses (the token must be able to read its log with revisions) or does not
            answer.
    """
    table, meant = place.table, _written_rows(place, period, enrichment)
    made_with = place.made_with and {*place.made_with, table.key_field}
    writes = _read_writes(table.client, table.collection, list(meant), period)
    found = []
    for key, row in meant.items():
        present = {name: table.comparable(name, row.get(name)) for name in place.names}
        plan = plan_row(writes.get(key, ()), present, made_with=made_with, comparable=table.comparable)
        code = _language(place, row)
        before = {**present, **{name: back.earlier for name, back in plan.back.items()}}
        found.append(
            OverwrittenRow(
                key=key,
                item=str(row[place.item_field]),
                output=enrichment or code,
                plan=plan,
                language=code if enrichment else "",
                before=before if place.holds_results else {},
            )
        )
    return [row for row in found if not row.is_kept or row.plan.kept]


def _written_rows(place: Place, period: Period, enrichment: str) -> dict[str, Mapping[str, JsonValue]]:
    """The rows of a place that we have written to in a period, by key, as they are now."""
    table = place.table
    fields = dict.fromkeys([table.key_field, place.item_field, *place.names])
    rows = table.client.rows_with(
        items_path(table.collection),
        table.key_field,
        _written_in(table.client, table.collection, period),
        fields=[*fields, *([place.language_field] if place.language_field else [])],
        sort=table.key_field,
    )
    return {
        str(row[table.key_field]): row
        for row in rows
        if (place.languages is None or _language(place, row))
        and period.means(str(row[place.item_field]), enrichment or _language(place, row))
    }


def _language(place: Place, row: Mapping[str, JsonValue]) -> str:
    """The code of a row's language; empty if it has none, or one that is not concerned."""
    return (place.languages or {}).get(str(row.get(place.language_field)), "")


def _written_in(client: DirectusClient, collection: str, period: Period) -> list[str]:
    """The keys of a collection's rows that we have written to."""
    conditions: list[dict[str, object]] = [
        {"collection": {"_eq": collection}},
        {"action": {"_in": ["create", "update"]}},
        {"user": {"_eq": client.own_user_id}},
        {"timestamp": {"_gte": period.start.isoformat()}},
    ]
    if period.end is not None:
        conditions.append({"timestamp": {"_lte": period.end.isoformat()}})
    rows = client.rows("/activity", fields=Activity.FIELDS, filter={"_and": conditions}, sort="id")
    own = (activity for activity in map(Activity.parse, rows) if is_own(activity, client.own_user_id))
    return list(dict.fromkeys(activity.item for activity in own))


def _read_writes(
    client: DirectusClient, collection: str, keys: Sequence[str], period: Period
) -> dict[str, list[Write]]:
    """All logged writes to rows, by key."""
    condition = {"collection": {"_eq": collection}, "action": {"_in": ["create", "update"]}}
    fields = [*Activity.FIELDS, "revisions.item", "revisions.delta"]
    found: dict[str, list[Write]] = {}
    for entry in client.rows_with("/activity", "item", keys, matching=condition, fields=fields, sort="id"):
        activity = Activity.parse(entry)
        is_ours = is_own(activity, client.own_user_id)
        for revision in entry.get("revisions") or ():
            if str(revision["item"]) == activity.item:
                write = Write(
                    is_ours=is_ours,
                    is_meant=is_ours and period.holds(activity.timestamp),
                    is_first=activity.action == "create",
                    values=revision["delta"] or {},
                )
                found.setdefault(activity.item, []).append(write)
    return found


def take_back(
    table: CompareAndSet,
    rows: Iterable[OverwrittenRow],
    records: RecordStore[R],
    collection: str,
    *,
    intending: Callable[[R, OverwrittenRow], R],
    done: Callable[[R, OverwrittenRow], R],
) -> Iterator[tuple[OverwrittenRow, str]]:
    """Restore or delete row by row; yield each row with the reason if that was not possible, else an empty text.

    Args:
        table: the collection of the rows.
        rows: the rows; those that are kept stay as they are.
        records: what is known about their items; an item without a record gets none.
        collection: the collection of the items, as in the records.
        intending: the record before a row is restored.
        done: the record after a row was restored.

    Raises:
        TransientError: Directus does not answer; rows restored before that stay restored.
    """

    def remember(row: OverwrittenRow, change: Callable[[R, OverwrittenRow], R]) -> None:
        if records.is_known(collection, row.item, row.output):
            records.update(collection, row.item, row.output, lambda known: change(known, row))

    for row in rows:
        if not row.is_kept:
            # Record the intention first, then write: what used to be ours is then recognised as ours again.
            remember(row, intending)
            reason = _take_back_one(table, row)
            if not reason:
                remember(row, done)
            yield row, reason


def _take_back_one(table: CompareAndSet, row: OverwrittenRow) -> str:
    """Restore or delete a row; return the reason if that was not possible, else an empty text."""
    plan = row.plan
    try:
        if plan.removed:
            table.remove(row.key, plan.removed)
        else:
            old = {name: each.bad for name, each in plan.back.items()}
            table.replace(row.key, old, {name: each.earlier for name, each in plan.back.items()})
    except ChangedMeanwhile:
        return MEANWHILE
    except Forbidden as error:
        return MAY_NOT_DELETE if plan.removed else str(error)
    except PermanentError as error:
        return str(error)
    return ""


def of_earlier(known: FieldRecord, back: Back, *, ours: str = "") -> FieldRecord:
    """The record of a field that is about to be restored.

    Args:
        known: the current record.
        back: the value to restore.
        ours: our part of it, if others have written into it; empty if unknown.
    """
    if back.was_ours:
        return replace(known, intended=digest(back.earlier), ours=canonical(back.earlier), before=None, waiting={})
    if ours:
        # It contains other people's sentences, which are identified by the differences.
        return replace(known, written=digest(ours), intended="", ours=ours, before=None)
    return replace(known, ours="", before=None, waiting={})
