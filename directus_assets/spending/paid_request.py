"""One request that costs money: admitted before, kept the moment its answer arrives, and settled whatever happens."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from directus_assets.spending.payer import Payer
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage


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
    payer: Payer,
    keep: Callable[[A], None],
) -> A:
    """The answer of `send`.

    Args:
        send: sends the request once.
        estimate: what it will about consume.
        gate: the gate that all who use the engine share.
        payer: admits the request before, and settles it whatever happens.
        keep: called with the answer before anything else happens to it.

    Raises:
        DirectusAssetsError: as `send`, `gate`, `payer` and `keep`.
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
