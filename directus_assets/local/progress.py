"""Shows that something long is going on: a spinner in a terminal, a plain line now and then anywhere else."""

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
"""Takes a few words on what is being done right now."""


@contextmanager
def shown(title: str, *, console: Console | None = None, every_seconds: float = PLAIN_LINE_SECONDS) -> Iterator[Say]:
    """Shows `title`, the time since entry and the latest detail until the block is left.

    Args:
        title: what is going on, such as "Installing Directus".
        console: where to; standard error by default.
        every_seconds: how often a line is printed where there is no terminal.
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
