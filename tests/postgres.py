"""A PostgreSQL server of Debian's package, for the tests that need one."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from directus_assets.local.server import free_port

_USER = "postgres"
"""Made by the package. A server refuses to run as root."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """Starts an empty server, and gives the address of its database; skips the test where there is no server.

    It listens on loopback, asks for no password, and keeps nothing.
    """
    programs = max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=None)
    if programs is None:
        pytest.skip("There is no PostgreSQL server on this machine (Debian: apt-get install postgresql).")
    is_root = os.geteuid() == 0
    as_user = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if is_root else []
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        if is_root:
            shutil.chown(folder, _USER)
        data, port = Path(folder) / "data", free_port(0)

        def call(program: str, *arguments: str) -> None:
            command = [*as_user, str(programs.with_name(program)), *arguments]
            subprocess.run(command, check=True, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

        call("initdb", "-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        call("pg_ctl", "-D", str(data), "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg2://{_USER}@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
