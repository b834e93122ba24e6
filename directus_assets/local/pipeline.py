"""The local pipeline: the command `dev` with its own DAGSTER_HOME, as the demo and the tests run it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from directus_assets.commands.dev import RETRY_CHANGED_DEFINITIONS
from directus_assets.commands.home import make_home
from directus_assets.errors import ConfigurationError
from directus_assets.local.instance import PRIVATE_UMASK, private_folder
from directus_assets.local.progress import shown
from directus_assets.local.server import LocalDirectus, free_port

START_SECONDS = 240.0
STOP_SECONDS = 20.0

_WORKSPACE = """\
load_from:
  - python_module:
      module_name: directus_assets.definitions
      location_name: directus_assets
"""


_HOME = "dagster"


def prepare_home(folder: Path) -> Path:
    """The pipeline's DAGSTER_HOME in `folder`; created if missing, with our `dagster.yaml`."""
    home = folder / _HOME
    private_folder(home)
    return make_home(home)


class LocalPipeline:
    """A running pipeline: webserver, daemon and code location. Entering the block starts it, leaving it stops it.

    Args:
        directus: the Directus to process.
        folder: contains DAGSTER_HOME, the YAML file and the log; created if missing.
        config: the YAML file's text; rewritten at each start.
        port: of the Dagster UI; a free one if it is taken.
        environment: additional variables, which override ours.
    """

    def __init__(
        self,
        directus: LocalDirectus,
        folder: Path,
        *,
        config: str = "",
        port: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.home = self.folder / _HOME
        self.log = self.folder / "dagster.log"
        self.url = f"http://127.0.0.1:{free_port(port)}"
        self.door_url = f"http://127.0.0.1:{free_port(0)}"
        self._directus = directus
        self._config = config
        self._extra = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The root process of the pipeline, or None while it is not running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def environment(self) -> dict[str, str]:
        """The pipeline's variables, for other processes that share its storage (`directus-assets backfill`)."""
        return {
            "DIRECTUS_URL": self._directus.url,
            "DIRECTUS_TOKEN": self._directus.bot_token,
            "DIRECTUS_ASSETS_CONFIG": str(self.folder / "directus_assets.yaml"),
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_WEBSERVER_URL": self.url,
            "DOOR_URL": self.door_url,
            RETRY_CHANGED_DEFINITIONS: "1",
            **self._directus.storage_environment,
            **self._extra,
        }

    def start(self) -> None:
        """Start webserver, daemon and code location; return when the UI answers and the code location is loaded.

        Raises:
            ConfigurationError: it ended or did not answer; the message ends with the last lines of its log.
        """
        prepare_home(self.folder)
        (self.folder / "directus_assets.yaml").write_text(self._config, "utf-8")
        (self.folder / "workspace.yaml").write_text(_WORKSPACE, "utf-8")
        # Otherwise one in a parent folder would be read, and might name another Directus.
        (self.folder / ".env").touch(mode=0o600)
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log, shown(f"Starting the pipeline at {self.url}"):
            self._process = subprocess.Popen(
                [
                    Path(sys.executable).with_name("directus-assets"),
                    "dev",
                    "--port",
                    self.url.rpartition(":")[2],
                    "-w",
                    "workspace.yaml",
                ],
                cwd=self.folder,
                env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **self.environment},
                stdin=subprocess.DEVNULL,
                umask=PRIVATE_UMASK,
                stdout=log,
                stderr=log,
                # We handle Ctrl+C, and end all of its processes together.
                start_new_session=True,
            )
            self._wait_until_it_answers(self._process)

    def stop(self) -> None:
        """Stop webserver, daemon, code location and runs. Idempotent."""
        if not self._process:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        query = {"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"}
        with httpx.Client(base_url=self.url, timeout=10, trust_env=False) as client:
            while process.poll() is None and time.monotonic() < deadline:
                with suppress(httpx.TransportError, ValueError):
                    answer = client.post("/graphql", json=query)
                    if answer.is_success and answer.json()["data"]["repositoriesOrError"].get("nodes"):
                        return
                time.sleep(0.3)
        ended = f"ended with status {process.returncode}" if process.poll() is not None else "did not answer"
        self.stop()
        lines = self.log.read_text("utf-8", errors="replace").splitlines()[-20:]
        raise ConfigurationError(
            f"The pipeline at {self.url} {ended}. Last lines of {self.log}:\n" + "\n".join(lines) + "\n",
            remedy="Fix the problem shown in the log and start again.",
        )
