"""The test bed for measurements: a fresh Directus with four presets, and the pipeline beside it."""

import io
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
from rich.console import Console

from bench.processes import cpu_seconds
from directus_assets.commands.setup.setup_flows import run_flows_setup
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import Preset
from directus_assets.errors import PermanentError, TransientError
from directus_assets.images.transforms import derivatives
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import landscape, upload
from directus_assets.local.pipeline import LocalPipeline, prepare_home
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.names import Names
from directus_assets.settings import load_settings

NAMES = Names()

POLL_SECONDS = 5
"""From one look of a sensor at Directus to the next, by default."""
PATIENCE_SECONDS = 600.0
_LOOK_SECONDS = 0.05
_NO_SCHEDULE = """
# Once a year: a reconcile at the full hour would be measured, too.
reconcile: {cron: "0 0 1 1 *"}
"""


def _preset(key: str, width: int, height: int | None, output: str) -> dict[str, Any]:
    return {"key": key, "fit": "cover", "width": width, "height": height, "quality": 80, "format": output}


PRESET_ROWS = [
    _preset("thumbnail", 200, 200, "webp"),
    _preset("card", 600, 400, "jpeg"),
    _preset("social", 1200, 630, "jpeg"),
    _preset("hero", 1600, None, "webp"),
]
"""What a site asks for: two crops, one for social networks, one as wide as a page."""

PRESETS = tuple(Preset.parse(row) for row in PRESET_ROWS)


@dataclass
class Bed:
    """A running Directus."""

    directus: LocalDirectus
    admin: DirectusClient
    _uploads: httpx.Client

    def upload(self, content: bytes, *, name: str = "picture.jpg") -> str:
        """Upload a JPEG and return its id."""
        return upload(self._uploads, content, filename=name, type="image/jpeg")

    def stored(self, file_ids: Iterable[str]) -> list[Path]:
        """The expected paths of these files' derivatives."""
        return [
            self.directus.uploads / derivative.stored_name
            for file in self.admin.files_by_id(file_ids)
            for preset in PRESETS
            for derivative in derivatives(preset, file)
        ]

    def wait_until_stored(self, file_ids: Iterable[str]) -> None:
        """Wait until all derivatives of these files are in Directus' storage."""
        missing = self.stored(file_ids)

        def are_there() -> bool:
            # One after the other: a look at hundreds of files every moment would take from what is measured.
            while missing and missing[-1].exists() and missing[-1].stat().st_size:
                missing.pop()
            return not missing

        wait_until(are_there, "The derivatives are not there")

    @property
    def cpu_seconds(self) -> float:
        """The processor time used by Directus so far."""
        return cpu_seconds(self.directus.pid) if self.directus.pid else 0.0


@dataclass
class Running:
    """The pipeline beside a bed, and a look into its Dagster instance."""

    bed: Bed
    pipeline: LocalPipeline
    instance: dg.DagsterInstance = field(repr=False)

    @property
    def pid(self) -> int:
        """The root process of the pipeline."""
        assert self.pipeline.pid is not None  # noqa: S101 (it runs as long as the block that made this)
        return self.pipeline.pid

    def let_pass(self, phase: float) -> None:
        """Until nothing is in hand, and the sensors have looked so many seconds ago; see `phases`."""
        self.wait_until_quiet()
        [sensor] = (each for each in self.instance.all_instigator_state() if each.name == NAMES.files_sensor)
        [tick] = self.instance.get_ticks(sensor.instigator_origin_id, sensor.selector_id, limit=1)
        time.sleep((tick.timestamp + phase - time.time()) % POLL_SECONDS)

    def wait_until_recorded(self, file_ids: Iterable[str]) -> None:
        """Wait until all derivatives of these files are stored and materialized."""
        wanted = set(file_ids)
        self.bed.wait_until_stored(wanted)
        keys = [NAMES.preset(preset.key) for preset in PRESETS]
        wait_until(
            lambda: all(wanted <= self.instance.get_materialized_partitions(key) for key in keys),
            "The derivatives are not materialized",
        )

    def wait_until_quiet(self) -> list[dg.RunRecord]:
        """Wait until every run has ended; return all runs, the latest first."""
        wait_until(lambda: all(run.is_finished for run in self.instance.get_runs()), "A run does not end")
        return list(self.instance.get_run_records())


@contextmanager
def fresh_directus(*, with_texts: bool = False, environment: Mapping[str, str] | None = None) -> Iterator[Bed]:
    """An empty Directus with the four presets, and with empty collections if texts are needed."""
    with ExitStack() as stack:
        directus = stack.enter_context(LocalDirectus(environment=environment))
        admin = stack.enter_context(DirectusClient(directus.url, directus.admin_token, timeout_seconds=120))
        admin.patch("/settings", {"storage_asset_presets": PRESET_ROWS})
        if with_texts:
            create_collections(admin)
        create_bot(admin, token=directus.bot_token)
        headers = {"authorization": f"Bearer {directus.admin_token}"}
        uploads = httpx.Client(base_url=directus.url, headers=headers, timeout=120, trust_env=False)
        yield Bed(directus, admin, stack.enter_context(uploads))


@contextmanager
def running_pipeline(
    bed: Bed,
    *,
    config: str = "",
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Iterator[Running]:
    """The pipeline with its sensors, at default settings unless told otherwise.

    Args:
        bed: the Directus that it works for.
        config: the YAML file's text.
        environment: further variables.
        home: a folder with a Dagster home that exists already.
    """
    with ExitStack() as stack:
        folder = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="directus-assets-bench-")))
        # Our look into the instance reads the same `dagster.yaml`, which may name it.
        os.environ["DAGSTER_HOME"] = str(prepare_home(folder))
        local = LocalPipeline(bed.directus, folder, config=config + _NO_SCHEDULE, environment=environment)
        pipeline = stack.enter_context(local)
        instance = stack.enter_context(open_instance(pipeline.home))
        yield Running(bed, pipeline, instance)


def set_up_pushes(running: Running) -> None:
    """Set up pushes as `directus-assets setup --flows --push` does."""
    output = io.StringIO()
    status = run_flows_setup(
        Console(file=output),
        load_settings(running.pipeline.environment),
        admin_token=running.bed.directus.admin_token,
        confirm=lambda: True,
        push=True,
    )
    if status:
        raise PermanentError(f"The flows are not as they have to be: {output.getvalue()}")


def wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    """Poll until a condition holds.

    Raises:
        TransientError: it is not so after `PATIENCE_SECONDS`.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TransientError(
                f"{otherwise} after {PATIENCE_SECONDS:.0f} s.", remedy="Try again on a machine with less to do."
            )
        time.sleep(_LOOK_SECONDS)


def phases(count: int) -> list[float]:
    """Moments between two looks of the sensors, in seconds after the first: evenly spread, in an order that is chance.

    Were each drawn by chance, the mean of 20 would be uncertain by a third of a second.
    """
    spread = [(number + 0.5) * POLL_SECONDS / count for number in range(count)]
    return random.sample(spread, count)


def photographs(count: int, *, size: tuple[int, int] = (4000, 3000)) -> list[bytes]:
    """Different generated JPEGs, always the same; by default of 12 megapixels."""
    return [landscape(number, size) for number in range(count)]
