"""The door's processing for one Directus project: accepted requests are checked, gathered, and carried out."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from directus_assets.door.gathering import Changes, Gathering
from directus_assets.door.limits import UserLimit
from directus_assets.door.requests import Changed, CheckedRequest, Clicked, Refused
from directus_assets.door.secrets import KnownSecrets
from directus_assets.errors import DirectusAssetsError, TransientError, as_error

CHANGES_PER_MINUTE = 600
CLICKS_PER_MINUTE = 30

R = TypeVar("R")

Start: TypeAlias = Callable[[], None]
"""Starts what was planned. Raises DirectusAssetsError."""

logger = logging.getLogger(__name__)


class Carrier(Protocol):
    """Carries out accepted requests."""

    def prepare(self) -> None:
        """Warm up for the first request."""
        ...

    def knows(self, collection: str) -> bool:
        """Whether anything is derived from this collection. Raises DirectusAssetsError."""
        ...

    def has_button(self, click: Clicked) -> bool:
        """Whether this button is shown on this collection. Raises DirectusAssetsError."""
        ...

    def claim(self, changes: Changes) -> None:
        """Announce to the sensors that these items are about to be processed. Raises DirectusAssetsError."""
        ...

    def plan(self, changes: Changes) -> Start | None:
        """Plan these changes; return what carries them out in one go, or None if there is nothing to do.

        Raises DirectusAssetsError. A plan may be dropped in favour of a later one.
        """
        ...

    def click(self, click: Clicked) -> None:
        """Remake what the editor chose. Raises DirectusAssetsError."""
        ...

    def check(self) -> Mapping[str, Any]:
        """Report what the installer of the flows needs to know. Raises DirectusAssetsError."""
        ...


class _Batch(NamedTuple):
    """A batch as of some moment."""

    changes: Changes
    pushes: int
    is_complete: bool


@dataclass
class Room:
    """One project.

    Args:
        carrier: carries out accepted requests.
        secrets: the accepted secrets.
        gathering: gathers pushes.
        clock: for tests.
    """

    carrier: Carrier
    secrets: KnownSecrets
    gathering: Gathering = field(default_factory=Gathering)
    clock: Callable[[], float] = time.monotonic
    changes: UserLimit = field(default_factory=lambda: UserLimit(CHANGES_PER_MINUTE))
    clicks: UserLimit = field(default_factory=lambda: UserLimit(CLICKS_PER_MINUTE))
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _is_over: bool = False

    def take(self, request: Changed | Clicked | CheckedRequest) -> Mapping[str, Any]:
        """Accept a well-formed request; return the response.

        Raises:
            Refused: it does not fit this project, exceeds the rate limit, or cannot be carried out at the moment.
        """
        match request:
            case Changed():
                return self._take_change(request)
            case Clicked():
                return self._take_click(request)
            case CheckedRequest():
                return {**_tried(self.carrier.check), "plan": request.plan}

    def work(self) -> None:
        """Carry out gathered batches until `stop` is called.

        Each batch is planned at its first push, since it waits for others in any case, and again at its end unless that
        plan still holds.
        """
        claimed: Changes = {}
        planned: tuple[int, Start | None] | None = None
        while (batch := self._next(claimed)) is not None:
            if batch.changes != claimed:
                self._alone(partial(self.carrier.claim, batch.changes))
            claimed = batch.changes
            if batch.is_complete:
                self._alone(partial(self._carry_out, batch, planned))
                claimed, planned = {}, None
            elif planned is None:
                # A failure recurs at the end, and is reported then.
                start = self._alone(partial(self.carrier.plan, batch.changes), level=logging.DEBUG)
                planned = batch.pushes, start

    def stop(self) -> None:
        """End `work`. Gathered items are left to the sensors."""
        with self._turn:
            self._is_over = True
            self._turn.notify_all()

    def _take_change(self, change: Changed) -> Mapping[str, Any]:
        if not _tried(lambda: self.carrier.knows(change.collection)):
            raise Refused(HTTPStatus.BAD_REQUEST, "Nothing is generated from this collection.")
        with self._turn:
            now = self.clock()
            if not self.changes.allows(change.user or "", now=now):
                raise Refused(
                    HTTPStatus.TOO_MANY_REQUESTS, "Too many changes per minute; the sensor will handle this one."
                )
            if not self.gathering.add(change.collection, list(map(str, change.keys)), now=now):
                raise Refused(
                    HTTPStatus.TOO_MANY_REQUESTS, "Too many changes are waiting; the sensor will handle this one."
                )
            self._turn.notify_all()
        return {"taken": len(change.keys)}

    def _take_click(self, click: Clicked) -> Mapping[str, Any]:
        if not _tried(lambda: self.carrier.has_button(click)):
            raise Refused(HTTPStatus.BAD_REQUEST, "This collection has no such button.")
        with self._turn:
            if not self.clicks.allows(click.user, now=self.clock()):
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "Too many clicks per minute. Try again later.")
        _tried(lambda: self.carrier.click(click))
        return {"taken": len(click.keys)}

    def _carry_out(self, batch: _Batch, planned: tuple[int, Start | None] | None) -> None:
        pushes, start = planned or (0, None)
        # What seemed to be nothing to do may have been too early a look at Directus.
        if start is None or pushes != batch.pushes:
            start = self.carrier.plan(batch.changes)
        if start:
            start()

    def _next(self, claimed: Changes) -> _Batch | None:
        """Wait for items that arrived since `claimed`, or for the end of the batch."""
        with self._turn:
            while not self._is_over:
                due_at = self.gathering.due_at
                pushes = self.gathering.pushes
                if due_at is not None and due_at <= self.clock():
                    return _Batch(self.gathering.take(), pushes, is_complete=True)
                some = self.gathering.peek()
                if some != claimed:
                    return _Batch(some, pushes, is_complete=False)
                self._turn.wait(None if due_at is None else due_at - self.clock())
        return None

    def _alone(self, work: Callable[[], R], *, level: int = logging.WARNING) -> R | None:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - sensors find what a failed batch contained
            logger.log(level, "A push could not be processed; the sensor will handle it: %s", as_error(error))
            return None


def _tried(work: Callable[[], R]) -> R:
    try:
        return work()
    except TransientError as error:
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
    except DirectusAssetsError as error:
        raise Refused(HTTPStatus.BAD_GATEWAY, str(error)) from None
