"""A door that is open on a port of this machine, with a carrier that keeps what it is given."""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from directus_assets.directus.storage import LocalStorage
from directus_assets.door.app import at_work, make_server
from directus_assets.door.gathering import Changes
from directus_assets.door.requests import Clicked
from directus_assets.door.room import Room
from directus_assets.door.secrets import KnownSecrets, admit_only
from directus_assets.errors import DirectusAssetsError
from directus_assets.local.server import free_port

SECRET = "the secret of these tests"


@dataclass
class Carried:
    """Keeps what it is given to carry out."""

    batches: list[dict[str, list[str]]] = field(default_factory=list)
    claims: list[dict[str, list[str]]] = field(default_factory=list)
    clicks: list[Clicked] = field(default_factory=list)
    fails_with: Exception | None = None

    def knows(self, collection: str) -> bool:
        return collection in ("posts", "directus_files")

    def has_button(self, click: Clicked) -> bool:
        return click.collection == "posts" and click.button == "translate"

    def claim(self, changes: Changes) -> None:
        self.claims.append({name: list(keys) for name, keys in changes.items()})

    def carry(self, changes: Changes) -> None:
        self.batches.append({name: list(keys) for name, keys in changes.items()})
        self._fail()

    def click(self, click: Clicked) -> None:
        self._fail()
        self.clicks.append(click)

    def check(self) -> Mapping[str, Any]:
        return {"dagster": "1.2.3"}

    def _fail(self) -> None:
        if self.fails_with:
            error, self.fails_with = self.fails_with, None
            raise error

    def wait(self, keys: int) -> None:
        """Until so many keys have been carried out."""
        deadline = time.monotonic() + 10
        while sum(len(own) for batch in self.batches for own in batch.values()) < keys:
            assert time.monotonic() < deadline, self.batches
            time.sleep(0.01)


@dataclass
class Served:
    """The open door."""

    url: str
    carrier: Carried
    room: Room

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Opens a door."""
    storage = LocalStorage(folder)
    admit_only(storage, SECRET)
    carrier = Carried()
    room = Room(carrier, KnownSecrets(storage))
    server = make_server({"": room}, host="127.0.0.1", port=(port := free_port(0)))
    thread = threading.Thread(target=server.run)
    with at_work({"": room}):
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield Served(f"http://127.0.0.1:{port}", carrier, room)
        finally:
            server.should_exit = True
            thread.join()


def failing(text: str) -> DirectusAssetsError:
    """An error of ours."""
    return DirectusAssetsError(text)
