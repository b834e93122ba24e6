"""The injected faults: one after the other, each repaired after a while, in an order that the seed determines."""

import errno
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from io import RawIOBase
from pathlib import Path

from tests.chaos.bed import Bed
from tests.chaos.proxy import Weather

_FOR_A_WORKER_SECONDS = 60.0


class Faults:
    """Injects them. `start` begins, `finish` waits until each has come about and been made good.

    Args:
        bed: what they happen to.
        rounds: how often each happens.
        longest_seconds: how long each lasts at most.
        longest_cut_seconds: how long the network is away at most.
        pause_seconds: how long things are left alone in between, at most.
        only: these kinds alone, where there are some.
    """

    def __init__(
        self,
        bed: Bed,
        *,
        rounds: int,
        longest_seconds: float,
        longest_cut_seconds: float,
        pause_seconds: float,
        only: Collection[str] = (),
    ) -> None:
        self.injected: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        """Faults that found nothing to happen to."""
        self._bed = bed
        self._rounds = rounds
        self._seconds = longest_seconds
        self._cut_seconds = longest_cut_seconds
        self._pause_seconds = pause_seconds
        self._only = only
        self._running: Future[None] | None = None

    def start(self) -> None:
        """Start injecting faults."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="faults")
        self._running = pool.submit(self._run)
        pool.shutdown(wait=False)

    def finish(self) -> None:
        """Wait for the last fault to be repaired."""
        if self._running:
            self._running.result()

    @property
    def kinds(self) -> Mapping[str, Callable[[], bool]]:
        """What can go wrong; each does it, and returns whether there was anything to do it to."""
        kinds: dict[str, Callable[[], bool]] = {
            "run worker killed": self._kill_worker,
            "code server killed": lambda: self._kill_code_server(with_workers=False),
            "code server and its workers killed": lambda: self._kill_code_server(with_workers=True),
            "definitions killed": self._kill_definitions,
            "daemon killed": self._kill_daemon,
            "webserver killed": self._kill_webserver,
            "Directus killed": self._kill_directus,
            "network cut": lambda: self._weather("cut", self._cut_seconds),
            "network slow": lambda: self._weather("slow", self._seconds),
            "answers truncated": lambda: self._weather("truncating", self._seconds),
            "connections reset": lambda: self._weather("resetting", self._seconds),
            "two daemons": self._two_daemons,
        }
        if self._bed.small_disks:
            kinds["disk full"] = self._fill_disk
            kinds["code server started on a full disk"] = self._start_on_a_full_disk
        return {name: kind for name, kind in kinds.items() if name in self._only or not self._only}

    def _run(self) -> None:
        for number in range(self._rounds):
            names = list(self.kinds)
            self._bed.chance.shuffle(names)
            if number == 0:
                # What takes longest to be made good comes first.
                names.sort(key=lambda name: name != "code server and its workers killed")
            for name in names:
                (self.injected if self.kinds[name]() else self.missed)[name] += 1
                time.sleep(self._bed.chance.uniform(0.2, 1) * self._pause_seconds)

    def _kill_worker(self) -> bool:
        workers = self._await_workers()
        if workers:
            _kill(self._bed.chance.choice(workers))
        return bool(workers)

    def _kill_code_server(self, *, with_workers: bool) -> bool:
        workers = self._await_workers()
        self._bed.code_server.kill_without(workers)
        if with_workers:
            for pid in self._bed.run_workers():
                _kill(pid)
        return bool(workers)

    def _kill_definitions(self) -> bool:
        """Kill the largest process unnoticed by its parent, as the kernel does when memory runs out."""
        definitions = self._bed.definitions()
        for pid in definitions:
            _kill(pid)
        return bool(definitions)

    def _kill_daemon(self) -> bool:
        self._bed.daemon.kill()
        return True

    def _kill_webserver(self) -> bool:
        self._bed.webserver.kill()
        return True

    def _kill_directus(self) -> bool:
        self._bed.directus.kill()
        time.sleep(self._bed.chance.uniform(0.5, 3))
        self._bed.directus.start()
        return True

    def _weather(self, weather: Weather, longest_seconds: float) -> bool:
        with ExitStack() as stack:
            for proxy in self._bed.proxies:
                stack.enter_context(proxy.during(weather))
            time.sleep(self._bed.chance.uniform(0.5, 1) * longest_seconds)
        return True

    def _two_daemons(self) -> bool:
        with self._bed.second_daemon():
            time.sleep(2 * self._seconds)  # It takes a while to start.
        return True

    def _fill_disk(self) -> bool:
        with self._full_disks():
            time.sleep(self._bed.chance.uniform(0.5, 1) * self._seconds)
        return True

    def _start_on_a_full_disk(self) -> bool:
        with self._full_disks():
            self._bed.code_server.kill()
            time.sleep(2 * self._seconds)  # It takes a while to start, and to fail.
        return True

    @contextmanager
    def _full_disks(self) -> Iterator[None]:
        with ExitStack() as stack:
            for folder in self._bed.small_disks:
                stack.enter_context(filled(folder))
            yield

    def _await_workers(self) -> list[int]:
        deadline = time.monotonic() + _FOR_A_WORKER_SECONDS
        while not (workers := self._bed.run_workers()) and time.monotonic() < deadline:
            time.sleep(0.1)
        # A worker is most vulnerable while it works, and it begins by importing for seconds.
        time.sleep(self._bed.chance.uniform(0, 4))
        return workers


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Fill the file system of a folder for the duration of the block."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                _write_until_full(file, size)
        yield
    finally:
        ballast.unlink(missing_ok=True)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _write_until_full(file: RawIOBase, size: int) -> None:
    try:
        while True:
            file.write(b"\0" * size)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
