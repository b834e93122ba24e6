"""The command `door`, and the door that `dev` opens: the receiver for calls from Directus' flows."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import urlsplit

from directus_assets.door.app import at_work, make_server
from directus_assets.door.room import Room
from directus_assets.door.secrets import KnownSecrets
from directus_assets.errors import ConfigurationError, DirectusAssetsError
from directus_assets.orchestration.clerk import Clerk
from directus_assets.orchestration.project import Project
from directus_assets.settings import Settings, load_each, load_settings
from directus_assets.settings.environment import LOOPBACK

DEFAULT_PORT = 4000


def run_door(*, host: str, port: int, tell: Callable[[str], None]) -> None:
    """Serve until the process is asked to end.

    Raises:
        ConfigurationError: the settings cannot be read, or the port cannot be used.
    """
    rooms = make_rooms(tell)
    server = make_server(rooms)
    for room in rooms.values():
        room.carrier.prepare()
    with _listening(host, port) as listener, at_work(rooms):
        tell(f"listening on {host}:{port}")
        server.run(sockets=[listener])


@contextlib.contextmanager
def open_door(url: str, *, tell: Callable[[str], None]) -> Iterator[None]:
    """Serve on this machine for the duration of the block, if the address is local.

    A failure is reported and has no further effect: the sensors find everything that a push would have announced.
    """
    with contextlib.ExitStack() as stack:
        try:
            parts = urlsplit(url)
            host = "::1" if parts.hostname == "::1" else "127.0.0.1"
            if parts.hostname not in LOOPBACK:
                tell(f"DOOR_URL is {url}, which is another machine: run `directus-assets door` there")
            else:
                rooms = make_rooms(tell)
                listener = stack.enter_context(_listening(host, parts.port or DEFAULT_PORT))
                server = make_server(rooms)
                stack.enter_context(at_work(rooms))

                def serve() -> None:
                    # Callers wait at the open port in the meantime.
                    for room in rooms.values():
                        room.carrier.prepare()
                    server.run(sockets=[listener])

                thread = threading.Thread(target=serve, name="door")
                thread.start()
                stack.callback(thread.join)
                stack.callback(setattr, server, "should_exit", True)
                tell(f"listening at {url}")
        except DirectusAssetsError as error:
            tell(str(error))
        yield


def make_rooms(tell: Callable[[str], None]) -> Mapping[str, Room]:
    """The rooms of all projects with valid settings.

    Raises:
        ConfigurationError: the YAML file cannot be read.
    """
    rooms: dict[str, Room] = {}
    for name, settings in load_each().items():
        if isinstance(settings, Settings):
            clerk = Clerk(partial(load_settings, project=name))
            rooms[settings.project] = Room(clerk, KnownSecrets(Project(settings).memory))
        else:
            tell(f"closed for the project '{name}': {settings}")
    return rooms


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, reuse_port=False)
    except OSError as error:
        raise ConfigurationError(
            f"Port {port} is not available for the door: {error.strerror}.",
            remedy="Stop whatever uses it, or set DOOR_URL to an address with another port.",
        ) from None
    with listener:
        yield listener
