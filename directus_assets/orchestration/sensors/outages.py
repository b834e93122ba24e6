"""How sensors handle outages of Directus or Dagster's webserver: they retry each tick, and log it once a minute.

A failed tick would put a stack trace into the daemon's log, for each sensor, every few seconds of an outage.
"""

import functools
import logging
import re
import time
from collections.abc import Callable

import dagster as dg

from directus_assets.errors import TransientError

TELL_SECONDS = 60.0

TRIES_AGAIN = "The next tick tries again."
"""Ends the reason of a tick that was skipped because of an outage."""

_ADDRESS = re.compile(r"https?://[^\s/]+")

logger = logging.getLogger("dagster")

Tick = Callable[[dg.SensorEvaluationContext], dg.SensorResult | dg.SkipReason]


class Crier:
    """Logs the problem with one address once a minute, whoever notices it and whatever the request was.

    Args:
        clock: seconds; for tests.
        say: receives the line.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, say: Callable[[str], None] = logger.warning
    ) -> None:
        self._clock = clock
        self._say = say
        self._told: dict[str, float] = {}

    def tell(self, text: str) -> None:
        """Log it, unless something about the same address was logged less than a minute ago."""
        now = self._clock()
        self._told = {known: at for known, at in self._told.items() if now - at < TELL_SECONDS}
        found = _ADDRESS.search(text)
        about = found[0] if found else text
        if about not in self._told:
            self._told[about] = now
            self._say(text)


_crier = Crier()


def through_outages(tick: Tick, *, crier: Crier = _crier) -> Tick:
    """Wrap a tick so that it is skipped with the reason during an outage; its cursor stays.

    All other errors fail the tick, since only people can fix them.
    """

    @functools.wraps(tick)
    def patient(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            return tick(context)
        except TransientError as error:
            text = " ".join(str(error).split())
            crier.tell(f"{text} Nothing is lost: the sensors will try again.")
            return dg.SensorResult(skip_reason=f"{text} {TRIES_AGAIN}", cursor=context.cursor)

    return patient
