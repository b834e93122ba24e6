"""The rate limiter for all threads of a process that use the same engine: limits concurrency, and coordinates waiting.

The engines' own clients do not retry. Here `Retry-After` pauses all callers, not only the one that received it. The
waits are long enough to outlast a storm yet bounded, so that a run ends and Dagster can retry it later.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from directus_assets.errors import TransientError

T = TypeVar("T")


class RateGate:
    """Runs at most `limit` calls at once and repeats transient failures.

    Waits are exponential with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/):
    a random time below `base_seconds` times 2 to the number of failures, at most `longest_seconds`. A failing caller
    keeps its slot, which reduces the load on a service that cannot keep up.

    Args:
        limit: calls in flight, at least 1.
        patience_seconds: how long a call is repeated, counted from when it got its slot.
        base_seconds: the upper bound of the first wait.
        longest_seconds: the upper bound of every wait that the service does not request.
        clock: monotonic seconds.
        sleep: waits for seconds.
        jitter: returns a number between its two arguments.
    """

    def __init__(
        self,
        *,
        limit: int,
        patience_seconds: float = 600.0,
        base_seconds: float = 1.0,
        longest_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,  # noqa: S311 - spreads waits, keeps no secret
    ) -> None:
        self.limit = limit
        self._patience = patience_seconds
        self._base = base_seconds
        self._longest = longest_seconds
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._places = threading.BoundedSemaphore(limit)
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def call(self, send: Callable[[], T]) -> T:
        """Call `send` until it succeeds, and return its result.

        Raises:
            TransientError: it still fails when patience ends, or the service requests a longer wait than that;
                `retry_after_seconds` says when a retry makes sense.
            Exception: whatever else `send` raises, at once.
        """
        with self._places:
            deadline = self._clock() + self._patience
            failures = 0
            while True:
                self._wait_while_closed(deadline)
                try:
                    return send()
                except TransientError as error:
                    failures += 1
                    self._back_off(error, failures, deadline)

    def _back_off(self, error: TransientError, failures: int, deadline: float) -> None:
        now = self._clock()
        asked = error.retry_after_seconds
        own = self._jitter(0, min(self._longest, self._base * 2 ** (failures - 1)))
        # Some services ask for no wait at all, again and again.
        wait = max(own, asked or 0.0)
        if asked is not None:
            with self._lock:
                self._closed_until = max(self._closed_until, now + asked)
        if now + wait > deadline:
            raise TransientError(
                f"{error.message} Gave up after {failures} tries.",
                remedy=error.remedy,
                retry_after_seconds=max(wait, self._longest),
            ) from error
        if asked is None or asked < own:
            self._sleep(wait)

    def _wait_while_closed(self, deadline: float) -> None:
        while (wait := self._closed_until - self._clock()) > 0:
            if self._clock() + wait > deadline:
                raise TransientError(
                    f"The service is rate limited for another {wait:.0f} seconds.", retry_after_seconds=wait
                )
            # The extra fraction keeps callers that waited together from retrying together.
            self._sleep(wait + self._jitter(0, min(1.0, 0.1 * wait)))
