"""A TCP proxy in front of one server that can slow down, cut, truncate and reset connections."""

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Literal, Self

Weather = Literal["fine", "slow", "cut", "truncating", "resetting"]
"""What happens to connections: `cut` lets nothing through, in either direction, and no connection outlives it."""

_CHUNK = 65536
_LOOK_SECONDS = 0.05


class FaultyProxy:
    """Entering the block starts it, leaving it stops it.

    Args:
        port: where the server listens, on the loopback interface.
        chance: what is slowed down by how much, and after how many bytes a connection ends.
    """

    def __init__(self, port: int, chance: random.Random) -> None:
        self.weather: Weather = "fine"
        self.broken = 0
        """Connections that were ended before their time."""
        self._chance = chance
        self._upstream = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(0.2)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._listener.close()

    @contextmanager
    def during(self, weather: Weather) -> Iterator[None]:
        """Apply these conditions during the block."""
        self.weather = weather
        try:
            yield
        finally:
            self.weather = "fine"

    def _serve(self) -> None:
        while not self._is_over.is_set():
            with suppress(TimeoutError):
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), name="proxied", daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        client.settimeout(None)
        try:
            self._wait_out_a_cut()
            server = socket.create_connection(self._upstream, timeout=5)
        except OSError:
            _reset(client)  # What a refused connection looks like from behind a proxy.
            return
        server.settimeout(None)
        pair = (client, server)
        there = threading.Thread(target=self._pump, args=(client, server, pair), name="proxied", daemon=True)
        there.start()
        self._pump(server, client, pair, answers=True)
        there.join()
        for end in pair:
            end.close()

    def _pump(
        self,
        source: socket.socket,
        target: socket.socket,
        pair: tuple[socket.socket, socket.socket],
        *,
        answers: bool = False,
    ) -> None:
        """Forward data until either side closes."""
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if self._wait_out_a_cut():
                    self._break(pair, rudely=True)
                    return
                if self.weather == "slow":
                    time.sleep(self._chance.uniform(0.05, 1.5))
                if answers and self.weather in ("truncating", "resetting") and self._chance.random() < 0.5:
                    target.sendall(data[: self._chance.randrange(len(data))])
                    self._break(pair, rudely=self.weather == "resetting")
                    return
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _wait_out_a_cut(self) -> bool:
        """Wait until a cut is over; return whether there was one."""
        was_cut = False
        while self.weather == "cut" and not self._is_over.is_set():
            was_cut = True
            time.sleep(_LOOK_SECONDS)
        return was_cut

    def _break(self, pair: tuple[socket.socket, socket.socket], *, rudely: bool) -> None:
        self.broken += 1
        for end in pair:
            if rudely:
                _linger_not(end)
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        if rudely:
            for end in pair:
                end.close()


def _linger_not(end: socket.socket) -> None:
    """Make closing the socket a reset."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _reset(end: socket.socket) -> None:
    _linger_not(end)
    end.close()
