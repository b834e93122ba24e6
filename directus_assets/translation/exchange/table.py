"""Translations as CSV: one row each, as spreadsheets read and write it.

A spreadsheet evaluates a text that starts like a formula, and saves its result (`#NAME?`). An apostrophe before the
text prevents that; reading removes it.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Final

from directus_assets.errors import BadInput
from directus_assets.translation.exchange.units import BrokenOff, Exchanged, NotTaken

COLUMNS: Final = ("source_language", "target_language", "kind", "source", "translation", "made_by")
_NEEDED: Final = ("source_language", "target_language", "source", "translation")
_DELIMITERS: Final = (",", ";", "\t")
_LONGEST_CELL: Final = 2**24
_FORMULA: Final = re.compile("'*[=+\\-@\t\r]")


def write_table(units: Iterable[Exchanged], file: IO[bytes]) -> None:
    """Write the units; with a byte order mark, by which spreadsheets recognise UTF-8."""
    with _as_text(file) as text:
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        for unit in units:
            writer.writerow([_as_text_cell(getattr(unit, name)) for name in COLUMNS])


def read_table(file: IO[bytes]) -> Iterator[Exchanged | NotTaken]:
    """The rows of a table separated by commas, semicolons or tabs; other columns are ignored.

    Raises:
        BadInput: the header row lacks required columns.
        BrokenOff: the file stops being UTF-8 at some point.
    """
    csv.field_size_limit(_LONGEST_CELL)
    with _as_text(file) as text:
        try:
            header = text.readline()
            delimiter = max(_DELIMITERS, key=header.count)
            names = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
            if missing := [name for name in _NEEDED if name not in names]:
                raise BadInput(
                    f"The first row of the table names no column {', '.join(missing)}.",
                    remedy=f"Name the columns {', '.join(_NEEDED)}, and kind where it is known.",
                )
            yield from _rows(csv.reader(text, delimiter=delimiter, strict=True), names)
        except UnicodeDecodeError as error:
            raise BrokenOff(
                f"The table is not in UTF-8: {error.reason}.", remedy="Save it as 'CSV UTF-8', and import it again."
            ) from None


def _rows(rows: Iterator[list[str]], names: list[str]) -> Iterator[Exchanged | NotTaken]:
    number = 1
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield NotTaken(number, f"It cannot be read: {error}.")
            continue
        if not any(row):
            continue
        if len(row) != len(names):
            yield NotTaken(number, f"It has {len(row)} columns, where the first row has {len(names)}.")
            continue
        yield _unit(number, dict(zip(names, row, strict=True)))


def _unit(number: int, cells: Mapping[str, str]) -> Exchanged:
    return Exchanged(number=number, **{name: _text_of_cell(cells.get(name, "")) for name in COLUMNS})


def _as_text_cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _text_of_cell(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


@contextmanager
def _as_text(file: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    """A binary file as text with unchanged line breaks; the file stays open afterwards."""
    # A lone surrogate, which no text should contain, passes as it does elsewhere.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogatepass", newline="")
    try:
        yield text
    finally:
        text.flush()
        text.detach()
