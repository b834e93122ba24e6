from pathlib import Path

import pytest

from directus_assets.directus.storage import LocalStorage
from directus_assets.orchestration.buttons.clicks import (
    Button,
    Click,
    Outcome,
    forget_click,
    keep_click,
    notification,
    open_clicks,
)


def click(*keys: str, **fields: object) -> Click:
    return Click.model_validate(
        {"id": "run", "button": "render", "collection": "directus_files", "keys": keys, "user": "anna", **fields}
    )


@pytest.mark.parametrize(
    ("clicked", "outcome", "subject"),
    [
        (click("a"), Outcome(), "1 of 1 done"),
        (click("a", "b"), Outcome(failed={"a": ["broken", "broken"]}), "1 of 2 done, 1 failed"),
        (click("a", "b", "c"), Outcome(reviewed={"a"}), "2 of 3 done, 1 needs review"),
        (click("a", "b", "c"), Outcome(reviewed={"a", "b"}, failed={"b": ["x"]}), "1 of 3 done, 1 failed, 1 needs"),
        (click("a", "b", passed_over=("b",)), Outcome(), "1 of 2 done, 1 left out"),
        (click("a", "b", passed_over=("b",)), Outcome(left_out={"a", "b"}), "0 of 2 done, 2 left out"),
        (click("a", "b"), Outcome(left_out={"b"}, failed={"b": ["x"]}), "1 of 2 done, 1 failed"),
        (click("a", "b"), Outcome(unmade=1, endings=["A run did not finish"]), "1 of 2 done, 1 failed"),
        (click("a", "b", trouble="Dagster is down."), Outcome(), "0 of 2 done, 2 failed"),
    ],
)
def test_the_subject_counts_what_has_become_of_the_items(clicked: Click, outcome: Outcome, subject: str) -> None:
    assert str(notification(clicked, outcome)["subject"]).startswith(f"Render presets again: {subject}")


def test_each_reason_is_told_once_and_a_few_at_most() -> None:
    failed = {str(number): [f"reason {number % 7}"] for number in range(20)}

    message = notification(click(*failed), Outcome(failed=failed))["message"]

    assert str(message).split("\n\n") == [*(f"reason {number}" for number in range(5)), "And 2 more: see Dagster."]


def test_one_item_is_linked_and_several_are_not() -> None:
    assert notification(click("a"), Outcome())["item"] == "a"
    assert "item" not in notification(click("a", "b"), Outcome())


def test_a_click_is_remembered_until_it_is_answered(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    first, second = click("a", id="1"), click("b", id="2", button=Button.TRANSLATE)

    assert open_clicks(storage) == []
    keep_click(storage, first)
    keep_click(storage, second)
    keep_click(storage, first.model_copy(update={"trouble": "x"}))
    forget_click(storage, second)

    assert open_clicks(storage) == [first.model_copy(update={"trouble": "x"})]
