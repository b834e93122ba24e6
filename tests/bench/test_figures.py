import pytest

from bench.figures import Figure, Spread, ours_at_most, ratio_at_least, ratio_at_most


def figure(**given: object) -> Figure:
    values = {"part": "images", "what": "pictures", "unit": "pictures/s", "ours": (4.0, 6.0, 5.0), **given}
    return Figure(**values)  # type: ignore[arg-type]


def test_a_spread_has_the_median_and_both_ends():
    assert Spread.of([3, 1, 8, 2]) == Spread(median=2.5, low=1, high=8)


def test_a_ratio_is_taken_round_by_round_before_the_median():
    # Medians alone would say 5 / 4; the rounds, each in its own busy moment, say otherwise.
    rounds = figure(ours=(1.0, 5.0, 8.0), theirs=(2.0, 4.0, 4.0)).ratio

    assert rounds == Spread(median=1.25, low=0.5, high=2)


def test_one_value_of_the_other_side_counts_for_all_rounds():
    assert figure(theirs=(2.0,)).ratio == Spread(median=2.5, low=2, high=3)


def test_rounds_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        _ = figure(theirs=(1.0, 2.0)).ratio


def test_a_figure_that_stands_alone_has_no_ratio():
    assert figure().ratio is None


def test_there_is_no_ratio_to_nothing():
    row = figure(against="Directus alone, on a quiet machine", theirs=(1.0, 0.0, 2.0)).to_json()

    assert row["ratio"] is None


@pytest.mark.parametrize(
    ("goal", "is_reached"),
    [
        (None, None),
        (ratio_at_least(2.5), True),
        (ratio_at_least(2.6), False),
        (ratio_at_most(2.5), True),
        (ratio_at_most(2.4), False),
        (ours_at_most(5), True),
        (ours_at_most(4.9), False),
    ],
)
def test_the_median_decides_whether_a_goal_is_reached(goal, is_reached):
    assert figure(theirs=(2.0,), goal=goal).is_reached is is_reached


def test_a_goal_for_a_ratio_is_not_reached_without_anything_to_compare_with():
    assert figure(goal=ratio_at_least(0)).is_reached is False


def test_json_says_what_was_compared_with_what():
    row = figure(against="the bare loop", theirs=(2.0,), goal=ratio_at_least(2)).to_json()

    assert row["against"] == "the bare loop"
    assert row["ratio"] == {"median": 2.5, "low": 2.0, "high": 3.0}
    assert row["goal"] == "ratio at least 2"
    assert row["reached"] is True
