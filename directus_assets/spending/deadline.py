"""A single deadline for a whole exchange: HTTP clients limit each read, so a slowly dripping server would be read
forever.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from directus_assets.errors import Unreachable

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], *, who: str) -> T:
    """Return the result of `call`.

    Args:
        seconds: the time limit. After that the call is abandoned, and ends when its server does.
        call: performs the exchange.
        who: the server, for the error.

    Raises:
        Unreachable: it took longer.
        Exception: whatever `call` raises.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is re-raised where the result is awaited
            outcome.set_exception(error)

    threading.Thread(target=run, name="exchange", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        if outcome.done():
            raise
        raise Unreachable(f"{who} did not finish its response within {seconds:g} seconds.") from None
