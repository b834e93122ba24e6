"""The change feed: Directus' activity log, read forward by id.

PostgreSQL hands out ids before commit, so an entry can become visible after one with a higher id was read. Each read
therefore looks back over `OVERLAP` ids and leaves out what it has already seen there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from directus_assets.directus.client import USER_AGENT, DirectusClient, Filter
from directus_assets.directus.models import Activity

OVERLAP = 500
"""How many ids a late entry may lie behind. What comes later still is found by the reconcile."""

MAX_ENTRIES = 500
"""Entries of one read; the rest waits for the next."""

_CHANGES = frozenset({"create", "update", "delete"})


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPosition:
    """How far the feed has been read."""

    last_id: int
    """The highest id read."""
    first_id: int = 0
    """Where following began; entries up to it are history, not news."""
    seen: tuple[int, ...] = ()
    """The ids within the overlap that have been read, in ascending order."""

    @property
    def looks_back_to(self) -> int:
        """Ids up to this one are never read again."""
        return max(self.first_id, self.last_id - OVERLAP)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPage:
    """New entries, and the position behind them."""

    entries: tuple[Activity, ...]
    position: FeedPosition
    is_last: bool
    """Whether there was nothing more to read at that moment."""


def read_feed(
    client: DirectusClient, position: FeedPosition, *, collections: Sequence[str], limit: int = MAX_ENTRIES
) -> FeedPage:
    """The entries of these collections behind `position`, in one request."""
    entries = client.activity(
        collections=collections, after_id=position.looks_back_to, limit=limit, skip_ids=position.seen
    )
    return FeedPage(entries=tuple(entries), position=advance(position, entries), is_last=len(entries) < limit)


def advance(position: FeedPosition, entries: Iterable[Activity]) -> FeedPosition:
    """The position after these entries: pure, and never behind the one given."""
    ids = {entry.id for entry in entries}
    moved = replace(position, last_id=max([position.last_id, *ids]))
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
    """The entries that are changes by somebody else: our own writes are never a change.

    A write is our own if both its user and its user agent are ours, so that a person who works in the Studio with the
    account that the token belongs to is still somebody else.
    """
    return [
        entry
        for entry in entries
        if entry.action in _CHANGES and not (entry.user == own_user_id and entry.user_agent == USER_AGENT)
    ]
