"""Keeps the neighbours of a collection's items right while items come, change and go, in one run or in several.

A run puts the vectors of its items into the store, side by side with others, and then takes its turn to read all, and
to write and note what has to be different. A vector counts as new until a list of its own is noted, which comes last:
what a run left undone that died is done by the next one.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from directus_assets.enrichment.lease import Lease
from directus_assets.enrichment.neighbours import Neighbours, Space, Vector
from directus_assets.enrichment.vector_store import StoredVector, VectorStore

_AT_ONCE = 20
"""Lists that are written before the turn is renewed."""


@dataclass(frozen=True, kw_only=True)
class Related:
    """The neighbours of one collection's items.

    Args:
        store: where vectors are.
        lease: whose turn it is to write.
        space: the name of the embedder.
        embed: the vectors of texts.
        write: puts lists where they are read, which may be those of other items than the ones that changed; gives the
            items whose list could not be written.
        count: how many neighbours an item has at most.
        least: the cosine that a neighbour has at least.
    """

    store: VectorStore
    lease: Lease
    space: str
    embed: Callable[[Sequence[str]], Sequence[Vector]]
    write: Callable[[Mapping[str, Neighbours]], Collection[str]]
    count: int
    least: float

    def place(self, texts: Mapping[str, str]) -> list[str]:
        """Puts the vectors of these texts into the store, in few requests; gives the items that it had none of.

        Raises:
            DirectusAssetsError: as `embed` and the store.
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
        """Whether an item's place is by the vector of this very text."""
        return place is not None and (place.space, place.text) == (self.space, _digest(text))

    def update(self, texts: Mapping[str, str], *, gone: Collection[str] = ()) -> dict[str, Neighbours]:
        """Brings everything up to date after items came, changed or went; the lists that were written.

        Args:
            texts: the items that came or changed. One whose text is blank is near nothing.
            gone: items that are not there any more.

        Raises:
            TransientError: other runs leave this one no turn.
            DirectusAssetsError: as `embed`, `write` and the store.
        """
        blank = {key for key, text in texts.items() if not text.strip()}
        self.place(texts)
        with self.lease.held() as renew:
            lists = self._lists({*gone, *blank}, own=texts)
            for start in range(0, len(lists), _AT_ONCE):
                some = dict(islice(lists.items(), start, start + _AT_ONCE))
                renew()
                failed = self.write(some)
                # Where a list is not what was noted, none is: the item gets one when it is looked at itself.
                noted = {key: None if key in failed else near for key, near in some.items()}
                self.store.put_neighbours(noted, rule=self._rule)
            self.store.remove({*gone, *blank})
        return lists

    def _lists(self, absent: Collection[str], *, own: Collection[str]) -> dict[str, Neighbours]:
        """The lists that have to be written; those of `own` items also where they are right, and last.

        An item of another run that has no list yet gets its first one there.
        """
        places = {key: place for key, place in self.store.load().items() if place.space == self.space}
        known = self._noted(places)
        there = {key: place.vector for key, place in places.items() if key not in absent}
        space = Space(there, count=self.count, least=self.least)
        right = space.updated(known, {*own, *absent, *(places.keys() - known.keys())})
        others = {key: near for key, near in right.items() if key in known and key not in own}
        # Somebody may have emptied the field.
        return others | {key: right.get(key, known.get(key, ()) if key in there else ()) for key in own}

    @property
    def _rule(self) -> str:
        return f"{self.count} from {self.least}"

    def _noted(self, places: Mapping[str, StoredVector]) -> dict[str, Neighbours]:
        """The lists that were found by the present rule."""
        return {
            key: place.neighbours
            for key, place in places.items()
            if place.neighbours is not None and place.rule == self._rule
        }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
