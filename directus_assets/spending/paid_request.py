"""One paid request: admitted before it is sent, stored the moment its answer arrives, and always settled."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from directus_assets.spending.payer import Payer
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage


class Paid(Protocol):
    """An answer that reports its usage."""

    @property
    def usage(self) -> Usage: ...


A = TypeVar("A", bound=Paid)


def paid_request(
    send: Callable[[], A],
    *,
    estimate: Usage,
    gate: RateGate,
    payer: Payer,
    keep: Callable[[A], None],
) -> A:
    """Send one paid request and return its answer.

    Args:
        send: sends the request once.
        estimate: the estimated usage.
        gate: the rate limiter shared by all users of the engine.
        payer: admits the request before it is sent, and settles it in any case.
        keep: called with the answer before anything else happens to it.

    Raises:
        DirectusAssetsError: from `send`, `gate`, `payer` or `keep`.
    """
    payer.admit(estimate)
    used = Usage()
    try:
        answer = gate.call(send)
        used = answer.usage
        keep(answer)
    finally:
        payer.settle(used, estimate)
    return answer
