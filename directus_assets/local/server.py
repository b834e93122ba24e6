"""A local Directus server with its own folder, port and secrets."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx
from filelock import FileLock, Timeout

from directus_assets.errors import ConfigurationError
from directus_assets.local.installation import ADMIN_EMAIL, Installation, installed
from directus_assets.local.instance import PRIVATE_UMASK, prepare_folder
from directus_assets.local.progress import shown

START_SECONDS = 120.0
STOP_SECONDS = 10.0

# The server holds one end of a pipe. When we die, however that happens, the pipe closes, and the server ends.
_END_WITH_PARENT = (
    "data:text/javascript,process.stdin.on('end',()=>{process.kill(process.pid,'SIGTERM');"
    f"setTimeout(()=>process.exit(1),{STOP_SECONDS * 1000:.0f}).unref()}}).resume()"
)


class LocalDirectus:
    """A Directus server: entering the block starts it, leaving the block stops it.

    ::

        with LocalDirectus() as directus:
            httpx.get(f"{directus.url}/server/ping")
    """

    admin_email = ADMIN_EMAIL

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
        version: str | None = None,
        installation: Installation | None = None,
    ) -> None:
        """Prepare the folder; nothing is started yet.

        Args:
            folder: for database, uploads, secrets and log. An existing one is reused with its content. Without it, a
                temporary folder is created, and removed at the end of the block.
            port: on the loopback interface; a free one by default.
            environment: additional variables for Directus, which override ours (S3 storage, ASSETS_...). If they name
                another database (DB_CLIENT, ...) and it is empty, its tables are created.
            version: one of the pinned ones (see `installed`); installed if missing.
            installation: a Directus other than those.

        Raises:
            ConfigurationError: Directus cannot be installed, or the folder belongs to something else.
        """
        self._installation = installation or installed(version)
        self._is_temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="directus-")) if folder is None else folder.resolve()
        self.port = free_port() if port is None else port
        self._secrets = prepare_folder(self.folder, self._installation)
        self._extra = dict(environment or {})
        self._lock = FileLock(self.folder / "running.lock", blocking=False, thread_local=False)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._tidy)
            self.start()
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._tidy()

    @property
    def url(self) -> str:
        """Its address, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def version(self) -> str:
        """The version of Directus."""
        return self._installation.version

    @property
    def admin_token(self) -> str:
        """A static token with all rights."""
        return self._secrets.admin_token

    @property
    def admin_password(self) -> str:
        """For the login form of the Studio."""
        return self._secrets.admin_password

    @property
    def bot_token(self) -> str:
        """The token that the pipeline's own user gets when content is seeded."""
        return self._secrets.bot_token

    @property
    def uploads(self) -> Path:
        """The folder of its local storage: originals and derivatives."""
        return self.folder / "uploads"

    @property
    def log(self) -> Path:
        """The server's output of all starts."""
        return self.folder / "directus.log"

    @property
    def pid(self) -> int | None:
        """Its process, or None while it is not running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def storage_environment(self) -> dict[str, str]:
        """The STORAGE_* variables for other processes that share its storage."""
        return {name: value for name, value in self._environment().items() if name.startswith("STORAGE_")}

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            ConfigurationError: it is already running from this folder, the port is taken, or it ended or did not
                answer; the message then ends with the last lines of its log.
        """
        try:
            self._lock.acquire()
        except Timeout:
            raise ConfigurationError(
                f"A Directus is already running from the folder {self.folder}.",
                remedy="Stop that one first, or choose another folder.",
            ) from None
        try:
            self._require_port()
            self._prepare_database()
            self.log.touch(mode=0o600)
            with self.log.open("ab") as log, shown(f"Starting Directus at {self.url}"):
                self._process = self._spawn(log)
                self._wait_until_it_answers(self._process)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Let the server finish its work, but for no longer than `STOP_SECONDS`. Idempotent."""
        if self._process and self.pid:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill the server, like a crash."""
        if self._process:
            if self.pid:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
            self._process = None
        self._lock.release()

    def _tidy(self) -> None:
        if self._is_temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        return {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "KEY": self._secrets.key,
            "SECRET": self._secrets.secret,
            "DB_CLIENT": "sqlite3",
            "DB_FILENAME": str(self.folder / "data.db"),
            "STORAGE_LOCATIONS": "local",
            "STORAGE_LOCAL_DRIVER": "local",
            "STORAGE_LOCAL_ROOT": str(self.uploads),
            "RATE_LIMITER_ENABLED": "false",
            # Otherwise it answers 503 as soon as a small machine is busy.
            "PRESSURE_LIMITER_ENABLED": "false",
            # Lets flows call this machine: by default Directus silently denies that.
            "IMPORT_IP_DENY_LIST": "169.254.169.254",
            "LOG_LEVEL": "warn",
            "LOG_STYLE": "raw",
            **self._extra,
        }

    def _require_port(self) -> None:
        # Otherwise another server there would answer our pings instead of the one that we start.
        if free_port(self.port) != self.port:
            raise ConfigurationError(
                f"Port {self.port} is already in use on 127.0.0.1.",
                remedy="Choose another port, or stop the program that listens there.",
            )

    def _prepare_database(self) -> None:
        """SQLite starts from a template; any other database is set up here, once."""
        environment = self._environment()
        done = self.folder / "bootstrapped"
        if environment["DB_CLIENT"] == "sqlite3" or done.exists():
            return
        admin = {
            "ADMIN_EMAIL": self.admin_email,
            "ADMIN_PASSWORD": self.admin_password,
            "ADMIN_TOKEN": self.admin_token,
        }
        self._installation.bootstrap(self.folder, {**environment, **admin})
        done.touch()

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        installation = self._installation
        return subprocess.Popen(
            [installation.node, "--import", _END_WITH_PARENT, installation.directus, "start"],
            cwd=self.folder,
            env=installation.environment(self._environment()),
            stdin=subprocess.PIPE,
            umask=PRIVATE_UMASK,
            stdout=log,
            stderr=log,
            # We handle Ctrl+C: the server must outlive its clients.
            start_new_session=True,
        )

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(base_url=self.url, timeout=5, trust_env=False) as client:
            while process.poll() is None and time.monotonic() < deadline:
                with suppress(httpx.TransportError):
                    if client.get("/server/ping").is_success:
                        return
                time.sleep(0.1)
        ended = f"ended with status {process.returncode}" if process.poll() is not None else "did not answer"
        lines = self.log.read_text("utf-8", errors="replace").splitlines()[-20:]
        raise ConfigurationError(
            f"The local Directus at {self.url} {ended}. Last lines of {self.log}:\n" + "\n".join(lines) + "\n",
            remedy="Fix the problem shown in the log and start again.",
        )


def free_port(preferred: int = 0) -> int:
    """A TCP port that nothing listens on at 127.0.0.1: the preferred one if it is free.

    For the next minute the system gives it to nobody who asks for any port: its server may take its time to start.
    """
    for port in (preferred, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            probe.listen()
            # The side that closes first holds the port (TIME_WAIT), which servers may bind anyway (SO_REUSEADDR).
            with socket.create_connection(probe.getsockname()), probe.accept()[0]:
                return int(probe.getsockname()[1])
    raise ConfigurationError(
        "There is no free port on 127.0.0.1.", remedy="Stop some of the programs that listen there."
    )
