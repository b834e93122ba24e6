"""What sensors do while Directus, or Dagster's webserver, does not answer: they look again, and say so once a minute.

A tick that fails is a stack trace in the log of the daemon, for each sensor, every few seconds of an outage.
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
"""Ends the reason of a tick that was skipped for want of an answer."""

_ADDRESS = re.compile(r"https?://[^\s/]+")

logger = logging.getLogger("dagster")

Tick = Callable[[dg.SensorEvaluationContext], dg.SensorResult | dg.SkipReason]


class Crier:
    """Says once a minute what is wrong with one address, whoever notices it, and whatever was asked of it.

    Args:
        clock: seconds; for tests.
        say: gets the line.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, say: Callable[[str], None] = logger.warning
    ) -> None:
        self._clock = clock
        self._say = say
        self._told: dict[str, float] = {}

    def tell(self, text: str) -> None:
        """Says it, unless something of the same address was said just now."""
        now = self._clock()
        self._told = {known: at for known, at in self._told.items() if now - at < TELL_SECONDS}
        found = _ADDRESS.search(text)
        about = found[0] if found else text
        if about not in self._told:
            self._told[about] = now
            self._say(text)


_crier = Crier()


def through_outages(tick: Tick, *, crier: Crier = _crier) -> Tick:
    """The same tick, skipped with the reason where what it needs does not answer just now; its cursor stays.

    All other errors fail it, as nobody but people can end them.
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
