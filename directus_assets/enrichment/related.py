"""Keeps the neighbour lists of a collection correct while items are added, changed and removed, by one run or several.

A run stores the vectors of its items, concurrently with others. Then it acquires the lock to read all vectors, and to
write and record the lists that change. A vector counts as new until its own list is recorded, which happens last: work
that a dead run left undone is done by the next one.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from directus_assets.enrichment.lease import Lease
from directus_assets.enrichment.neighbours import Neighbours, Space, Vector
from directus_assets.enrichment.vector_store import StoredVector, VectorStore

_AT_ONCE = 20
"""Lists written before the lock is renewed."""


@dataclass(frozen=True, kw_only=True)
class Related:
    """The neighbours of one collection's items.

    Args:
        store: stores the vectors.
        lease: the lock for writing.
        space: the name of the embedder.
        embed: embeds texts.
        write: writes lists to their targets, including those of unchanged items; returns the items whose list could not
            be written.
        count: the maximum number of neighbours per item.
        least: the minimum cosine of a neighbour.
    """

    store: VectorStore
    lease: Lease
    space: str
    embed: Callable[[Sequence[str]], Sequence[Vector]]
    write: Callable[[Mapping[str, Neighbours]], Collection[str]]
    count: int
    least: float

    def place(self, texts: Mapping[str, str]) -> list[str]:
        """Store the vectors of these texts, in few requests; return the items that had none.

        Raises:
            DirectusAssetsError: from `embed` or the store.
        """
        known = self.store.load_some(texts)
        new = {key: text for key, text in texts.items() if text.strip() and not self.is_placed(known.get(key), text)}
        vectors = self.embed(list(new.values())) if new else []
        self.store.put(
            {
                key: StoredVector(space=self.space, text=_digest(text), vector=vector)
                for (key, text), vector in zip(new.items(), vectors, strict=True)
            }
        )
        return list(new)

    def is_placed(self, place: StoredVector | None, text: str) -> bool:
        """Whether the stored vector is that of this very text."""
        return place is not None and (place.space, place.text) == (self.space, _digest(text))

    def update(self, texts: Mapping[str, str], *, gone: Collection[str] = ()) -> dict[str, Neighbours]:
        """Update everything after items were added, changed or removed; return the lists that were written.

        Args:
            texts: the added or changed items. An item with a blank text has no neighbours.
            gone: the removed items.

        Raises:
            TransientError: other runs hold the lock for too long.
            DirectusAssetsError: from `embed`, `write` or the store.
        """
        blank = {key for key, text in texts.items() if not text.strip()}
        self.place(texts)
        with self.lease.held() as renew:
            lists = self._lists({*gone, *blank}, own=texts)
            for start in range(0, len(lists), _AT_ONCE):
                some = dict(islice(lists.items(), start, start + _AT_ONCE))
                renew()
                failed = self.write(some)
                # An item whose list could not be written is recorded without one, and gets it when it is processed
                # itself.
                noted = {key: None if key in failed else near for key, near in some.items()}
                self.store.put_neighbours(noted, rule=self._rule)
            self.store.remove({*gone, *blank})
        return lists

    def _lists(self, absent: Collection[str], *, own: Collection[str]) -> dict[str, Neighbours]:
        """The lists to write; those of `own` items even if they are correct, and last.

        An item of another run without a list gets its first one from that run.
        """
        places = {key: place for key, place in self.store.load().items() if place.space == self.space}
        known = self._noted(places)
        there = {key: place.vector for key, place in places.items() if key not in absent}
        space = Space(there, count=self.count, least=self.least)
        right = space.updated(known, {*own, *absent, *(places.keys() - known.keys())})
        others = {key: near for key, near in right.items() if key in known and key not in own}
        # Someone may have emptied the field.
        return others | {key: right.get(key, known.get(key, ()) if key in there else ()) for key in own}

    @property
    def _rule(self) -> str:
        return f"{self.count} from {self.least}"

    def _noted(self, places: Mapping[str, StoredVector]) -> dict[str, Neighbours]:
        """The lists computed with the current rule."""
        return {
            key: place.neighbours
            for key, place in places.items()
            if place.neighbours is not None and place.rule == self._rule
        }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
