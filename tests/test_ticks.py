"""The decisions of a tick."""

from directus_assets.planning.changes import Examination
from directus_assets.planning.ticks import Read, plan_tick

WANTED = {("card", "a"): "1", ("hero", "a"): "1", ("card", "b"): "1"}
READ = Read(
    keys=("a", "b"),
    examination=Examination(present=("a", "b"), wanted=WANTED),
    materialized={("card", "a"): "1", ("hero", "a"): "0"},
    known=("a",),
    deleted=(),
)


def read(**changes: object) -> Read:
    return Read(**{**vars(READ), **changes})  # type: ignore[arg-type]


def test_what_is_stale_is_asked_for_and_what_is_right_is_shown_so() -> None:
    plan = plan_tick(READ)

    assert plan.stale == {"a": {"hero"}, "b": {"card"}}
    assert plan.right == {("card", "a")}
    assert plan.registered == ("b",)
    assert (plan.leaving, plan.pushed) == ((), ())


def test_what_a_pushed_run_works_on_is_left_to_it_and_looked_at_again() -> None:
    plan = plan_tick(read(at_work={"a"}))

    assert plan.stale == {"b": {"card"}}
    assert plan.pushed == ("a",)


def test_what_is_right_already_is_not_looked_at_again_because_a_run_is_at_work() -> None:
    plan = plan_tick(read(materialized=WANTED, at_work={"a"}))

    assert (plan.stale, plan.pushed) == ({}, ())


def test_what_a_pushed_run_has_tried_in_vain_is_left_to_the_reconcile() -> None:
    assert plan_tick(read(tried={("hero", "a"): "1"})).stale == {"b": {"card"}}


def test_what_has_changed_since_it_was_tried_is_asked_for_again() -> None:
    assert plan_tick(read(tried={("hero", "a"): "0"})).stale == {"a": {"hero"}, "b": {"card"}}


def test_what_our_own_writes_have_made_stale_is_asked_for_beside_it() -> None:
    plan = plan_tick(read(followers={"a": {"card"}, "c": {"de-DE"}}))

    assert plan.stale == {"a": {"card", "hero"}, "b": {"card"}, "c": {"de-DE"}}


def test_a_partition_leaves_for_a_deletion_and_stays_where_its_row_is_back() -> None:
    gone = read(
        examination=Examination(present=("b",), wanted={}), deleted=("a",), known=("a", "b"), leaving=("b", "c")
    )

    assert plan_tick(gone).leaving == ("c", "a")


def test_a_file_that_is_still_uploaded_is_looked_at_again() -> None:
    assert plan_tick(read(examination=Examination(unready=("a",)), deleted=("a",))).unready == ("a",)
