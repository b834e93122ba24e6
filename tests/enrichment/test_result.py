"""Typed results: the schema for an engine, and the handling of answers that violate it."""

import json
from typing import Any

import pytest

from directus_assets.enrichment.declaration import with_choices
from directus_assets.enrichment.result import answer_schema, check_answer, longest_answer, walk
from directus_assets.settings import ResultOptions

RESULT = {
    name: ResultOptions.model_validate(value)
    for name, value in {
        "title": {"type": "text", "min_length": 3, "max_length": 20, "description": "For search engines."},
        "score": {"type": "number", "min": 0, "max": 1},
        "stars": {"type": "integer", "min": 1},
        "is_news": "boolean",
        "mood": ["good", "bad"],
        "topics": {"type": "list", "of": "text", "min_items": 1, "max_items": 3},
        "place": {
            "type": "object",
            "optional": True,
            "fields": {"name": "text", "kind": {"type": "choice", "choices": ["city", "land"], "optional": True}},
        },
    }.items()
}
RIGHT: dict[str, Any] = {
    "title": "Good bread",
    "score": 0.5,
    "stars": 2,
    "is_news": False,
    "mood": "good",
    "topics": ["bread", "oven"],
    "place": {"name": "Rome", "kind": None},
}


def test_a_schema_keeps_to_what_strict_mode_takes() -> None:
    schema = answer_schema(RESULT)

    assert schema["required"] == list(RESULT)
    assert schema["additionalProperties"] is False
    assert schema["properties"]["place"]["required"] == ["name", "kind"]
    assert schema["properties"]["place"]["additionalProperties"] is False
    assert schema["properties"]["place"]["type"] == ["object", "null"]
    assert schema["properties"]["place"]["properties"]["kind"]["enum"] == ["city", "land", None]
    assert schema["properties"]["title"]["description"] == "For search engines. From 3 to 20 characters."
    assert not {"minLength", "maxLength", "minimum", "maxItems"}.intersection(json.dumps(schema).split('"'))


def test_a_right_answer_is_taken_as_it_is() -> None:
    checked = check_answer(RESULT, RIGHT)

    assert checked.defects == ()
    assert checked.values == RIGHT


def test_what_was_not_declared_is_dropped() -> None:
    place = {**RIGHT["place"], "status": "published"}

    checked = check_answer(RESULT, {**RIGHT, "place": place, "status": "published", "id": 1})

    assert checked.values == RIGHT


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"title": "Go"}, "`title` has 2 characters, but at least 3"),
        ({"title": "Good bread takes its time"}, "`title` has 25 characters, but at most 20"),
        ({"title": 5}, "`title` is not a text"),
        ({"title": None}, "`title` is missing"),
        ({"title": "<b>Bread</b>"}, "`title` contains markup"),
        ({"title": "a\u202ebcd"}, "`title` contains control characters"),
        ({"title": "Half \uffff"}, "`title` contains control characters"),
        ({"title": "www.evil.example"}, "`title` contains an address that is not in the input: www.evil.example"),
        ({"score": 1.5}, "`score` is 1.5; it must be from 0 to 1"),
        ({"score": True}, "`score` is not a number"),
        ({"score": float("nan")}, "`score` is not a number"),
        ({"score": 10**400}, "`score` is not a number"),
        ({"stars": 0}, "`stars` is 0; it must be at least 1"),
        ({"stars": 1.5}, "`stars` is not a whole number"),
        ({"is_news": "no"}, "`is_news` is not a boolean"),
        ({"mood": "neutral"}, "`mood` is 'neutral', which is not one of the allowed values"),
        ({"topics": []}, "`topics` has 0 different elements, but at least 1"),
        ({"topics": ["a", "b", "c", "d"]}, "`topics` has 4 elements, but at most 3"),
        ({"topics": ["bread", 4]}, "`topics`, element 2 is not a text"),
        ({"place": {"name": "Rome", "kind": "village"}}, "`place`, `kind` is 'village'"),
        ({"place": "Rome"}, "`place` is not an object"),
    ],
)
def test_each_defect_is_named(wrong: dict[str, Any], says: str) -> None:
    checked = check_answer(RESULT, {**RIGHT, **wrong})

    assert any(says in defect for defect in checked.defects), checked.defects


@pytest.mark.parametrize("answer", [None, [], "text", 4])
def test_an_answer_that_is_no_object_is_a_defect(answer: object) -> None:
    assert check_answer(RESULT, answer).defects


def test_an_address_of_the_input_may_be_told() -> None:
    answer = {**RIGHT, "title": "On www.bread.org."}

    assert check_answer(RESULT, answer, source="See www.bread.org/today").defects == ()


def test_values_are_tidied() -> None:
    answer = {**RIGHT, "title": "  Good bread\n", "mood": "Good ", "topics": ["bread", " bread "], "stars": 2.0}

    checked = check_answer(RESULT, answer)

    assert checked.values == {**RIGHT, "topics": ["bread"]}


def test_choices_that_are_read_later_are_put_in_by_their_path() -> None:
    source = {"collection": "tags", "field": "name"}
    result = {
        "tags": ResultOptions.model_validate(
            {"type": "list", "of": {"type": "choice", "choices": source}, "max_items": 3}
        )
    }

    filled = with_choices(result, {"tags[]": ["bread", "oven"]})

    assert [path for path, _ in walk(result)] == ["tags", "tags[]"]
    assert answer_schema(filled)["properties"]["tags"]["items"]["enum"] == ["bread", "oven"]
    assert check_answer(filled, {"tags": ["cheese"]}).defects
    assert longest_answer(filled) < 100
