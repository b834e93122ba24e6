"""Progress display for long operations: a spinner in a terminal, an occasional plain line anywhere else."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PLAIN_LINE_SECONDS = 15.0

Say: TypeAlias = Callable[[str], None]
"""Receives a few words about the current step."""


@contextmanager
def shown(title: str, *, console: Console | None = None, every_seconds: float = PLAIN_LINE_SECONDS) -> Iterator[Say]:
    """Show `title`, the elapsed time and the latest detail for the duration of the block.

    Args:
        title: the operation, such as "Installing Directus".
        console: standard error by default.
        every_seconds: interval of the lines outside of a terminal.
    """
    screen = console or Console(file=sys.stderr)
    with _spinner(title, screen) if screen.is_terminal else _lines(title, screen, every_seconds) as say:
        yield say


@contextmanager
def _spinner(title: str, console: Console) -> Iterator[Say]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None, detail="")

        def say(detail: str) -> None:
            progress.update(task, detail=detail)

        yield say


@contextmanager
def _lines(title: str, console: Console, every_seconds: float) -> Iterator[Say]:
    latest = ""
    started = time.monotonic()
    done = threading.Event()

    def say(detail: str) -> None:
        nonlocal latest
        latest = detail

    def report() -> None:
        while not done.wait(every_seconds):
            seconds = time.monotonic() - started
            console.print(
                f"{title}: {seconds:.0f} s{latest and ', '}{latest}", markup=False, highlight=False, soft_wrap=True
            )

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield say
    finally:
        done.set()
        reporter.join()
