"""Daily spending, with a controlled clock."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import ConfigurationError
from directus_assets.spending.budget import Purse
from directus_assets.spending.prices import Price, SpendingLimitReached
from directus_assets.spending.usage import Usage

MILLION = Usage(requests=1, input_tokens=1_000_000)
PRICES = {"tiny": Price(input=Decimal(1))}


class Clock:
    """A clock that is set manually."""

    now = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def purse(folder: Path, clock: Clock, *, limit: int | None = 10, model: str = "tiny") -> Purse:
    return Purse(
        storage=LocalStorage(folder),
        model=model,
        prices=PRICES,
        limit=None if limit is None else Decimal(limit),
        clock=clock,
    )


def test_the_limit_stops_before_a_request_and_the_next_day_goes_on(tmp_path: Path, clock: Clock) -> None:
    own = purse(tmp_path, clock)
    for _ in range(10):
        own.admit(MILLION)
        own.settle(MILLION, MILLION)

    with pytest.raises(SpendingLimitReached) as raised:
        own.admit(MILLION)

    assert raised.value.retry_after_seconds == 12 * 3600
    assert own.resumed_on() == ""
    clock.now += dt.timedelta(days=1)
    own.admit(MILLION)
    assert own.resumed_on() == "2026-03-01"


def test_days_are_those_of_utc(tmp_path: Path, clock: Clock) -> None:
    clock.now = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    own = purse(tmp_path, clock, limit=1)
    own.admit(MILLION)

    with pytest.raises(SpendingLimitReached):
        own.admit(MILLION)

    clock.now = dt.datetime(2026, 3, 2, 23, 59, tzinfo=dt.UTC)
    assert own.resumed_on() == ""
    clock.now = dt.datetime(2026, 3, 3, 0, 1, tzinfo=dt.UTC)
    assert own.resumed_on() == "2026-03-02"


def test_another_process_counts_in_the_same_purse(tmp_path: Path, clock: Clock) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            pool.submit(purse(tmp_path, clock).admit, MILLION)

    with pytest.raises(SpendingLimitReached, match="limit of 10, 0 is left"):
        purse(tmp_path, clock).admit(MILLION)


def test_what_is_in_flight_counts_towards_the_limit(tmp_path: Path, clock: Clock) -> None:
    own = purse(tmp_path, clock, limit=2)
    own.admit(MILLION)
    own.admit(MILLION)

    with pytest.raises(SpendingLimitReached):
        own.admit(MILLION)

    own.settle(Usage(), MILLION)
    own.admit(MILLION)
    assert own.spent_today() == 2


def test_a_request_costs_what_it_consumed_and_not_its_estimate(tmp_path: Path, clock: Clock) -> None:
    own = purse(tmp_path, clock)
    own.admit(MILLION)

    own.settle(Usage(requests=1, input_tokens=250_000), MILLION)

    assert own.spent_today() == Decimal("0.25")


def test_an_answer_after_midnight_is_paid_for_then(tmp_path: Path, clock: Clock) -> None:
    own = purse(tmp_path, clock)
    own.admit(MILLION)
    clock.now += dt.timedelta(days=1)

    own.settle(MILLION, MILLION + MILLION)

    assert own.spent_today() == 1


def test_without_a_limit_everything_is_admitted_and_still_counted(tmp_path: Path, clock: Clock) -> None:
    own = purse(tmp_path, clock, limit=None)

    own.admit(MILLION)

    assert own.cost(MILLION) == Decimal(1)
    with pytest.raises(SpendingLimitReached):
        purse(tmp_path, clock, limit=1).admit(MILLION)


def test_a_limit_without_a_price_is_a_mistake(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(ConfigurationError, match="no price for 'unknown'"):
        purse(tmp_path, clock, model="unknown")
    assert purse(tmp_path, clock, model="unknown", limit=None).cost(MILLION) is None


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"day": "2026-03-01"}',
        b'{"day": "2026-03-01", "amount": "NaN"}',
        b'{"day": "2026-03-01", "amount": "Infinity"}',
        b'{"day": "2026-03-01", "amount": "1e999999999"}',
        b'{"day": "2026-03-01", "amount": null}',
        b'{"day": 20260301, "amount": "1"}',
        b'{"day": "2026-03-01", "amount": "1", "stopped_on": "yesterday"}',
        b"[" * 5000,
    ],
)
def test_an_account_that_cannot_be_read_is_set_aside_and_counting_begins_anew(
    tmp_path: Path, clock: Clock, damaged: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spending.json").write_bytes(damaged)
    own = purse(tmp_path, clock)

    assert own.resumed_on() == ""
    own.admit(MILLION)

    assert own.spent_today() == 1
    (aside,) = tmp_path.glob("spending.json.unreadable-*")
    assert aside.read_bytes() == damaged
    assert [record.message for record in caplog.records if "spending cannot be read" in record.message] == [
        caplog.records[0].message
    ]


def test_a_settlement_of_what_was_set_aside_in_a_lost_account_leaves_one_that_can_be_read(
    tmp_path: Path, clock: Clock
) -> None:
    own = purse(tmp_path, clock)
    own.admit(MILLION)
    (tmp_path / "spending.json").write_bytes(b"{")

    own.settle(Usage(), MILLION)
    own.admit(MILLION)

    assert own.spent_today() == 1
    assert len(list(tmp_path.glob("*.unreadable-*"))) == 1
