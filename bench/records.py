"""Records: the cost of Dagster's own storage per derivative, and the same with batches.

A run over a batch is planned and its outputs are recorded, as in production; nothing is made.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import dagster as dg

from bench.bed import PRESETS
from bench.figures import Figure, ours_at_most
from bench.history import file_key, metadata_of
from directus_assets.local.postgres import find_programs, running_postgres
from directus_assets.local.progress import Say
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.runs.recorder import Recorder
from directus_assets.orchestration.runs.report import OutputRecord
from directus_assets.run_tags import range_tags

NAMES = Names()

_BATCH = 50
_FILES = 1000
_BATCHED = "storage: {{custom: {{module: directus_assets.fast.batched_records.{}, class: {}, config: {{{}}}}}}}"


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part; on PostgreSQL if Debian's server and the extra `postgres` are installed."""
    figures = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="directus-assets-bench-")))
        home = f"base_dir: '{folder}/SQLite-ours'"
        ways = {"SQLite": ("", _BATCHED.format("sqlite", "BatchedSqliteStorage", home))}
        if find_programs() and find_spec("dagster_postgres"):
            urls = [stack.enter_context(running_postgres()) for _ in range(2)]
            ours = _BATCHED.format("postgres", "BatchedPostgresStorage", f"postgres_url: '{urls[1]}'")
            ways["PostgreSQL"] = (f"storage: {{postgres: {{postgres_url: '{urls[0]}'}}}}", ours)
        for database, (stock, batched) in ways.items():
            records = [
                stack.enter_context(_recording(folder / name, yaml))
                for name, yaml in ((f"{database}-stock", stock), (f"{database}-ours", batched))
            ]
            taken: tuple[list[float], list[float]] = ([], [])
            for number in range(rounds):
                say(f"round {number + 1} of {rounds}: {database}")
                for record, values in zip(records, taken, strict=True):
                    values.append(record())
            figures.append(
                Figure(
                    part="records",
                    what=f"records in batches on {database}: each further derivative, planned and materialized",
                    unit="ms",
                    ours=tuple(taken[1]),
                    against="Dagster's own storage, the default",
                    theirs=tuple(taken[0]),
                    goal=ours_at_most(3),
                    note=f"A run over {_BATCH} files x {len(PRESETS)} presets that records and makes nothing.",
                )
            )
    return figures


@dg.multi_asset(
    specs=[
        dg.AssetSpec(NAMES.preset(preset.key), partitions_def=NAMES.files_partitions, skippable=True)
        for preset in PRESETS
    ],
    can_subset=True,
)
def recorded(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization]:
    """Record all outputs without making any."""
    assets = {NAMES.preset(preset.key): preset.key for preset in PRESETS}
    with Recorder(context, NAMES.files, dict.fromkeys(assets, "code")) as recorder:
        for key in context.partition_keys:
            for asset_key, preset in assets.items():
                recorder.record(
                    asset_key, key, OutputRecord(data_version="0123456789abcdef", metadata=metadata_of(preset))
                )
    yield from ()


@contextmanager
def _recording(home: Path, yaml: str) -> Iterator[Callable[[], float]]:
    """Yield a function that measures."""
    home.mkdir()
    (home / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{yaml}\n", "utf-8")
    with open_instance(home) as instance:
        instance.add_dynamic_partitions(str(NAMES.files_partitions.name), [file_key(n) for n in range(_FILES)])
        # The first run of a process makes tables, too.
        _run(instance, files=1)
        yield partial(_further, instance, is_batched="batched" in yaml)


def _further(instance: dg.DagsterInstance, *, is_batched: bool) -> float:
    """Milliseconds per derivative of a batch, without the fixed cost of a run."""
    # Both storages are at work in this process, and it is for the batched one only that this is set.
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = "1000" if is_batched else "0"
    seconds = _run(instance, files=_BATCH) - _run(instance, files=1)
    return seconds * 1000 / ((_BATCH - 1) * len(PRESETS))


def _run(instance: dg.DagsterInstance, *, files: int) -> float:
    started = time.perf_counter()
    dg.materialize([recorded], instance=instance, tags=range_tags(file_key(0), file_key(files - 1)))
    return time.perf_counter() - started
