"""The in-process pipeline of one Directus: sensors are ticked and their runs executed, one after the other."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dagster as dg

from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import build_defs
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import latest_materialization
from directus_assets.settings import Config, Environment, Settings
from directus_assets.snapshot import take_snapshot
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.engines.openai import OpenAIEngine
from tests.translation.scripted_openai import ScriptedOpenAI

NAMES = Names()


class Pipeline:
    """Assets and sensors with an instance of their own.

    Args:
        directus: with the bot's token.
        server: who translates.
        folder: for translation records.
        config: the YAML file, parsed.
        url: where Directus is reached, if not at its own address.
        environment: further variables.
    """

    def __init__(
        self,
        directus: LocalDirectus,
        server: ScriptedOpenAI,
        folder: Path,
        config: Mapping[str, Any] | None = None,
        url: str = "",
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._directus = directus
        self._url = url or directus.url
        self._environment = dict(environment or {})
        self._server = server
        self._folder = folder
        self._config = Config.model_validate(config or {})
        self._stack = ExitStack()
        self._cursors: dict[str, str] = {}
        self.instance = self._stack.enter_context(dg.DagsterInstance.ephemeral())

    def __enter__(self) -> Self:
        self.load()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def load(self) -> None:
        """Build the definitions from the current Directus, like a reload of the code location."""
        environment = {
            "DIRECTUS_URL": self._url,
            "DIRECTUS_TOKEN": self._directus.bot_token,
            "DAGSTER_HOME": str(self._folder),
            "OPENAI_API_KEY": "key",
            "OPENAI_BASE_URL": self._server.url,
            "OPENAI_MODEL": "tiny",
            **self._environment,
        }
        settings = Settings(environment=Environment.read(environment), config=self._config)
        self.project = Project(settings)
        # A patience of seconds, not of minutes.
        engine = OpenAIEngine(api_key="key", model="tiny", base_url=self._server.url, timeout_seconds=15)
        self._stack.callback(engine.close)
        self.project.__dict__["engine"] = engine
        self.project.__dict__["gate"] = RateGate(limit=4, patience_seconds=1, base_seconds=0.01, longest_seconds=0.1)
        self._stack.callback(self.project.directus.close)
        snapshot = take_snapshot(self.project.directus, self.project.wanted)
        self._defs = build_defs(settings, snapshot=snapshot, project=self.project)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Change the YAML file and rebuild the definitions."""
        self._config = Config.model_validate(config)
        self.load()

    def tick(self, collection: str = "posts") -> list[dg.ExecuteInProcessResult]:
        """Tick a collection's sensor and execute the requested runs."""
        name = NAMES.files_sensor if collection == "files" else NAMES.items_sensor(collection)
        sensor = self._defs.resolve_sensor_def(name)
        context = dg.build_sensor_context(instance=self.instance, cursor=self._cursors.get(collection))
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        self._cursors[collection] = result.cursor or ""
        return [self._run(collection, request) for request in result.run_requests or []]

    def settle(self, collection: str = "posts") -> None:
        """Tick until nothing is requested."""
        for _ in range(10):
            if not self.tick(collection):
                return
        raise AssertionError("The sensor keeps asking for runs.")

    def reconcile(self) -> None:
        """Run the reconcile as its schedule does."""
        job = self._defs.resolve_job_def(NAMES.reconcile)
        assert job.execute_in_process(instance=self.instance, raise_on_error=False).success

    def partitions(self, collection: str = "posts") -> list[str]:
        return list(self.instance.get_dynamic_partitions(str(NAMES.items_partitions(collection).name)))

    def made(self, item: str, language: str, collection: str = "posts") -> dg.AssetMaterialization | None:
        return latest_materialization(self.instance, NAMES.translation(collection, language), item)

    def reason(self, item: str, language: str, collection: str = "posts") -> str:
        """The reason shown on the page of a failed partition."""
        records = dg.AssetRecordsFilter(asset_key=NAMES.translation(collection, language), asset_partitions=[item])
        found = self.instance.fetch_observations(records, limit=1).records
        observation = found[0].asset_observation if found else None
        return str(observation.metadata["failed"].value) if observation else ""

    def run_all(self, collection: str = "posts", *, first: str, last: str) -> dg.ExecuteInProcessResult:
        """Run everything as if started by hand, whether it is current or not."""
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        return self._run(collection, dg.RunRequest(tags=tags))

    def _run(self, collection: str, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        job = self._defs.resolve_job_def(request.job_name or f"translate_{collection}")
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=list(request.asset_selection) if request.asset_selection else None,
            tags=request.tags,
            raise_on_error=False,
        )
