"""The change feed: Directus' activity log, read forward by id.

PostgreSQL hands out ids before commit, so an entry can become visible after one with a higher id was read. Each read
therefore looks back over `OVERLAP` ids and leaves out what it has already seen there.

A log can also go back, with a restored backup or another database. Its ids are then given again, so each read asks for
the last entry once more, and the feed starts over where that is another one.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from directus_assets.directus.client import NO_FILTER, USER_AGENT, DirectusClient, Filter
from directus_assets.directus.models import Activity

OVERLAP = 500
"""How many ids a late entry may lie behind. What comes later still is found by the reconcile."""

MAX_ENTRIES = 500
"""Entries of one read; the rest waits for the next."""

_CHANGES = frozenset({"create", "update", "delete"})

_IS_CHANGE: Filter = {"action": {"_in": sorted(_CHANGES)}}
"""Other entries may go before older ones: runs of flows have a retention of their own, and comments are deleted."""

_CLOCKS = dt.timedelta(minutes=5)
"""How much the clocks of two servers may differ that wrote into one log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Witness:
    """What the last entry *was*: in a log that has gone back, another one has its id, or none."""

    id: int
    timestamp: dt.datetime | None = None
    """None in a position that an earlier version kept."""
    digest: str = ""
    """Of what happened, and to what; empty in a position that an earlier version kept, for which any entry will do."""
    is_gone: bool = False
    """Whether Directus has pruned its log up to here and beyond. Any entry up to here is then one of another log."""

    @classmethod
    def of(cls, entry: Activity) -> "Witness":
        """The witness that an entry is."""
        # Seconds are what all databases keep.
        told = [entry.action, entry.collection, entry.item, int(entry.timestamp.timestamp())]
        digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
        return cls(id=entry.id, timestamp=entry.timestamp, digest=digest)

    @property
    def name(self) -> str:
        """What no other entry is called, of this log or of one that has its ids again."""
        return f"{self.id}-{self.digest}"

    @property
    def condition(self) -> Filter:
        """What the entries match that it is judged by."""
        return {"_and": [{"id": {"_lte": self.id}}, _IS_CHANGE]} if self.is_gone else {"id": {"_eq": self.id}}


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPosition:
    """How far the feed has been read."""

    last_id: int
    """The highest id read."""
    first_id: int = 0
    """Where following began; entries up to it are history, not news."""
    seen: tuple[int, ...] = ()
    """The ids within the overlap that have been read, in ascending order."""
    witness: Witness | None = None
    """The last change that was read; None where there was none yet, and in a position that an earlier version kept."""

    @property
    def looks_back_to(self) -> int:
        """Ids up to this one are never read again."""
        return max(self.first_id, self.last_id - OVERLAP)

    def has_lost_sight_of(self, earlier: "FeedPosition") -> bool:
        """Whether nothing that was read up to an earlier position is shown any more, and was shown then."""
        is_gone = self.witness is not None and self.witness.is_gone
        return is_gone and not (earlier.witness is not None and earlier.witness.is_gone)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPage:
    """New entries, and the position behind them."""

    entries: tuple[Activity, ...]
    position: FeedPosition
    is_last: bool
    """Whether there was nothing more to read at that moment."""
    starts_over: bool = False
    """Whether the log has gone back: what was read before may be undone, and only a full comparison tells.

    There are no entries then: the position is the one to go on from, with what happened since the last was read.
    """


def begin_feed(client: DirectusClient, *, at: dt.datetime | None = None) -> FeedPosition:
    """The position from which on everything is news: behind the newest change, or the newest of that moment."""
    condition = {"_and": [_IS_CHANGE, {"timestamp": {"_lte": at.isoformat()}}]} if at else _IS_CHANGE
    newest = client.activity_entries(condition, sort="-id", limit=1)
    if not newest:
        return FeedPosition(last_id=0)
    return FeedPosition(last_id=newest[0].id, first_id=newest[0].id, witness=Witness.of(newest[0]))


def read_feed(
    client: DirectusClient, position: FeedPosition, *, collections: Sequence[str], limit: int = MAX_ENTRIES
) -> FeedPage:
    """The entries of these collections behind `position`, in one request.

    Where the log has gone back, some more requests tell where to start over.
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
            return FeedPage(entries=(), position=begin_feed(client, at=at), is_last=False, starts_over=True)
        position = replace(position, witness=witness)
        found = [entry for entry in found if entry.id != witness.id]
    return FeedPage(entries=tuple(found), position=advance(position, found), is_last=len(found) < limit)


def has_gone_back(client: DirectusClient, position: FeedPosition) -> bool:
    """Whether the log is another one than that in which the feed has been read up to `position`."""
    known = _witness_of(position)
    if known is None:
        return False
    return _confirmed(client, known, client.activity_entries(known.condition, sort="id", limit=1)) is None


def _witness_of(position: FeedPosition) -> Witness | None:
    return position.witness or (Witness(id=position.last_id) if position.last_id else None)


def _confirmed(client: DirectusClient, witness: Witness, found: Iterable[Activity]) -> Witness | None:
    """The witness as it is known now; None where the log has gone back.

    Args:
        client: asked only where the entry is gone for the first time.
        witness: as it was known before.
        found: among other entries, those that match its condition.
    """
    if witness.is_gone:
        return None if any(entry.id <= witness.id for entry in found) else witness
    for entry in found:
        if entry.id == witness.id:
            now = Witness.of(entry)
            return now if witness.digest in ("", now.digest) else None
    # Directus prunes the oldest entries; in a log that has gone back, there are some before this one.
    pruned = replace(witness, is_gone=True)
    return None if client.activity_entries(pruned.condition, sort="id", limit=1) else pruned


def _later(witness: Witness | None, entries: Iterable[Activity]) -> Witness | None:
    changes = [entry for entry in entries if entry.action in _CHANGES]
    last = max(changes, key=lambda entry: entry.id, default=None)
    return Witness.of(last) if last and (witness is None or last.id > witness.id) else witness


def advance(position: FeedPosition, entries: Iterable[Activity]) -> FeedPosition:
    """The position after these entries: pure, and never behind the one given."""
    read = list(entries)
    ids = {entry.id for entry in read}
    moved = replace(position, last_id=max([position.last_id, *ids]), witness=_later(position.witness, read))
    return replace(moved, seen=tuple(sorted(i for i in ids.union(position.seen) if i > moved.looks_back_to)))


def read_deletions(client: DirectusClient, collection: str, items: Iterable[str] | None = None) -> set[str]:
    """Items of which the feed says last that they were deleted, as far as its history goes.

    Args:
        client: Directus.
        collection: the collection.
        items: the keys to ask about; all that were ever deleted where it is None.
    """
    if items is None:
        condition = _of(collection, "delete")
        items = {entry["item"] for entry in client.rows("/activity", filter=condition, fields=["item"], sort="id")}
    condition = _of(collection, "create", "delete")
    entries = client.rows_with(
        "/activity", "item", sorted(items), matching=condition, fields=["action", "item"], sort="id"
    )
    last = {entry["item"]: entry["action"] for entry in entries}
    return {item for item, action in last.items() if action == "delete"}


def _of(collection: str, *actions: str) -> Filter:
    return {"_and": [{"collection": {"_eq": collection}}, {"action": {"_in": list(actions)}}]}


def foreign_changes(entries: Iterable[Activity], *, own_user_id: str) -> list[Activity]:
    """The entries that are changes by somebody else: our own writes are never a change."""
    return [entry for entry in entries if entry.action in _CHANGES and not is_own(entry, own_user_id)]


def is_own(entry: Activity, own_user_id: str) -> bool:
    """Whether we have made an entry: its user and its user agent are ours.

    A person who works in the Studio with the account that the token belongs to is still somebody else.
    """
    return entry.user == own_user_id and entry.user_agent == USER_AGENT
