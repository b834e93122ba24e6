"""Deletes with undo: a list of deleted files, and their contents in a folder of the same storage.

Each line of the list is written before the file is deleted, so that a crash loses nothing: at worst a line names a file
that still exists, and undo leaves that file alone.
"""

import datetime as dt
import hashlib
import mimetypes
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from directus_assets.directus.storage import Storage
from directus_assets.errors import BadInput, ConfigurationError, NotFound, TransientError
from directus_assets.images.delivery import Exported
from directus_assets.images.transforms import OUTPUT_TYPES

FOLDER = ".directus-assets-undo"
"""The folder for deleted contents; inside a folder they are not mistaken for derivatives."""

EXPORT = "export"
RECORDS = "translation records"


def location_place(location: str) -> str:
    """The name of one of Directus' storage locations as orphans use it."""
    return f"storage '{location}'"


@dataclass(frozen=True, kw_only=True, slots=True)
class Orphan:
    """Something that is provably unused."""

    place: str
    name: str
    size: int
    reason: str
    file_id: str = ""
    """The Directus file that it was made from."""
    manifest_row: Mapping[str, Any] | None = None
    """The manifest entry of a deleted file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deleted:
    """One line of the list."""

    place: str
    name: str
    size: int
    sha256: str
    reason: str
    time: dt.datetime
    kept_as: str = ""
    """The name of the kept content in the same storage; empty if it was not kept."""
    file_id: str = ""
    manifest_row: dict[str, Any] | None = None


_LINE = TypeAdapter(Deleted)


@dataclass(frozen=True, kw_only=True)
class Remover:
    """Deletes orphans.

    Args:
        places: storages by the names that orphans use.
        undo_list: the file that lists deletions; lines are appended.
        keep: whether to keep the contents.
    """

    places: Mapping[str, Storage]
    undo_list: Path
    keep: bool
    moment: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def remove(self, orphans: Iterable[Orphan]) -> Iterator[Orphan]:
        """Delete orphans one by one; yield those deleted, and skip those that changed in the meantime.

        Raises:
            TransientError: a storage cannot be read or written; everything deleted so far is on the list.
        """
        self.undo_list.parent.mkdir(parents=True, exist_ok=True)
        with self.undo_list.open("ab") as lines:
            for orphan in orphans:
                deleted = self._entry(orphan) if orphan.manifest_row is not None else self._content(orphan)
                if deleted:
                    lines.write(_LINE.dump_json(deleted) + b"\n")
                    lines.flush()
                    os.fsync(lines.fileno())
                    self._delete(orphan)
                    yield orphan

    def _entry(self, orphan: Orphan) -> Deleted:
        row = dict(orphan.manifest_row or {})
        return self._line(orphan, hashlib.sha256(b"").hexdigest(), manifest_row=row)

    def _content(self, orphan: Orphan) -> Deleted | None:
        storage = self.places[orphan.place]
        try:
            content = storage.read(orphan.name)
        except NotFound:
            return None
        if len(content) != orphan.size:
            return None
        kept_as = f"{FOLDER}/{self.moment:%Y%m%dT%H%M%SZ}/{orphan.name}" if self.keep else ""
        if kept_as:
            storage.write(kept_as, content, content_type=_content_type(orphan.name))
            if storage.size(kept_as) != len(content):
                raise TransientError(
                    f"{storage.describe()} did not store a complete copy as {kept_as}; nothing was deleted."
                )
        return self._line(orphan, hashlib.sha256(content).hexdigest(), kept_as=kept_as)

    def _line(self, orphan: Orphan, sha256: str, **more: Any) -> Deleted:
        return Deleted(
            place=orphan.place,
            name=orphan.name,
            size=orphan.size,
            sha256=sha256,
            reason=orphan.reason,
            time=dt.datetime.now(dt.UTC),
            file_id=orphan.file_id,
            **more,
        )

    def _delete(self, orphan: Orphan) -> None:
        storage = self.places[orphan.place]
        if orphan.manifest_row is not None:
            Exported(storage).publish({orphan.file_id: None})
        else:
            storage.delete(orphan.name)


def read_undo_list(path: Path) -> list[Deleted]:
    """The deletions on a list, in their order.

    Raises:
        BadInput: it is not an undo list; the error names the line.
    """
    found = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}.", remedy="Use an undo list written by `prune`."
        ) from None
    for number, line in enumerate(lines, 1):
        try:
            found.append(_LINE.validate_json(line))
        except ValidationError as error:
            fault = error.errors()[0]["msg"]
            raise BadInput(
                f"{path}, line {number}: {fault}.", remedy="Use an undo list written by `prune`, or remove that line."
            ) from None
    return found


def put_back(deleted: Deleted, places: Mapping[str, Storage], *, replaced_on: dt.datetime | None) -> str:
    """Restore one file unless another one has taken its place; return why it was not restored, or an empty text.

    Args:
        deleted: the line of the list.
        places: storages by the names that lists use.
        replaced_on: when the source file got its present content; anything older shows a different picture.

    Raises:
        ConfigurationError: the storage cannot be reached from here.
    """
    if deleted.place not in places:
        raise ConfigurationError(
            f"{deleted.name} was deleted from {deleted.place}, which is not accessible from here.",
            remedy="Run this command with the same environment as when it was deleted.",
        )
    storage = places[deleted.place]
    # Directus stores whole seconds.
    if replaced_on and replaced_on >= deleted.time.replace(microsecond=0):
        return "its file has been replaced since"
    if deleted.manifest_row is not None:
        Exported(storage).put_back(deleted.file_id, deleted.manifest_row)
        return ""
    if storage.size(deleted.name) is not None:
        return "another file has taken its place"
    if not deleted.kept_as:
        return "its content was deleted permanently (--no-undo)"
    return _put_content_back(deleted, storage)


def _put_content_back(deleted: Deleted, storage: Storage) -> str:
    try:
        content = storage.read(deleted.kept_as)
    except NotFound:
        return "its content is no longer kept"
    if hashlib.sha256(content).hexdigest() != deleted.sha256:
        return "the kept content is damaged"
    storage.write(deleted.name, content, content_type=_content_type(deleted.name))
    storage.delete(deleted.kept_as)
    return ""


def _content_type(name: str) -> str:
    extension = name.rpartition(".")[2].lower()
    return OUTPUT_TYPES.get(extension) or mimetypes.guess_type(name)[0] or "application/octet-stream"
