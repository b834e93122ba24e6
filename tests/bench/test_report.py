import datetime as dt
import io
import json

import pytest
from PIL import Image
from rich.console import Console

from bench.figures import Figure, Spread, ours_at_most, ratio_at_least
from bench.report import as_json, bar_x, draw, number, shown, table

COMPARED = Figure(
    part="images",
    what="24 pictures",
    unit="pictures/s",
    ours=(4.0, 6.0),
    against="the bare loop",
    theirs=(2.0, 2.0),
    goal=ratio_at_least(2),
    note="All cores.",
)
ALONE = Figure(part="idle", what="CPU", unit="ms", ours=(120.0,), goal=ours_at_most(100))


def test_the_table_shows_both_sides_their_ratio_and_the_goal():
    screen = Console(file=io.StringIO(), width=200)

    screen.print(table([COMPARED, ALONE]))

    text = screen.file.getvalue()
    for part in ("24 pictures", "All cores.", "the bare loop", "5.00 (4.00 to 6.00) pictures/s", "2.50 (2.00 to 3.00)"):
        assert part in text
    assert "ratio at least 2.00: reached" in text
    assert "ours at most 100: not reached" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0123, "0.012"), (0.5, "0.50"), (9.876, "9.88"), (12.34, "12.3"), (33446, "33,446")],
)
def test_numbers_are_short_and_without_exponents(value, text):
    assert number(value) == text


def test_a_spread_whose_ends_look_the_same_is_one_number():
    assert shown(Spread(median=2, low=1.999, high=2.001)) == "2.00"


def test_bars_start_in_the_middle_and_are_symmetric_in_the_logarithm():
    assert bar_x(1, 10, 0, 100) == 50
    assert bar_x(10, 10, 0, 100) == pytest.approx(100)
    assert bar_x(0.1, 10, 0, 100) == pytest.approx(0)
    assert bar_x(2, 10, 0, 100) - 50 == pytest.approx(50 - bar_x(0.5, 10, 0, 100))


def test_a_ratio_of_nothing_is_drawn_at_the_end():
    assert bar_x(0, 10, 0, 100) == pytest.approx(0)


def test_the_results_carry_the_machine_and_the_moment():
    body = json.loads(as_json([COMPARED], rounds=2, now=dt.datetime(2026, 1, 2, tzinfo=dt.UTC)))

    assert body["at"] == "2026-01-02T00:00:00+00:00"
    assert body["machine"]["cores"] >= 1
    assert [row["what"] for row in body["figures"]] == ["24 pictures"]


def test_the_picture_has_a_row_for_each_comparison(tmp_path):
    draw([COMPARED, ALONE], tmp_path / "one.png")
    draw([COMPARED, COMPARED], tmp_path / "two.png")

    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert two.height > one.height
