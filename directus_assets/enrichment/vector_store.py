"""Stores vectors and neighbours in a folder, or in a bucket that several machines share.

The digest of an item's key assigns it to one of a fixed number of files, so that a change rewrites little and reading
everything takes few requests. Files are changed only by `Storage.update`, which loses no concurrent update.
"""

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field, NonNegativeInt, TypeAdapter

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.enrichment.neighbours import Neighbour, Neighbours, Vector
from directus_assets.errors import NotFound

_FILES: Final = 64
_READERS: Final = 8
_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredVector:
    """The stored vector of one item, with its neighbours.

    Attributes:
        space: the embedder's name. Vectors of different spaces cannot be compared.
        text: digest of the embedded text.
        vector: the vector.
        neighbours: the last list found to be correct; None if there is none yet.
        rule: the count and minimum similarity behind the list; set with `neighbours`.
    """

    space: str
    text: str
    vector: Vector
    neighbours: Neighbours | None = None
    rule: str = ""


@dataclass(frozen=True)
class VectorStore:
    """The vectors of one enrichment's items.

    Every method raises its storage's errors: a storage that cannot be read is never mistaken for an empty one. An
    unreadable file counts as lost (see `KeptFile`).

    Args:
        storage: a folder used by this enrichment only.
    """

    storage: Storage

    def load(self) -> dict[str, StoredVector]:
        """All vectors, by key."""
        names: list[str] = []
        with contextlib.suppress(NotFound):
            names = [name for name, _ in self.storage.names() if name.endswith(".vectors")]
        return self._read(names)

    def load_some(self, keys: Iterable[str]) -> dict[str, StoredVector]:
        """The vectors of these items, as far as there are any, and incidentally of others."""
        return self._read(sorted({_file_of(key) for key in keys}))

    def _read(self, names: Iterable[str]) -> dict[str, StoredVector]:
        with ThreadPoolExecutor(_READERS) as pool:
            found: dict[str, StoredVector] = {}
            for places in pool.map(lambda name: self._file(name).read() or {}, names):
                found |= places
        return found

    def put(self, places: Mapping[str, StoredVector]) -> None:
        """Store these vectors, replacing earlier ones."""
        self._change(places, lambda known, keys: known | {key: places[key] for key in keys})

    def put_neighbours(self, lists: Mapping[str, Neighbours | None], *, rule: str) -> None:
        """Record these lists, found by `rule`, or that there is none; items without a vector are dropped."""

        def noted(known: dict[str, StoredVector], keys: Collection[str]) -> dict[str, StoredVector]:
            return known | {key: replace(known[key], neighbours=lists[key], rule=rule) for key in keys if key in known}

        self._change(lists, noted)

    def remove(self, keys: Iterable[str]) -> None:
        """Remove these items."""
        self._change(keys, lambda known, gone: {key: place for key, place in known.items() if key not in gone})

    def _change(
        self, keys: Iterable[str], change: Callable[[dict[str, StoredVector], Collection[str]], dict[str, StoredVector]]
    ) -> None:
        by_file: dict[str, set[str]] = {}
        for key in keys:
            by_file.setdefault(_file_of(key), set()).add(key)
        for name, own in sorted(by_file.items()):

            def changed(known: dict[str, StoredVector] | None, own: set[str] = own) -> bytes:
                return _to_bytes(change(known or {}, own))

            self._file(name).update(changed)

    def _file(self, name: str) -> KeptFile[dict[str, StoredVector]]:
        return KeptFile(
            storage=self.storage,
            name=name,
            what="file of vectors",
            loss="Items get a new embedding when they are next enriched.",
            parse=_from_bytes,
            content_type=_TYPE,
        )


def _file_of(key: str) -> str:
    number = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[0] % _FILES
    return f"{number:02x}.vectors"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """An item's entry in a file: everything but its vector, of which it holds the length."""

    key: str
    space: str
    text: str
    dimensions: NonNegativeInt
    rule: str
    neighbours: tuple[tuple[str, Annotated[int, Field(ge=-(2**31), lt=2**31)]], ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Head:
    """The first line of a file."""

    items: tuple[_Row, ...]
    version: Literal[1] = 1


_HEAD: Final = TypeAdapter(_Head)


def _to_bytes(places: Mapping[str, StoredVector]) -> bytes:
    """Serialise as one line of JSON about all items, followed by their vectors."""
    rows = tuple(
        _Row(
            key=key,
            space=place.space,
            text=place.text,
            dimensions=len(place.vector),
            rule=place.rule,
            neighbours=None if place.neighbours is None else tuple((n.key, n.product) for n in place.neighbours),
        )
        for key, place in sorted(places.items())
    )
    vectors = b"".join(place.vector.astype("<i2").tobytes() for _, place in sorted(places.items()))
    return _HEAD.dump_json(_Head(items=rows)) + b"\n" + vectors


def _from_bytes(content: bytes) -> dict[str, StoredVector]:
    head, _, body = content.partition(b"\n")
    places: dict[str, StoredVector] = {}
    start = 0
    for row in _HEAD.validate_json(head).items:
        end = start + 2 * row.dimensions
        if end > len(body):
            raise ValueError("it is cut off")
        places[row.key] = _place(row, np.frombuffer(body[start:end], "<i2").astype(np.int16))
        start = end
    return places


def _place(row: _Row, vector: Vector) -> StoredVector:
    known = row.neighbours
    neighbours = None if known is None else tuple(Neighbour(key=key, product=product) for key, product in known)
    return StoredVector(space=row.space, text=row.text, vector=vector, neighbours=neighbours, rule=row.rule)
