"""The daily budget, shared by all runs and machines with the same records' storage.

Money is reserved before a request is sent and settled when its answer has arrived. So requests in flight count towards
the limit, and a run that is killed in between leaves its estimate in the books: no spending goes unrecorded.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.errors import ConfigurationError
from directus_assets.spending.prices import Price, Spending, SpendingLimitReached, price_of
from directus_assets.spending.usage import Usage

_FILE = "spending.json"
_MOST = Decimal(10**15)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Purse:
    """Tracks spending and enforces the daily limit.

    Args:
        storage: stores the day's spending.
        model: the model's name in the price table.
        prices: the price table.
        limit: money per day (UTC); None for no limit.
        clock: returns the current time, aware.
    """

    storage: Storage
    model: str
    prices: Mapping[str, Price]
    limit: Decimal | None
    clock: Callable[[], dt.datetime] = _now

    def __post_init__(self) -> None:
        if self.limit is not None and self.price is None:
            raise ConfigurationError(
                f"There is a spending limit, but no price for '{self.model}'.",
                remedy="Add the model to `engine.prices` in the YAML file.",
            )

    @property
    def price(self) -> Price | None:
        """The price of the model, if known."""
        return price_of(self.model, self.prices)

    def cost(self, usage: Usage) -> Decimal | None:
        """The cost of `usage`, if the price is known."""
        return self.price.of(usage) if self.price else None

    def admit(self, estimate: Usage) -> None:
        """Reserve the estimated cost of a request; `settle` follows.

        Raises:
            SpendingLimitReached: it would exceed today's limit. Nothing is reserved.
        """
        cost = self.cost(estimate)
        if cost is None:
            return
        now = self.clock().astimezone(dt.UTC)

        def set_aside(state: "_State") -> "_State":
            state.spending.on(now.date()).admit(cost, limit=self.limit, now=now)
            return replace(state, spending=state.spending.plus(cost, day=now.date()))

        try:
            self._change(set_aside)
        except SpendingLimitReached:
            self._change(lambda state: replace(state, stopped_on=now.date()))
            raise

    def settle(self, used: Usage, estimate: Usage) -> None:
        """Replace the reserved estimate of a request by its actual cost."""
        paid, set_aside = self.cost(used), self.cost(estimate)
        if paid is not None and set_aside is not None and paid != set_aside:
            today = self._today()
            self._change(
                lambda state: replace(state, spending=state.spending.settled(paid, set_aside=set_aside, day=today))
            )

    def spent_today(self) -> Decimal:
        """The money spent today (UTC)."""
        return self._read().spending.on(self._today()).amount

    def resumed_on(self) -> str:
        """The day after the limit last stopped work, once it has come; empty before.

        A change means that there is money again for deferred work.
        """
        stopped = self._read().stopped_on if self.limit is not None else None
        return stopped.isoformat() if stopped and stopped < self._today() else ""

    def _today(self) -> dt.date:
        return self.clock().astimezone(dt.UTC).date()

    def _read(self) -> "_State":
        return self._file.read() or _State()

    def _change(self, change: Callable[["_State"], "_State"]) -> None:
        self._file.update(lambda known: change(known or _State()).to_json())

    @property
    def _file(self) -> "KeptFile[_State]":
        return KeptFile(
            storage=self.storage,
            name=_FILE,
            what="record of today's spending",
            loss="Today's spending is counted from zero.",
            parse=_State.parse,
        )


@dataclass(frozen=True, kw_only=True)
class _State:
    spending: Spending = field(default_factory=lambda: Spending(day=dt.date.min))
    stopped_on: dt.date | None = None

    @classmethod
    def parse(cls, content: bytes) -> "_State":
        row = json.loads(content)
        amount = Decimal(row["amount"])
        if not (amount.is_finite() and abs(amount) < _MOST):
            raise ValueError(f"{amount} is not a plausible amount to spend in a day")
        return cls(
            spending=Spending(day=dt.date.fromisoformat(row["day"]), amount=amount),
            stopped_on=dt.date.fromisoformat(row["stopped_on"]) if row.get("stopped_on") else None,
        )

    def to_json(self) -> bytes:
        return json.dumps(
            {
                "day": self.spending.day.isoformat(),
                "amount": str(self.spending.amount),
                "stopped_on": self.stopped_on.isoformat() if self.stopped_on else None,
            }
        ).encode()
