"""Validation of filters."""

from typing import Any

import pytest

from directus_assets.directus.filters import FilterSchema

TYPES = {
    "posts": {
        "id": "integer",
        "status": "string",
        "body": "text",
        "views": "bigInteger",
        "score": "float",
        "archived": "boolean",
        "owner": "uuid",
        "date_updated": "timestamp",
        "day": "date",
        "data": "json",
        "author": "integer",
        "translations": "alias",
        "block": "alias",
        "item": "string",
    },
    "authors": {"id": "integer", "name": "string", "posts": "alias"},
    "posts_translations": {"id": "integer", "title": "string"},
    "heroes": {"headline": "string"},
}
RELATED = {
    ("posts", "author"): "authors",
    ("authors", "posts"): "posts",
    ("posts", "translations"): "posts_translations",
    ("posts", "item"): "",
}
SCHEMA = FilterSchema(TYPES, RELATED, {"posts": "id"})


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"status": {"_eq": "published"}},
        {"status": "published"},
        {"status": {"_in": ["a", "b"]}},
        {"status": {"_in": "a,b"}},
        {"status": {"_eq": 5}},
        {"status": {"_null": True}},
        {"status": {"_nempty": "true"}},
        {"status": {"_or": [{"_eq": "a"}, {"_eq": "b"}]}},
        {"_and": [{"status": {"_eq": "a"}}, {"_or": [{"views": {"_gt": "5"}}]}]},
        {"views": {"_between": [1, 5]}},
        {"score": {"_gte": "0.5"}},
        {"archived": {"_neq": True}},
        {"archived": {"_eq": "false"}},
        {"owner": {"_eq": "$CURRENT_USER"}},
        {"owner": {"_in": ["0b1c1f4e-8f0b-4c55-9f0a-3d1c1f0a2b3c"]}},
        {"date_updated": {"_gt": "$NOW(-1 day)"}},
        {"date_updated": {"_gt": "2026-01-31T12:00:00Z"}},
        {"day": {"_lte": "2026-01-31"}},
        {"year(date_updated)": {"_eq": 2026}},
        {"count(translations)": {"_gt": 0}},
        {"json(data, $.colour)": {"_eq": "red"}},
        {"author": {"_eq": 4}},
        {"author": {"_nnull": True}},
        {"author": {"name": {"_contains": "Anna"}}},
        {"author": {"posts": {"_some": {"status": {"_eq": "a"}}}}},
        {"translations": {"title": {"_nempty": True}}},
        {"translations": {"_none": {"title": {"_eq": "x"}}}},
        {"item:heroes": {"headline": {"_eq": "x"}}},
        {"$FOLLOW(comments, post)": {"_some": {"text": {"_eq": "x"}}}},
        {"data": {"_nnull": True}},
    ],
)
def test_a_filter_that_works_is_left_alone(condition: dict[str, Any]) -> None:
    assert list(SCHEMA.mistakes(condition, "posts")) == []


@pytest.mark.parametrize(
    ("condition", "text", "remedy"),
    [
        ({"stauts": {"_eq": "a"}}, "cannot see a field 'stauts' in 'posts'", "Did you mean 'status'?"),
        ({"zzz": {"_eq": "a"}}, "cannot see a field 'zzz' in 'posts'", "The token can see archived, author, "),
        ({"author": {"nmae": {"_eq": "a"}}}, "cannot see a field 'nmae' in 'authors'", "Did you mean 'name'?"),
        ({"translations": {"_some": {"titel": {"_eq": 1}}}}, "cannot see a field 'titel'", "Did you mean 'title'?"),
        (
            {"item:heroes": {"headlin": {"_eq": "x"}}},
            "cannot see a field 'headlin' in 'heroes'",
            "Did you mean 'headline'?",
        ),
        ({"_and": [{"stauts": {"_eq": "a"}}]}, "cannot see a field 'stauts' in 'posts'", "Did you mean 'status'?"),
        (
            {"year(dat_updated)": {"_eq": 1}},
            "cannot see a field 'dat_updated' in 'posts'",
            "Did you mean 'date_updated'?",
        ),
        ({"yaer(date_updated)": {"_eq": 1}}, "is not a Directus function", "Did you mean 'year'?"),
        ({"status": {"_eqq": "a"}}, "'_eqq' on 'status' is not a Directus operator", "Did you mean '_eq'?"),
        ({"status": {"eq": "a"}}, "'eq' on 'status' is not a Directus operator", "Did you mean '_eq'?"),
        ({"status": {"_equals": "a"}}, "'_equals' on 'status' is not a Directus operator", ""),
        ({"status": {"_or": [{"_eqq": "a"}]}}, "'_eqq' on 'status' is not a Directus operator", "Did you mean '_eq'?"),
        ({"_orr": [{"status": "a"}]}, "Found '_orr' where a field is expected", "Did you mean '_or'?"),
        ({"_or": {"status": "a"}}, "'_or' needs a list of conditions", "Write _or: ["),
        ({"views": {"_gt": "many"}}, "'views' is compared with 'many'", "It holds whole numbers."),
        ({"views": {"_in": [1, "two"]}}, "'views' is compared with 'two'", "It holds whole numbers."),
        ({"score": {"_lt": "high"}}, "'score' is compared with 'high'", "It holds numbers."),
        ({"archived": {"_eq": "no"}}, "'archived' is compared with 'no'", "It holds true or false."),
        ({"status": {"_eq": True}}, "'status' is compared with true", "put quotes around it"),
        ({"owner": {"_eq": "anna"}}, "'owner' is compared with 'anna'", "It holds UUIDs."),
        ({"date_updated": {"_gt": "yesterday"}}, "'date_updated' is compared with 'yesterday'", "It holds moments"),
        ({"day": {"_eq": "31.01.2026"}}, "'day' is compared with '31.01.2026'", "It holds moments"),
        ({"status": {"_null": "maybe"}}, "'_null' on 'status' has the value 'maybe'", "It needs true or false."),
        ({"views": {"_between": [1]}}, "'_between' on 'views' has 1 values", "It needs two."),
        ({"status": {"_in": []}}, "'_in' on 'status' has 0 values", "It needs at least one."),
    ],
)
def test_a_mistake_is_named_with_its_field_and_what_to_write(condition: dict[str, Any], text: str, remedy: str) -> None:
    (mistake,) = SCHEMA.mistakes(condition, "posts")

    assert text in mistake.text
    assert remedy in mistake.remedy


def test_of_what_the_token_does_not_see_nothing_is_said() -> None:
    assert list(SCHEMA.mistakes({"x": {"_eq": 1}}, "hidden")) == []
