"""Finds the nearest items by the cosine of their vectors. Pure: vectors in, lists out.

Vectors are rounded to integers first. Products of such vectors are integers below 2 to the 24th, which float32 adds
exactly in any order. So a score does not depend on the size of a block, the number of threads or the linear algebra
library, a list that is updated incrementally equals one that is computed anew, and ties are exact.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from directus_assets.errors import BadInput

Vector: TypeAlias = NDArray[np.int16]
"""A direction, as integers (see `quantized`)."""

_LENGTH: Final = 4000
"""The length of every vector. (4000 + half the root of 36,000 dimensions) squared is still below 2 to the 24th."""
_UNIT: Final = _LENGTH**2
_BLOCK: Final = 512
"""Rows multiplied at once: 100,000 items then need 200 MB instead of 40 GB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """An item and its nearness: `product` is the product of the two vectors."""

    key: str
    product: int

    @property
    def cosine(self) -> float:
        """From -1 to 1, with an error of about 0.0001."""
        return round(min(1.0, self.product / _UNIT), 4)


Neighbours: TypeAlias = tuple[Neighbour, ...]
"""The nearest first; ties are sorted by key."""


def quantized(vector: ArrayLike) -> Vector:
    """`vector` normalised and rounded.

    Raises:
        BadInput: it has no direction: it is empty, all zeros, or contains something that is not a number.
    """
    given = np.asarray(vector, dtype=np.float64)
    length = float(np.linalg.norm(given)) if given.ndim == 1 else 0.0
    if not np.isfinite(length) or length == 0.0:
        raise BadInput("The embedding of a text is a zero vector.", remedy="Use another embedding model.")
    return np.rint(given * (_LENGTH / length)).astype(np.int16)


class Space:
    """Items with their vectors, all with the same dimensions.

    Args:
        vectors: by key.
        count: the maximum number of neighbours per item.
        least: the minimum cosine of a neighbour.
    """

    def __init__(self, vectors: Mapping[str, Vector], *, count: int, least: float = 0.0) -> None:
        self.keys = sorted(vectors)
        self._count = count
        self._least = int(np.ceil(least * _UNIT))
        self._row_of = {key: row for row, key in enumerate(self.keys)}
        rows = [vectors[key] for key in self.keys]
        self._matrix = np.stack(rows).astype(np.float32) if rows else np.zeros((0, 0), np.float32)
        self.rows_multiplied = 0
        """A measure of the work so far: rows multiplied with all vectors."""

    def nearest(self, keys: Iterable[str]) -> dict[str, Neighbours]:
        """The neighbours of these items; items that are not in the space are omitted."""
        rows = [self._row_of[key] for key in keys if key in self._row_of]
        found: dict[str, Neighbours] = {}
        for block, products in self._products(rows):
            found |= {self.keys[row]: self._best(products[at], row) for at, row in enumerate(block)}
        return found

    def updated(self, lists: Mapping[str, Neighbours], changed: Collection[str]) -> dict[str, Neighbours]:
        """The lists that are no longer correct, updated.

        Costs one row of products for each changed item, and one for each item that lost a neighbour without a certain
        replacement among the changed ones.

        Args:
            lists: the correct lists before the change, by key. An item without one is skipped, unless it has changed.
            changed: the items that were added, removed, or have a new vector.
        """
        moved = set(changed)
        others = {key: known for key, known in lists.items() if key in self._row_of and key not in moved}
        limits = self._limits(others)
        arrived: dict[str, list[Neighbour]] = {}
        new: dict[str, Neighbours] = {}
        for block, products in self._products([self._row_of[key] for key in sorted(moved) if key in self._row_of]):
            for row, product in zip(block, products, strict=True):
                new[self.keys[row]] = self._best(product, row)
                for other in np.flatnonzero(product >= limits):
                    neighbour = Neighbour(key=self.keys[row], product=int(product[other]))
                    arrived.setdefault(self.keys[other], []).append(neighbour)
        touched = {key for key, known in others.items() if key in arrived or any(n.key in moved for n in known)}
        merged = {key: self._merged(others[key], arrived.get(key, []), moved) for key in touched}
        new |= self.nearest(key for key, known in merged.items() if known is None)
        new |= {key: known for key, known in merged.items() if known is not None}
        return {key: known for key, known in new.items() if lists.get(key) != known}

    def _limits(self, lists: Mapping[str, Neighbours]) -> NDArray[np.float32]:
        """For each row, the minimum product of a new neighbour; infinite if no list is known."""
        limits = np.full(len(self.keys), np.inf, np.float32)
        for key, known in lists.items():
            limits[self._row_of[key]] = known[-1].product if len(known) >= self._count else self._least
        return limits

    def _merged(self, known: Neighbours, arrived: Iterable[Neighbour], moved: Collection[str]) -> Neighbours | None:
        """`known` after the change; None if an item that was never near enough before may now belong to it."""
        best = sorted([*(n for n in known if n.key not in moved), *arrived], key=_rank)
        if len(known) >= self._count:
            # Everything excluded before is farther than the former last one.
            best = [n for n in best if _rank(n) <= _rank(known[-1])]
            if len(best) < self._count:
                return None
        return tuple(best[: self._count])

    def _best(self, products: NDArray[np.float32], row: int) -> Neighbours:
        """The neighbours of the item in `row`."""
        # Rows are in key order, so one number encodes the whole ranking, and all numbers differ.
        order = products.astype(np.int64) * len(products) - np.arange(len(products))
        order[row] = np.iinfo(np.int64).min
        count = min(self._count, len(order) - 1)
        if count < 1:
            return ()
        nearest = np.argpartition(order, -count)[-count:]
        nearest = nearest[np.argsort(-order[nearest])]
        found = (Neighbour(key=self.keys[at], product=int(products[at])) for at in nearest)
        return tuple(neighbour for neighbour in found if neighbour.product >= self._least)

    def _products(self, rows: Sequence[int]) -> Iterator[tuple[Sequence[int], NDArray[np.float32]]]:
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            self.rows_multiplied += len(block)
            yield block, self._matrix[block] @ self._matrix.T


def _rank(neighbour: Neighbour) -> tuple[int, str]:
    return -neighbour.product, neighbour.key
