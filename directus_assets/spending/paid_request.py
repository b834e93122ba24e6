"""One request that costs money: admitted before, kept the moment its answer arrives, and settled whatever happens."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import (
    Usage,
)


class Paid(Protocol):
    """An answer that tells what it consumed."""

    @property
    def usage(self) -> Usage: ...


A = TypeVar("A", bound=Paid)


def paid_request(
    send: Callable[[], A],
    *,
    estimate: Usage,
    gate: RateGate,
    admit: Callable[[Usage], None],
    keep: Callable[[A], None],
    settle: Callable[[Usage, Usage], None],
) -> A:
    """The answer of `send`.

    Args:
        send: sends the request once.
        estimate: what it will about consume.
        gate: the gate that all who use the engine share.
        admit: called with the estimate before; stops the request by raising.
        keep: called with the answer before anything else happens to it.
        settle: called after an admitted request, whether it succeeded or not, with what it consumed and the estimate.

    Raises:
        DirectusAssetsError: as `send`, `gate`, `admit` and `keep`.
    """
    admit(estimate)
    used = Usage()
    try:
        answer = gate.call(send)
        used = answer.usage
        keep(answer)
    finally:
        settle(used, estimate)
    return answer
