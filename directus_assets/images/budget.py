"""How many pixels may be open at the same time: memory is bounded by pixels in flight, not by files."""

import contextlib
import threading
from collections.abc import Iterator


class PixelBudget:
    """At most so many pixels at once; what alone is more waits until it is alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Waits until these pixels fit, and holds them."""
        wanted = min(pixels, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._held + wanted <= self._most)
            self._held += wanted
        try:
            yield
        finally:
            with self._changed:
                self._held -= wanted
                self._changed.notify_all()
