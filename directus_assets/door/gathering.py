"""Pushes that come one after the other become one batch: pure, the time is handed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

QUIET_SECONDS = 0.2
"""A batch is complete when nothing has come for so long ..."""
LONGEST_SECONDS = 1.0
"""... or when its first push has waited for so long."""
MOST_KEYS = 5000
"""Beyond, the sensor sees to what comes."""

Changes = Mapping[str, Sequence[str]]
"""Collection to the keys of its changed items, each once, in the order in which they came."""


@dataclass
class Gathering:
    """The batch that is being gathered.

    >>> gathering = Gathering()
    >>> gathering.add("posts", ["1"], now=0.0), gathering.add("posts", ["2", "1"], now=0.1)
    (True, True)
    >>> gathering.due_at, gathering.take()
    (0.3, {'posts': ['1', '2']})
    """

    quiet_seconds: float = QUIET_SECONDS
    longest_seconds: float = LONGEST_SECONDS
    most_keys: int = MOST_KEYS
    _keys: dict[str, dict[str, None]] = field(default_factory=dict)
    _count: int = 0
    _first: float = 0.0
    _last: float = 0.0

    def add(self, collection: str, keys: Sequence[str], *, now: float) -> bool:
        """Takes changed items; False where there is no room for them, and nothing was taken."""
        own = self._keys.get(collection, {})
        new = [key for key in dict.fromkeys(keys) if key not in own]
        if self._count + len(new) > self.most_keys:
            return False
        if not self._keys:
            self._first = now
        self._last = now
        self._keys.setdefault(collection, {}).update(dict.fromkeys(new))
        self._count += len(new)
        return True

    @property
    def due_at(self) -> float | None:
        """When the batch is complete, unless more comes; None where there is none."""
        if not self._keys:
            return None
        return round(min(self._last + self.quiet_seconds, self._first + self.longest_seconds), 6)

    def peek(self) -> dict[str, list[str]]:
        """What has been gathered so far."""
        return {collection: list(keys) for collection, keys in self._keys.items()}

    def take(self) -> dict[str, list[str]]:
        """What has been gathered; the next batch begins empty."""
        taken = self.peek()
        self._keys, self._count = {}, 0
        return taken
