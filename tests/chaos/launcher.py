"""A launcher that gives each run to one of several environments without a shared disk, like pods."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData


class SeparateWorkers(RunLauncher, ConfigurableClass):
    """Each worker is a process of its own, with its own DAGSTER_HOME; all other folders of the bed are empty to it."""

    def __init__(self, folders: list[str], inst_data: ConfigurableClassData | None = None) -> None:
        self._folders = [Path(folder) for folder in folders]
        self._inst_data = inst_data
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"folders": [str]}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls(config_value["folders"], inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        assert context.job_code_origin is not None
        folder = self._folders[int(run.run_id[0], 16) % len(self._folders)]
        command = ExecuteRunArgs(context.job_code_origin, run.run_id, instance_ref=None).get_command_args()
        hidden = [path for path in folder.parent.iterdir() if path.is_dir() and path != folder]
        script = [*(f"mount -t tmpfs tmpfs {shlex.quote(str(path))}" for path in hidden), f"exec {shlex.join(command)}"]
        with (folder.parent / "workers.log").open("ab") as log:
            worker = subprocess.Popen(
                ["unshare", "--mount", "sh", "-ec", "\n".join(script)],
                cwd=folder,
                env={**os.environ, **worker_environment(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

        self._note_of(run.run_id).write_text(str(worker.pid))

    def _note_of(self, run_id: str) -> Path:
        """The file that records the process of a run for other daemons."""
        return self._folders[0].with_name(f"{run_id}.pid")

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        pid = int(self._note_of(run.run_id).read_text())
        state = Path(f"/proc/{pid}/stat")
        is_there = state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"
        return CheckRunHealthResult(WorkerStatus.RUNNING if is_there else WorkerStatus.NOT_FOUND)

    def terminate(self, run_id: str) -> bool:
        return False


def worker_environment(folder: Path) -> dict[str, str]:
    """The variables that differ between the environments."""
    return {"DAGSTER_HOME": str(folder), "DIRECTUS_ASSETS_CONFIG": str(folder / "directus_assets.yaml")}
