import math
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directus_assets.errors import (
    BadInput,
    ConfigurationError,
    DirectusAssetsError,
    Forbidden,
    Malformed,
    Overloaded,
    Rejected,
    TransientError,
    Unexpected,
    Unreachable,
)
from directus_assets.isolation import isolate, noted, planned, readable, stand_in


class Work:
    """Doubles numbers, except some, and records what it was given."""

    def __init__(self, trouble: dict[int, Exception]) -> None:
        self.trouble = trouble
        self.calls: list[list[int]] = []

    def __call__(self, some: Sequence[int]) -> list[int]:
        self.calls.append(list(some))
        for key in some:
            if key in self.trouble:
                raise self.trouble[key]
        return [2 * key for key in some]


def test_where_nothing_goes_wrong_all_is_done_at_once() -> None:
    work = Work({})

    found = isolate(range(100), work)

    assert (list(found.results), found.culprits) == ([[2 * key for key in range(100)]], {})
    assert len(work.calls) == 1
    assert isolate([], work).results == []
    assert len(work.calls) == 1


def test_one_culprit_among_many_is_found_with_few_calls_and_costs_nobody_else() -> None:
    work = Work({77: KeyError("title")})

    found = isolate(range(500), work)

    assert sorted(number for some in found.results for number in some) == [2 * key for key in range(500) if key != 77]
    assert str(found.culprits[77]).startswith("KeyError: 'title' This error was not foreseen.")
    assert len(work.calls) <= 2 * math.ceil(math.log2(500)) + 1


@given(st.sets(st.integers(0, 40)), st.integers(1, 40))
def test_whoever_is_to_blame_every_key_has_a_result_or_a_reason(culprits: set[int], count: int) -> None:
    found = isolate(range(count), Work({key: ValueError(str(key)) for key in culprits}))

    made = [number // 2 for some in found.results for number in some]
    assert made == sorted(made)
    assert set(made) | set(found.culprits) == set(range(count))
    assert set(found.culprits) == culprits & set(range(count))
    assert all(f"ValueError: {key}" in str(fault) for key, fault in found.culprits.items())


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("no answer"),
        Overloaded("busy"),
        Forbidden("no right"),
        Rejected("the query is wrong"),
        ConfigurationError("the filter is wrong"),
    ],
)
def test_what_concerns_all_is_nobodys_fault_and_is_not_asked_for_again(error: DirectusAssetsError) -> None:
    work = Work({3: error})

    with pytest.raises(type(error)) as caught:
        isolate(range(8), work)

    assert caught.value is error
    assert len(work.calls) == 1


def test_an_outage_while_the_culprit_is_looked_for_is_raised() -> None:
    work = Work({2: KeyError("x"), 5: Unreachable("gone")})

    with pytest.raises(Unreachable):
        isolate(range(8), work)


def test_a_full_disk_is_no_items_fault() -> None:
    with pytest.raises(TransientError, match="Operating system error: No space left on device"):
        isolate([1, 2], Work({2: OSError(28, "No space left on device")}))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RecursionError("maximum recursion depth exceeded"), "A value is nested too deeply. Simplify the JSON"),
        ("\ud83d".encode, "A text contains an invalid character (surrogates not allowed), such as half of an emoji."),
        (BadInput("It is too large."), "It is too large."),
        (Malformed("`width` is no number."), "`width` is no number."),
        (MemoryError(), "MemoryError: "),
        (ValueError("x" * 10_000), "x" * 480),
    ],
)
def test_the_reason_is_one_that_an_operator_understands(error: object, told: str) -> None:
    if callable(error):
        with pytest.raises(UnicodeEncodeError) as caught:
            error()
        error = caught.value
    assert isinstance(error, Exception)

    fault = isolate([1], Work({1: error})).culprits[1]

    assert told in str(fault)
    assert len(str(fault)) < 700


def test_a_secret_in_a_foreign_error_is_not_shown() -> None:
    fault = isolate([1], Work({1: ValueError("postgres://me:s3cr3t-w0rd@db: \x00 \ud83d")})).culprits[1]

    assert "postgres://***@db: \ufffd \ufffd" in str(fault)


def test_how_deep_a_value_may_be_nested_does_not_depend_on_how_deep_the_caller_stands() -> None:
    def depth(count: int) -> int:
        return 1 + depth(count - 1) if count else 0

    def work(some: Sequence[int]) -> list[int]:
        return [depth(count) for count in some]

    def from_below(frames: int) -> set[int]:
        return from_below(frames - 1) if frames else set(isolate(range(800, 1000), work).culprits)

    assert from_below(0) == from_below(150) != set()


def test_work_is_done_by_one_thread_at_a_time() -> None:
    names = isolate(range(4), lambda _: threading.current_thread().name).results

    assert len(set(names)) == 1


def test_an_output_without_a_fingerprint_has_a_stand_in_that_stays_the_same() -> None:
    def fail() -> str:
        raise KeyError(object())

    assert planned(lambda: "f1") == "f1"
    assert planned(fail) == planned(fail) == stand_in(Unexpected("anything"))
    assert planned(fail) != stand_in(BadInput("anything"))


def test_a_lost_right_has_no_stand_in() -> None:
    def fail() -> str:
        raise Forbidden("no right")

    with pytest.raises(Forbidden):
        planned(fail)


def test_a_list_that_leaves_out_one_item_says_which_and_why() -> None:
    problems: list[str] = []

    found = list(readable([[1, 2], [3, 4]], Work({3: KeyError("x")}), problems))
    with noted(problems):
        raise Unreachable("gone")

    assert found == [[2, 4], [8]]
    assert problems[0].startswith("3: KeyError: 'x'")
    assert problems[1] == "gone"
