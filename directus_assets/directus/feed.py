"""The change feed: Directus' activity log, read forward by id.

PostgreSQL assigns ids before commit, so an entry can become visible after one with a higher id was read. Each read
therefore looks back over `OVERLAP` ids and skips what it has already seen there.

A log can also go back, with a restored backup or a different database. Its ids are then assigned again, so each read
fetches the last entry once more, and the feed restarts if that is a different one.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from directus_assets.directus.client import NO_FILTER, USER_AGENT, DirectusClient, Filter
from directus_assets.directus.models import Activity

OVERLAP = 500
"""How many ids an entry may arrive late. The reconcile finds later ones."""

MAX_ENTRIES = 500
"""Entries per read; the rest waits for the next read."""

_CHANGES = frozenset({"create", "update", "delete"})

_IS_CHANGE: Filter = {"action": {"_in": sorted(_CHANGES)}}
"""Other entries may be removed before older ones: runs of flows have a retention of their own, and comments can be
deleted.
"""

_CLOCKS = dt.timedelta(minutes=5)
"""The maximum clock difference between two servers that wrote into one log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Witness:
    """The identity of the last entry: in a log that has gone back, its id belongs to another entry, or to none."""

    id: int
    timestamp: dt.datetime | None = None
    """None in a position stored by an earlier version."""
    digest: str = ""
    """Of the action and its target; empty in a position stored by an earlier version, for which any entry matches."""
    is_gone: bool = False
    """Whether Directus has pruned its log up to here or beyond.

    Any entry up to here then belongs to a different log.
    """

    @classmethod
    def of(cls, entry: Activity) -> "Witness":
        """The witness for an entry."""
        # All databases store whole seconds.
        told = [entry.action, entry.collection, entry.item, int(entry.timestamp.timestamp())]
        digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
        return cls(id=entry.id, timestamp=entry.timestamp, digest=digest)

    @property
    def name(self) -> str:
        """Identifies the entry, in this log and in any log that reuses its ids."""
        return f"{self.id}-{self.digest}"

    @property
    def condition(self) -> Filter:
        """A filter for the entries needed to verify it."""
        return {"_and": [{"id": {"_lte": self.id}}, _IS_CHANGE]} if self.is_gone else {"id": {"_eq": self.id}}


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPosition:
    """A position in the feed."""

    last_id: int
    """The highest id read."""
    first_id: int = 0
    """Where following began; entries up to here are history, not news."""
    seen: tuple[int, ...] = ()
    """The ids read within the overlap, in ascending order."""
    witness: Witness | None = None
    """The last change that was read; None if there was none yet, and in a position stored by an earlier version."""

    @property
    def looks_back_to(self) -> int:
        """Ids up to this one are never read again."""
        return max(self.first_id, self.last_id - OVERLAP)

    def has_lost_sight_of(self, earlier: "FeedPosition") -> bool:
        """Whether nothing read up to an earlier position is visible any more, although it was then."""
        is_gone = self.witness is not None and self.witness.is_gone
        return is_gone and not (earlier.witness is not None and earlier.witness.is_gone)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPage:
    """New entries, and the position after them."""

    entries: tuple[Activity, ...]
    position: FeedPosition
    starts_over: bool = False
    """Whether the log has gone back: earlier changes may be undone, and only a full comparison can tell.

    There are no entries then. The position is the one to resume from, with everything that happened since the last
    read.
    """


def begin_feed(client: DirectusClient, *, at: dt.datetime | None = None) -> FeedPosition:
    """The position after which everything is news: behind the newest change, or the newest at that moment."""
    condition = {"_and": [_IS_CHANGE, {"timestamp": {"_lte": at.isoformat()}}]} if at else _IS_CHANGE
    newest = client.activity_entries(condition, sort="-id", limit=1)
    if not newest:
        return FeedPosition(last_id=0)
    return FeedPosition(last_id=newest[0].id, first_id=newest[0].id, witness=Witness.of(newest[0]))


def read_feed(
    client: DirectusClient, position: FeedPosition, *, collections: Sequence[str], limit: int = MAX_ENTRIES
) -> FeedPage:
    """The entries of these collections after `position`, in one request.

    If the log has gone back, a few more requests determine where to restart.
    """
    known = _witness_of(position)
    found = client.activity(
        collections=collections,
        after_id=position.looks_back_to,
        limit=limit + bool(known),
        skip_ids=position.seen,
        also=known.condition if known else NO_FILTER,
    )
    if known:
        witness = _confirmed(client, known, found)
        if witness is None:
            at = known.timestamp - _CLOCKS if known.timestamp else None
            return FeedPage(entries=(), position=begin_feed(client, at=at), starts_over=True)
        position = replace(position, witness=witness)
        found = [entry for entry in found if entry.id != witness.id]
    # An entry without an identifiable item counts as read, and has no effect.
    entries = tuple(entry for entry in found if entry.item)
    return FeedPage(entries=entries, position=advance(position, found))


def has_gone_back(client: DirectusClient, position: FeedPosition) -> bool:
    """Whether the log is a different one from the one read up to `position`."""
    known = _witness_of(position)
    if known is None:
        return False
    return _confirmed(client, known, client.activity_entries(known.condition, sort="id", limit=1)) is None


def _witness_of(position: FeedPosition) -> Witness | None:
    return position.witness or (Witness(id=position.last_id) if position.last_id else None)


def _confirmed(client: DirectusClient, witness: Witness, found: Iterable[Activity]) -> Witness | None:
    """The updated witness; None if the log has gone back.

    Args:
        client: used only when the entry is first found to be gone.
        witness: the previous witness.
        found: contains, among others, the entries that match its condition.
    """
    if witness.is_gone:
        return None if any(entry.id <= witness.id for entry in found) else witness
    for entry in found:
        if entry.id == witness.id:
            now = Witness.of(entry)
            return now if witness.digest in ("", now.digest) else None
    # Directus prunes the oldest entries, whereas a log that has gone back has some before this one.
    pruned = replace(witness, is_gone=True)
    return None if client.activity_entries(pruned.condition, sort="id", limit=1) else pruned


def _later(witness: Witness | None, entries: Iterable[Activity]) -> Witness | None:
    changes = [entry for entry in entries if entry.action in _CHANGES]
    last = max(changes, key=lambda entry: entry.id, default=None)
    return Witness.of(last) if last and (witness is None or last.id > witness.id) else witness


def advance(position: FeedPosition, entries: Iterable[Activity]) -> FeedPosition:
    """The position after these entries. Pure; never before the one given."""
    read = list(entries)
    ids = {entry.id for entry in read}
    moved = replace(position, last_id=max([position.last_id, *ids]), witness=_later(position.witness, read))
    return replace(moved, seen=tuple(sorted(i for i in ids.union(position.seen) if i > moved.looks_back_to)))


def read_deletions(client: DirectusClient, collection: str, items: Iterable[str] | None = None) -> set[str]:
    """Items whose last entry in the feed is a deletion, as far as its history goes.

    Args:
        client: Directus.
        collection: the collection.
        items: the keys to look up; if None, all that were ever deleted.
    """
    if items is None:
        condition = _of(collection, "delete")
        rows = client.rows("/activity", filter=condition, fields=["item"], sort="id")
        items = {str(entry["item"]) for entry in rows if entry["item"]}
    condition = _of(collection, "create", "delete")
    entries = client.rows_with(
        "/activity", "item", sorted(items), matching=condition, fields=["action", "item"], sort="id"
    )
    last = {entry["item"]: entry["action"] for entry in entries}
    return {item for item, action in last.items() if action == "delete"}


def _of(collection: str, *actions: str) -> Filter:
    return {"_and": [{"collection": {"_eq": collection}}, {"action": {"_in": list(actions)}}]}


def foreign_changes(entries: Iterable[Activity], *, own_user_id: str) -> list[Activity]:
    """The entries that are changes by others: our own writes never count as changes."""
    return [entry for entry in entries if entry.action in _CHANGES and not is_own(entry, own_user_id)]


def is_own(entry: Activity, own_user_id: str) -> bool:
    """Whether an entry is ours: both its user and its user agent are.

    A person who works in the Studio with the token's account still counts as someone else.
    """
    return entry.user == own_user_id and entry.user_agent == USER_AGENT
