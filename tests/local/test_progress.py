"""The progress display of long operations."""

import io
import time

from rich.console import Console

from directus_assets.local.progress import shown


def test_without_a_terminal_a_plain_line_appears_now_and_then() -> None:
    output = io.StringIO()

    with shown("Working", console=Console(file=output), every_seconds=0.01) as say:
        say("on part 3")
        deadline = time.monotonic() + 60
        while not output.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)

    assert output.getvalue().splitlines()[0] == "Working: 0 s, on part 3"


def test_what_is_quick_prints_nothing() -> None:
    output = io.StringIO()

    with shown("Working", console=Console(file=output)):
        pass

    assert output.getvalue() == ""


def test_in_a_terminal_the_latest_detail_is_shown() -> None:
    output = io.StringIO()

    with shown("Working", console=Console(file=output, force_terminal=True, width=100)) as say:
        say("on part 3")

    assert "on part 3" in output.getvalue()
