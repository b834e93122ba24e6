from collections.abc import Sequence

import pytest

from directus_assets.directus.models import JsonValue
from directus_assets.directus.project_schema import FieldSchema
from directus_assets.enrichment.records import MadeRow
from directus_assets.enrichment.rows import PresentRow, RowPlan, comparable, plan_rows
from directus_assets.ownership.field_records import digest

Values = dict[str, JsonValue]


def near(item: int, rank: int) -> Values:
    return {"other": item, "rank": rank}


def made(key: str, values: Values) -> MadeRow:
    return MadeRow(key=key, digest=digest(values), about=str(values["other"]))


def there(key: str, values: Values) -> PresentRow:
    return PresentRow(key=key, values=values)


def plan(wanted: Sequence[Values], present: Sequence[PresentRow], known: Sequence[MadeRow]) -> RowPlan:
    return plan_rows(wanted, present, known=known, intended=(), is_one=False, about="other")


def test_a_row_that_a_human_removed_does_not_come_back_with_another_rank() -> None:
    known = [made("1", near(7, 1)), made("2", near(8, 2))]
    present = [there("2", near(8, 2))]

    done = plan([near(9, 1), near(7, 2), near(8, 3)], present, known)

    assert dict(done.changed) == {"2": near(9, 1)}
    assert list(done.made) == [near(8, 3)]
    assert known[0] in done.remembered


def test_a_row_that_a_human_has_moved_does_not_come_twice() -> None:
    known = [made("1", near(7, 1)), made("2", near(8, 2))]
    present = [there("1", near(7, 5)), there("2", near(8, 2))]

    done = plan([near(8, 1), near(7, 2)], present, known)

    assert (dict(done.changed), list(done.made), list(done.removed)) == ({"2": near(8, 1)}, [], [])


def test_what_is_not_wanted_any_more_is_forgotten_with_its_removal() -> None:
    done = plan([near(8, 1)], [], [made("1", near(7, 1))])

    assert list(done.made) == [near(8, 1)]
    assert done.remembered == ()


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [("1.50", "decimal", 1.5), ("3", "integer", 3), (1, "boolean", True), ("food", "integer", "food")],
)
def test_values_compare_as_they_were_written(value: JsonValue, kind: str, expected: JsonValue) -> None:
    assert comparable(value, FieldSchema(name="any", type=kind)) == expected
