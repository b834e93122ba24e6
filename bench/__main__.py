"""`python -m bench [part …]`: measures, prints a table, and writes JSON and a picture."""

import datetime as dt
import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import click
from rich.console import Console

from bench import idle, images, latency, memory, neighbours, records, scale, scattered, segments, translation
from bench.figures import Figure
from bench.report import as_json, draw, table
from directus_assets.errors import DirectusAssetsError
from directus_assets.local.progress import Say, shown

Measure: TypeAlias = Callable[[int, Say], list[Figure]]

PARTS: dict[str, Measure] = {
    "images": images.measure,
    "latency": latency.measure,
    "idle": idle.measure,
    "scattered": scattered.measure,
    "records": records.measure,
    "memory": memory.measure,
    "scale": scale.measure,
    "translation": translation.measure,
    "neighbours": neighbours.measure,
    "segments": segments.measure,
}
"""In the order in which they are measured."""

_RESULTS = Path("bench-results")
_PICTURE = Path("docs/bench.png")
_WIDE = 180
"""Columns of a table that goes into a file."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="How often each way is measured.")
@click.option("--large", is_flag=True, help="Measure the scale up to 100,000 files, which takes some minutes more.")
def main(parts: Sequence[str], rounds: int, *, large: bool) -> None:
    """Measure the pipeline beside what users would run instead; by default in all parts."""
    console = Console()
    if not console.is_terminal:
        console.width = _WIDE
    figures: list[Figure] = []
    measures: dict[str, Measure] = (
        {**PARTS, "scale": functools.partial(scale.measure, sizes=scale.ALL_SIZES)} if large else PARTS
    )
    chosen = [name for name in PARTS if not parts or name in parts]
    _RESULTS.mkdir(exist_ok=True)
    results = _RESULTS / f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H-%M-%S}-{'all' if not parts else '-'.join(chosen)}.json"
    try:
        for name in chosen:
            with shown(f"Measuring {name}") as say:
                figures += measures[name](rounds, say)
            # After each part: the next one may be interrupted.
            results.write_text(as_json(figures, rounds=rounds), "utf-8")
    except DirectusAssetsError as error:
        Console(stderr=True).print(f"[bold red]Error:[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(1)
    console.print(table(figures))
    # The picture in the README shows what has a goal; of a part alone, all is drawn beside its figures.
    picture = results.with_suffix(".png") if parts else _PICTURE
    draw(figures if parts else [figure for figure in figures if figure.goal], picture)
    console.print(f"Written: {results} and {picture}")


if __name__ == "__main__":
    main()
