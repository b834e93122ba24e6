"""Money: exact, by model, by day."""

import datetime as dt
from decimal import Decimal

import pytest

from directus_assets.errors import ConfigurationError
from directus_assets.spending.prices import Price, Spending, SpendingLimitReached, parse_prices, price_of
from directus_assets.spending.usage import Usage

TODAY = dt.date(2025, 3, 1)
NOON = dt.datetime(2025, 3, 1, 12, tzinfo=dt.UTC)


def test_cached_tokens_cost_what_cached_tokens_cost() -> None:
    price = Price(input=Decimal("0.40"), cached_input=Decimal("0.10"), output=Decimal("1.60"))
    usage = Usage(requests=1, input_tokens=1_000_000, cached_tokens=250_000, output_tokens=500_000, characters=9)

    assert price.of(usage) == Decimal("1.125")


def test_without_a_price_for_cached_tokens_they_cost_as_others() -> None:
    assert Price(input=Decimal(2)).of(Usage(input_tokens=1_000_000, cached_tokens=400_000)) == 2


def test_characters_are_priced_too() -> None:
    assert Price(characters=Decimal(20)).of(Usage(characters=1234)) == Decimal("0.02468")


def test_prices_are_read_exactly_as_written() -> None:
    assert parse_prices({"m": {"input": 0.1, "output": "1.60"}}) == {
        "m": Price(input=Decimal("0.1"), output=Decimal("1.60"))
    }


@pytest.mark.parametrize("row", [{"input": "cheap"}, {"imput": 1}, {"output": -1}, 5])
def test_a_mistake_in_the_price_table_is_named(row: object) -> None:
    with pytest.raises(ConfigurationError, match=r"m\b.*per million"):
        parse_prices({"m": row})


def test_a_dated_model_has_the_price_of_its_longest_name() -> None:
    prices = {"gpt-4.1": Price(input=Decimal(2)), "gpt-4.1-mini": Price(input=Decimal(1))}

    assert price_of("gpt-4.1-mini-2025-04-14", prices) == prices["gpt-4.1-mini"]
    assert price_of("gpt-4.1", prices) == prices["gpt-4.1"]
    assert price_of("gpt-4.10", prices) is None


def test_spending_adds_up_within_a_day_and_starts_anew_on_the_next() -> None:
    spending = Spending(day=TODAY).plus(Decimal("0.1"), day=TODAY).plus(Decimal("0.2"), day=TODAY)

    assert spending.amount == Decimal("0.3")
    assert spending.plus(Decimal(1), day=TODAY + dt.timedelta(days=1)).amount == 1


def test_the_limit_stops_what_would_exceed_it_until_midnight() -> None:
    spending = Spending(day=TODAY, amount=Decimal("0.9"))

    spending.admit(Decimal("0.1"), limit=Decimal(1), now=NOON)
    spending.admit(Decimal(100), limit=None, now=NOON)
    spending.admit(Decimal(1), limit=Decimal(1), now=NOON + dt.timedelta(days=1))
    with pytest.raises(SpendingLimitReached) as raised:
        spending.admit(Decimal("0.11"), limit=Decimal(1), now=NOON)

    assert raised.value.retry_after_seconds == 12 * 3600
