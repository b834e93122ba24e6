import pytest

from directus_assets.door.gathering import Gathering
from directus_assets.door.limits import UserLimit


@pytest.mark.parametrize(
    ("arrivals", "due_at"),
    [
        ([0.0], 0.05),
        ([0.0, 0.04], 0.24),
        ([0.0, 0.0], 0.2),
        ([0.0, 0.04, 0.2, 0.35], 0.55),
        ([0.04 * number for number in range(30)], 1.0),
    ],
)
def test_a_batch_waits_for_what_follows_soon_but_never_long(arrivals: list[float], due_at: float) -> None:
    gathering = Gathering()
    for number, now in enumerate(arrivals):
        gathering.add("posts", [str(number)], now=now)

    assert gathering.due_at == due_at
    assert gathering.take() == {"posts": [str(number) for number in range(len(arrivals))]}
    assert gathering.due_at is None


@pytest.mark.parametrize(("pause", "waits"), [(0.1, 0.2), (0.9, 0.2), (1.0, 0.05), (60.0, 0.05)])
def test_only_a_push_after_a_pause_counts_as_alone(pause: float, waits: float) -> None:
    gathering = Gathering()
    gathering.add("posts", ["1"], now=100.0)
    gathering.take()

    gathering.add("posts", ["2"], now=100.0 + pause)

    assert gathering.due_at == pytest.approx(100.0 + pause + waits)


def test_what_is_pushed_twice_counts_once() -> None:
    gathering = Gathering(most_keys=2)

    assert gathering.add("posts", ["1", "1", "2"], now=0.0)
    assert gathering.add("posts", ["2", "1"], now=0.0)
    assert not gathering.add("pages", ["1"], now=0.0)
    assert gathering.peek() == {"posts": ["1", "2"]}


def test_what_is_refused_makes_no_batch() -> None:
    gathering = Gathering(most_keys=1)

    assert not gathering.add("posts", ["1", "2"], now=0.0)
    assert gathering.due_at is None


def test_each_user_has_a_limit_of_their_own_and_it_ends_with_the_minute() -> None:
    limit = UserLimit(2)

    assert [limit.allows(user, now=0.0) for user in ("a", "a", "a", "b")] == [True, True, False, True]
    assert [limit.allows("a", now=now) for now in (59.9, 60.0)] == [False, True]


def test_users_without_end_take_no_memory_without_end() -> None:
    limit = UserLimit(1)

    allowed = [limit.allows(str(number), now=0.0) for number in range(10_001)]

    assert allowed == [True] * 10_000 + [False]
    assert limit.allows("later", now=61.0)
    assert len(limit._windows) == 1
