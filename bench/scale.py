"""Scale: the cost of a tick, a page and a record with growing numbers of materialized files.

Directus has rows for these files but no pictures, except for the one whose change a tick finds.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from bench.bed import PRESETS, Bed, fresh_directus, photographs, running_pipeline
from bench.figures import Figure, ours_at_most, ratio_at_most
from bench.history import add_rows, file_key, fill
from bench.images import render_all
from bench.processes import memory_bytes
from bench.records import recorded
from directus_assets.directus.feed import FeedPosition
from directus_assets.directus.uploads import UploadPosition
from directus_assets.local.pipeline import prepare_home
from directus_assets.local.progress import Say
from directus_assets.orchestration.build import all_kinds
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.orchestration.sensors.collection import build_partition_sensor
from directus_assets.orchestration.sensors.cursor import Cursor
from directus_assets.orchestration.webserver import Webserver
from directus_assets.planning.verdicts import Verdict
from directus_assets.run_tags import range_tags
from directus_assets.settings import Config, Environment, Settings
from directus_assets.snapshot import Wanted, take_snapshot

NAMES = Names()

SIZES = (1_000, 10_000)
ALL_SIZES = (*SIZES, 100_000)
"""The last one takes some minutes and some gigabytes."""

_BATCH = 50
_PER_ROUND = 3


def measure(rounds: int, say: Say, *, sizes: Sequence[int] = SIZES) -> list[Figure]:
    """The figures of this part; each size is compared with the smallest."""
    (picture,) = photographs(1)
    with ExitStack() as stack:
        bed = stack.enter_context(fresh_directus())
        benches = []
        for size in sizes:
            say(f"making a history of {size:,} files")
            benches.append(stack.enter_context(_history(bed, size, picture)))
        there = 0
        for bench in benches:
            say(f"reconcile at {bench.size:,} files")
            add_rows(bed.directus.folder / "data.db", range(there, bench.size))
            there = bench.size
            bench.reconcile()
        # After the cursors were made: this is what is new to them.
        bed.upload(photographs(1, size=(800, 600))[0])
        for number in range(rounds * _PER_ROUND):
            for bench in benches:
                say(f"{number + 1} of {rounds * _PER_ROUND}: {bench.size:,} files")
                bench.take_turn()
        for bench in benches:
            say(f"asset page at {bench.size:,} files")
            bench.look_at_pages(rounds * _PER_ROUND)
    return [figure for bench in benches for figure in _figures(bench, benches[0])]


@dataclass
class _History:
    """One Dagster instance with a number of files, and its measurements."""

    bed: Bed
    size: int
    folder: Path
    instance: dg.DagsterInstance = field(repr=False)
    project: Project
    before: FeedPosition
    picture: bytes = field(repr=False)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    megabytes: float = 0.0

    def take_turn(self) -> None:
        """Take each measurement in this process, once."""
        latest = self.bed.admin.latest_activity_id()
        now = FeedPosition(last_id=latest, first_id=latest)
        self._time("quiet tick", lambda: self._tick(now))
        self._time("tick with a change", lambda: self._tick(self.before))
        self._time("run", self._run)
        self._time("making", lambda: render_all(self.picture))

    def look_at_pages(self, times: int) -> None:
        """The GraphQL query behind the pages of all assets, on a freshly started webserver and on a warm one."""
        with running_pipeline(self.bed, home=self.folder) as running:
            webserver = Webserver(running.pipeline.url)
            self._time("first page", webserver.asset_statuses)
            for _ in range(times):
                self._time("page", webserver.asset_statuses)
            self.megabytes = memory_bytes(running.pid) / 1e6

    def _tick(self, position: FeedPosition) -> None:
        files = Files(self.project, PRESETS)
        sensor = build_partition_sensor([files], self.project, name="bench", description="", jobs=[])
        uploads = UploadPosition(at=dt.datetime.now(dt.UTC))
        cursor = Cursor(feed=position, uploads=uploads, code_versions=dict(files.code_versions))
        sensor(dg.build_sensor_context(instance=self.instance, cursor=cursor.model_dump_json()))

    def _run(self) -> None:
        """Run over a batch, recording it without making anything."""
        tags = range_tags(file_key(0), file_key(_BATCH - 1))
        dg.materialize([recorded], instance=self.instance, tags=tags)

    def reconcile(self) -> None:
        """The comparison of everything, with nothing to do."""
        snapshot = take_snapshot(self.project.directus, Wanted())
        webserver = Webserver(self.project.settings.environment.webserver_url)
        targets = all_kinds(self.project, snapshot)
        walk = Reconcile(
            instance=self.instance,
            memory=self.project.memory,
            webserver=webserver,
            names=NAMES,
            kinds=targets,
            seconds=3600,
        )
        started = time.perf_counter()
        report = walk.run()
        self.seconds["reconcile"] = [(time.perf_counter() - started) / self.size * 1000]
        assert set(report.verdicts) == {("directus_files", Verdict.RIGHT)}, report.verdicts  # noqa: S101

    def _time(self, name: str, work: Callable[[], object]) -> None:
        started = time.perf_counter()
        work()
        self.seconds.setdefault(name, []).append(time.perf_counter() - started)

    def milliseconds(self, name: str) -> tuple[float, ...]:
        """The measurements with this name."""
        return tuple(1000 * seconds for seconds in self.seconds[name])

    @property
    def records(self) -> tuple[float, ...]:
        """Milliseconds for each derivative of a run that records and makes nothing."""
        return tuple(run / (_BATCH * len(PRESETS)) for run in self.milliseconds("run"))

    @property
    def per_derivative(self) -> tuple[float, ...]:
        """Milliseconds for each derivative, made and recorded."""
        making = self.milliseconds("making")
        return tuple(own + made / len(PRESETS) for own, made in zip(self.records, making, strict=True))


def _figures(bench: _History, smallest: _History) -> Iterator[Figure]:
    files = f"at {bench.size:,} files"
    rows = [
        (f"sensor tick with nothing new, {files}", "quiet tick", 200.0),
        (f"sensor tick with one upload, {files}", "tick with a change", None),
        (f"status of all partitions (GraphQL), {files}", "page", 3000.0),
        (f"the same on a webserver that has just started, {files}", "first page", None),
    ]
    for what, name, limit in rows:
        yield Figure(
            part="scale",
            what=what,
            unit="ms",
            ours=bench.milliseconds(name),
            against="" if bench is smallest else f"itself at {smallest.size:,} files",
            theirs=() if bench is smallest else smallest.milliseconds(name),
            goal=ours_at_most(limit) if limit else None,
        )
    batch = f"A batch of {_BATCH} files x {len(PRESETS)} presets."
    derivatives = [
        (f"each derivative, made and recorded in a run, {files}", bench.per_derivative, smallest.per_derivative, 1.3),
        (f"each derivative, recorded in a run and not made, {files}", bench.records, smallest.records, None),
        (
            f"reconcile, for each 1,000 files, {files}",
            bench.milliseconds("reconcile"),
            smallest.milliseconds("reconcile"),
            None,
        ),
    ]
    for what, ours, theirs, ratio in derivatives:
        yield Figure(
            part="scale",
            what=what,
            unit="ms",
            ours=ours,
            against="" if bench is smallest else f"itself at {smallest.size:,} files",
            theirs=() if bench is smallest else theirs,
            goal=None if bench is smallest or ratio is None else ratio_at_most(ratio),
            note=batch if "run" in what else "",
        )
    yield Figure(
        part="scale",
        what=f"memory of all processes of the pipeline together, {files}",
        unit="MB",
        ours=(bench.megabytes,),
        against="" if bench is smallest else f"itself at {smallest.size:,} files",
        theirs=() if bench is smallest else (smallest.megabytes,),
    )


@contextmanager
def _history(bed: Bed, size: int, picture: bytes) -> Iterator[_History]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="directus-assets-bench-")))
        home = prepare_home(folder)
        instance = stack.enter_context(open_instance(home))
        fill(instance, home, size)
        values = {"DIRECTUS_URL": bed.directus.url, "DIRECTUS_TOKEN": bed.directus.bot_token, "DAGSTER_HOME": str(home)}
        environment = Environment.read(values)
        project = Project(Settings(environment=environment, config=Config()))
        latest = bed.admin.latest_activity_id()
        before = FeedPosition(last_id=latest, first_id=latest)
        yield _History(bed, size, folder, instance, project, before, picture)
