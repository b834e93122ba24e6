"""The cost of engine requests, and the daily limit. Pure: prices, amounts and dates in; money out."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from directus_assets.errors import ConfigurationError, TransientError
from directus_assets.spending.usage import Usage

_MILLION: Final = 1_000_000
_Amount: TypeAlias = Annotated[Decimal, Field(ge=0)]


class SpendingLimitReached(TransientError):
    """Today's budget is spent; `retry_after_seconds` is the time until there is a new one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """The price of a model per million: tokens (`input`, `cached_input`, `output`), or `characters` of source text.

    Without `cached_input`, cached tokens cost as much as others.
    """

    input: _Amount = Decimal(0)
    cached_input: _Amount | None = None
    output: _Amount = Decimal(0)
    characters: _Amount = Decimal(0)

    # Makes pydantic reject misspelled fields in a standard-library dataclass.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def of(self, usage: Usage) -> Decimal:
        """The cost of `usage`, in the price table's currency."""
        cached_price = self.input if self.cached_input is None else self.cached_input
        total = (
            (usage.input_tokens - usage.cached_tokens) * self.input
            + usage.cached_tokens * cached_price
            + usage.output_tokens * self.output
            + usage.characters * self.characters
        )
        return total / _MILLION


def parse_prices(rows: Mapping[str, Any]) -> dict[str, Price]:
    """The price table by model, from rows such as `{"gpt-4.1-mini": {"input": 0.4, "output": 1.6}}`.

    Raises:
        ConfigurationError: a row is not a price; names the model and the field.
    """
    try:
        return _PRICES.validate_python(dict(rows))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"The price table has a mistake at '{place}': {first['msg']}.",
            remedy="Set amounts per million for input, cached_input, output or characters.",
        ) from error


_PRICES: Final = TypeAdapter(dict[str, Price])


def price_of(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of `model`: its own entry, else that of the longest name that is a prefix of its own; None if there is
    none.

    Providers answer under dated names, such as `gpt-4.1-mini-2025-04-14`.
    """
    names = [name for name in prices if model == name or model.startswith(f"{name}-")]
    return prices[max(names, key=len)] if names else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """The spending of one day (UTC)."""

    day: dt.date
    amount: Decimal = Decimal(0)

    def on(self, day: dt.date) -> "Spending":
        """The spending of `day`: this one, or a new one."""
        return self if day == self.day else Spending(day=day)

    def plus(self, amount: Decimal, *, day: dt.date) -> "Spending":
        """The spending of `day` after `amount` more."""
        return Spending(day=day, amount=self.on(day).amount + amount)

    def settled(self, paid: Decimal, *, set_aside: Decimal, day: dt.date) -> "Spending":
        """The spending of `day` with `paid` instead of the reserved amount, which may date from yesterday if midnight
        has passed.
        """
        if day == self.day:
            return self.plus(paid - set_aside, day=day)
        return self.plus(paid, day=day)

    def admit(self, estimate: Decimal, *, limit: Decimal | None, now: dt.datetime) -> None:
        """Check that `estimate` more stays within the daily limit; None is no limit.

        Raises:
            SpendingLimitReached: it does not. Work resumes after midnight (UTC).
        """
        now = now.astimezone(dt.UTC)
        spent = self.on(now.date()).amount
        if limit is None or spent + estimate <= limit:
            return
        midnight = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)
        raise SpendingLimitReached(
            f"Of today's spending limit of {limit}, {max(limit - spent, Decimal(0))} is left, but the next request "
            f"costs an estimated {estimate}.",
            remedy="Work resumes at midnight UTC. To resume sooner, raise the limit.",
            retry_after_seconds=(midnight - now).total_seconds(),
        )
