"""The rate limiter's waiting, with a clock that only advances by sleeping."""

import threading
from collections.abc import Callable

import pytest

from directus_assets.errors import Overloaded, Rejected, TransientError, Unreachable
from directus_assets.spending.rate_gate import RateGate


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


def make_gate(clock: Clock, *, patience_seconds: float = 600.0, limit: int = 4) -> RateGate:
    return RateGate(
        limit=limit,
        patience_seconds=patience_seconds,
        clock=clock,
        sleep=clock.sleep,
        jitter=lambda _, high: high,
    )


def failing(times: int, error: Exception) -> Callable[[], str]:
    left = [times]

    def send() -> str:
        if left[0]:
            left[0] -= 1
            raise error
        return "done"

    return send


def test_a_call_that_succeeds_waits_for_nothing() -> None:
    clock = Clock()

    assert make_gate(clock).call(lambda: "done") == "done"
    assert clock.sleeps == []


def test_waits_double_up_to_the_longest() -> None:
    clock = Clock()

    make_gate(clock).call(failing(8, Unreachable("no answer")))

    assert clock.sleeps == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_wait_that_the_service_asks_for_is_kept() -> None:
    clock = Clock()

    make_gate(clock).call(failing(1, Overloaded("too many requests", retry_after_seconds=30.0)))

    assert clock.sleeps == [31.0]


def test_a_service_that_asks_for_no_wait_is_not_asked_without_end() -> None:
    clock = Clock()

    make_gate(clock).call(failing(4, Overloaded("too many requests", retry_after_seconds=0.0)))

    assert clock.sleeps == [1, 2, 4, 8]


def test_a_wait_that_one_caller_is_asked_for_holds_up_the_others() -> None:
    clock = Clock()
    second_called_at: list[float] = []

    def sleep(seconds: float) -> None:
        clock.sleep(10 if clock.now == 1000 else seconds)
        if not second_called_at:
            second_called_at.append(0)
            gate.call(lambda: second_called_at.append(clock.now))

    gate = RateGate(limit=2, clock=clock, sleep=sleep, jitter=lambda _, high: high)
    gate.call(failing(1, Overloaded("too many requests", retry_after_seconds=30.0)))

    assert second_called_at[-1] >= 1030


def test_patience_ends_and_says_when_to_come_back() -> None:
    clock = Clock()
    gate = make_gate(clock, patience_seconds=100)

    with pytest.raises(TransientError, match="no answer Gave up after") as raised:
        gate.call(failing(1000, Unreachable("no answer")))

    assert clock.now - 1000.0 <= 101
    assert raised.value.retry_after_seconds == 60


def test_a_longer_wait_than_patience_is_handed_on_at_once() -> None:
    clock = Clock()
    gate = make_gate(clock, patience_seconds=100)

    with pytest.raises(TransientError) as raised:
        gate.call(failing(1, Overloaded("quota", retry_after_seconds=3600.0)))

    assert raised.value.retry_after_seconds == 3600
    assert clock.sleeps == []


def test_nobody_sits_through_a_longer_wait_than_patience_that_another_was_asked_for() -> None:
    clock = Clock()
    gate = make_gate(clock, patience_seconds=100)
    with pytest.raises(TransientError):
        gate.call(failing(1, Overloaded("quota", retry_after_seconds=3600.0)))

    with pytest.raises(TransientError) as raised:
        gate.call(lambda: "another caller")

    assert raised.value.retry_after_seconds == 3600
    assert clock.sleeps == []


def test_permanent_errors_are_not_repeated() -> None:
    clock = Clock()

    with pytest.raises(Rejected):
        make_gate(clock).call(failing(1, Rejected("no")))

    assert clock.sleeps == []


def test_no_more_calls_than_the_limit_run_at_once() -> None:
    gate = RateGate(limit=2)
    running = 0
    highest = 0
    lock = threading.Lock()
    both_in = threading.Barrier(2)

    def send() -> None:
        nonlocal running, highest
        with lock:
            running += 1
            highest = max(highest, running)
        both_in.wait(timeout=60)
        with lock:
            running -= 1

    threads = [threading.Thread(target=gate.call, args=(send,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert highest == 2
