import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from directus_assets.commands.watch import LONGEST_SECONDS, LOOK_SECONDS, PATIENCE_SECONDS, Watch
from directus_assets.orchestration.webserver import Webserver

LOADED = {"repositories": []}
LOST = {"message": "Could not reach user code server."}
NO_WEBSERVER = httpx.ConnectError("refused")


class ScriptedDagster:
    """A webserver whose code location `ours` is in one state after the other; the last one stays."""

    def __init__(self, *states: dict[str, Any] | Exception | None, reloads_to: dict[str, Any]) -> None:
        self.reloads = 0
        self._states = list(states)
        self._reloads_to = reloads_to

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["variables"] == {"name": "ours"}:
            self.reloads += 1
            return data(reloadRepositoryLocation={"locationOrLoadError": self._reloads_to})
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if isinstance(state, Exception):
            raise state
        return data(workspaceOrError={"locationEntries": [{"name": "ours", "locationOrLoadError": state}]})


def data(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": fields})


def watch(
    dagster: Callable[[httpx.Request], httpx.Response], *, location: str | None = "ours"
) -> tuple[Watch, list[str]]:
    told: list[str] = []
    webserver = Webserver("http://127.0.0.1:3000", transport=httpx.MockTransport(dagster))
    return Watch(webserver, location, tell=told.append), told


def test_what_is_loaded_is_left_alone_without_a_word() -> None:
    dagster = ScriptedDagster(LOADED, None, LOADED, reloads_to=LOADED)
    watching, told = watch(dagster)

    assert [watching.look() for _ in range(4)] == [LOOK_SECONDS] * 4
    assert (dagster.reloads, told) == (0, [])


def test_what_is_only_being_started_is_not_loaded_again() -> None:
    dagster = ScriptedDagster(LOST, LOADED, LOST, LOADED, reloads_to=LOADED)
    watching, _ = watch(dagster)

    for _ in range(4):
        watching.look()

    assert dagster.reloads == 0


def test_what_stays_lost_is_loaded_again_and_that_is_said() -> None:
    dagster = ScriptedDagster(LOADED, LOST, LOST, LOADED, reloads_to=LOADED)
    watching, told = watch(dagster)

    pauses = [watching.look() for _ in range(5)]

    assert dagster.reloads == 1
    assert pauses == [LOOK_SECONDS] * 5
    assert told == [
        "The code location 'ours' failed to load: Could not reach user code server.",
        "The code location 'ours' has loaded.",
    ]


def test_what_cannot_be_loaded_is_tried_less_and_less_often_and_told_once() -> None:
    dagster = ScriptedDagster(LOST, reloads_to={"message": "directus_assets.yaml, line 3: unknown"})
    watching, told = watch(dagster)

    pauses = [watching.look() for _ in range(8)]

    assert dagster.reloads == 7
    assert pauses[:4] == [LOOK_SECONDS, LOOK_SECONDS, 2 * LOOK_SECONDS, 4 * LOOK_SECONDS]
    assert pauses[-1] == LONGEST_SECONDS
    assert len(told) == 2
    assert "line 3: unknown" in told[1]


def test_without_a_webserver_nothing_is_done_until_it_is_there_again() -> None:
    dagster = ScriptedDagster(LOST, NO_WEBSERVER, NO_WEBSERVER, LOST, LOADED, reloads_to=LOADED)
    watching, told = watch(dagster)

    assert [watching.look() for _ in range(5)] == [LOOK_SECONDS] * 5
    assert dagster.reloads == 0
    assert sum("does not respond" in line for line in told) == 1
    assert told[-1] == "The code location 'ours' has loaded."


def test_a_webserver_that_is_being_started_is_waited_for_without_a_word() -> None:
    in_time, told = watch(ScriptedDagster(*[NO_WEBSERVER] * 3, LOADED, NO_WEBSERVER, reloads_to=LOADED))
    never, told_of_none = watch(ScriptedDagster(NO_WEBSERVER, reloads_to=LOADED))

    for _ in range(4):
        assert (in_time.look(), never.look()) == (LOOK_SECONDS, LOOK_SECONDS)
    assert (told, told_of_none) == ([], [])
    in_time.look()
    never.look()

    assert [len(lines) for lines in (told, told_of_none)] == [1, 1]


def test_a_code_location_of_another_name_is_asked_for() -> None:
    watching, told = watch(ScriptedDagster(LOADED, reloads_to=LOADED), location="theirs")

    watching.look()

    assert told == ["Dagster has 'ours', but no code location 'theirs'. Specify yours with --location."]


def test_without_a_name_ours_is_looked_after_or_the_only_one() -> None:
    dagster = ScriptedDagster(LOST, reloads_to=LOADED)
    watching, told = watch(dagster, location=None)

    watching.look()
    watching.look()

    assert dagster.reloads == 1
    assert told == [
        "The code location 'ours' failed to load: Could not reach user code server.",
        "The code location 'ours' has loaded.",
    ]


def test_nothing_is_told_of_what_is_being_ended() -> None:
    watching, told = watch(ScriptedDagster(NO_WEBSERVER, reloads_to=LOADED))
    watching.fall_silent()

    watching.look()

    assert told == []


@contextmanager
def started(*command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    program = str(Path(sys.executable).parent / "directus-assets")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        [program, "watch", *command], env={**os.environ, **variables}, start_new_session=True, **pipes
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("ending", "status"),
    [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 128 + signal.SIGKILL)],
)
def test_it_ends_with_its_command_and_as_that_did(ending: str, status: int) -> None:
    with started("--", sys.executable, "-c", ending) as process:
        assert process.wait(240) == status


def test_a_command_that_is_none_is_named() -> None:
    with started("--", "dagstre", "dev") as process:
        _, errors = process.communicate(timeout=240)

    assert process.returncode == 1
    assert "Could not start `dagstre`: No such file or directory." in errors


_ENDS_CLEANLY = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os._exit(3))
signal.signal(signal.SIGINT, lambda *_: print("told", flush=True))
print("ready", flush=True)
time.sleep(60)
"""


def test_its_command_may_end_cleanly_when_it_is_told_to_end() -> None:
    with started("--", sys.executable, "-c", _ENDS_CLEANLY) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

        process.terminate()

        assert process.wait(60) == 3


def test_ctrl_c_reaches_its_command_once() -> None:
    with started("--", sys.executable, "-c", _ENDS_CLEANLY) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "told\n"
        process.terminate()

        assert process.stdout.read() == ""
        assert process.wait(60) == 3


def test_signals_that_interrupt_each_other_do_not_stop_it_for_ever() -> None:
    with started("--", sys.executable, "-c", _ENDS_CLEANLY) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

        for _ in range(2000):
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 3


_COUNTS_HOW_OFTEN_IT_IS_TOLD = """
import signal, sys, time
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append("to end"))
print("ready", flush=True)
while not told:
    time.sleep(0.1)
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    time.sleep(0.1)
sys.exit(len(told))
"""


def test_a_command_that_takes_its_time_to_end_is_told_to_only_once() -> None:
    seconds = str(PATIENCE_SECONDS + 2)
    with started("--", sys.executable, "-c", _COUNTS_HOW_OFTEN_IT_IS_TOLD, seconds) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

        process.terminate()

        assert process.wait(120) == 1


def test_alone_it_ends_when_it_is_told_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as webserver:
        webserver.settimeout(60)
        url = f"http://127.0.0.1:{webserver.getsockname()[1]}"
        with started(DAGSTER_WEBSERVER_URL=url) as process:
            webserver.accept()

            process.terminate()

            assert process.wait(60) == 128 + signal.SIGTERM
