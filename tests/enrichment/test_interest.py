"""Recommendations, as a table of cases."""

import datetime as dt
import random
from collections.abc import Sequence

import pytest

from directus_assets.enrichment.interest import Candidate, Interaction, Phrases, Recommendation, Taste, recommend
from directus_assets.enrichment.neighbours import quantized

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)

ITEMS = [
    Candidate(key="1", title="Boats", tags=("harbour", "boats"), vector=quantized([1, 0, 0])),
    Candidate(key="2", title="Bread", tags=("food",), vector=quantized([0, 1, 0])),
    Candidate(key="3", title="Sails", tags=("boats",), vector=quantized([1, 0.05, 0])),
    Candidate(key="4", title="Rolls", tags=("food",), vector=quantized([0, 1, 0.05])),
    Candidate(key="5", title="Stars", tags=("night",), vector=quantized([0, 0, 1])),
    Candidate(key="6", title="", tags=(), vector=None),
]


def dealt(item: str, *, segment: str = "all", days: float = 0, weight: float = 1.0) -> Interaction:
    return Interaction(segment=segment, item=item, at=NOW - dt.timedelta(days=days), weight=weight)


def asked(interactions: Sequence[Interaction], taste: Taste | None = None) -> list[Recommendation]:
    return recommend(interactions, ITEMS, taste=taste or Taste(), now=NOW)


def order(interactions: Sequence[Interaction], taste: Taste | None = None) -> list[str]:
    return [each.item for each in asked(interactions, taste)]


@pytest.mark.parametrize(
    ("interactions", "expected"),
    [
        pytest.param([], [], id="nothing is known of anybody"),
        pytest.param([dealt("1")], ["3"], id="what shares tags and direction, and nothing else"),
        pytest.param([dealt("2")], ["4"], id="another interest, another item"),
        pytest.param([dealt("1"), dealt("2", weight=3)], ["4", "3"], id="the stronger interest first"),
        pytest.param([dealt("1"), dealt("2", weight=3, days=90)], ["3", "4"], id="an old interest counts less"),
        pytest.param([dealt("1"), dealt("3")], [], id="what was seen is not recommended"),
        pytest.param([dealt("1"), dealt("2", weight=-5)], ["3"], id="what is disliked draws nothing after it"),
        pytest.param([dealt("1", weight=-1)], [], id="who only dislikes gets nothing"),
        pytest.param([dealt("6")], [], id="an item of which nothing is known tells nothing"),
        pytest.param([dealt("gone"), dealt("1")], ["3"], id="an item that is gone tells nothing"),
        pytest.param([dealt("1", days=-5)], ["3"], id="clocks that are ahead"),
    ],
)
def test_what_is_recommended(interactions: Sequence[Interaction], expected: list[str]) -> None:
    assert order(interactions) == expected


@pytest.mark.parametrize(("days", "half_lives"), [(0, 0), (30, 1), (60, 2), (45, 1.5)])
def test_an_interaction_counts_half_after_each_half_life(days: float, half_lives: float) -> None:
    # 1 part of boats, against 2 to the power of minus `half_lives` parts of food.
    by_item = {each.item: each.score for each in asked([dealt("1"), dealt("2", days=days)], Taste(tag_share=1.0))}

    # Item 1 has two tags, so boats are one of its two parts.
    assert by_item["4"] == pytest.approx(2**-half_lives / (2 + 2**-half_lives), abs=1e-4)
    assert by_item["3"] == pytest.approx(1 / (2 + 2**-half_lives), abs=1e-4)


def test_each_segment_has_its_own_list() -> None:
    found = asked([dealt("1", segment="sailors"), dealt("2", segment="bakers")])

    assert [(each.segment, each.item, each.rank) for each in found] == [("bakers", "4", 1), ("sailors", "3", 1)]


@pytest.mark.parametrize(
    ("taste", "reason"),
    [
        (Taste(), "Matches an interest in boats, and is similar to “Boats”."),
        (Taste(phrases=Phrases(both="{tags} | {title}")), "boats | Boats"),
    ],
)
def test_a_reason_names_tags_and_what_it_resembles(taste: Taste, reason: str) -> None:
    assert [each.reason for each in asked([dealt("1")], taste)] == [reason]


def test_a_reason_names_only_what_counts() -> None:
    tagged = [Candidate(key="a", tags=("x",)), Candidate(key="b", tags=("x", "y"))]
    similar = [Candidate(key="a", title="A", vector=quantized([1, 0])), Candidate(key="b", vector=quantized([1, 0.1]))]

    def reason(items: list[Candidate]) -> str:
        return recommend([dealt("a")], items, taste=Taste(), now=NOW)[0].reason

    assert reason(tagged) == "Matches an interest in x."
    assert reason(similar) == "Similar to “A”."


def test_lists_are_no_longer_than_asked_for_and_ties_are_in_the_order_of_keys() -> None:
    items = [Candidate(key=key, tags=("x",)) for key in ("seen", "c", "a", "b")]

    found = recommend([dealt("seen")], items, taste=Taste(count=2), now=NOW)

    assert [(each.item, each.rank) for each in found] == [("a", 1), ("b", 2)]


def test_the_order_of_the_input_does_not_matter() -> None:
    drawn = random.Random(4)
    interactions = [
        dealt(drawn.choice("12345"), segment=drawn.choice("ab"), days=drawn.random() * 99, weight=drawn.random())
        for _ in range(60)
    ]
    items = [*ITEMS, *(Candidate(key=f"x{n}", tags=("food", "boats"), vector=quantized([n, 1, 1])) for n in range(9))]

    first = recommend(interactions, items, taste=Taste(), now=NOW)
    drawn.shuffle(interactions)
    drawn.shuffle(items)

    assert first
    assert recommend(interactions, items, taste=Taste(), now=NOW) == first
