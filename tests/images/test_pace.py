import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from directus_assets.errors import BadInput, Overloaded
from directus_assets.images.originals import ByteBudget
from directus_assets.images.pace import Pace


class Clock:
    """Seconds that pass only during calls."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def call(pace: Pace, clock: Clock, seconds: float = 1.0, *, error: Exception | None = None) -> None:
    with contextlib.suppress(Overloaded, BadInput), pace.call():
        clock.now += seconds
        if error:
            raise error


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_it_starts_low_and_grows_to_its_most_while_all_is_well(clock: Clock) -> None:
    pace = Pace(8, clock=clock)
    limits = [pace.limit]

    for _ in range(100):
        call(pace, clock)
        limits.append(pace.limit)

    assert limits[0] == 2
    assert limits == sorted(limits)
    assert limits[-1] == 8


def test_it_halves_when_directus_is_too_busy_and_never_stops(clock: Clock) -> None:
    pace = Pace(8, clock=clock)
    for _ in range(100):
        call(pace, clock)

    limits = []
    for _ in range(5):
        call(pace, clock, error=Overloaded("Server too busy"))
        limits.append(pace.limit)

    assert limits == [4, 2, 1, 1, 1]


def test_a_bad_picture_is_not_the_fault_of_directus(clock: Clock) -> None:
    pace = Pace(8, clock=clock)

    call(pace, clock, error=BadInput("corrupt"))

    assert pace.limit >= 2


def test_it_falls_while_directus_gets_slower(clock: Clock) -> None:
    pace = Pace(8, clock=clock)
    for _ in range(200):
        call(pace, clock, 0.1)
    before = pace.limit

    for _ in range(6):
        call(pace, clock, 1.0)

    assert pace.limit < before


def test_it_recovers(clock: Clock) -> None:
    pace = Pace(4, clock=clock)
    for _ in range(4):
        call(pace, clock, error=Overloaded("Server too busy"))

    for _ in range(50):
        call(pace, clock)

    assert pace.limit == 4


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_calls_than_the_limit_run_at_once(most: int) -> None:
    pace, running, seen, lock = Pace(most), [0], [0], threading.Lock()

    def work(_: int) -> None:
        with pace.call():
            with lock:
                running[0] += 1
                seen[0] = max(seen[0], running[0])
            threading.Event().wait(0.001)
            with lock:
                running[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(50)))

    assert seen[0] <= most


@pytest.fixture
def budget() -> ByteBudget:
    return ByteBudget(100)


def test_pictures_share_the_bytes(budget: ByteBudget) -> None:
    held, most, lock = [0], [0], threading.Lock()

    def work(pixels: int) -> None:
        with budget.hold(pixels):
            with lock:
                held[0] += pixels
                most[0] = max(most[0], held[0])
            threading.Event().wait(0.001)
            with lock:
                held[0] -= pixels

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [30, 50, 10, 70, 100, 40] * 5))

    assert most[0] <= 100


def test_a_picture_that_is_more_than_all_bytes_is_made_alone(budget: ByteBudget) -> None:
    order: list[str] = []
    small_may_end = threading.Event()

    def small() -> None:
        with budget.hold(1):
            order.append("small in")
            small_may_end.wait(60)
            order.append("small out")

    def huge() -> None:
        with budget.hold(1_000_000):
            order.append("huge")

    first = threading.Thread(target=small)
    first.start()
    while not order:
        threading.Event().wait(0.001)
    second = threading.Thread(target=huge)
    second.start()
    small_may_end.set()
    first.join()
    second.join()

    assert order == ["small in", "small out", "huge"]


def test_bytes_are_given_back_when_a_picture_fails(budget: ByteBudget) -> None:
    for _ in range(3):
        with pytest.raises(BadInput), budget.hold(100):
            raise BadInput("corrupt")

    with budget.hold(100):
        pass
