"""One deadline for a whole exchange: clients of HTTP limit each read, so that a server that drips is read for ever."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from directus_assets.errors import Unreachable

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], *, who: str) -> T:
    """What `call` returns.

    Args:
        seconds: how long it may take. After that it is given up, and ends by itself when its server does.
        call: does the exchange.
        who: whom it asks, for the error.

    Raises:
        Unreachable: it took longer.
        Exception: whatever `call` raises.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the outcome is waited for
            outcome.set_exception(error)

    threading.Thread(target=run, name="exchange", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        if outcome.done():
            raise
        raise Unreachable(f"{who} did not finish its response within {seconds:g} seconds.") from None
