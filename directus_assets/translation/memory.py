"""The translation memory: how each segment was translated in any item, and what people made of it.

Entries are stored in small, immutable files beside the records, so that runs without a shared disk never touch the same
file. Each process reads them into an index on its own disk (SQLite), which can be rebuilt.
"""

import json
import logging
import re
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from difflib import SequenceMatcher
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from directus_assets.directus.storage import Storage
from directus_assets.ownership.field_records import Remembered
from directus_assets.translation.segments.model import Segment, key_of
from directus_assets.translation.segments.notation import PLACEHOLDER

logger = logging.getLogger(__name__)

_FOLDER: Final = "memory"
_LEAST_ALIKE: Final = 0.75
"""The minimum similarity for showing a translation as an example."""
_LOOK_EVERY_SECONDS: Final = 5.0
_LOOK_SHARE: Final = 20
"""Refreshing takes at most one part in this many of the time, however many files there are."""
_RARE: Final = 5
"""The number of words used to find similar segments: the rarest ones."""
_MOST_WORDS: Final = 200
_MOST_CANDIDATES: Final = 60
_TOO_FREQUENT: Final = 10_000
"""A word that occurs in more segments than this is useless for finding others."""

_PAGE: Final = 1000
"""Entries read at once when all are read."""

_FIND: Final = "SELECT pair, key, source, text, glossary, engine, human, kind FROM entries WHERE pair = ? AND key = ?"
_ALL: Final = (
    "SELECT pair, key, source, text, glossary, engine, human, kind FROM entries "
    "WHERE pair = ? AND key > ? ORDER BY key LIMIT ?"
)
_ADD: Final = (
    "INSERT OR IGNORE INTO entries (pair, key, source, text, glossary, engine, human, kind) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_REPLACE: Final = (
    "UPDATE entries SET text = ?, glossary = ?, engine = ?, human = ?, kind = ? "
    "WHERE pair = ? AND key = ? AND human <= ?"
)
_COUNTS: Final = "SELECT term, docs FROM terms WHERE term IN (SELECT value FROM json_each(?)) ORDER BY docs"
_COUNT: Final = (
    "INSERT INTO terms (term, docs) VALUES (?, ?) ON CONFLICT (term) DO UPDATE SET docs = docs + excluded.docs"
)
_SIMILAR: Final = (
    "SELECT pair, key, entries.source, text, glossary, engine, human, kind "
    "FROM (SELECT rowid FROM words WHERE words MATCH ? LIMIT 400) AS hits JOIN entries ON entries.id = hits.rowid "
    "WHERE pair = ? AND abs(length(entries.source) - ?) <= ? LIMIT ?"
)
_VERSION: Final = 3
"""Of the tables below."""
_DROP: Final = """
DROP TABLE IF EXISTS word_counts; DROP TABLE IF EXISTS words; DROP TABLE IF EXISTS read_files;
DROP TABLE IF EXISTS entries; DROP TABLE IF EXISTS terms;
"""
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY, pair TEXT, key TEXT, source TEXT, text TEXT, glossary TEXT, engine TEXT, human INTEGER,
  kind TEXT, UNIQUE (pair, key)
);
CREATE TABLE IF NOT EXISTS read_files (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(source, content='', detail=none, columnsize=0);
CREATE TABLE IF NOT EXISTS terms (term TEXT PRIMARY KEY, docs INTEGER) WITHOUT ROWID;
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryEntry:
    """The translation of one segment.

    Attributes:
        pair: source and target language: see `pair_of`.
        key: the segment's key.
        source: its text.
        text: its translation.
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


def pair_of(source: str, target: str) -> str:
    """The identifier of a language pair."""
    return f"{source}>{target}"


def languages_of(pair: str) -> tuple[str, str]:
    """Source and target language of a pair."""
    source, _, target = pair.partition(">")
    return source, target


def is_memorable(segment: Segment) -> bool:
    """Whether a segment may read the same everywhere: addresses have to be unique."""
    return segment.context != "slug"


def key_of_any_kind(text: str) -> str:
    """The key of a text in any context: files from other tools do not distinguish headings from paragraphs."""
    return key_of("", text)


@dataclass
class Memory:
    """The translations of a project.

    Args:
        storage: holds the entries, shared by everyone who works on the project.
        index: this machine's index file; created if it does not exist.
    """

    storage: Storage
    index: Path
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _busy: dict[str, threading.Lock] = field(default_factory=dict, repr=False)
    _look_at: float = field(default=0.0, repr=False)

    def find(
        self, pair: str, keys: Iterable[str], *, sources: Mapping[str, str] | None = None
    ) -> dict[str, MemoryEntry]:
        """The entries of these segments, as far as there are any.

        Args:
            pair: the languages.
            keys: of the segments.
            sources: their texts, by key. Human translations that apply to any context are found by text.
        """
        found: dict[str, MemoryEntry] = {}
        with self._lock:
            self._read_new()
            for key in keys:
                entry = self._one(pair, key)
                if sources is not None and not (entry and entry.human):
                    entry = self._one(pair, key_of_any_kind(sources[key])) or entry
                if entry is not None:
                    found[key] = entry
        return found

    def pairs(self, targets: Collection[str] = ()) -> list[str]:
        """The language pairs with entries, after reading everything that others have stored.

        Args:
            targets: limits the result to these target languages; all if empty.
        """
        with self._lock:
            self._look_at = 0.0
            self._read_new()
            pairs = [str(pair) for (pair,) in self._index.execute("SELECT DISTINCT pair FROM entries ORDER BY pair")]
        return [pair for pair in pairs if not targets or languages_of(pair)[1] in targets]

    def entries(self, *, targets: Collection[str] = ()) -> Iterator[MemoryEntry]:
        """All entries, by language pair and key.

        Args:
            targets: limits the result to these target languages; all if empty.
        """
        for pair in self.pairs(targets):
            last = ""
            while True:
                with self._lock:
                    page = [_entry(row) for row in self._index.execute(_ALL, (pair, last, _PAGE))]
                if not page:
                    break
                yield from page
                last = page[-1].key

    def count(self, *, targets: Collection[str] = ()) -> int:
        """The number of entries."""
        pairs = self.pairs(targets)
        with self._lock:
            of_pair = "SELECT count(*) FROM entries WHERE pair = ?"
            return sum(int(self._index.execute(of_pair, (pair,)).fetchone()[0]) for pair in pairs)

    def similar(self, pair: str, source: str, *, most: int = 2) -> list[MemoryEntry]:
        """Entries of segments similar to `source`, most similar first."""
        with self._lock:
            self._read_new()
            candidates = list(self._candidates(pair, source))
        ranked = sorted(_alike(source, candidates), key=lambda pair: -pair[0])
        return [each for _, each in ranked if each.source != source][:most]

    def remember(self, entries: Sequence[MemoryEntry]) -> None:
        """Store entries; an engine's translation never replaces a human one."""
        with self._lock:
            known = {(each.pair, each.key): each for each in self._present(entries)}
            new = [each for each in entries if _is_news(each, known.get((each.pair, each.key)))]
            if not new:
                return
            name = f"{time.time_ns():020d}-{uuid.uuid4().hex}.jsonl"
            lines = (json.dumps(asdict(each), ensure_ascii=False) for each in new)
            content = "\n".join(lines).encode("utf-8", "surrogatepass")
            self._files.write(name, content, content_type="application/jsonl")
            self._take(name, new)

    @contextmanager
    def asking(
        self, pair: str, keys: Iterable[str], *, sources: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, MemoryEntry]]:
        """While a segment is being requested here, others in this process that need it wait for the answer.

        Args:
            pair: the languages.
            keys: of the segments.
            sources: as for `find`.

        Yields:
            Entries that others obtained in the meantime, which need not be requested.
        """
        answered: dict[str, MemoryEntry] = {}
        with ExitStack() as stack:
            # Always in the same order, to avoid deadlocks.
            for key in sorted(set(keys)):
                with self._lock:
                    lock = self._busy.setdefault(f"{pair}\0{key}", threading.Lock())
                with ExitStack() as held:
                    held.enter_context(lock)
                    if found := self.find(pair, [key], sources=sources):
                        answered |= found
                    else:
                        stack.enter_context(held.pop_all())
            yield answered

    def close(self) -> None:
        """Close the index."""
        with self._lock:
            self._index.close()

    @cached_property
    def _files(self) -> Storage:
        return self.storage.inside(_FOLDER)

    @cached_property
    def _index(self) -> sqlite3.Connection:
        self.index.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.index, timeout=60, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # its contents are stored elsewhere
        is_old = connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION
        drop = _DROP if is_old else ""
        connection.executescript(f"BEGIN IMMEDIATE; {drop} {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        return connection

    def _one(self, pair: str, key: str) -> MemoryEntry | None:
        row = self._index.execute(_FIND, (pair, key)).fetchone()
        return None if row is None else _entry(row)

    def _read_new(self) -> None:
        """Read what others have stored since this machine last looked."""
        started = time.monotonic()
        if started < self._look_at:
            return
        known = {name for (name,) in self._index.execute("SELECT name FROM read_files")}
        for name in sorted(name for name, _ in self._files.names() if name.endswith(".jsonl")):
            if name not in known:
                self._take(name, self._entries_in(name))
        now = time.monotonic()
        self._look_at = now + max(_LOOK_EVERY_SECONDS, _LOOK_SHARE * (now - started))

    def _entries_in(self, name: str) -> list[MemoryEntry]:
        lines = self._files.read(name).decode("utf-8", "surrogatepass").split("\n")
        try:
            return [MemoryEntry(**json.loads(line)) for line in lines if line]
        except (ValueError, TypeError) as error:
            # At worst, its contents are paid for again.
            logger.warning("A part of the translation memory cannot be read: %s: %s", name, error)
            return []

    def _present(self, entries: Iterable[MemoryEntry]) -> Iterator[MemoryEntry]:
        for each in entries:
            if known := self._one(each.pair, each.key):
                yield known

    def _take(self, name: str, entries: Iterable[MemoryEntry]) -> None:
        terms: Counter[str] = Counter()
        self._index.execute("BEGIN IMMEDIATE")
        try:
            for each in entries:
                added = self._index.execute(_ADD, (*asdict(each).values(),))
                if added.rowcount:
                    terms.update(_terms(each.source))
                    row = (added.lastrowid, each.source)
                    self._index.execute("INSERT INTO words (rowid, source) VALUES (?, ?)", row)
                    continue
                values = (each.text, each.glossary, each.engine, each.human, each.kind, each.pair, each.key, each.human)
                self._index.execute(_REPLACE, values)
            # Sorted, so that neighbours in the table are written together.
            self._index.executemany(_COUNT, sorted(terms.items()))
            self._index.execute("INSERT OR IGNORE INTO read_files VALUES (?)", (name,))
        except BaseException:
            self._index.execute("ROLLBACK")
            raise
        self._index.execute("COMMIT")

    def _candidates(self, pair: str, source: str) -> Iterator[MemoryEntry]:
        counts = self._index.execute(_COUNTS, (json.dumps(sorted(_terms(source))[:_MOST_WORDS]),)).fetchall()
        rare = [f'"{term}"' for term, count in counts if count <= _TOO_FREQUENT][:_RARE]
        # Two rare words in common or, failing that, all of the rarest words together.
        pairs = " OR ".join(f"({one} AND {other})" for one, other in combinations(rare, 2))
        query = pairs or " AND ".join(f'"{term}"' for term, _ in counts[:_RARE])
        if query:
            rows = self._index.execute(_SIMILAR, (query, pair, len(source), len(source) // 3 + 1, _MOST_CANDIDATES))
            yield from map(_entry, rows)


def _alike(source: str, candidates: Iterable[MemoryEntry]) -> Iterator[tuple[float, MemoryEntry]]:
    """Candidates that are similar enough, each with its similarity by words: 1 for identical."""
    matcher = SequenceMatcher(None, b=source.lower().split(), autojunk=False)
    for each in candidates:
        matcher.set_seq1(each.source.lower().split())
        # From the cheapest to the most expensive: each is an upper bound of the next.
        for ratio in (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio):
            if (alike := ratio()) < _LEAST_ALIKE:
                break
        else:
            yield alike, each


def _terms(source: str) -> set[str]:
    """The words by which a text can be found."""
    return {word.lower() for word in re.findall(r"\w+", PLACEHOLDER.sub(" ", source))}


def _entry(row: Sequence[Any]) -> MemoryEntry:
    pair, key, source, text, glossary, engine, human, kind = row
    return MemoryEntry(
        pair=pair, key=key, source=source, text=text, glossary=glossary, engine=engine, human=bool(human), kind=kind
    )


def _is_news(entry: MemoryEntry, known: MemoryEntry | None) -> bool:
    # The key tells a segment's context, which the first version did not store.
    return known is None or (replace(entry, kind=known.kind) != known and (entry.human or not known.human))
