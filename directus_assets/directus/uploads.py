"""Finds uploads that leave no trace in the change feed: chunked ones (TUS).

Directus logs the start of such an upload, but not its end. If it replaces a file, only a temporary row is logged. What
remains is a time in the file's row, so files are read forward by that: `uploaded_on`, or `modified_on` where the end of
such an upload does not set the former. The latter also moves with each edit of a title, which costs another look at it.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import Activity

FILES = "directus_files"

OVERLAP = dt.timedelta(seconds=30)
"""How late a row may become visible, and how far the clocks of several Directus servers may differ."""

MAX_UPLOADS = 500
"""Uploads per read; the rest waits for the next read."""

_SETTLED_SECONDS = 60
"""After this long without a new upload, no row is late any more, and the overlap is no longer read again."""

_NEWEST = 100
"""Files with the same second that are marked as known at the start; any more are checked once."""

_ASKED_AGAIN_SECONDS = 600
"""A Directus that does not accept chunked uploads may do so after its next start."""

_HORIZON = dt.timedelta(days=1)
"""A time further in the future than this, with or without a zone, is a mistake and not worth waiting for."""

_BEGINNING = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - on some databases Directus returns times without a zone


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadPosition:
    """A position in the uploads."""

    at: dt.datetime
    """When it last moved, by our own clock."""
    last: dt.datetime | None = None
    """The time of the last upload, by Directus' clock; None if chunked uploads are not accepted."""
    first: dt.datetime = _BEGINNING
    """Uploads before the second of this time are history, not news."""
    seen: tuple[str, ...] = ()
    """Marks of uploads that are read again: those within the overlap, or of the last second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadPage:
    """The files with new content, as changes missing from the feed, and the position after them."""

    position: UploadPosition | None
    changes: tuple[Activity, ...] = ()

    @property
    def occasion(self) -> str:
        """Distinguishes these changes from those of other pages."""
        return f"-{self.position.last}" if self.position and self.changes else ""


def follow_uploads(
    client: DirectusClient, position: UploadPosition | None, *, now: dt.datetime, limit: int = MAX_UPLOADS
) -> UploadPage:
    """The uploads since the last read, in one request; in none if Directus does not accept chunked uploads.

    Args:
        client: Directus.
        position: None to start after all uploads so far.
        now: the time.
        limit: the maximum number of uploads to return.
    """
    if position and position.last:
        return _read(client, position, position.last, now=now, limit=limit)
    if position and (now - position.at).total_seconds() < _ASKED_AGAIN_SECONDS:
        return UploadPage(position=position)
    if not client.takes_chunked_uploads():
        return UploadPage(position=UploadPosition(at=now))
    dated = _dated(client)
    condition = {dated: {"_lt": _text((now + _HORIZON).replace(tzinfo=None))}}
    fields = ("id", dated, "filesize")
    newest = list(client.rows("/files", most=_NEWEST, fields=fields, filter=condition, sort=f"-{dated},id"))
    last = dt.datetime.fromisoformat(newest[0][dated]) if newest else _BEGINNING
    seen = tuple(_mark(row, dated) for row in newest if _text(dt.datetime.fromisoformat(row[dated])) == _text(last))
    return UploadPage(position=UploadPosition(at=now, last=last, first=last, seen=seen))


def _read(
    client: DirectusClient, position: UploadPosition, last: dt.datetime, *, now: dt.datetime, limit: int
) -> UploadPage:
    is_settled = (now - position.at).total_seconds() > _SETTLED_SECONDS
    since = last if is_settled else max(position.first, last - OVERLAP)
    until = (now + _HORIZON).replace(tzinfo=last.tzinfo)
    # Whole seconds: on some databases Directus stores fractions without returning them.
    dated = _dated(client)
    condition = {dated: {"_gte": _text(since), "_lt": _text(until)}}
    read: dict[str, dt.datetime] = {}
    changes: list[Activity] = []
    for row in client.rows("/files", fields=("id", dated, "filesize"), filter=condition, sort=f"{dated},id"):
        mark = _mark(row, dated)
        read[mark] = dt.datetime.fromisoformat(row[dated])
        if mark not in position.seen:
            changes.append(_change(row, now))
        if len(changes) == limit:
            break
    if is_settled:
        position = replace(position, first=last, seen=tuple(read))
    if not changes:
        return UploadPage(position=position)
    newest = max(read.values())
    seen = tuple(mark for mark, moment in read.items() if moment >= newest - OVERLAP)
    first = position.first.replace(tzinfo=newest.tzinfo)
    moved = replace(position, at=now, last=newest, first=first, seen=seen)
    return UploadPage(changes=tuple(changes), position=moved)


def _dated(client: DirectusClient) -> str:
    return "uploaded_on" if client.version.dates_chunked_uploads else "modified_on"


def _mark(row: Mapping[str, Any], dated: str) -> str:
    """Identifies one upload of a file, within a second by its size."""
    return hashlib.sha256(f"{row['id']} {row[dated]} {row['filesize']}".encode()).hexdigest()[:12]


def _change(row: Mapping[str, Any], now: dt.datetime) -> Activity:
    return Activity(
        id=0, action="update", collection=FILES, item=str(row["id"]), user=None, user_agent=None, timestamp=now
    )


def _text(moment: dt.datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + ("Z" if moment.tzinfo else "")
