"""The commands of compose.yaml and the Dockerfile, run together on PostgreSQL: the part of Compose that needs no
Docker.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy.engine import make_url

from bench.processes import with_command
from directus_assets.directus.client import DirectusClient
from directus_assets.fast.launcher import RUNS_ELSEWHERE
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import landscape, upload
from directus_assets.local.server import LocalDirectus, free_port
from directus_assets.orchestration.webserver import Webserver
from tests.postgres import running_postgres

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
PATIENCE_SECONDS = 240.0
BIN = Path(sys.executable).parent


class Stack:
    """Code location, webserver, daemon and door, each started and health-checked as by Compose."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.door, self.web = str(free_port(0)), str(free_port(0))
        self.url = f"http://127.0.0.1:{self.web}"
        self.environment = {**os.environ, **environment, "PATH": f"{BIN}:{os.environ['PATH']}"}
        self.environment["DAGSTER_WEBSERVER_URL"] = self.url
        workspace = (ROOT / "deploy" / "workspace.yaml").read_text("utf-8")
        workspace = workspace.replace("/dagster/code.sock", str(folder / "code.sock"))
        (folder / "workspace.yaml").write_text(workspace)
        shutil.copy(ROOT / "deploy" / "dagster.yaml", folder / "dagster.yaml")

    def start(self, name: str) -> subprocess.Popen[bytes]:
        command = COMPOSE["services"][name].get("command") or json.loads(
            re.findall(r"^CMD (.*)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)[0]
        )
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                self._here(command),
                cwd=self.folder,
                env={**self.environment, **_own(name)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.processes[name]

    def wait_until_healthy(self, name: str) -> None:
        test = self._here(COMPOSE["services"][name]["healthcheck"]["test"][1:])
        deadline = time.monotonic() + PATIENCE_SECONDS
        while subprocess.run(test, cwd=self.folder, env=self.environment, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, (self.folder / f"{name}.log").read_text()[-3000:]
            time.sleep(1)

    def _here(self, command: list[str]) -> list[str]:
        """The same, adapted to this machine: other ports, and loopback addresses."""
        everywhere = "0.0.0.0"  # noqa: S104 - it is what is replaced
        ports = {"4000": self.door, "3000": self.web}
        replaced = {everywhere: "127.0.0.1", **ports, "/app": str(self.folder), "/dagster/": f"{self.folder}/"}
        text = json.dumps(command)
        for old, new in replaced.items():
            text = text.replace(old, new)
        return list(json.loads(text))


@pytest.fixture
def stack(empty_directus: LocalDirectus, admin: httpx.Client, tmp_path: Path) -> Iterator[Stack]:
    presets = [{"key": "card", "fit": "cover", "width": 60, "height": 60, "quality": 80, "format": "webp"}]
    admin.patch("/settings", json={"storage_asset_presets": presets}).raise_for_status()
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as client:
        create_bot(client, token=empty_directus.bot_token)
    (tmp_path / "directus_assets.yaml").write_text("images: {backfill_on_start: true}\n")
    with ExitStack() as cleanup:
        database = make_url(cleanup.enter_context(running_postgres()))
        values = {"HOST": database.host, "PORT": database.port, "DB": database.database, "USER": database.username}
        environment = {
            "DIRECTUS_URL": empty_directus.url,
            "DIRECTUS_TOKEN": empty_directus.bot_token,
            "DAGSTER_HOME": str(tmp_path),
            "DIRECTUS_ASSETS_CONFIG": str(tmp_path / "directus_assets.yaml"),
            "DAGSTER_POSTGRES_PASSWORD": "",
            **{f"DAGSTER_POSTGRES_{name}": str(value) for name, value in values.items()},
            **empty_directus.storage_environment,
        }
        found = Stack(tmp_path, environment)
        for name in ("code", "webserver", "daemon", "door"):
            process = found.start(name)
            cleanup.callback(_end, process)
            found.wait_until_healthy(name)
        yield found


def _own(name: str) -> dict[str, str]:
    """The settings of this service alone."""
    environment = COMPOSE["services"][name]["environment"]
    return {RUNS_ELSEWHERE: environment[RUNS_ELSEWHERE]} if RUNS_ELSEWHERE in environment else {}


def _end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_derivatives(webserver: Webserver, asset: str, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        status = webserver.asset_statuses().get(asset)
        if status and status.materialized == count:
            return
        assert time.monotonic() < deadline, status
        time.sleep(1)


def wait_for_a_line(log: Path, line: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while line not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(1)


def test_what_compose_starts_works_together_and_follows_a_new_preset(stack: Stack, admin: httpx.Client) -> None:
    webserver = Webserver(stack.url)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while webserver.sick_daemons() or not webserver.asset_statuses():
        assert time.monotonic() < deadline, webserver.sick_daemons()
        time.sleep(1)

    upload(admin, landscape(1), filename="harbour.jpg")
    wait_for_derivatives(webserver, "image_presets/card", 1)
    # The code server builds the definitions anew without being restarted.
    presets = admin.get("/settings").json()["data"]["storage_asset_presets"]
    admin.patch("/settings", json={"storage_asset_presets": [*presets, {**presets[0], "key": "hero", "width": 90}]})
    wait_for_derivatives(webserver, "image_presets/hero", 1)


def test_definitions_whose_process_was_killed_are_loaded_again(stack: Stack, admin: httpx.Client) -> None:
    (definitions,) = with_command(stack.processes["code"].pid, "api grpc")

    os.kill(definitions, signal.SIGKILL)

    wait_for_a_line(stack.folder / "code.log", "watch: The code location 'directus_assets' failed to load")
    wait_for_a_line(stack.folder / "code.log", "watch: The code location 'directus_assets' has loaded")
    upload(admin, landscape(2), filename="quay.jpg")
    files = admin.get("/files", params={"fields": "id", "limit": -1}).json()["data"]
    wait_for_derivatives(Webserver(stack.url), "image_presets/card", len(files))
