"""Adaptive limit on concurrent render requests to Directus."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from directus_assets.errors import TransientError

_SLOWER = 2.0
_SHORT, _LONG = 0.3, 0.03


class Pace:
    """A concurrency limit that adapts to the server's condition.

    It is halved when a call fails transiently, falls by a tenth while the recent latency is over twice the long-term
    one (the idea of gradient limits: https://github.com/Netflix/concurrency-limits), and otherwise grows by one per
    round of calls.

    Args:
        most: the maximum limit, at least 1.
        clock: monotonic seconds.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._limit = float(min(2, most))
        self._running = 0
        self._changed = threading.Condition()
        self._recent: float | None = None
        self._usual: float | None = None

    @property
    def limit(self) -> int:
        """The number of calls that may run now."""
        return max(1, int(self._limit))

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """Run one call: wait for a slot, and report the outcome."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self.limit)
            self._running += 1
        started = self._clock()
        failed = False
        try:
            yield
        except TransientError:
            failed = True
            raise
        finally:
            with self._changed:
                self._running -= 1
                self._adapt(self._clock() - started, failed=failed)
                self._changed.notify_all()

    def _adapt(self, seconds: float, *, failed: bool) -> None:
        if failed:
            self._limit = max(1.0, self._limit / 2)
            return
        self._recent = seconds if self._recent is None else self._recent + _SHORT * (seconds - self._recent)
        self._usual = seconds if self._usual is None else self._usual + _LONG * (seconds - self._usual)
        if self._recent > _SLOWER * self._usual:
            self._limit = max(1.0, self._limit * 0.9)
        else:
            self._limit = min(float(self._most), self._limit + 1 / self._limit)
