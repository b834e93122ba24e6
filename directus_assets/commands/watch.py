"""The command `watch`: makes Dagster reload a code location that it has lost.

Both `dagster dev` and `dagster code-server start` keep the definitions in a process of their own. They do not restart
it when it is killed or when it cannot start, for example because the disk is full. Everything else keeps running, but
no work is done until someone presses *Reload*. Dagster's health check of the code server does not notice (seen with
1.13).
"""

import math
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Protocol

from directus_assets.errors import ConfigurationError, DirectusAssetsError
from directus_assets.orchestration.webserver import CODE_LOCATION, Webserver

LOOK_SECONDS = 15.0
LONGEST_SECONDS = 300.0
"""Between two reloads of a location that cannot be loaded, for example because of a mistake in the YAML file."""

_LOOKS_AT_START = 4
"""How many checks a webserver that has never answered may fail before that is reported: it takes up to a minute to
start on a busy machine.
"""

PATIENCE_SECONDS = 15.0
"""How long a command may take after SIGINT before it gets SIGTERM."""

_WAIT_SECONDS = 1.0
"""Python handles a signal that arrives just before it begins to wait only when that wait is over."""

_ENDED = 0
"""Stands among the signals for the end of the command."""


class Watch:
    """Monitors one code location.

    Args:
        webserver: of the Dagster that runs it.
        location: its name; by default ours, or the only one.
        tell: receives a line whenever the state changes.
    """

    def __init__(self, webserver: Webserver, location: str | None = None, *, tell: Callable[[str], None]) -> None:
        self._webserver = webserver
        self._location = location
        self._tell = tell
        self._trouble = ""
        self._is_silent = False
        self._may_be_starting = _LOOKS_AT_START
        """Failed checks that remain unreported; none once the webserver has answered."""
        self._lost = 0
        """Consecutive checks that found it unusable."""

    def look(self) -> float:
        """Check once; reload the location if the previous check found it unusable, too; return the seconds to wait.

        A code location that is just starting is unusable for one check.
        """
        try:
            errors = self._webserver.load_errors()
        except DirectusAssetsError as failed:
            self._lost = 0
            self._may_be_starting -= 1
            return LOOK_SECONDS if self._may_be_starting >= 0 else self._wait_after(str(failed))
        self._may_be_starting = 0
        location = self._location or (next(iter(errors)) if len(errors) == 1 else CODE_LOCATION)
        if location not in errors:
            self._lost = 0
            return self._wait_after(
                f"Dagster has {_list(errors)}, but no code location '{location}'. Specify yours with --location."
            )
        error = errors[location]
        self._lost = self._lost + 1 if error else 0
        if self._lost > 1:
            try:
                self._webserver.reload(location)
            except DirectusAssetsError as failed:
                error = str(failed)
            else:
                error, self._lost = "", 0
        trouble = f"The code location '{location}' failed to load: {error}" if error else ""
        return self._wait_after(trouble, well=f"The code location '{location}' has loaded.")

    def fall_silent(self) -> None:
        """Stop reporting: a Dagster that is shutting down is expected not to answer."""
        self._is_silent = True

    def _wait_after(self, trouble: str, *, well: str = "") -> float:
        if trouble != self._trouble and not self._is_silent:
            self._tell(trouble or well)
            self._trouble = trouble
        return min(LOOK_SECONDS * 2.0 ** max(0, self._lost - 2), LONGEST_SECONDS)


class Started(Protocol):
    """A started command, such as a `subprocess.Popen`."""

    def terminate(self) -> None:
        """Send it SIGTERM."""

    def wait(self) -> int:
        """Wait for its end; return the exit status, negative if a signal ended it."""


def run_watch(
    watch: Watch, command: Sequence[str], *, start: Callable[[Sequence[str]], Started] = subprocess.Popen
) -> int:
    """Watch until the given command ends, or forever without one.

    SIGTERM is passed on to the command, which also gets SIGINT from the terminal. If SIGINT reached only us and the
    command has not ended after some seconds, it gets SIGTERM. The command handles both as usual even if our parent
    ignores them, as a shell does for background jobs.

    Returns:
        Its exit status; the status a shell would report if a signal ended the command, or if SIGTERM ended a watch
        without one.

    Raises:
        ConfigurationError: there is no such command.
    """
    # Unlike an event, such a queue may be used in a handler, which can interrupt another handler.
    heard: SimpleQueue[int] = SimpleQueue()

    def hear(number: int, _frame: FrameType | None) -> None:
        heard.put(number)

    # Before the command starts: it would inherit an ignored signal, but not a handler.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hear)
    process = _started(command, start)
    is_over = threading.Event()
    threading.Thread(target=_keep_looking, args=(watch, is_over), name="watch", daemon=True).start()
    if process is None:
        _next(heard, math.inf)
        return 128 + signal.SIGTERM
    threading.Thread(target=_tell_end, args=(process, heard), name="wait", daemon=True).start()
    patience = math.inf
    while (told := _next(heard, patience)) != _ENDED:
        watch.fall_silent()
        is_over.set()
        if told == signal.SIGTERM:
            process.terminate()
        # Only once: a second SIGTERM would interrupt what the command does to end in order.
        patience = PATIENCE_SECONDS if told == signal.SIGINT else math.inf
    # While Python ends, a late signal would change the exit status.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    status = process.wait()
    return status if status >= 0 else 128 - status


def _tell_end(process: Started, heard: SimpleQueue[int]) -> None:
    process.wait()
    heard.put(_ENDED)


def _next(heard: SimpleQueue[int], patience: float) -> int:
    """The next signal; SIGTERM if none comes within so many seconds."""
    end = time.monotonic() + patience
    while (left := end - time.monotonic()) > 0:
        with suppress(Empty):
            return heard.get(timeout=min(left, _WAIT_SECONDS))
    return signal.SIGTERM


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)) or "none yet"


def _started(command: Sequence[str], start: Callable[[Sequence[str]], Started]) -> Started | None:
    try:
        return start(command) if command else None
    except OSError as error:
        raise ConfigurationError(f"Could not start `{command[0]}`: {error.strerror}.") from None


def _keep_looking(watch: Watch, is_over: threading.Event) -> None:
    pause = LOOK_SECONDS
    while not is_over.wait(pause):
        pause = watch.look()
