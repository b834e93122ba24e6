"""The test bed of the chaos tests: a real Directus, the daemon, the code server and the webserver as separate
processes.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import yaml

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import Storage, open_storages
from directus_assets.local.bot import create_bot
from directus_assets.local.content import PUBLIC_POLICY
from directus_assets.local.pipeline import LocalPipeline, prepare_home
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus, free_port
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.names import Names
from tests.chaos.proxy import FaultyProxy
from tests.chaos.services import Service, all_processes, command_of, parent_of, variables_of
from tests.chaos.surroundings import Surroundings
from tests.machine import EVERYTHING_IS_THERE, lacking
from tests.translation.scripted_openai import ScriptedOpenAI

PRESETS: list[dict[str, Any]] = [
    {"key": "card", "fit": "cover", "width": 120, "height": 120, "quality": 80, "format": "webp"},
    {"key": "wide", "fit": "inside", "width": 200, "height": None, "quality": 80, "format": "jpeg"},
    {"key": "auto", "fit": "cover", "width": 48, "height": 32, "quality": 50, "format": "auto"},
]
NAMES = Names()
_WORKERS = ("multiprocessing.spawn", "execute_run")
"""What stands in the commands of run workers: those of Dagster's own launcher, and those of containers."""
_WARM = "directus_assets.fast.warm_process"
"""What stands in the command of the warm process, and in those of the workers that are forked from it."""
_UPLOADS_MEGABYTES = 400
_HOME_MEGABYTES = 1000

_WORKSPACE = """\
load_from:
  - grpc_server: {{host: 127.0.0.1, port: {port}, location_name: directus_assets}}
"""


@dataclass
class Bed:
    """All running parts, and what can be done to them."""

    directus: LocalDirectus
    engine: ScriptedOpenAI
    proxies: tuple[FaultyProxy, ...]
    """All that the pipeline reaches it goes through these, but for the engine."""
    code_server: Service
    daemon: Service
    webserver: Service
    pipeline: LocalPipeline
    """Where the pipeline's folder, variables and log are; it is not started, its parts are."""
    instance: dg.DagsterInstance = field(repr=False)
    chance: random.Random
    small_disks: tuple[Path, ...]
    """What can be filled: where Directus keeps files, and where Dagster keeps everything."""
    around: Surroundings

    def run_workers(self) -> list[int]:
        """The processes of current runs."""
        homes = {f"DAGSTER_HOME={folder}" for folder in self.around.worker_folders or (self.pipeline.home,)}
        workers = [pid for pid in all_processes() if _is_worker(pid)]
        return [pid for pid in workers if homes & variables_of(pid)]

    def definitions(self) -> list[int]:
        """The code server's process that holds the definitions."""
        return [pid for pid in self.code_server.members() if "api grpc" in command_of(pid)]

    def storage(self) -> Storage:
        """Directus' file storage, accessed around all faults."""
        (storage,) = open_storages(self.directus.storage_environment).values()
        return storage

    def second_daemon(self) -> Service:
        """A second daemon on the same instance, as after a faulty deployment."""
        return _service(self.pipeline, "second daemon", "dagster-daemon", "run", "-w", "workspace.yaml")

    @property
    def services(self) -> tuple[Service, ...]:
        """The services that are restarted when they end."""
        return (self.code_server, self.daemon, self.webserver)


@contextmanager
def made_bed(folder: Path, chance: random.Random, around: Surroundings) -> Iterator[Bed]:
    """The running test bed; Directus has presets and collections, but no content."""
    with ExitStack() as stack:
        directus = LocalDirectus(folder / "directus", environment=around.directus)
        small_disks = []
        if not around.worker_folders:
            small_disks = [
                *_small_disk(directus.uploads, _UPLOADS_MEGABYTES, stack),
                *_small_disk(prepare_home(folder / "pipeline"), _HOME_MEGABYTES, stack),
            ]
        stack.enter_context(directus)
        _prepare(directus)
        engine = stack.enter_context(ScriptedOpenAI())
        proxy = stack.enter_context(FaultyProxy(directus.port, chance))
        pipeline = LocalPipeline(
            directus,
            folder / "pipeline",
            environment={
                "DIRECTUS_URL": proxy.url,
                "TRANSLATION_ENGINE": "openai",
                "OPENAI_API_KEY": "sk-chaos-s3cr3t-key",
                "OPENAI_BASE_URL": engine.url,
                "OPENAI_MODEL": "tiny",
                **around.pipeline,
            },
        )
        port = free_port()
        _write_files(pipeline, around, port)
        code_server = _service(
            pipeline,
            "code server",
            *("directus-assets", "watch", "--", "dagster", "code-server", "start", "-h", "127.0.0.1", "-p", str(port)),
            *("-m", "directus_assets.definitions", "--location-name", "directus_assets"),
        )
        daemon = _service(pipeline, "daemon", "dagster-daemon", "run", "-w", "workspace.yaml")
        web = pipeline.url.rpartition(":")[2]
        webserver = _service(
            pipeline, "webserver", "dagster-webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", web
        )
        instance = stack.enter_context(open_instance(pipeline.home))
        for service in (code_server, webserver, daemon):
            stack.enter_context(service)
        bed = Bed(
            directus=directus,
            engine=engine,
            proxies=(proxy, *around.proxies),
            code_server=code_server,
            daemon=daemon,
            webserver=webserver,
            pipeline=pipeline,
            instance=instance,
            chance=chance,
            small_disks=tuple(small_disks),
            around=around,
        )
        stack.callback(_end, bed)
        yield bed


def _prepare(directus: LocalDirectus) -> None:
    with DirectusClient(directus.url, directus.admin_token, timeout_seconds=120) as admin:
        admin.patch("/settings", {"storage_asset_presets": PRESETS})
        create_collections(admin)
        create_bot(admin, token=directus.bot_token)
        public = {"policy": PUBLIC_POLICY, "collection": "directus_files", "action": "read"}
        admin.post("/permissions", {**public, "fields": ["*"], "permissions": {}})


def _is_worker(pid: int) -> bool:
    command = command_of(pid)
    is_fork = _WARM in command and _WARM in command_of(parent_of(pid))
    return is_fork or any(sign in command for sign in _WORKERS)


def _write_files(pipeline: LocalPipeline, around: Surroundings, port: int) -> None:
    settings = yaml.safe_load((prepare_home(pipeline.folder) / "dagster.yaml").read_text("utf-8"))
    for section, more in around.dagster.items():
        # Of several storages Dagster takes none.
        settings[section] = dict(more) if section == "storage" else {**settings.get(section, {}), **more}
    (pipeline.folder / "workspace.yaml").write_text(_WORKSPACE.format(port=port), "utf-8")
    for home, beside in ((pipeline.home, pipeline.folder), *((folder, folder) for folder in around.worker_folders)):
        home.mkdir(exist_ok=True)
        (home / "dagster.yaml").write_text(yaml.safe_dump(settings), "utf-8")
        (beside / "directus_assets.yaml").write_text(yaml.safe_dump(dict(around.config)), "utf-8")


def _end(bed: Bed) -> None:
    """Ends processes that nothing else ends."""
    for pid in bed.run_workers():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _service(pipeline: LocalPipeline, name: str, program: str, *arguments: str) -> Service:
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", **pipeline.environment}
    command = [str(programs / program), *arguments]
    return Service(name, command, folder=pipeline.folder, environment=environment, log=pipeline.log)


def _small_disk(folder: Path, megabytes: int, stack: ExitStack) -> Iterator[Path]:
    """Puts a file system of limited size at `folder`, which can then be filled, and gives it, where that is allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode and os.environ.get(EVERYTHING_IS_THERE):
        lacking("the right to mount small file systems")
    if mounted.returncode == 0:
        stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
        yield folder


def admin_of(directus: LocalDirectus) -> httpx.Client:
    """An administrator's client."""
    headers = {"authorization": f"Bearer {directus.admin_token}"}
    return httpx.Client(base_url=directus.url, headers=headers, timeout=30, trust_env=False)
