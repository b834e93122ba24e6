"""Figures as a table, as JSON, and as a picture."""

import datetime as dt
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.table import Table

from bench.figures import Figure, Goal, Spread

_WIDTH, _ROW, _MARGIN = 1400, 46, 36
_INK, _GREY, _GOOD, _BAD, _PLAIN = "#1f2430", "#6b7280", "#2f9e6e", "#d9822b", "#6644ff"


def table(figures: Sequence[Figure]) -> Table:
    """All figures: medians with their spread, ours divided by theirs, and the goals."""
    made = Table(title="Ours beside the others: median (lowest to highest)", show_lines=True)
    for name in ("part", "what", "ours", "compared with", "theirs", "ours / theirs", "goal"):
        made.add_column(name, justify="right" if name in {"ours", "theirs", "ours / theirs"} else "left")
    for figure in figures:
        made.add_row(
            figure.part,
            f"{figure.what}\n[dim]{figure.note}[/]" if figure.note else figure.what,
            f"{shown(Spread.of(figure.ours))} {figure.unit}",
            figure.against or "–",
            f"{shown(Spread.of(figure.theirs))} {figure.unit}" if figure.theirs else "–",
            shown(figure.ratio) if figure.ratio else "–",
            _verdict(figure),
        )
    return made


def as_json(figures: Sequence[Figure], *, rounds: int, now: dt.datetime | None = None) -> str:
    """All figures, with the machine that they were measured on."""
    machine = {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}
    moment = (now or dt.datetime.now(dt.UTC)).isoformat(timespec="seconds")
    body = {"at": moment, "machine": machine, "rounds": rounds, "figures": [figure.to_json() for figure in figures]}
    return json.dumps(body, indent=1, ensure_ascii=False)


def draw(figures: Sequence[Figure], path: Path) -> None:
    """One bar for each figure that is compared with something: ours divided by theirs, on a logarithmic scale.

    The line in the middle is equality, the whisker goes from the lowest to the highest round.
    """
    rows = [(figure, ratio) for figure in figures if (ratio := figure.ratio)]
    title, text, small = (ImageFont.load_default(size) for size in (26, 16, 13))
    image = Image.new("RGB", (_WIDTH, 2 * _MARGIN + 70 + _ROW * len(rows)), "white")
    pen = ImageDraw.Draw(image)
    pen.text((_MARGIN, _MARGIN), "Ours divided by theirs", _INK, title)
    legend = "green: goal reached, orange: not, violet: no goal. The line is equality; whiskers span all rounds."
    pen.text((_MARGIN, _MARGIN + 34), legend, _GREY, small)
    left, right = 860, _WIDTH - 150
    reach = max([2.0, *(max(ratio.high, 1 / max(ratio.low, 1e-3)) for _, ratio in rows)])
    top = _MARGIN + 66
    for index, (figure, ratio) in enumerate(rows):
        y = top + index * _ROW
        pen.text(
            (_MARGIN, y + 3),
            _fitted(f"{figure.part}: {figure.what} ({figure.unit})", pen, text, left - _MARGIN - 30),
            _INK,
            text,
        )
        pen.text((_MARGIN, y + 23), _fitted(f"beside {figure.against}", pen, small, left - _MARGIN - 30), _GREY, small)
        middle, end = bar_x(1, reach, left, right), bar_x(ratio.median, reach, left, right)
        pen.rectangle([min(middle, end), y + 8, max(middle, end) + 1, y + 28], fill=_colour(figure))
        low, high = (bar_x(value, reach, left, right) for value in (ratio.low, ratio.high))
        pen.line([low, y + 18, high, y + 18], _INK, 2)
        pen.text((right + 16, y + 8), f"{number(ratio.median)} x", _INK, text)
    middle = bar_x(1, reach, left, right)
    pen.line([middle, top, middle, top + _ROW * len(rows)], _INK, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, optimize=True)


def bar_x(ratio: float, reach: float, left: float, right: float) -> float:
    """The position of a ratio between `left` (1 / reach) and `right` (reach), on a logarithmic scale."""
    import math

    share = math.log(max(ratio, 1 / reach)) / math.log(reach)
    return left + (right - left) * (1 + min(share, 1)) / 2


def shown(spread: Spread) -> str:
    """The median, with minimum and maximum if they differ from it once rounded."""
    median, low, high = (number(value) for value in (spread.median, spread.low, spread.high))
    return median if median == low == high else f"{median} ({low} to {high})"


def number(value: float) -> str:
    """A number with three significant digits, without an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 3 if abs(value) < 0.1 else 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f}"


def describe(goal: Goal) -> str:
    """A goal in words, such as `ratio at least 1.7`."""
    return f"{goal.of} {goal.kind} {number(goal.limit)}"


def _verdict(figure: Figure) -> str:
    if figure.goal is None:
        return "–"
    return f"{describe(figure.goal)}: " + ("[green]reached[/]" if figure.is_reached else "[yellow]not reached[/]")


def _colour(figure: Figure) -> str:
    return {True: _GOOD, False: _BAD, None: _PLAIN}[figure.is_reached]


def _fitted(text: str, pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    while pen.textlength(text, font) > width:
        text = text[:-2].rstrip() + "…"
    return text
