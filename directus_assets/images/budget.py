"""Limits the bytes held in memory at the same time; counts bytes in flight, not files."""

import contextlib
import threading
from collections.abc import Iterator


class ByteBudget:
    """A limit on bytes held at once; a single larger item waits until it is alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._changed = threading.Condition()
        self._own = threading.local()

    @contextlib.contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Wait until these bytes fit, and hold them.

        Within a block that it already holds, a thread does not wait for itself.
        """
        if getattr(self._own, "is_holding", False):
            yield
            return
        wanted = min(size, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._held + wanted <= self._most)
            self._held += wanted
        self._own.is_holding = True
        try:
            yield
        finally:
            self._own.is_holding = False
            with self._changed:
                self._held -= wanted
                self._changed.notify_all()
