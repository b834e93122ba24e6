"""The translation memory: how each segment was translated in any item, and what people made of it.

Entries are stored in small, immutable files beside the records, so that runs without a shared disk never touch the same
file. Each process reads them into an index on its own disk (SQLite), which is made anew if it is damaged.
`Memory.merge_files` merges old files, so that a machine with an empty disk does not have to read thousands of them.
"""

import json
import logging
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from directus_assets.directus.storage import Storage
from directus_assets.errors import NotFound
from directus_assets.translation.likeness import alike
from directus_assets.translation.memory_index import MemoryEntry, MemoryIndex, is_damage
from directus_assets.translation.segments.model import Segment, key_of

__all__ = ["Memory", "MemoryEntry", "is_memorable", "key_of_any_kind", "languages_of", "pair_of"]

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

_FOLDER: Final = "memory"
_LOOK_EVERY_SECONDS: Final = 5.0
_LOOK_SHARE: Final = 20
"""Refreshing takes at most one part in this many of the time, however many files there are."""
_PAGE: Final = 1000
"""Entries read at once when all are read."""

_FORGOTTEN: Final = "forgotten"
"""Stands for the glossary of a forgotten entry: no digest is equal to it, so earlier versions do not use the entry."""

_AS_WRITTEN: Final = re.compile(r"\d{20}-[0-9a-f]{32}\.jsonl")
"""The name of a file that was not merged from others."""
_MANY: Final = 500
"""The number of files that is worth a merge."""
_MOST: Final = 2000
"""Files merged at once."""
_SETTLED_SECONDS: Final = 24 * 3600
"""The age of files that are merged: no machine is still writing older ones."""


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


def _indexed(use: "Callable[Concatenate[Memory, P], R]") -> "Callable[Concatenate[Memory, P], R]":
    """Let one thread at a time use the index. If it turns out to be damaged, make it anew and repeat the use."""

    @wraps(use)
    def used(self: "Memory", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._lock:
            try:
                return use(self, *args, **kwargs)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                logger.warning("The index of the translation memory is damaged and is made anew: %s", error)
                self._discard_index()
                return use(self, *args, **kwargs)

    return used


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
    _opened: MemoryIndex | None = field(default=None, repr=False)

    @_indexed
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
        self._read_new()
        for key in keys:
            entry = self._index.find(pair, key)
            if sources is not None and not (entry and entry.human):
                entry = self._index.find(pair, key_of_any_kind(sources[key])) or entry
            if entry is not None:
                found[key] = entry
        return found

    @_indexed
    def pairs(self, targets: Collection[str] = ()) -> list[str]:
        """The language pairs with entries, after reading everything that others have stored.

        Args:
            targets: limits the result to these target languages; all if empty.
        """
        self._look_at = 0.0
        self._read_new()
        return [pair for pair in self._index.pairs() if not targets or languages_of(pair)[1] in targets]

    def entries(self, *, targets: Collection[str] = ()) -> Iterator[MemoryEntry]:
        """All entries, by language pair and key.

        Args:
            targets: limits the result to these target languages; all if empty.
        """
        for pair in self.pairs(targets):
            last = ""
            while page := self._page(pair, last):
                yield from page
                last = page[-1].key

    @_indexed
    def count(self, *, targets: Collection[str] = ()) -> int:
        """The number of entries."""
        return sum(map(self._index.count, self.pairs(targets)))

    def similar(self, pair: str, source: str, *, most: int = 2) -> list[MemoryEntry]:
        """Entries of segments similar to `source`, most similar first."""
        candidates = self._candidates(pair, source)
        ranked = sorted(alike(source, ((each.source, each) for each in candidates)), key=lambda pair: -pair[0])
        return [each for _, each in ranked if each.source != source][:most]

    @_indexed
    def remember(self, entries: Sequence[MemoryEntry]) -> None:
        """Store entries; an engine's translation never replaces a human one."""
        self._store([each for each in entries if _is_news(each, self._index.find(each.pair, each.key))])

    @_indexed
    def forget(self, pair: str, texts: Collection[str]) -> None:
        """Forget an engine's translations that turned out to be bad; human and other translations stay.

        Args:
            pair: the languages.
            texts: the bad translations. The numbers of their placeholders do not count.
        """
        self._read_new()
        bad = list(self._index.by_engines(pair, texts))
        self._store([replace(each, text="", glossary=_FORGOTTEN) for each in bad])

    @_indexed
    def newest_by_people(self) -> str:
        """The name of the newest file with a human translation; empty if there is none."""
        self._look_at = 0.0
        self._read_new()
        return self._index.newest_by_people()

    def merge_files(self, *, least: int = _MANY, now: Callable[[], float] = time.time) -> int:
        """Merge old files if there are at least `least`; return the number of files merged.

        No concurrent run can lose anything: the merged file exists, and names the files in it, before the first of them
        is deleted. Two machines that merge at once only do the work twice.

        Raises:
            DirectusAssetsError: a file cannot be read or written; files that were not deleted yet stay.
        """
        until = (now() - _SETTLED_SECONDS) * 1e9
        names = sorted(name for name, _ in self._files.names() if _AS_WRITTEN.fullmatch(name))
        old = [name for name in names if int(name.partition("-")[0]) < until]
        if len(old) < least:
            return 0
        parts: dict[str, list[MemoryEntry]] = {}
        for name in old[:_MOST]:
            try:
                parts[name] = self._entries_in(name)
            except NotFound:
                return 0  # Another machine is merging.
        parts = {name: entries for name, entries in parts.items() if entries}
        lines = [each for name, entries in parts.items() for each in (_heading(name), *entries)]
        self._write(f"{old[:_MOST][-1].removesuffix('.jsonl')}.{uuid.uuid4().hex}.jsonl", lines)
        for name in parts:
            self._files.delete(name)
        return len(parts)

    @contextmanager
    def asking(
        self, pair: str, keys: Iterable[str], *, sources: Mapping[str, str] | None = None, is_patient: bool = True
    ) -> Iterator[tuple[dict[str, MemoryEntry], set[str]]]:
        """While a segment is being requested here, others in this process that need it wait for the answer.

        Whoever waits must not be inside another such block: two could wait for each other.

        Args:
            pair: the languages.
            keys: of the segments.
            sources: as for `find`.
            is_patient: whether to wait for segments that others are requesting.

        Yields:
            Entries that others obtained in the meantime, which need not be requested; and, without patience, the keys
            of the segments that others are requesting.
        """
        answered: dict[str, MemoryEntry] = {}
        elsewhere: set[str] = set()
        with ExitStack() as stack:
            # Always in the same order, to avoid deadlocks.
            for key in sorted(set(keys)):
                with self._lock:
                    lock = self._busy.setdefault(f"{pair}\0{key}", threading.Lock())
                if not lock.acquire(blocking=is_patient):
                    elsewhere.add(key)
                    continue
                with ExitStack() as held:
                    held.callback(lock.release)
                    if found := self.find(pair, [key], sources=sources):
                        answered |= found
                    else:
                        stack.enter_context(held.pop_all())
            yield answered, elsewhere

    def close(self) -> None:
        """Close the index."""
        with self._lock:
            if self._opened:
                self._opened.close()
                self._opened = None

    @cached_property
    def _files(self) -> Storage:
        return self.storage.inside(_FOLDER)

    @property
    def _index(self) -> MemoryIndex:
        if self._opened is None:
            self._opened = MemoryIndex(self.index)
        return self._opened

    def _discard_index(self) -> None:
        self.close()
        MemoryIndex.delete(self.index)
        self._look_at = 0.0

    @_indexed
    def _page(self, pair: str, after: str) -> list[MemoryEntry]:
        self._read_new()
        return self._index.page(pair, after=after, most=_PAGE)

    @_indexed
    def _candidates(self, pair: str, source: str) -> list[MemoryEntry]:
        self._read_new()
        return list(self._index.candidates(pair, source))

    def _store(self, new: Sequence[MemoryEntry]) -> None:
        if new:
            # Later than what it replaces, even if another machine's clock is fast.
            moment = max(time.time_ns(), self._index.latest(new) + 1)
            name = f"{moment:020d}-{uuid.uuid4().hex}.jsonl"
            self._write(name, new)
            self._index.take(name, new)

    def _write(self, name: str, entries: Iterable[MemoryEntry]) -> None:
        lines = (json.dumps(asdict(each), ensure_ascii=False) for each in entries)
        self._files.write(name, "\n".join(lines).encode("utf-8", "surrogatepass"), content_type="application/jsonl")

    def _read_new(self) -> None:
        """Read what others have stored since this machine last looked."""
        started = time.monotonic()
        if started < self._look_at:
            return
        known = self._index.files()
        for name in sorted(name for name, _ in self._files.names() if name.endswith(".jsonl")):
            if name not in known:
                # Another machine may have merged the file in the meantime; the next look finds the merged one.
                with suppress(NotFound):
                    self._take(name, known)
        now = time.monotonic()
        self._look_at = now + max(_LOOK_EVERY_SECONDS, _LOOK_SHARE * (now - started))

    def _take(self, name: str, known: set[str]) -> None:
        parts: dict[str, list[MemoryEntry]] = {}
        own: list[MemoryEntry] = []
        for each in self._entries_in(name):
            if _is_heading(each):
                own = parts.setdefault(each.key, [])
            else:
                own.append(each)
        # Never apply a file twice: a newer entry may have replaced its entries.
        for part, entries in {**parts, name: [] if parts else own}.items():
            if part not in known:
                self._index.take(part, entries)
                known.add(part)

    def _entries_in(self, name: str) -> list[MemoryEntry]:
        content = self._files.read(name)
        try:
            lines = content.decode("utf-8", "surrogatepass").split("\n")
            return [MemoryEntry(**json.loads(line)) for line in lines if line]
        except (ValueError, TypeError) as error:
            # At worst, its contents are paid for again.
            logger.warning("A part of the translation memory cannot be read: %s: %s", name, error)
            return []


def _heading(name: str) -> MemoryEntry:
    """Precedes the entries of each file in a merged one. Earlier versions read it as an entry without languages."""
    return MemoryEntry(pair="", key=name, source="", text="")


def _is_heading(entry: MemoryEntry) -> bool:
    return not entry.pair


def _is_news(entry: MemoryEntry, known: MemoryEntry | None) -> bool:
    # The key tells a segment's context, which the first version did not store.
    return known is None or (replace(entry, kind=known.kind) != known and (entry.human or not known.human))
