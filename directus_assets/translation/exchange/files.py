"""Detects the format of a memory file, reads it and writes it."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from directus_assets.errors import BadInput
from directus_assets.translation.exchange.table import read_table, write_table
from directus_assets.translation.exchange.tmx import read_tmx, write_tmx
from directus_assets.translation.exchange.units import Exchanged, NotTaken


class _Format(NamedTuple):
    write: Callable[[Iterable[Exchanged], IO[bytes]], None]
    read: Callable[[IO[bytes]], Iterator[Exchanged | NotTaken]]


FORMATS: Final = {"tmx": _Format(write_tmx, read_tmx), "csv": _Format(write_table, read_table)}


def format_of(path: Path, named: str | None = None) -> str:
    """The format of a file: the given one, or else the one its suffix indicates.

    Raises:
        BadInput: the suffix indicates none.
    """
    found = named or path.suffix.lower().removeprefix(".")
    if found not in FORMATS:
        raise BadInput(f"{path} does not say what it is.", remedy=f"Name a format: --format {' or '.join(FORMATS)}.")
    return found


def read_units(file: IO[bytes], format_: str) -> Iterator[Exchanged | NotTaken]:
    """The translations in a file, one by one, including unreadable ones.

    Raises:
        BadInput: the file has a different format, or becomes invalid at some point (`BrokenOff`).
    """
    return FORMATS[format_].read(file)


def write_units(units: Iterable[Exchanged], path: Path, format_: str) -> None:
    """Write the units to a file atomically.

    Raises:
        BadInput: the file cannot be written.
    """
    write_whole(path, lambda file: FORMATS[format_].write(units, file))


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file atomically.

    Raises:
        BadInput: the file cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            part = Path(file.name)
            try:
                write(file)
                file.flush()
                part.chmod(0o666 & ~_umask())
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.", remedy="Choose another place.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
