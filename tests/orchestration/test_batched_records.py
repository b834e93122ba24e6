"""Batched records compared with Dagster's own storages: the same events in, the same results out."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.event_api import EventRecordsFilter
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.engine import Connection, Engine

from directus_assets.errors import BadInput
from directus_assets.fast.batched_records.sqlite import BatchedSqliteEventLog, BatchedSqliteStorage
from directus_assets.fast.latest import read_latest
from directus_assets.orchestration.runs.history import all_materializations, fingerprints
from directus_assets.orchestration.runs.recorder import Recorder
from directus_assets.orchestration.runs.report import OutputRecord
from directus_assets.run_tags import range_tags
from tests.postgres import running_postgres

FILES = dg.DynamicPartitionsDefinition(name="files")
CARD, HERO = dg.AssetKey(["presets", "card"]), dg.AssetKey(["presets", "hero"])
SOURCE, MANIFEST = dg.AssetKey(["directus", "files"]), dg.AssetKey("manifest")
CHECK = dg.AssetCheckKey(MANIFEST, "is_whole")
KEYS = [f"f{number:03}" for number in range(60)]
NEVER = KEYS[3]
"""The picture that always fails."""


def batched(database: str, name: str, config: str) -> str:
    """The setting in `dagster.yaml`."""
    module = f"directus_assets.fast.batched_records.{database}"
    return f"storage: {{custom: {{module: {module}, class: {name}, config: {{{config}}}}}}}"


SQLITE = batched("sqlite", "BatchedSqliteStorage", "base_dir: {env: DAGSTER_HOME}")

MADE = dg.DagsterEventType.ASSET_MATERIALIZATION
PLANNED = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
OBSERVED = dg.DagsterEventType.ASSET_OBSERVATION


@dg.multi_asset(
    specs=[dg.AssetSpec(key, partitions_def=FILES, skippable=True) for key in (CARD, HERO)], can_subset=True
)
def derivatives(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization]:
    with Recorder(context, SOURCE, {CARD: "code", HERO: "code"}, backoff_seconds=(0,)) as recorder:
        for key in context.partition_keys:
            for asset_key in recorder.open_outputs(key):
                if key == NEVER:
                    recorder.failed(asset_key, key, BadInput("It is damaged."), name=key)
                else:
                    recorder.record(asset_key, key, OutputRecord(data_version=f"v-{key}", metadata={"seconds": 0.5}))
            if key == KEYS[7]:
                context.log.info("A line in between.")
    yield from ()


@dg.asset(key=MANIFEST, check_specs=[dg.AssetCheckSpec("is_whole", asset=MANIFEST)])
def manifest() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    yield dg.MaterializeResult(data_version=dg.DataVersion("1"))
    yield dg.AssetCheckResult(passed=True)


@contextmanager
def instance_in(home: Path, yaml: str = "") -> Iterator[dg.DagsterInstance]:
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{yaml}\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        # What our storages set for their process is none of the next test's business.
        patch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000" if "batched" in yaml else "0")
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance


def make(instance: dg.DagsterInstance, first: str, last: str) -> dg.ExecuteInProcessResult:
    return dg.materialize([derivatives], instance=instance, tags=range_tags(first, last), raise_on_error=False)


def by_status(instance: dg.DagsterInstance) -> dict[str, list[str]]:
    found = instance.get_status_by_partition(CARD, KEYS, FILES) or {}
    return {
        name: [key for key, status in found.items() if status and status.value == name]
        for name in ("MATERIALIZED", "FAILED", "IN_PROGRESS")
    }


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dg.DagsterRun], list[list[dg.EventLogEntry]]]:
    """Runs with their events, in batches as Dagster passes them to its storage."""
    with instance_in(tmp_path_factory.mktemp("source")) as instance:
        instance.add_dynamic_partitions("files", KEYS)
        make(instance, KEYS[0], KEYS[-1])
        make(instance, KEYS[5], KEYS[6])
        dg.materialize([manifest], instance=instance)
        for number in (1, 2):
            instance.report_runless_asset_event(
                dg.AssetMaterialization(HERO, partition=KEYS[number], tags={"dagster/data_version": "adopted"})
            )
        runs = list(reversed(instance.get_runs()))
        batches: list[list[dg.EventLogEntry]] = []
        for run in runs:
            entries = instance.all_logs(run.run_id)
            planned = [entry for entry in entries if entry.dagster_event_type == PLANNED]
            batches += [planned, *([entry] for entry in entries if entry not in planned)]
        runless = instance.fetch_materializations(HERO, limit=2, ascending=False).records
        batches += [[record.event_log_entry] for record in reversed(runless)]
    return runs, batches


Pair = tuple[dg.DagsterInstance, dg.DagsterInstance]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def told(
    request: pytest.FixtureRequest,
    history: tuple[list[dg.DagsterRun], list[list[dg.EventLogEntry]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """A stock instance and one with batched records, both with the same events."""
    runs, batches = history
    with ExitStack() as stack:
        yamls = ["", SQLITE]
        if request.param == "postgres":
            urls = [stack.enter_context(running_postgres()) for _ in range(2)]
            yamls = [
                f"storage: {{postgres: {{postgres_url: '{urls[0]}'}}}}",
                batched("postgres", "BatchedPostgresStorage", f"postgres_url: '{urls[1]}'"),
            ]
        stock, ours = (stack.enter_context(instance_in(tmp_path_factory.mktemp("told"), yaml)) for yaml in yamls)
        for instance in (stock, ours):
            instance.add_dynamic_partitions("files", KEYS)
            for run in runs:
                bare = dg.DagsterRun(run.job_name, run_id=run.run_id, status=run.status, tags=run.tags)
                instance.run_storage.add_run(bare)
            for events in batches:
                if len(events) == 1:
                    instance.event_log_storage.store_event(events[0])
                else:
                    instance.event_log_storage.store_event_batch(events)
        yield stock, ours


def stable(answer: object) -> str:
    """Rows without storage times and asset ids, which differ because attempted inserts consume ids."""
    return re.sub(r"create_timestamp=[\d.]+|^AssetRecord\(storage_id=\d+", "", repr(answer))


Ask = Callable[[EventLogStorage[dg.DagsterInstance], Sequence[str]], Any]
BOTH = [CARD, HERO]

QUESTIONS: dict[str, Ask] = {
    "all_asset_keys": lambda log, _: sorted(log.all_asset_keys()),
    "fetch_failed_materializations": lambda log, _: log.fetch_failed_materializations(CARD, limit=10),
    "fetch_materializations": lambda log, _: [
        log.fetch_materializations(CARD, limit=500),
        log.fetch_materializations(dg.AssetRecordsFilter(HERO, asset_partitions=KEYS[:9]), limit=5, ascending=True),
    ],
    "fetch_observations": lambda log, _: [log.fetch_observations(key, limit=500) for key in BOTH],
    "fetch_run_status_changes": lambda log, _: [
        log.fetch_run_status_changes(kind, limit=10)
        for kind in (dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE)
    ],
    "get_asset_check_execution_history": lambda log, _: stable(log.get_asset_check_execution_history(CHECK, limit=5)),
    "get_asset_check_partition_info": lambda log, _: log.get_asset_check_partition_info([CHECK]),
    "get_asset_check_state": lambda log, _: log.get_asset_check_state([(CHECK, None)]),
    "get_asset_check_summary_records": lambda log, _: stable(log.get_asset_check_summary_records([CHECK])),
    "get_asset_event_summary_records": lambda log, _: [
        log.get_asset_event_summary_records(kind, asset_key=HERO, limit=500) for kind in (MADE, PLANNED, OBSERVED)
    ],
    "get_asset_keys": lambda log, _: log.get_asset_keys(prefix=["presets"]),
    "get_asset_keys_for_run": lambda log, runs: [sorted(log.get_asset_keys_for_run(run)) for run in runs],
    "get_asset_partitions_for_run": lambda log, runs: [
        log.get_asset_partitions_for_run(run, of_type=kind) for run in runs for kind in (MADE, PLANNED)
    ],
    "get_asset_records": lambda log, _: sorted(stable(record) for record in log.get_asset_records()),
    "get_checkpointed_asset_check_state": lambda log, _: log.get_checkpointed_asset_check_state([CHECK]),
    "get_dynamic_partitions": lambda log, _: log.get_dynamic_partitions("files"),
    "get_event_records": lambda log, _: [
        log.get_event_records(EventRecordsFilter(kind, asset_key=CARD), limit=500) for kind in (MADE, PLANNED, OBSERVED)
    ],
    "get_event_tags_for_asset": lambda log, _: log.get_event_tags_for_asset(CARD),
    "get_existing_dynamic_partitions": lambda log, _: [
        log.get_existing_dynamic_partitions("files", [*KEYS[:9], *(f"none {n}" for n in range(absent))])
        for absent in (1, 10_000)
    ],
    "get_freshness_state_records": lambda log, _: log.get_freshness_state_records(BOTH),
    "get_latest_asset_check_execution_by_key": lambda log, _: stable(
        log.get_latest_asset_check_execution_by_key([CHECK])
    ),
    "get_latest_asset_partition_materialization_attempts_without_materializations": lambda log, _: [
        log.get_latest_asset_partition_materialization_attempts_without_materializations(key) for key in BOTH
    ],
    "get_latest_materialization_events": lambda log, _: log.get_latest_materialization_events([*BOTH, MANIFEST]),
    "get_latest_materialization_storage_ids": lambda log, _: log.get_latest_materialization_storage_ids(BOTH),
    "get_latest_planned_materialization_info": lambda log, _: [
        log.get_latest_planned_materialization_info(key, partition) for key in BOTH for partition in KEYS[:9]
    ],
    "get_latest_storage_id_by_partition": lambda log, _: [
        log.get_latest_storage_id_by_partition(key, kind) for key in BOTH for kind in (MADE, PLANNED)
    ],
    "get_latest_tags_by_partition": lambda log, _: log.get_latest_tags_by_partition(
        CARD, MADE, ["dagster/data_version"]
    ),
    "get_logs_for_run": lambda log, runs: [log.get_logs_for_run(run) for run in runs],
    "get_materialized_partitions": lambda log, _: [log.get_materialized_partitions(key) for key in BOTH],
    "get_paginated_dynamic_partitions": lambda log, _: log.get_paginated_dynamic_partitions("files", 7, ascending=True),
    "get_records_for_run": lambda log, runs: [log.get_records_for_run(run, of_type=MADE, limit=50) for run in runs],
    "get_stats_for_run": lambda log, runs: [log.get_stats_for_run(run) for run in runs],
    "get_step_stats_for_run": lambda log, runs: [log.get_step_stats_for_run(run) for run in runs],
    "get_updated_data_version_partitions": lambda log, _: log.get_updated_data_version_partitions(HERO, KEYS, 100),
    "has_asset_key": lambda log, _: [log.has_asset_key(key) for key in (*BOTH, SOURCE)],
    "has_dynamic_partition": lambda log, _: log.has_dynamic_partition("files", KEYS[0]),
}

NOT_ASKED = {
    "get_asset_status_cache_values",  # works by the questions above; see the statuses below
    "get_asset_tags_to_index",  # no query
    "get_concurrency_info",  # pools hold no events
    "get_concurrency_infos",
    "get_concurrency_keys",
    "get_concurrency_run_ids",
    "get_pool_config",
    "get_pool_limits",
    "get_logs_for_all_runs_by_log_id",  # not on SQLite
    "get_maximum_record_id",
    "has_bounded_dynamic_partition_membership_query",
    "has_instance",
}


def test_every_query_of_the_storage_is_asked_below() -> None:
    queries = {name for name in dir(EventLogStorage) if name.startswith(("all_", "fetch_", "get_", "has_"))}

    assert queries == QUESTIONS.keys() | NOT_ASKED


def test_the_latest_records_are_read_from_all_of_them(told: Pair) -> None:
    """`fast.latest` reads the tables itself."""
    for instance in told:
        built: dict[str | None, Mapping[str, str] | None] = {}
        for record in all_materializations(instance, HERO, KEYS):
            event = record.asset_materialization
            built.setdefault(record.partition_key, event.tags if event else None)

        read = read_latest(instance, HERO, KEYS)

        assert read is not None
        assert {key: found.tags for key, found in read.items()} == built
        assert read[KEYS[1]].tags["dagster/data_version"] == "adopted"


@pytest.mark.parametrize("query", QUESTIONS)
def test_the_same_events_give_the_same_answers_as_dagsters_own_storage(told: Pair, query: str) -> None:
    stock, ours = told
    runs = [run.run_id for run in stock.get_runs()]

    expected = QUESTIONS[query](stock.event_log_storage, runs)
    answer = QUESTIONS[query](ours.event_log_storage, runs)

    assert answer == expected
    assert "Batched" in type(ours.event_log_storage).__name__


def test_partitions_have_the_same_statuses_as_in_dagsters_own_storage(told: Pair) -> None:
    stock, ours = told

    assert by_status(ours) == by_status(stock)
    assert by_status(ours)["FAILED"] == [NEVER]
    assert len(by_status(ours)["MATERIALIZED"]) == len(KEYS) - 1


def test_a_folder_goes_from_the_stock_storage_to_batches_and_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with instance_in(home) as stock:
        stock.add_dynamic_partitions("files", KEYS)
        make(stock, KEYS[0], KEYS[9])

    with instance_in(home, SQLITE) as ours:
        before = by_status(ours)
        make(ours, KEYS[10], KEYS[19])

    with instance_in(home) as stock:
        make(stock, KEYS[20], KEYS[24])
        after = by_status(stock)
        known = fingerprints(stock, {"card": CARD, "hero": HERO}, KEYS)

    made = [key for key in KEYS[:25] if key != NEVER]
    assert before == {"MATERIALIZED": [key for key in made if key < KEYS[10]], "FAILED": [NEVER], "IN_PROGRESS": []}
    assert after == {"MATERIALIZED": made, "FAILED": [NEVER], "IN_PROGRESS": []}
    assert known == {(name, key): f"v-{key}" for key in made for name in ("card", "hero")}


def an_outcome(key: str) -> dg.EventLogEntry:
    """An observation as a run logs it."""
    with dg.DagsterInstance.ephemeral() as elsewhere:
        elsewhere.add_dynamic_partitions("files", [key])
        result = make(elsewhere, key, key)
        records = elsewhere.get_records_for_run(result.run_id, of_type=MADE).records
        return records[0].event_log_entry


def materialized_on_disk(home: Path) -> int:
    """The materialized partitions, as another process sees them."""
    with closing(sqlite3.connect(home / "history" / "runs" / "index.db")) as database:
        query = "SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
        return int(database.execute(query).fetchone()[0])


OPENS = """
import sys, time
from pathlib import Path
from directus_assets.fast.batched_records.sqlite import BatchedSqliteEventLog, BatchedSqliteStorage
home = Path(sys.argv[1])
print("ready", flush=True)
while not (home / "go").exists():
    time.sleep(0.001)
BatchedSqliteStorage(str(home / "storage")).run_storage.get_runs_count()
"""


def test_processes_that_open_a_new_home_at_the_same_moment_all_can(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPENS, str(tmp_path)]
    opening = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    for process in opening:
        assert process.stdout is not None
        process.stdout.readline()
    (tmp_path / "go").touch()

    for process in opening:
        process.communicate(timeout=240)
    assert [process.returncode for process in opening] == [0] * 4
    BatchedSqliteStorage(str(tmp_path / "storage")).dispose()


def test_an_outcome_waits_for_others_but_not_for_long(tmp_path: Path) -> None:
    event = an_outcome(KEYS[0])
    with instance_in(tmp_path, SQLITE) as instance:
        instance.event_log_storage.store_event(event)
        at_once = materialized_on_disk(tmp_path)
        deadline = time.monotonic() + 60
        while not materialized_on_disk(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)

        assert (at_once, materialized_on_disk(tmp_path)) == (0, 1)


def test_whoever_asks_the_same_storage_finds_what_waits(tmp_path: Path) -> None:
    event = an_outcome(KEYS[0])
    with instance_in(tmp_path, SQLITE) as instance:
        instance.event_log_storage.store_event(event)

        assert instance.get_materialized_partitions(event.get_dagster_event().asset_key) == {KEYS[0]}


def test_outcomes_that_cannot_be_stored_fail_what_comes_next_and_are_stored_later(tmp_path: Path) -> None:
    event = an_outcome(KEYS[0])
    with instance_in(tmp_path, SQLITE) as instance:
        instance.event_log_storage.store_event(event)
        with closing(sqlite3.connect(tmp_path / "history" / "runs" / "index.db")) as database, database:
            database.execute("ALTER TABLE event_logs RENAME TO gone")
        with pytest.raises(Exception, match="no such table"):
            instance.report_engine_event("the end", run_id=event.run_id, job_name="job")
        with closing(sqlite3.connect(tmp_path / "history" / "runs" / "index.db")) as database, database:
            database.execute("ALTER TABLE gone RENAME TO event_logs")
        instance.report_engine_event("the end", run_id=event.run_id, job_name="job")

        assert materialized_on_disk(tmp_path) == 1


class BrieflyAway(BatchedSqliteEventLog):
    """A database that cannot be reached at first."""

    tries = 0

    def _store_together(self, events: Sequence[dg.EventLogEntry]) -> None:
        self.tries += 1
        if self.tries == 1:
            raise DagsterPostgresException("too many retries for DB connection")
        super()._store_together(events)


def test_outcomes_that_nothing_follows_are_stored_once_the_database_is_back(tmp_path: Path) -> None:
    with instance_in(tmp_path, SQLITE), ExitStack() as stack:
        events = BrieflyAway(str(tmp_path / "history" / "runs"))
        stack.callback(events.dispose)
        events.store_event(an_outcome(KEYS[0]))
        deadline = time.monotonic() + 60
        while not materialized_on_disk(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)

        assert materialized_on_disk(tmp_path) == 1


def test_whoever_sees_that_a_run_has_failed_finds_it_failed(tmp_path: Path) -> None:
    """Dagster's daemon, which retries failed runs, looks at each such event once."""
    run = dg.DagsterRun(job_name="derivatives", status=dg.DagsterRunStatus.STARTED)
    with dg.DagsterInstance.ephemeral() as elsewhere:
        elsewhere.report_run_failed(elsewhere.add_run(run))
        event = elsewhere.all_logs(run.run_id)[-1]

    with instance_in(tmp_path, SQLITE) as instance:
        instance.add_run(run)
        instance.event_log_storage.store_event(event)

        (found,) = instance.get_runs()
        assert found.status is dg.DagsterRunStatus.FAILURE


def test_an_index_that_was_removed_meanwhile_is_made_anew(tmp_path: Path) -> None:
    event = an_outcome(KEYS[0])
    with instance_in(tmp_path, SQLITE) as instance:
        for path in (tmp_path / "history" / "runs").glob("index.db*"):
            path.unlink()
        instance.event_log_storage.store_event_batch([event])

        assert materialized_on_disk(tmp_path) == 1


def test_a_run_that_is_killed_loses_only_what_is_then_made_again(tmp_path: Path) -> None:
    """The 31st picture kills the process; what was made is known up to the last batch, and nothing else is."""
    home = tmp_path / "home"
    with instance_in(home) as stock:
        stock.add_dynamic_partitions("files", KEYS)
    (home / "dagster.yaml").write_text(SQLITE, "utf-8")
    script = f"""
        import os, signal, time
        import dagster as dg
        from tests.orchestration import test_batched_records as t

        @dg.multi_asset(specs=list(t.derivatives.specs), can_subset=True)
        def derivatives(context: dg.AssetExecutionContext):
            with t.Recorder(context, t.SOURCE, {{t.CARD: "code", t.HERO: "code"}}) as recorder:
                for number, key in enumerate(context.partition_keys):
                    if number == 30:
                        os.kill(os.getpid(), signal.SIGKILL)
                    if number == 20:
                        time.sleep(2)
                    for asset_key in recorder.open_outputs(key):
                        recorder.record(asset_key, key, t.OutputRecord(data_version=f"v-{{key}}", metadata={{}}))
            yield from ()

        with dg.DagsterInstance.get() as instance:
            dg.materialize([derivatives], instance=instance, tags=t.range_tags({KEYS[10]!r}, {KEYS[59]!r}))
    """
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "DAGSTER_HOME": str(home)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL

    with instance_in(home, SQLITE) as instance:
        (run,) = instance.get_runs()
        instance.report_run_failed(run)
        first = by_status(instance)
        make(instance, first["FAILED"][0], first["FAILED"][-1])
        second = by_status(instance)

    assert first["MATERIALIZED"] == KEYS[10:30]
    assert first["FAILED"] == KEYS[30:60]
    assert second["MATERIALIZED"] == KEYS[10:60]


def test_runs_and_ticks_are_those_of_the_stock_storage_and_read_through_one_engine_each(tmp_path: Path) -> None:
    used: list[Engine] = []

    def note(connection: Connection) -> None:
        used.append(connection.engine)

    with instance_in(tmp_path, "") as stock:
        run = stock.create_run_for_job(dg.GraphDefinition("g").to_job("a_job"))
    with instance_in(tmp_path, SQLITE) as instance:
        sa.event.listen(Engine, "engine_connect", note)
        try:
            found = [instance.get_run_by_id(run.run_id) for _ in range(3)]
            states = [list(instance.all_instigator_state()) for _ in range(3)]
        finally:
            sa.event.remove(Engine, "engine_connect", note)
        instance.add_run_tags(run.run_id, {"seen": "yes"})

    assert [each and each.job_name for each in found] == ["a_job"] * 3
    assert states == [[]] * 3
    assert len(used) >= 6
    assert len(set(used)) == 2
    with instance_in(tmp_path, "") as stock:
        assert dict(stock.get_run_by_id(run.run_id).tags)["seen"] == "yes"  # type: ignore[union-attr]


def test_a_runs_file_is_as_dagster_makes_it(tmp_path: Path) -> None:
    stock = SqliteEventLogStorage(str(tmp_path / "stock"))
    ours = BatchedSqliteEventLog(str(tmp_path / "ours"))
    for storage in (stock, ours):
        with storage.run_connection("run") as conn:
            conn.execute(sa.text("SELECT 1"))
        storage.dispose()

    made, known = (
        [told_by(tmp_path / name / "run.db", question) for question in _ABOUT_A_FILE] for name in ("ours", "stock")
    )

    assert made == known
    assert not list((tmp_path / "ours").glob("*.part*"))


_ABOUT_A_FILE = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name",
    "SELECT version_num FROM alembic_version",
    "PRAGMA journal_mode",
    "PRAGMA page_size",
    "PRAGMA encoding",
    "PRAGMA integrity_check",
)


def told_by(file: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as conn:
        return conn.execute(question).fetchall()


def test_a_runs_file_that_cannot_be_copied_is_made_by_dagster(tmp_path: Path) -> None:
    ours = BatchedSqliteEventLog(str(tmp_path))
    (tmp_path / f"run.{os.getpid()}.part").mkdir()

    with ours.run_connection("run") as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM event_logs")).scalar() == 0
    ours.dispose()
