"""The command `dev`: `dagster dev` with the home and the address that all other commands use, once for each home."""

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
"""Set, a backfill outlives a code location that is away for a while; otherwise it fails."""

INSTANCE_FILE = Path(__file__).parents[1] / "orchestration" / "dagster.yaml"
"""What an instance of Dagster gets as its `dagster.yaml` when it is made."""

_DEFAULT_PORT = 3000


def run_dev(
    watch: Watch,
    environment: Environment,
    *,
    port: int | None,
    arguments: Sequence[str],
    tell_of_door: Callable[[str], None],
) -> int:
    """Runs `dagster dev` with the guarded webserver, opens the door, and looks after the code location, until Dagster
    ends; returns its exit status.

    Args:
        watch: looks after the code location.
        environment: says where Dagster keeps its history, and where its UI answers.
        port: of the UI; that of `DAGSTER_WEBSERVER_URL` where it is not given.
        arguments: further ones for `dagster dev`.
        tell_of_door: gets a line of what the door has to say.

    Raises:
        ConfigurationError: the home is in use, the port is taken, or `DAGSTER_WEBSERVER_URL` names another one.
    """
    port = ui_port(environment.webserver_url, port)
    home = make_home(environment.state_folder)
    with held(home):
        refuse_taken(port)
        with open_door(environment.door_url, tell=tell_of_door):
            command = [sys.executable, "-m", "directus_assets.fast.dagster_dev", "dev", "--port", str(port)]
            return run_watch(watch, [*command, *arguments])


def ui_port(webserver_url: str, port: int | None) -> int:
    """The port that the UI is to answer on.

    Raises:
        ConfigurationError: `DAGSTER_WEBSERVER_URL` is on this machine, and has another port than the one asked for.
    """
    parts = urlsplit(webserver_url)
    if parts.hostname not in LOOPBACK or not parts.port:
        # A proxy stands before the UI.
        return port or _DEFAULT_PORT
    if port and port != parts.port:
        raise ConfigurationError(
            f"You asked for UI port {port}, but DAGSTER_WEBSERVER_URL is {webserver_url}.",
            remedy=f"Set DAGSTER_WEBSERVER_URL=http://127.0.0.1:{port} in .env, so that all commands can find it.",
        )
    return parts.port


def make_home(home: Path) -> Path:
    """Dagster's folder, made for its owner alone, with our `dagster.yaml`; an existing one is left as it is.

    Raises:
        ConfigurationError: it cannot be made.
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
    """Holds a home for as long as the block runs. A process that dies leaves it free.

    Raises:
        ConfigurationError: another process holds it: two daemons on one history start everything twice.
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
    """Makes sure that the UI can have this port. Dagster would take any other one, where nobody finds it.

    Raises:
        ConfigurationError: another program has it.
    """
    with socket.socket() as probe:
        # What has just ended does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} is not available for the Dagster UI: {error.strerror}.",
                remedy=f"Stop whatever uses it, or choose another port: `make dev PORT={port + 1}`.",
            ) from None


def name_home(env_file: Path, values: Mapping[str, str]) -> None:
    """Has a plain `dagster dev` keep its history where all commands look for it, unless the file names a home already.

    Args:
        env_file: the `.env` that Dagster reads; its folder is the project's. Dagster prefers it to what is set.
        values: the variables that are set.
    """
    if not dotenv_values(env_file).get("DAGSTER_HOME"):
        home = make_home(env_file.resolve().parent / (values.get("DAGSTER_HOME") or ".dagster"))
        set_key(env_file, "DAGSTER_HOME", str(home), quote_mode="auto")


def dev_variables(values: Mapping[str, str], port: int | None) -> dict[str, str]:
    """The variables that `dagster dev` gets, beside those that are set.

    Args:
        values: the variables that are set.
        port: of the UI, where one is asked for.
    """
    found = {
        # Dagster takes no relative path.
        "DAGSTER_HOME": str(Path(values.get("DAGSTER_HOME") or ".dagster").resolve()),
        RETRY_CHANGED_DEFINITIONS: values.get(RETRY_CHANGED_DEFINITIONS) or "1",
    }
    if port and not values.get("DAGSTER_WEBSERVER_URL"):
        found["DAGSTER_WEBSERVER_URL"] = f"http://127.0.0.1:{port}"
    return found
