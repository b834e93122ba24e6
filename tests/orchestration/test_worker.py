import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from directus_assets.fast.worker import Worker, _started

_SLEEP = "import time; print(flush=True); time.sleep(600)"


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", _SLEEP], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def _worker(pid: int) -> Worker:
    return replace(Worker.this_process("run"), pid=pid, started=_started(pid) or 0)


def test_what_is_written_is_read_again() -> None:
    worker = Worker.this_process("0f035e99-40f0-4bcf-ad1c-15e78b785d42")

    assert Worker.parse(str(worker)) == worker


@pytest.mark.parametrize("text", ["", "none", "1 2 3", "pid 2 machine run", "1 2 machine run more"])
def test_anything_else_is_no_worker(text: str) -> None:
    assert Worker.parse(text) is None


def test_a_process_is_alive_until_it_has_ended(process: subprocess.Popen[bytes]) -> None:
    worker = _worker(process.pid)
    assert worker.is_alive

    process.kill()
    # Ended, though not waited for yet.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert not worker.is_alive


def test_a_later_process_with_the_same_id_is_another(process: subprocess.Popen[bytes]) -> None:
    worker = replace(_worker(process.pid), started=1)

    assert not worker.is_alive
    assert not worker.interrupt()
    assert process.poll() is None


def test_a_process_of_another_machine_is_not_taken_for_one_of_this(process: subprocess.Popen[bytes]) -> None:
    worker = replace(_worker(process.pid), machine="another")

    assert not worker.is_alive
    assert not worker.interrupt()
    assert process.poll() is None


def test_an_interrupt_is_what_ctrl_c_is(process: subprocess.Popen[bytes]) -> None:
    worker = _worker(process.pid)

    assert worker.interrupt()

    assert process.wait(60) == -signal.SIGINT
    assert not worker.interrupt()
