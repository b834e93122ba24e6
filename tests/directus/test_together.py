"""Batching: many threads, few requests."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from directus_assets.directus.together import Company, Together
from directus_assets.errors import NotFound, Unexpected, Unreachable


class Shelf:
    """Records requests; the first one lasts until `opened` is set."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.began, self.opened = threading.Event(), threading.Event()

    def fetch(self, keys: Sequence[str]) -> dict[str, str]:
        self.asked.append(list(keys))
        if len(self.asked) == 1:
            self.began.set()
            assert self.opened.wait(60)
        if "broken" in keys:
            raise NotFound("The broken one is not there.")
        return {key: key.upper() for key in keys if key != "gone"}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def ask(shelf: Shelf, together: Together[str, str], *keys: str) -> list[object]:
    """The results of a caller for the first key, and of others for the rest during that request."""
    with ThreadPoolExecutor(len(keys)) as pool:
        first = pool.submit(together.get, keys[0])
        assert shelf.began.wait(60)
        rest = [pool.submit(together.get, key) for key in keys[1:]]
        while len(together._waiting) < len(rest):
            pass
        shelf.opened.set()
        return [each.exception(60) or each.result() for each in (first, *rest)]


def test_those_who_ask_meanwhile_are_answered_by_one_more_request(shelf: Shelf) -> None:
    together = Together(shelf.fetch)

    assert ask(shelf, together, "a", "b", "c", "b", "a") == ["A", "B", "C", "B", "A"]

    assert [sorted(keys) for keys in shelf.asked] == [["a"], ["a", "b", "c"]]


def test_what_is_not_there_has_no_answer(shelf: Shelf) -> None:
    assert ask(shelf, Together(shelf.fetch), "a", "gone", "b") == ["A", None, "B"]


def test_no_request_asks_for_more_than_it_may(shelf: Shelf) -> None:
    assert ask(shelf, Together(shelf.fetch, most=2), "a", "b", "c", "d") == ["A", "B", "C", "D"]

    assert sorted(map(len, shelf.asked)) == [1, 1, 2]


def test_nobody_suffers_from_what_others_ask_for(shelf: Shelf) -> None:
    together = Together(shelf.fetch)

    one, two, broken, three = ask(shelf, together, "a", "b", "broken", "c")

    assert (one, two, three) == ("A", "B", "C")
    assert isinstance(broken, NotFound)


def test_an_error_of_a_lone_caller_is_its_own() -> None:
    def fetch(_keys: Sequence[str]) -> dict[str, str]:
        raise Unreachable("Directus does not answer.")

    with pytest.raises(Unreachable):
        Together(fetch).get("a")


def test_what_may_have_been_done_is_not_asked_for_again(shelf: Shelf) -> None:
    together = Together(shelf.fetch, unrepeatable=(NotFound,))

    one, *rest = ask(shelf, together, "a", "b", "broken")

    assert one == "A"
    assert [type(each) for each in rest] == [NotFound, NotFound]
    assert len(shelf.asked) == 2


def test_a_lone_caller_is_refused_once(shelf: Shelf) -> None:
    shelf.opened.set()

    with pytest.raises(NotFound):
        Together(shelf.fetch).get("broken")

    assert shelf.asked == [["broken"]]


class Fragile(Shelf):
    """Simulates a bug of ours for requests with a certain key."""

    def fetch(self, keys: Sequence[str]) -> dict[str, str]:
        return {key: str(1 // len(key.replace("odd", ""))) for key in keys} if super().fetch(keys) else {}


def test_a_fault_of_ours_with_one_key_is_nobody_elses() -> None:
    shelf = Fragile()

    first, *rest = ask(shelf, Together(shelf.fetch), "a", "b", "odd", "c")

    assert [first, rest[0], rest[2]] == ["1", "1", "1"]
    assert isinstance(rest[1], Unexpected | ZeroDivisionError)


def test_those_at_work_together_are_answered_by_one_request(shelf: Shelf) -> None:
    shelf.opened.set()
    company = Company(patience_seconds=60)
    together = Together(shelf.fetch, company=company)
    keys = ["a", "b", "c", "d"]

    with ThreadPoolExecutor(len(keys)) as pool, ExitStack() as stack:
        for _ in keys:
            stack.enter_context(company.joined())
        answers = [each.result(60) for each in [pool.submit(together.get, key) for key in keys]]

    assert answers == ["A", "B", "C", "D"]
    assert [sorted(some) for some in shelf.asked] == [keys]
    assert company.size == 0


@pytest.mark.parametrize(
    ("company", "most"),
    [
        (Company(size=1, patience_seconds=60), 100),
        (Company(size=5, patience_seconds=60), 1),
        (Company(size=2, patience_seconds=0.01), 100),
    ],
    ids=["alone", "all that fit", "others who do not ask"],
)
def test_nobody_waits_for_more_or_longer_than_makes_sense(shelf: Shelf, company: Company, most: int) -> None:
    shelf.opened.set()

    assert Together(shelf.fetch, most, company=company).get("a") == "A"

    assert shelf.asked == [["a"]]
