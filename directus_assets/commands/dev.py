"""The command `dev`: `dagster dev` with the home and address that all other commands use, at most once per home."""

import contextlib
import fcntl
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from dotenv import dotenv_values, set_key

from directus_assets.commands.door import open_door
from directus_assets.commands.watch import Watch, run_watch
from directus_assets.errors import ConfigurationError
from directus_assets.settings import Environment
from directus_assets.settings.environment import LOOPBACK

RETRY_CHANGED_DEFINITIONS = "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"
"""If set, a backfill survives a code location that is briefly unavailable; otherwise it fails."""

INSTANCE_FILE = Path(__file__).parents[1] / "orchestration" / "dagster.yaml"
"""The `dagster.yaml` written into a new Dagster instance."""

_DEFAULT_PORT = 3000


def run_dev(
    watch: Watch,
    environment: Environment,
    *,
    port: int | None,
    arguments: Sequence[str],
    tell_of_door: Callable[[str], None],
) -> int:
    """Run `dagster dev` with the guarded webserver, the door and a watch on the code location until Dagster ends;
    return its exit status.

    Args:
        watch: monitors the code location.
        environment: the location of Dagster's history and the address of its UI.
        port: of the UI; by default the port of `DAGSTER_WEBSERVER_URL`.
        arguments: passed on to `dagster dev`.
        tell_of_door: receives the door's messages, one line each.

    Raises:
        ConfigurationError: the home is in use, the port is taken, or `DAGSTER_WEBSERVER_URL` names a different port.
    """
    port = ui_port(environment.webserver_url, port)
    home = make_home(environment.state_folder)
    with held(home):
        refuse_taken(port)
        with open_door(environment.door_url, tell=tell_of_door):
            command = [sys.executable, "-m", "directus_assets.fast.dagster_dev", "dev", "--port", str(port)]
            return run_watch(watch, [*command, *arguments])


def ui_port(webserver_url: str, port: int | None) -> int:
    """The port for the UI.

    Raises:
        ConfigurationError: `DAGSTER_WEBSERVER_URL` is on this machine with a port other than the requested one.
    """
    parts = urlsplit(webserver_url)
    if parts.hostname not in LOOPBACK or not parts.port:
        # The UI is behind a proxy.
        return port or _DEFAULT_PORT
    if port and port != parts.port:
        raise ConfigurationError(
            f"You asked for UI port {port}, but DAGSTER_WEBSERVER_URL is {webserver_url}.",
            remedy=f"Set DAGSTER_WEBSERVER_URL=http://127.0.0.1:{port} in .env, so that all commands can find it.",
        )
    return parts.port


def make_home(home: Path) -> Path:
    """Create Dagster's folder, readable by its owner only, with our `dagster.yaml`; leave an existing folder unchanged.

    Raises:
        ConfigurationError: the folder cannot be created.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            shutil.copyfile(INSTANCE_FILE, home / "dagster.yaml")
    except OSError as error:
        raise ConfigurationError(
            f"Could not create DAGSTER_HOME {home}: {error.strerror}.", remedy="Choose a folder that you can write to."
        ) from None
    return home.resolve()


@contextlib.contextmanager
def held(home: Path) -> Iterator[None]:
    """Lock a home for the duration of the block. The lock is released when the process dies.

    Raises:
        ConfigurationError: another process holds the lock. Two daemons on one history would start everything twice.
    """
    with (home / "dev.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigurationError(
                f"A pipeline is already running in {home}{_holder(lock)}.",
                remedy="Stop that one first, or set DAGSTER_HOME to another folder.",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    process = lock.read().strip()
    return f" (process {process})" if process.isdigit() else ""


def refuse_taken(port: int) -> None:
    """Check that the port for the UI is free. Dagster would silently pick another one that nobody finds.

    Raises:
        ConfigurationError: another program uses the port.
    """
    with socket.socket() as probe:
        # A server that has just ended does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} is not available for the Dagster UI: {error.strerror}.",
                remedy=f"Stop whatever uses it, or choose another port: `make dev PORT={port + 1}`.",
            ) from None


def name_home(env_file: Path, values: Mapping[str, str]) -> None:
    """Make a plain `dagster dev` use the same home as our commands, unless the file already names one.

    Args:
        env_file: the `.env` file that Dagster reads, in the project's folder. Dagster prefers it to the environment.
        values: the environment variables.
    """
    if not dotenv_values(env_file).get("DAGSTER_HOME"):
        home = make_home(env_file.resolve().parent / (values.get("DAGSTER_HOME") or ".dagster"))
        set_key(env_file, "DAGSTER_HOME", str(home), quote_mode="auto")


def dev_variables(values: Mapping[str, str], port: int | None) -> dict[str, str]:
    """The additional environment variables for `dagster dev`.

    Args:
        values: the environment variables.
        port: the requested port of the UI, if any.
    """
    found = {
        # Dagster does not accept a relative path.
        "DAGSTER_HOME": str(Path(values.get("DAGSTER_HOME") or ".dagster").resolve()),
        RETRY_CHANGED_DEFINITIONS: values.get(RETRY_CHANGED_DEFINITIONS) or "1",
    }
    if port and not values.get("DAGSTER_WEBSERVER_URL"):
        found["DAGSTER_WEBSERVER_URL"] = f"http://127.0.0.1:{port}"
    return found
