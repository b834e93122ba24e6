"""A local PostgreSQL server from Debian's package, for the bench and the tests."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from directus_assets.errors import ConfigurationError
from directus_assets.local.server import free_port

_USER = "postgres"
"""Created by the package. A server refuses to run as root."""


def find_programs() -> Path | None:
    """The folder with the newest server's programs; None if there is none."""
    found = max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=None)
    return found.parent if found else None


@contextmanager
def running_postgres(*, fsync: bool = True) -> Iterator[str]:
    """Start an empty server, and yield the URL of its database.

    It listens on loopback, requires no password, and keeps nothing.

    Args:
        fsync: False if nothing has to survive a power cut.

    Raises:
        ConfigurationError: PostgreSQL is not installed.
    """
    programs = find_programs()
    if programs is None:
        raise ConfigurationError("PostgreSQL is not installed on this machine.", remedy="apt-get install postgresql")
    is_root = os.geteuid() == 0
    as_user = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if is_root else []
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        if is_root:
            shutil.chown(folder, _USER)
        data, port = f"{folder}/data", free_port(0)

        def call(program: str, *arguments: str) -> None:
            command = [*as_user, str(programs / program), *arguments]
            subprocess.run(command, check=True, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

        call("initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync={'on' if fsync else 'off'}"
        )
        call("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg2://{_USER}@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
