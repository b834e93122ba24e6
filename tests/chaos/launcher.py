"""A launcher that gives each run to one of several environments that see nothing of each other's disk, as pods do."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from dagster._core.launcher import LaunchRunContext, RunLauncher
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData


class SeparateWorkers(RunLauncher, ConfigurableClass):
    """Each worker is a process of its own, with its own DAGSTER_HOME; all other folders of the bed are empty to it.

    It has no health check: whether a worker lives is seen by its signs of life.
    """

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
            subprocess.Popen(
                ["unshare", "--mount", "sh", "-ec", "\n".join(script)],
                cwd=folder,
                env={**os.environ, **worker_environment(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def terminate(self, run_id: str) -> bool:
        return False


def worker_environment(folder: Path) -> dict[str, str]:
    """What differs between the environments."""
    return {"DAGSTER_HOME": str(folder), "DIRECTUS_ASSETS_CONFIG": str(folder / "directus_assets.yaml")}
