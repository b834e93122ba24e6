"""Ownership of texts, in a table of cases, and over the life of a field."""

import pytest

from directus_assets.directus.models import JsonValue
from directus_assets.ownership.field_records import FieldRecord, digest
from directus_assets.ownership.protection import Decision, FieldAction, Standing, decide, is_empty, standing

OURS = FieldRecord(source="old source", written=digest("our text"))
UNDER_WAY = FieldRecord(source="old source", written=digest("our text"), intended=digest("our new text"))
SEEN = FieldRecord(
    source="old source", written=digest("our text"), seen_source=digest("new source"), seen_target=digest("human text")
)


@pytest.mark.parametrize(
    ("record", "source", "target", "proposal", "expected"),
    [
        (None, "source", None, "proposal", FieldAction.WRITE),
        (None, "source", "", "proposal", FieldAction.WRITE),
        (None, "source", "text", "proposal", FieldAction.KEEP),
        (None, None, None, "", FieldAction.NOTHING),
        (OURS, "old source", "our text", "our text", FieldAction.NOTHING),
        (OURS, "new source", "our text", "our new text", FieldAction.WRITE),
        (OURS, "new source", "our text", "our text", FieldAction.NOTHING),
        (OURS, "old source", "our text", "glossary changed", FieldAction.WRITE),
        (OURS, "old source", None, "our text", FieldAction.WRITE),
        (OURS, "", "our text", "", FieldAction.WRITE),
        (OURS, "old source", "human text", None, FieldAction.KEEP),
        (OURS, "new source", "human text", "our new text", FieldAction.REVIEW),
        (OURS, "new source", "human text", "human text", FieldAction.NOTHING),
        (UNDER_WAY, "new source", "our text", "our new text", FieldAction.WRITE),
        (UNDER_WAY, "new source", "our new text", "our new text", FieldAction.NOTHING),
        (UNDER_WAY, "newer source", "our new text", "our newest text", FieldAction.WRITE),
        (UNDER_WAY, "newer source", "human text", "our newest text", FieldAction.REVIEW),
        (SEEN, "new source", "human text", "our new text", FieldAction.REVIEW),
        (SEEN, "new source", "revised by a human", None, FieldAction.KEEP),
        (SEEN, "newer source", "revised by a human", "our newest text", FieldAction.REVIEW),
        (SEEN, "old source", "human text", None, FieldAction.KEEP),
        (SEEN, "new source", "our text", "our new text", FieldAction.WRITE),
    ],
)
def test_the_action_for_a_field(
    record: FieldRecord | None, source: JsonValue, target: JsonValue, proposal: JsonValue, expected: FieldAction
) -> None:
    assert decide(record, source=source, target=target, proposal=proposal).action is expected


def test_an_edited_translation_survives_ten_source_edits() -> None:
    record: FieldRecord | None = OURS

    actions = []
    for edit in range(10):
        decision = decide(record, source=f"source {edit}", target="human text", proposal=f"proposal {edit}")
        actions.append(decision.action)
        record = decision.record

    assert set(actions) == {FieldAction.REVIEW}
    assert record is not None
    assert record.source == "old source"


def test_a_human_who_revises_the_text_after_a_source_edit_ends_the_review() -> None:
    first = decide(OURS, source="new source", target="human text", proposal="proposal")
    revised = decide(first.record, source="new source", target="revised", proposal=None)
    later = decide(revised.record, source="newer source", target="revised", proposal="proposal")

    assert [first.action, revised.action, later.action] == [FieldAction.REVIEW, FieldAction.KEEP, FieldAction.REVIEW]
    assert later.record.source == "new source"


def test_text_that_a_killed_run_wrote_is_ours() -> None:
    before_the_write = decide(OURS, source="new source", target="our text", proposal="our new text").record

    after_the_kill = standing(before_the_write, source="newest source", target="our new text")

    assert after_the_kill is Standing.OURS


def test_text_that_a_killed_run_did_not_write_is_ours_too() -> None:
    before_the_write = decide(OURS, source="new source", target="our text", proposal="our new text").record

    assert standing(before_the_write, source="newest source", target="our text") is Standing.OURS


def test_text_stays_ours_when_two_runs_in_a_row_are_killed() -> None:
    first = decide(OURS, source="new source", target="our text", proposal="our new text").record
    second = decide(first, source="newer source", target="our new text", proposal="our newest text").record

    assert standing(second, source="newer source", target="our new text") is Standing.OURS
    assert standing(second, source="newer source", target="our newest text") is Standing.OURS


def test_a_confirmed_write_forgets_the_text_before_it() -> None:
    record = decide(OURS, source="new source", target="our text", proposal="our new text").record.confirmed()

    assert standing(record, source="new source", target="our text") is Standing.HUMAN
    assert standing(record, source="new source", target="our new text") is Standing.OURS


def test_a_text_without_a_record_is_kept_and_watched_from_then_on() -> None:
    first: Decision = decide(None, source="source", target="text")
    second = decide(first.record, source="new source", target="text", proposal="proposal")

    assert (first.action, second.action) == (FieldAction.KEEP, FieldAction.REVIEW)
    assert second.record.source == "source"


def test_json_is_compared_by_value_and_not_by_the_order_of_its_keys() -> None:
    record = FieldRecord(source="s", written=digest({"a": 1, "b": ["x"]}))

    assert standing(record, source="s", target={"b": ["x"], "a": 1}) is Standing.OURS


@pytest.mark.parametrize("value", [None, "", " \n", [], {}])
def test_empty_values_are_nobodys(value: JsonValue) -> None:
    assert is_empty(value)
    assert not is_empty(0)
    assert not is_empty("x")
