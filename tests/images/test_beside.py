import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from directus_assets.images.beside import beside


def test_idle_workers_make_calls_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=30)

    with ThreadPoolExecutor(2) as pool:
        made = pool.submit(lambda: [call() for call in beside(pool, [both.wait, both.wait])]).result()

    assert sorted(made) == [0, 1]


def test_a_worker_without_help_makes_all_calls_itself() -> None:
    def work() -> list[int]:
        own = threading.get_ident()
        calls = [partial(lambda number: (number, threading.get_ident()), number) for number in range(5)]
        assert {thread for _, thread in (call() for call in beside(pool, calls))} == {own}
        return [number for number, _ in (call() for call in beside(pool, calls))]

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result(timeout=30) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_reaches_only_the_caller_of_its_call(workers: int) -> None:
    def fail() -> int:
        raise ValueError("wrong")

    def work() -> int:
        good, bad = beside(pool, [lambda: 7, fail])
        with pytest.raises(ValueError, match="wrong"):
            bad()
        return good()

    with ThreadPoolExecutor(workers) as pool:
        assert pool.submit(work).result(timeout=30) == 7


def test_a_pool_that_is_being_shut_down_hinders_nobody() -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()

    assert [call() for call in beside(pool, [lambda: 1, lambda: 2])] == [1, 2]
