"""Detects dead run workers: runs send heartbeats, and a run that is silent for too long is dead.

Dagster notices a dead worker through the code server that started it. If both die together, as when their container is
replaced or the machine loses power, nobody is left to notice: the run would count as running forever and keep its slots
(Dagster 1.13, DefaultRunLauncher, which has no health check).
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from pydantic import BaseModel

from directus_assets.errors import as_error

BEAT_SECONDS = 30.0
SILENCE_SECONDS = 120.0
"""A live worker is never silent for this long, whatever it does."""

_LONGEST_LOOK_SECONDS = 45.0
"""The most that counts between two checks of the sensor, which are 30 s apart."""

_POOL_SECONDS = 300.0
"""How often Dagster itself logs that a run is still waiting for a slot."""

_logger = logging.getLogger(__name__)


@contextmanager
def signs_of_life(log: dg.DagsterLogManager, *, every_seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Write a heartbeat to the run's log during the block, however long a picture or an engine takes.

    Args:
        log: of the run.
        every_seconds: interval of the heartbeat.
    """
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(every_seconds):
            try:
                log.debug("Still running.")
            except Exception as error:  # noqa: BLE001 - Dagster's storage may be briefly unavailable; the next beat retries
                _logger.warning("Could not record a heartbeat: %s", as_error(error))

    thread = threading.Thread(target=beat, name="signs-of-life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class Silence(BaseModel):
    """The sensor's view of one run: its latest event, and how long there has been no newer one."""

    event: int
    seconds: float = 0.0


class Heartbeat(BaseModel):
    """The sensor's view of all started runs, by id, at its last check."""

    looked_at: float = 0.0
    """Seconds since 1970, by the sensor's clock."""
    runs: dict[str, Silence] = {}

    def look(self, run_id: str, event: int, *, now: float) -> Silence:
        """How long the run has been silent.

        Only the sensor's own clock counts, and at most `_LONGEST_LOOK_SECONDS` per check: the worker's machine may have
        a wrong clock, and if this machine was suspended, so were its runs.
        """
        known = self.runs.get(run_id)
        if known is None or known.event != event:
            return Silence(event=event)
        passed = min(max(0.0, now - self.looked_at), _LONGEST_LOOK_SECONDS)
        return Silence(event=event, seconds=known.seconds + passed)


def is_dead(last: dg.EventLogEntry, *, silent_seconds: float) -> bool:
    """Whether a started run with this latest event has lost its worker.

    Args:
        last: the latest event of the run.
        silent_seconds: the time since that event.
    """
    return silent_seconds > SILENCE_SECONDS + _rest_seconds(last.dagster_event)


def _rest_seconds(event: dg.DagsterEvent | None) -> float:
    """How long the run is silent because it waits for its next attempt or for a slot."""
    if event is None:
        return 0.0
    if event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY:
        return float(event.step_retry_data.seconds_to_wait or 0)
    return _POOL_SECONDS if event.event_type is dg.DagsterEventType.ENGINE_EVENT else 0.0
