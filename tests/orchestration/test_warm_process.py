import gc
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from directus_assets.fast import warm_process
from directus_assets.fast.launcher import _LIBRARIES, _SERVICES, _SINGLE_THREADED
from directus_assets.fast.worker import Worker
from tests.orchestration.running_dagster import wait_until

_SECONDS = 120
_COMMAND = """\
import sys, threading
# In one piece, since forks share the output.
sys.stdout.write(f"{sys.argv[1:]} {threading.active_count()} {'json' in sys.modules} {sys.stdin.read()!r}\\n")
"""


class Warm:
    """A warm process and its output."""

    def __init__(self, folder: Path, *modules: str) -> None:
        (folder / "a_command.py").write_text(_COMMAND)
        self.control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", warm_process.__name__, *modules],
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=_SINGLE_THREADED | os.environ,
                text=True,
            )

    def fork(self) -> socket.socket:
        """A connection to a new fork."""
        ours, theirs = socket.socketpair()
        ours.settimeout(_SECONDS)
        with theirs:
            socket.send_fds(self.control, [b"f"], [theirs.fileno()])
        return ours

    def order(self, conversation: socket.socket, *arguments: str) -> Worker:
        """Order a command; return the fork, which waits for permission to continue."""
        order = {"run_id": "run", "module": "a_command", "arguments": arguments}
        conversation.sendall(json.dumps(order).encode() + b"\n")
        worker = Worker.parse(conversation.makefile().readline().strip())
        assert worker
        return worker

    def end(self) -> tuple[str, str]:
        """Close its socket; return all output of it and its forks."""
        self.control.close()
        return self.process.communicate(timeout=_SECONDS)


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[Warm]:
    warm = Warm(tmp_path, "json", "there_is_no_such_module")
    yield warm
    warm.end()


def test_forks_carry_out_their_commands_without_threads_and_without_its_input(warm: Warm) -> None:
    with warm.fork() as first, warm.fork() as second:
        workers = [warm.order(first, "first"), warm.order(second, "second")]
        assert len({warm.process.pid, *(worker.pid for worker in workers)}) == 3
        for conversation in (first, second):
            conversation.sendall(warm_process.GO)
        output, errors = warm.end()

    assert sorted(output.splitlines()) == ["['first'] 1 True ''", "['second'] 1 True ''"]
    assert errors == ""


def test_a_fork_that_is_not_told_to_go_on_ends_and_does_nothing(warm: Warm) -> None:
    with warm.fork() as conversation:
        worker = warm.order(conversation)
        assert worker.is_alive

    output, errors = warm.end()

    # Its end of the pipe is closed a moment before the process is gone.
    wait_until(lambda: not worker.is_alive)
    assert output == errors == ""


def test_it_ends_when_its_launcher_is_gone(warm: Warm) -> None:
    warm.control.close()

    assert warm.process.wait(_SECONDS) == 0


@pytest.mark.parametrize("module", [*_LIBRARIES, *_SERVICES])
def test_what_is_imported_early_is_there(module: str) -> None:
    assert importlib.util.find_spec(module.partition(":")[0])


def test_libraries_start_no_threads_before_the_fork(tmp_path: Path) -> None:
    classes = ["BatchedSqliteStorage", "BatchedPostgresStorage", "FreshFirstCoordinator", "OfALaterVersion"]
    warm = Warm(
        tmp_path, *_LIBRARIES, *_SERVICES, *(f"directus_assets.fast:{name}" for name in classes), "nowhere:Nothing"
    )

    with warm.fork() as conversation:
        warm.order(conversation)
        threads = [*Path(f"/proc/{warm.process.pid}/task").iterdir()]
    _, errors = warm.end()

    assert len(threads) == 1
    assert errors == ""


def test_a_thread_before_the_fork_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()

    warm_process.preload([])

    gc.unfreeze()
    done.set()
    thread.join()
    assert "threads, although libraries should not start any" in capsys.readouterr().err
