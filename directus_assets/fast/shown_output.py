"""What a run prints, shown beside the output of the pipeline by a thread of the run.

Dagster writes what a step prints to a file. To show it as well it starts four processes for each step, two `tail` and
two Python processes that end those: more processor time than a short run takes by itself. Beyond Dagster's public
interface this uses `dagster._core.execution.compute_logs.execute_posix_tail`, which `tests/orchestration/
test_shown_output.py` holds against what is installed; where it has another form, Dagster's own is used.
"""

import os
import pathlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from typing import IO, Any

from dagster._core.execution import compute_logs

_SHOWS = "execute_posix_tail"
_LOOK_SECONDS = 0.5
_CHUNK = 1 << 16


def show_by_thread() -> None:
    """Has this process start threads, and no processes, from now on."""
    names: dict[str, Any] = vars(compute_logs)
    if _SHOWS in names:
        names[_SHOWS] = followed


@contextmanager
def followed(path: str, stream: IO[str]) -> Iterator[tuple[None, None]]:
    """Copies what is written to a file to a stream for as long as the block runs, all of it in the end.

    Args:
        path: of the file.
        stream: as it is when the block begins, wherever its descriptor leads by then.
    """
    with pathlib.Path(path).open("rb") as file, FileIO(os.dup(stream.fileno()), "w") as shown:
        is_over = threading.Event()

        def follow() -> None:
            # Whoever reads the pipeline's output may be gone; the file has it all.
            with suppress(OSError):
                while not is_over.wait(_LOOK_SECONDS):
                    _copy(file, shown)
                _copy(file, shown)

        thread = threading.Thread(target=follow, name="shown-output", daemon=True)
        thread.start()
        try:
            yield None, None
        finally:
            is_over.set()
            thread.join()


def _copy(file: IO[bytes], shown: FileIO) -> None:
    while rest := memoryview(file.read(_CHUNK)):
        while rest:
            # A pipe may take a part.
            rest = rest[shown.write(rest) :]
