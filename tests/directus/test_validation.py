# ruff: noqa: E501  # tables: a case to a line

from typing import Any

import pytest

from directus_assets.directus.validation import Rule, accepts, spelled

PATH = {"_and": [{"permalink": {"_regex": "^/(?:[a-z0-9]+(?:-[a-z0-9]+)*)?$"}}]}


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        (PATH, "/about-us", True), (PATH, "/über-uns", False), (PATH, "about", False),
        ({"_and": [{"permalink": {"_regex": "/^[a-z]+$/"}}]}, "abc", True), ({"permalink": {"_regex": "[0-9]"}}, "a1b", True),
        ({"_or": [{"permalink": {"_eq": "a"}}, {"permalink": {"_starts_with": "b"}}]}, "bc", True),
        ({"_or": [{"permalink": {"_eq": "a"}}, {"permalink": {"_starts_with": "b"}}]}, "c", False),
        ({"permalink": {"_in": ["a", "b"]}}, "c", False), ({"permalink": {"_nin": ["a"]}}, "a", False), ({"permalink": {"_ncontains": " "}}, "a b", False),
        ({"permalink": {"_icontains": "AB"}}, "xabx", True), ({"permalink": {"_ends_with": "/"}}, "a/", True), ({"permalink": {"_nnull": True}}, "a", True),
        ({"other": {"_eq": "x"}}, "a", True), ({"permalink": {"_regex": "("}}, "a", True), ({"permalink": {"_and": [{"_contains": "a"}, {"_contains": "b"}]}}, "a", False),
    ],
)  # fmt: skip
def test_a_rule_is_read_as_directus_reads_it(rule: dict[str, Any], text: str, expected: bool) -> None:
    assert accepts(rule, "permalink", text) is expected


def test_a_pattern_that_takes_for_ever_says_nothing() -> None:
    assert accepts({"permalink": {"_regex": "^(a|aa)+$"}}, "permalink", "a" * 60 + "!")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (PATH, r"_regex: ^/(?:[a-z0-9]+(?:-[a-z0-9]+)*)?$"),
        (
            {"_or": [{"permalink": {"_in": ["a", "b"]}}, {"permalink": {"_nnull": True}}]},
            "_in: ['a', 'b'], _nnull: True",
        ),
        ({}, ""),
    ],
)
def test_a_rule_says_what_it_asks_for(rule: dict[str, Any], said: str) -> None:
    assert str(Rule("permalink", spelled(rule))) == said
