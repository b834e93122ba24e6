"""This machine's index of the translation memory (SQLite). Its contents are stored elsewhere, so it can be rebuilt."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from directus_assets.translation.likeness import terms, with_spaces
from directus_assets.translation.records import Remembered
from directus_assets.translation.segments.notation import PLACEHOLDER

_RARE: Final = 5
"""The number of words used to find similar segments: the rarest ones."""
_MOST_WORDS: Final = 200
_MOST_CANDIDATES: Final = 60
_TOO_FREQUENT: Final = 10_000
"""A word that occurs in more segments than this is useless for finding others."""

_FIND: Final = "SELECT pair, key, source, text, glossary, engine, human, kind FROM entries WHERE pair = ? AND key = ?"
_ALL: Final = (
    "SELECT pair, key, source, text, glossary, engine, human, kind FROM entries "
    "WHERE pair = ? AND key > ? AND text <> '' ORDER BY key LIMIT ?"
)
_ADD: Final = (
    "INSERT OR IGNORE INTO entries (pair, key, source, text, glossary, engine, human, kind, written) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_REPLACE: Final = (
    "UPDATE entries SET text = ?, glossary = ?, engine = ?, human = ?, kind = ?, written = ? "
    "WHERE pair = ? AND key = ? AND (human, written) <= (?, ?)"
)
_WRITTEN: Final = "SELECT written FROM entries WHERE pair = ? AND key = ?"
_COUNTS: Final = "SELECT term, docs FROM terms WHERE term IN (SELECT value FROM json_each(?)) ORDER BY docs"
_COUNT: Final = (
    "INSERT INTO terms (term, docs) VALUES (?, ?) ON CONFLICT (term) DO UPDATE SET docs = docs + excluded.docs"
)
_SIMILAR: Final = (
    "SELECT pair, key, entries.source, text, glossary, engine, human, kind "
    "FROM (SELECT rowid FROM words WHERE words MATCH ? LIMIT 400) AS hits JOIN entries ON entries.id = hits.rowid "
    "WHERE pair = ? AND text <> '' AND abs(length(entries.source) - ?) <= ? LIMIT ?"
)
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_VERSION: Final = 5
"""Of the tables below."""
_DROP: Final = """
DROP TABLE IF EXISTS word_counts; DROP TABLE IF EXISTS words; DROP TABLE IF EXISTS read_files;
DROP TABLE IF EXISTS entries; DROP TABLE IF EXISTS terms;
"""
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY, pair TEXT, key TEXT, source TEXT, text TEXT, glossary TEXT, engine TEXT, human INTEGER,
  kind TEXT, written INTEGER, UNIQUE (pair, key)
);
CREATE TABLE IF NOT EXISTS read_files (name TEXT PRIMARY KEY, by_people INTEGER) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(source, content='', detail=none, columnsize=0);
CREATE TABLE IF NOT EXISTS terms (term TEXT PRIMARY KEY, docs INTEGER) WITHOUT ROWID;
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryEntry:
    """The translation of one segment.

    Attributes:
        pair: source and target language: see `memory.pair_of`.
        key: the segment's key.
        source: its text.
        text: its translation; empty if a bad one was forgotten.
        glossary: digest of the terms in it.
        engine: the engine that made it.
        human: whether a person made it.
        kind: the segment's context (see `Segment.context`); empty if unknown.
    """

    pair: str
    key: str
    source: str
    text: str
    glossary: str = ""
    engine: str = ""
    human: bool = False
    kind: str = ""

    @property
    def remembered(self) -> Remembered:
        """The translation in the form of an item's record."""
        return Remembered(text=self.text, glossary=self.glossary, engine=self.engine)


class MemoryIndex:
    """The entries by language pair and segment key, and by words.

    Args:
        path: the file; created if it does not exist or is of an earlier version.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._tables = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
        self._tables.execute("PRAGMA journal_mode = WAL")
        self._tables.execute("PRAGMA synchronous = OFF")  # its contents are stored elsewhere
        is_old = self._tables.execute("PRAGMA user_version").fetchone()[0] != _VERSION
        drop = _DROP if is_old else ""
        self._tables.executescript(f"BEGIN IMMEDIATE; {drop} {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")

    def close(self) -> None:
        """Close the file."""
        self._tables.close()

    @staticmethod
    def delete(path: Path) -> None:
        """Delete the file. Processes that have it open keep what they have."""
        # Its log first: a new file would take it for its own.
        for name in (f"{path.name}-wal", f"{path.name}-shm", path.name):
            path.with_name(name).unlink(missing_ok=True)

    def find(self, pair: str, key: str) -> MemoryEntry | None:
        """The entry of a segment; None if there is none or it was forgotten."""
        row = self._tables.execute(_FIND, (pair, key)).fetchone()
        found = None if row is None else _entry(row)
        return found if found and found.text else None

    def latest(self, entries: Iterable[MemoryEntry]) -> int:
        """When the newest version of these segments was written, in nanoseconds since 1970; 0 if there is none."""
        moments = (self._tables.execute(_WRITTEN, (each.pair, each.key)).fetchone() for each in entries)
        return max((int(moment) for (moment,) in filter(None, moments)), default=0)

    def by_engines(self, pair: str, texts: Iterable[str]) -> Iterator[MemoryEntry]:
        """The entries whose translation by an engine is one of `texts`. Reads all entries of the language pair."""
        wanted = set(map(without_tags, texts))
        of_engines = "SELECT key, text FROM entries WHERE pair = ? AND NOT human AND text <> ''"
        rows = self._tables.execute(of_engines, (pair,)) if wanted else ()
        keys = [key for key, text in rows if without_tags(text) in wanted]
        return (found for key in keys if (found := self.find(pair, key)))

    def pairs(self) -> list[str]:
        """The language pairs with entries."""
        found = self._tables.execute("SELECT DISTINCT pair FROM entries WHERE text <> '' ORDER BY pair")
        return [str(pair) for (pair,) in found]

    def page(self, pair: str, *, after: str, most: int) -> list[MemoryEntry]:
        """At most `most` entries of a language pair with keys after `after`, in order of keys."""
        return [_entry(row) for row in self._tables.execute(_ALL, (pair, after, most))]

    def count(self, pair: str) -> int:
        """The number of entries of a language pair."""
        of_pair = "SELECT count(*) FROM entries WHERE pair = ? AND text <> ''"
        return int(self._tables.execute(of_pair, (pair,)).fetchone()[0])

    def candidates(self, pair: str, source: str) -> Iterator[MemoryEntry]:
        """Entries of segments that share rare words with `source` and are about as long."""
        wanted = json.dumps(sorted(terms(source))[:_MOST_WORDS])
        counts = self._tables.execute(_COUNTS, (wanted,)).fetchall()
        rare = [f'"{term}"' for term, count in counts if count <= _TOO_FREQUENT][:_RARE]
        # Two rare words in common or, failing that, all of the rarest words together.
        pairs = " OR ".join(f"({one} AND {other})" for one, other in combinations(rare, 2))
        query = pairs or " AND ".join(f'"{term}"' for term, _ in counts[:_RARE])
        if query:
            rows = self._tables.execute(_SIMILAR, (query, pair, len(source), len(source) // 3 + 1, _MOST_CANDIDATES))
            yield from map(_entry, rows)

    def files(self) -> set[str]:
        """The names of the files that were read."""
        return {name for (name,) in self._tables.execute("SELECT name FROM read_files")}

    def newest_by_people(self) -> str:
        """The newest file that was read with a human translation; empty if there is none."""
        return str(self._tables.execute("SELECT max(name) FROM read_files WHERE by_people").fetchone()[0] or "")

    def take(self, name: str, entries: Iterable[MemoryEntry]) -> None:
        """Add a file's entries, in their order, whatever the order of files: an engine's translation never replaces a
        human one, and of two others the one written last stays.
        """
        written = _written(name)
        found: Counter[str] = Counter()
        by_people = False
        self._tables.execute("BEGIN IMMEDIATE")
        try:
            for each in entries:
                by_people = by_people or each.human
                added = self._tables.execute(_ADD, (*asdict(each).values(), written))
                if added.rowcount:
                    found.update(terms(each.source))
                    row = (added.lastrowid, with_spaces(each.source))
                    self._tables.execute("INSERT INTO words (rowid, source) VALUES (?, ?)", row)
                    continue
                values = (each.text, each.glossary, each.engine, each.human, each.kind, written)
                self._tables.execute(_REPLACE, (*values, each.pair, each.key, each.human, written))
            # Sorted, so that neighbours in the table are written together.
            self._tables.executemany(_COUNT, sorted(found.items()))
            self._tables.execute("INSERT OR IGNORE INTO read_files VALUES (?, ?)", (name, by_people))
            self._tables.execute("COMMIT")
        except BaseException:
            # SQLite may have done so itself, for example if the disk is full.
            if self._tables.in_transaction:
                self._tables.execute("ROLLBACK")
            raise


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is damaged, as after a power failure: https://www.sqlite.org/rescode.html."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGED or code == sqlite3.SQLITE_IOERR_SHORT_READ


def _written(name: str) -> int:
    """When a file was written, in nanoseconds since 1970; 0 if its name does not tell."""
    return int(name[:20]) if re.match("0[0-8][0-9]{18}-", name) else 0


def without_tags(text: str) -> str:
    """A segment's text without placeholders: a translation may number them differently from its source."""
    return PLACEHOLDER.sub("", text)


def _entry(row: Sequence[Any]) -> MemoryEntry:
    pair, key, source, text, glossary, engine, human, kind = row
    return MemoryEntry(
        pair=pair, key=key, source=source, text=text, glossary=glossary, engine=engine, human=bool(human), kind=kind
    )
