"""The command `dev`: `dagster dev` with the home and address that all other commands use, at most once per home."""

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from directus_assets.commands.home import held, make_home
from directus_assets.commands.watch import Watch, run_watch
from directus_assets.errors import ConfigurationError
from directus_assets.fast import forks, launcher
from directus_assets.settings import Environment
from directus_assets.settings.environment import LOOPBACK

RETRY_CHANGED_DEFINITIONS = "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"
"""If set, a backfill survives a code location that is briefly unavailable; otherwise it fails."""

_DEFAULT_PORT = 3000


def run_dev(
    watch: Watch,
    environment: Environment,
    *,
    port: int | None,
    arguments: Sequence[str],
    tell: Callable[[str], None],
    tell_of_door: Callable[[str], None],
) -> int:
    """Run `dagster dev` with the guarded webserver, the door and a watch on the code location until Dagster ends;
    return its exit status.

    Dagster's services log warnings and errors only, unless `--log-level` is among the arguments: otherwise two lines
    for each tick of each sensor would hide them.

    Args:
        watch: monitors the code location.
        environment: the location of Dagster's history and the address of its UI.
        port: of the UI; by default the port of `DAGSTER_WEBSERVER_URL`.
        arguments: passed on to `dagster dev`.
        tell: receives one line with the address of the UI.
        tell_of_door: receives the door's messages, one line each.

    Raises:
        ConfigurationError: the home is in use, the port is taken, or `DAGSTER_WEBSERVER_URL` names a different port.
    """
    port = ui_port(environment.webserver_url, port)
    home = make_home(environment.state_folder)
    launcher.prepare()
    # Not before: it imports libraries that start threads unless told not to.
    from directus_assets.commands.door import open_door

    ui = f"http://127.0.0.1:{port}"
    with held(home, ui):
        refuse_taken(port)
        with open_door(environment.door_url, tell=tell_of_door):
            tell(f"starting Dagster, with its history in {home}; the UI will be at {ui} within a minute")
            return run_watch(watch, dagster_dev(port, arguments), start=forks.start)


def dagster_dev(port: int, arguments: Sequence[str]) -> list[str]:
    """The command that starts Dagster. What people ask for comes last, so that it takes precedence."""
    command = [sys.executable, "-m", "directus_assets.fast.dagster_dev", "dev"]
    return [*command, "--port", str(port), "--log-level", "warning", *arguments]


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
