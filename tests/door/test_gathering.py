import pytest

from directus_assets.door.gathering import Gathering
from directus_assets.door.limits import UserLimit


@pytest.mark.parametrize(
    ("arrivals", "due_at"),
    [([0.0], 0.2), ([0.0, 0.1], 0.3), ([0.0, 0.15, 0.3, 0.45], 0.65), ([0.1 * number for number in range(20)], 1.0)],
)
def test_a_batch_waits_for_what_follows_soon_but_never_long(arrivals: list[float], due_at: float) -> None:
    gathering = Gathering()
    for number, now in enumerate(arrivals):
        gathering.add("posts", [str(number)], now=now)

    assert gathering.due_at == due_at
    assert gathering.take() == {"posts": [str(number) for number in range(len(arrivals))]}
    assert gathering.due_at is None


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
