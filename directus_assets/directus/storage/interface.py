"""What every storage location can do, whatever it is."""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from directus_assets.errors import BadInput, ConfigurationError, TransientError


class StorageFull(TransientError):
    """The disk has no room; work goes on when there is some again."""


class Unusable(BadInput):
    """What is there under a name is no file, or one that nobody can read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One file or object: its name, its size in bytes, and when it was last written."""

    name: str
    size: int
    modified: dt.datetime


class Storage(Protocol):
    """One storage location: names to bytes. Names are relative, with `/` between folders."""

    def read(self, name: str, *, most: int | None = None) -> bytes:
        """The content. Raises TooLarge, before it is read, if it has more than `most` bytes; NotFound, Unreachable or
        PermanentError."""
        ...

    def write(self, name: str, content: bytes, *, content_type: str) -> None:
        """Puts the content there, whole or not at all, over what was there."""
        ...

    def update(self, name: str, change: Callable[[bytes | None], bytes], *, content_type: str) -> None:
        """Replaces what is there by `change` of it (None: nothing there); no update by anybody else is lost."""
        ...

    def size(self, name: str) -> int | None:
        """Bytes of what is there, or None."""
        ...

    def entry(self, name: str) -> Entry | None:
        """What is there, or None."""
        ...

    def names(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names that start with `prefix`, with their sizes."""
        ...

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """What is there under names that start with `prefix`."""
        ...

    def delete(self, name: str) -> None:
        """Removes what is there; nothing there is fine."""
        ...

    def set_aside(self, name: str, *, unless: Callable[[bytes], bool]) -> str | None:
        """Moves what is there, whatever it is, to a name of its own, unless its content will do; gives that name.

        None where its content will do, or nothing is there: others may have been quicker.
        """
        ...

    def inside(self, folder: str) -> "Storage":
        """The storage that starts in a folder of this one. Raises ConfigurationError if that folder leaves it."""
        ...

    def describe(self) -> str:
        """Where this is, for people; no secrets."""
        ...


def name_aside(name: str) -> str:
    """A name beside `name` that nothing else has. Its ending keeps it out of listings by ending."""
    return f"{name}.unreadable-{secrets.token_hex(4)}"


def safe_name(name: str) -> PurePosixPath:
    """`name` as a path that stays inside its root.

    Raises:
        BadInput: it is empty or absolute, or climbs out (`..`), or holds a NUL.
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
