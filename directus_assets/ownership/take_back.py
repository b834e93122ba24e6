"""Taking back what we have written: by Directus' log, which has every write to a row with what it has set.

What somebody has changed since stays, and so does what was written anew. Nothing is known of what the log has lost.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.compare_and_set import Comparable, CompareAndSet
from directus_assets.directus.feed import is_own
from directus_assets.directus.models import Activity, JsonValue
from directus_assets.errors import ChangedMeanwhile, Forbidden, PermanentError
from directus_assets.ownership.field_records import FieldRecord, canonical, digest

BY_A_PERSON = "somebody has edited it since"
ANEW = "it has been written again since"
LOST = "Directus' activity log no longer has the earlier text"
NOTHING_BEFORE = "we created the row, so it had no earlier value, and the row has changed since"
MEANWHILE = "somebody edited it at the same moment"
MAY_NOT_DELETE = "we created the row, and the token may not delete it; delete it in Directus"

WHOLE_ROW = "all fields"
"""Stands for a field where something is said of a whole row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """One write to a row, as Directus' log has it."""

    is_ours: bool
    """Whether we have written it, and nobody else."""
    is_meant: bool
    """Whether it is one of those that are to be taken back."""
    is_first: bool
    """Whether it has made the row."""
    values: Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True, slots=True)
class Back:
    """What a field gets back."""

    bad: JsonValue
    earlier: JsonValue
    was_ours: bool
    """Whether nobody else had written any of it."""
    is_last_write: bool = field(default=True, compare=False)
    """Whether it is one write that is taken back, and not several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackPlan:
    """What is to be done with a row."""

    back: Mapping[str, Back] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    """Fields that stay as they are, with the reason."""
    removed: Mapping[str, JsonValue] = field(default_factory=dict)
    """All that we write of a row that nobody else has touched, and that was not there before: it goes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OverwrittenRow:
    """One row, and what is to be done with it."""

    key: str
    item: str
    output: str
    """A language, or the name of an enrichment."""
    plan: BackPlan
    language: str = ""
    """Of the row, where an enrichment has written into translations."""
    before: Mapping[str, JsonValue] = field(default_factory=dict)
    """The values of the row once it is put back, where the row is a result itself."""

    @property
    def was_ours(self) -> bool:
        """Whether nobody else had written any of what is put back."""
        return all(back.was_ours for back in self.plan.back.values())

    @property
    def is_kept(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.plan.back or self.plan.removed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Our writes of this time, by Directus' clock; of all items and outputs unless some are named."""

    start: dt.datetime
    end: dt.datetime | None = None
    only: Collection[tuple[str, str]] | None = None
    """Items with languages, or with names of enrichments."""

    def holds(self, moment: dt.datetime) -> bool:
        """Whether something happened in it."""
        return self.start <= moment and (self.end is None or moment <= self.end)

    def means(self, item: str, output: str) -> bool:
        """Whether it is about this output of an item."""
        return self.only is None or (item, output) in self.only


def plan_row(
    writes: Sequence[Write],
    present: Mapping[str, JsonValue],
    *,
    made_with: Collection[str] | None = None,
    comparable: Comparable = lambda _name, value: value,
) -> BackPlan:
    """What of a row is put back, and what stays, with the reason; pure.

    Args:
        writes: all that is known, in their order.
        present: the present values of the fields that we write.
        made_with: the further fields that we set in a row of our making, which goes again; None where none goes.
        comparable: as of `CompareAndSet`.
    """

    def text(name: str, value: JsonValue) -> str:
        return canonical(comparable(name, value))

    if not any(write.is_meant for write in writes):
        # There is an entry of ours, and what it has set is not known: the log is kept without revisions.
        return BackPlan(kept={WHOLE_ROW: LOST})
    if made_with is not None and writes[0].is_first and all(write.is_meant for write in writes):
        last = {name: value for write in writes for name, value in write.values.items()}
        is_untouched = all(text(name, last[name]) == text(name, present[name]) for name in present if name in last)
        if is_untouched and last.keys() <= {*present, *made_with}:
            return BackPlan(removed=dict(present))
    back: dict[str, Back] = {}
    kept: dict[str, str] = {}
    for name, value in present.items():
        history = [write for write in writes if name in write.values]
        end = max((index for index, write in enumerate(history, 1) if write.is_meant), default=0)
        if not end:
            continue
        before = history[: _start_of_meant(history, end)]
        earlier = before[-1].values[name] if before else None
        is_known = bool(before) or (writes[0].is_first and not writes[0].is_meant)
        if is_known and text(name, earlier) == text(name, value):
            continue  # It has been put back already.
        if end < len(history) or text(name, history[-1].values[name]) != text(name, value):
            kept[name] = ANEW if end < len(history) and history[-1].is_ours else BY_A_PERSON
        elif not is_known:
            kept[name] = NOTHING_BEFORE if history[0].is_first else LOST
        else:
            # What we have written after somebody may hold sentences of theirs.
            was_ours = bool(before) and all(write.is_ours for write in before)
            is_last_write = len(before) == len(history) - 1
            back[name] = Back(bad=value, earlier=earlier, was_ours=was_ours, is_last_write=is_last_write)
    return BackPlan(back=back, kept=kept)


def _start_of_meant(history: Sequence[Write], end: int) -> int:
    """Where the writes begin that are to be taken back together, and that go to `end`."""
    start = end
    while start and history[start - 1].is_meant:
        start -= 1
    return start


def written_in(client: DirectusClient, collection: str, period: Period) -> list[str]:
    """The keys of the rows of a collection that we have written to.

    Raises:
        DirectusAssetsError: Directus refuses or does not answer.
    """
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


def read_writes(client: DirectusClient, collection: str, keys: Sequence[str], period: Period) -> dict[str, list[Write]]:
    """All writes to rows that the log knows, by key.

    Raises:
        DirectusAssetsError: Directus refuses (the token needs to read its log with revisions) or does not answer.
    """
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


def take_back(table: CompareAndSet, row: OverwrittenRow) -> str:
    """Puts a row back, or removes it; returns what kept that from being done, as a reason, or nothing.

    Raises:
        TransientError: Directus does not answer.
    """
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
    """What is known of a field that is about to be put back.

    Args:
        known: what is known now.
        back: what the field gets back.
        ours: what we had made of it, where others have written into it; empty where that cannot be told.
    """
    if back.was_ours:
        return replace(known, intended=digest(back.earlier), ours=canonical(back.earlier), before=None, waiting={})
    if ours:
        # Sentences of others are in it, which are told by what differs.
        return replace(known, written=digest(ours), intended="", ours=ours, before=None)
    return replace(known, ours="", before=None, waiting={})
