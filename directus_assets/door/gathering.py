"""Gathers successive pushes into one batch. Pure; callers pass the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

QUIET_SECONDS = 0.2
"""A batch is complete when nothing has arrived for this long ..."""
LONGEST_SECONDS = 1.0
"""... or when its first push has waited this long."""
LONE_SECONDS = 0.05
"""How long the first push after a pause waits: most come alone, and the pushes of one save arrive together."""
MOST_KEYS = 5000
"""Anything beyond this is left to the sensor."""

Changes = Mapping[str, Sequence[str]]
"""The keys of changed items by collection, each once, in order of arrival."""


@dataclass
class Gathering:
    """The batch being gathered.

    >>> gathering = Gathering()
    >>> gathering.add("posts", ["1"], now=0.0), gathering.add("posts", ["2", "1"], now=0.1)
    (True, True)
    >>> gathering.due_at, gathering.take()
    (0.3, {'posts': ['1', '2']})
    """

    lone_seconds: float = LONE_SECONDS
    quiet_seconds: float = QUIET_SECONDS
    longest_seconds: float = LONGEST_SECONDS
    most_keys: int = MOST_KEYS
    pushes: int = 0
    """How many pushes the batch consists of; one that only repeats keys counts, too."""
    _keys: dict[str, dict[str, None]] = field(default_factory=dict)
    _count: int = 0
    _first: float = 0.0
    _last: float = float("-inf")
    _is_lone: bool = True
    """Whether nothing came shortly before the first push of this batch."""

    def add(self, collection: str, keys: Sequence[str], *, now: float) -> bool:
        """Add changed items; return False, and add nothing, if there is no room for them."""
        own = self._keys.get(collection, {})
        new = [key for key in dict.fromkeys(keys) if key not in own]
        if self._count + len(new) > self.most_keys:
            return False
        if not self._keys:
            self._first = now
            self._is_lone = now - self._last >= self.longest_seconds
        self._last = now
        self._keys.setdefault(collection, {}).update(dict.fromkeys(new))
        self._count += len(new)
        self.pushes += 1
        return True

    @property
    def due_at(self) -> float | None:
        """When the batch is complete, unless more arrives; None if it is empty."""
        if not self._keys:
            return None
        quiet = self.lone_seconds if self._is_lone and self.pushes == 1 else self.quiet_seconds
        return round(min(self._last + quiet, self._first + self.longest_seconds), 6)

    def peek(self) -> dict[str, list[str]]:
        """The items gathered so far."""
        return {collection: list(keys) for collection, keys in self._keys.items()}

    def take(self) -> dict[str, list[str]]:
        """Return the gathered items and start an empty batch."""
        taken = self.peek()
        self._keys, self._count, self.pushes = {}, 0, 0
        return taken
