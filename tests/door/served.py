"""A door on a local port, with a carrier that records what it receives."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from directus_assets.directus.storage import Storage
from directus_assets.door.app import at_work, make_server
from directus_assets.door.gathering import Changes, Gathering
from directus_assets.door.requests import Clicked
from directus_assets.door.room import Room
from directus_assets.door.secrets import KnownSecrets, admit_only

SECRET = "the secret of these tests"


@dataclass
class Carried:
    """Records what it is given to carry out."""

    batches: list[dict[str, list[str]]] = field(default_factory=list)
    claims: list[dict[str, list[str]]] = field(default_factory=list)
    clicks: list[Clicked] = field(default_factory=list)
    buttons: set[tuple[str, str]] = field(default_factory=lambda: {("translate", "posts")})
    fails_with: Exception | None = None
    is_unreadable: Exception | None = None
    """Why it cannot tell what is derived."""
    carried: int = 0
    """How many batches, with those that have failed."""
    told: dict[str, Any] = field(default_factory=lambda: {"dagster": "1.2.3", "loaded": True, "sick": []})

    def prepare(self) -> None: ...

    def knows(self, collection: str) -> bool:
        if self.is_unreadable:
            raise self.is_unreadable
        return collection in ("posts", "pages", "directus_files")

    def has_button(self, click: Clicked) -> bool:
        if self.is_unreadable:
            raise self.is_unreadable
        return (click.button, click.collection) in self.buttons

    def claim(self, changes: Changes) -> None:
        self.claims.append({name: list(keys) for name, keys in changes.items()})

    def plan(self, changes: Changes) -> Callable[[], None]:
        batch = {name: list(keys) for name, keys in changes.items()}

        def start() -> None:
            self.batches.append(batch)
            self.carried += 1
            self._fail()

        return start

    def click(self, click: Clicked) -> None:
        self._fail()
        self.clicks.append(click)

    def check(self) -> Mapping[str, Any]:
        self._fail()
        return self.told

    def _fail(self) -> None:
        if self.fails_with:
            error, self.fails_with = self.fails_with, None
            raise error

    def wait(self, keys: int) -> None:
        """Wait until this many keys have been carried out."""
        deadline = time.monotonic() + 60
        while sum(len(own) for batch in self.batches for own in batch.values()) < keys:
            assert time.monotonic() < deadline, self.batches
            time.sleep(0.01)


@dataclass
class Counted(Gathering):
    """Counts the batches taken from it."""

    taken: int = 0

    def take(self) -> dict[str, list[str]]:
        self.taken += 1
        return super().take()


@dataclass
class Served:
    """The open door."""

    url: str
    carrier: Carried
    room: Room
    gathered: Counted

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def settle(self) -> None:
        """Wait until every accepted push has been carried out."""
        while self.room.gathering.peek() or self.gathered.taken > self.carrier.carried:
            time.sleep(0.01)

    @contextlib.contextmanager
    def gathers(self) -> Iterator[None]:
        """Gather everything accepted during the block into one batch, however long it takes."""
        gathered = self.gathered
        waits = ("lone_seconds", "quiet_seconds", "longest_seconds")
        for name in waits:
            setattr(gathered, name, 3600)
        try:
            yield
        finally:
            with self.room._turn:
                for name in waits:
                    setattr(gathered, name, getattr(Gathering, name))
                self.room._turn.notify_all()


@contextlib.contextmanager
def served(storage: Storage, *, secret: str | None = SECRET) -> Iterator[Served]:
    """Run a door that accepts this secret, if any, and those in the storage."""
    if secret:
        admit_only(storage, secret)
    carrier = Carried()
    gathered = Counted()
    room = Room(carrier, KnownSecrets(storage), gathered)
    server = make_server({"": room})
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    with listener, at_work({"": room}):
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield Served(f"http://127.0.0.1:{port}", carrier, room, gathered)
        finally:
            server.should_exit = True
            thread.join()
