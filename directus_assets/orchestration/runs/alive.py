"""Whether the worker of a run is alive: runs give signs of life, and one that has been silent for too long is dead.

Dagster notices a dead worker through the code server that started it. Where both die together, as they do when their
container is replaced or the machine loses power, nobody is left to notice: the run would count as running for ever, and
keep its slots (Dagster 1.13, DefaultRunLauncher, which has no health check).
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
"""A worker that is alive is not silent for so long, whatever it does."""

_LONGEST_LOOK_SECONDS = 45.0
"""What counts at most between two looks of the sensor, which are 30 s apart."""

_POOL_SECONDS = 300.0
"""How often Dagster itself says that a run still waits for a slot."""

_logger = logging.getLogger(__name__)


@contextmanager
def signs_of_life(log: dg.DagsterLogManager, *, every_seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Within the block the run's log gets a line now and then, however long a picture or an engine takes.

    Args:
        log: of the run.
        every_seconds: how often.
    """
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(every_seconds):
            try:
                log.debug("Still running.")
            except Exception as error:  # noqa: BLE001 - Dagster's storage may be away for a moment; the next beat tells
                _logger.warning("Could not record a heartbeat: %s", as_error(error))

    thread = threading.Thread(target=beat, name="signs-of-life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class Silence(BaseModel):
    """What the sensor has seen of one run: its latest event, and for how long there has been no other."""

    event: int
    seconds: float = 0.0


class Heartbeat(BaseModel):
    """What the sensor has seen of all started runs, by their ids, when it last looked."""

    looked_at: float = 0.0
    """Seconds since 1970, by the clock of the sensor."""
    runs: dict[str, Silence] = {}

    def look(self, run_id: str, event: int, *, now: float) -> Silence:
        """For how long that run has been silent.

        Only the sensor's own clock counts, and from one look to the next at most `_LONGEST_LOOK_SECONDS`: the worker
        may run on a machine whose clock goes wrong; and a machine that was asleep was so for its runs as well.
        """
        known = self.runs.get(run_id)
        if known is None or known.event != event:
            return Silence(event=event)
        passed = min(max(0.0, now - self.looked_at), _LONGEST_LOOK_SECONDS)
        return Silence(event=event, seconds=known.seconds + passed)


def is_dead(last: dg.EventLogEntry, *, silent_seconds: float) -> bool:
    """Whether a started run, whose latest event this is, has no worker any more.

    Args:
        last: the latest event of the run.
        silent_seconds: for how long it has been the latest.
    """
    return silent_seconds > SILENCE_SECONDS + _rest_seconds(last.dagster_event)


def _rest_seconds(event: dg.DagsterEvent | None) -> float:
    """For how long the run is silent because it waits: for its next try, or for a slot."""
    if event is None:
        return 0.0
    if event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY:
        return float(event.step_retry_data.seconds_to_wait or 0)
    return _POOL_SECONDS if event.event_type is dg.DagsterEventType.ENGINE_EVENT else 0.0
