"""Other people's JSON: lone surrogates, thousands of brackets, endless numbers."""

import json

import pytest

from directus_assets.errors import BadInput
from directus_assets.json_text import as_json, is_too_deep, read_json, shallow, well_formed, well_formed_json

HALF = "bicycle \ud83d"


@pytest.mark.parametrize(
    "value", [HALF, {HALF: [HALF, {"a": HALF}]}, "\ude00", "a\x00b", "Straße 🚲", "\ud83d\n\ude00"]
)
def test_what_goes_back_to_directus_is_what_came_from_there(value: object) -> None:
    content = as_json(value)

    assert json.loads(content.decode()) == value
    assert read_json(content) == value


def test_what_is_kept_or_shown_has_a_sign_in_the_place_of_a_half() -> None:
    assert well_formed(HALF) == "bicycle \ufffd"
    assert well_formed("Straße 🚲 \x00") == "Straße 🚲 \x00"
    assert well_formed_json({HALF: [HALF]}) == {"bicycle \ufffd": ["bicycle \ufffd"]}
    sound = {"a": ["b", 1]}
    assert well_formed_json(sound) is sound


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_not_sent(number: float) -> None:
    with pytest.raises(BadInput, match="cannot be converted to JSON"):
        as_json({"a": [number]})


@pytest.mark.parametrize("depth", [101, 199, 200, 1_500, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_too_deeply_is_known_for_it_and_takes_nothing_along(
    depth: int, opening: str, closing: str
) -> None:
    deep = f"{opening * depth}1{closing * depth}"
    text = f'{{"data": [{{"id": 1, "deep": {deep}, "tags": ["a]", "{{b", "\\"["]}}, {{"id": 2}}]}}'

    (row, other) = read_json(text)["data"]

    assert is_too_deep(row["deep"])
    assert (row["id"], row["tags"], other) == (1, ["a]", "{b", '"['], {"id": 2})
    # Whatever works on it afterwards does not fail.
    assert json.loads(as_json(row)) == well_formed_json(row) == row


@pytest.mark.parametrize("depth", [1, 5, 99, 100])
def test_what_editors_make_is_read_whole(depth: int) -> None:
    text = "[" * depth + "1" + "]" * depth

    assert read_json(text) == json.loads(text)
    assert not is_too_deep(read_json(text))


def test_the_same_is_read_however_deep_the_caller_stands() -> None:
    def from_below(frames: int, depth: int) -> object:
        return from_below(frames - 1, depth) if frames else read_json("[" * depth + "]" * depth)

    for depth in (150, 300, 700, 950):
        assert from_below(0, depth) == from_below(300, depth) == from_below(600, depth)


@pytest.mark.parametrize("digits", [309, 400, 4_000])
def test_an_integer_that_no_float_holds_is_infinite_as_in_javascript(digits: int) -> None:
    assert read_json(f"[{'9' * digits}, -{'9' * digits}]") == [float("inf"), -float("inf")]
    assert read_json(b"[" + b"9" * 308 + b"]") == [10**308 - 1]


def test_a_number_of_thousands_of_digits_is_infinite_as_in_javascript() -> None:
    found = read_json(f'{{"a": {"9" * 5_000}, "b": -{"9" * 5_000}, "c": 1e400, "d": 12345678901234567890}}')

    assert found == {"a": float("inf"), "b": -float("inf"), "c": float("inf"), "d": 12345678901234567890}


@pytest.mark.parametrize(
    "text", ["", "{", "[1,", "[" * 5_000, "{" * 5_000, "[" * 300 + "}" * 300, "nothing", b"\xff[]"]
)
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        read_json(text)


def test_a_copy_holds_what_json_can_hold() -> None:
    assert shallow({1: (10**5_000, True), None: "a"}) == {"1": [float("inf"), True], "None": "a"}

    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    assert json.dumps(shallow(deep)) == "[" * 200 + "]" * 200
