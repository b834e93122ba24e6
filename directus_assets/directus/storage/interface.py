"""The interface of all storage locations."""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from directus_assets.errors import BadInput, ConfigurationError, TransientError


class StorageFull(TransientError):
    """The disk is full; work resumes once there is space."""


class Unusable(BadInput):
    """The entry under this name is not a file, or cannot be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One file or object: its name, its size in bytes, and when it was last written."""

    name: str
    size: int
    modified: dt.datetime


class Storage(Protocol):
    """One storage location: a map from names to bytes. Names are relative, with `/` between folders."""

    def read(self, name: str, *, most: int | None = None) -> bytes:
        """The content. Raises TooLarge, before reading, if it has more than `most` bytes; NotFound, Unreachable or
        PermanentError.
        """
        ...

    def write(self, name: str, content: bytes, *, content_type: str) -> None:
        """Write the content atomically, replacing an existing file."""
        ...

    def update(self, name: str, change: Callable[[bytes | None], bytes], *, content_type: str) -> None:
        """Replace the content by `change` of it (None: no file) without losing concurrent updates."""
        ...

    def size(self, name: str) -> int | None:
        """The size in bytes, or None if there is no file."""
        ...

    def entry(self, name: str) -> Entry | None:
        """The entry, or None if there is no file."""
        ...

    def names(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names that start with `prefix`, with their sizes."""
        ...

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """The entries with names that start with `prefix`."""
        ...

    def delete(self, name: str) -> None:
        """Delete the file, if it exists."""
        ...

    def set_aside(self, name: str, *, unless: Callable[[bytes], bool]) -> str | None:
        """Move the entry, whatever it is, to a unique name unless its content is acceptable; return that name.

        None if the content is acceptable or there is nothing: another process may have been faster.
        """
        ...

    def inside(self, folder: str) -> "Storage":
        """The storage rooted in a folder of this one. Raises ConfigurationError if the folder is outside of it."""
        ...

    def describe(self) -> str:
        """The location in words, without secrets."""
        ...


def name_aside(name: str) -> str:
    """A unique name beside `name`. Its suffix keeps it out of listings by suffix."""
    return f"{name}.unreadable-{secrets.token_hex(4)}"


def safe_name(name: str) -> PurePosixPath:
    """`name` as a path that stays inside its root.

    Raises:
        BadInput: it is empty, absolute, leaves the root (`..`), or contains a NUL.
    """
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name or "\\" in name:
        raise BadInput(
            f"The stored name {name!r} points outside its storage folder.",
            remedy="Correct `filename_disk` of that file.",
        )
    return path


def safe_folder(folder: str) -> PurePosixPath:
    """`folder` as a path that stays inside its storage.

    Raises:
        ConfigurationError: it does not.
    """
    try:
        return safe_name(folder)
    except BadInput:
        raise ConfigurationError(
            f"The folder {folder!r} is not inside its storage location.", remedy="Name one, such as `exports`."
        ) from None
