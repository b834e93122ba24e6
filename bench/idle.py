"""Idle: the cost of a pipeline with nothing to do."""

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import httpx

from bench.bed import fresh_directus, photographs, running_pipeline
from bench.figures import Figure, ours_at_most
from bench.processes import cpu_seconds, memory_bytes, with_command, written_bytes
from directus_assets.local.progress import Say

_SECONDS = 30
_CODE_LOCATION = "code-server"
# 0.8 times the 581 MB that a plain `dagster dev` took before there were a door, a watch and a warm process.
_MOST_MEGABYTES = 465
_SENSORS = "{ repositoriesOrError { ... on RepositoryConnection { nodes { sensors { id } } } } }"
_REQUEST = re.compile(r'"url":"/(?!server/ping)')


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part: in each round, half a minute of the same Directus without and with the pipeline."""
    requests, ours_cpu, own_cpu, theirs_cpu, megabytes, rows, memory = [], [], [], [], [], [], []
    alone, ticked, beyond = [], [], []
    # Directus notes each request at this level.
    with fresh_directus(with_texts=True, environment={"LOG_LEVEL": "info"}) as bed:
        say("Directus alone")
        time.sleep(10)
        for _ in range(rounds):
            before = bed.cpu_seconds
            time.sleep(_SECONDS)
            alone.append((bed.cpu_seconds - before) * 60 / _SECONDS)
        say("with the pipeline")
        with running_pipeline(bed, environment={"TRANSLATION_ENGINE": "pseudo"}) as running:
            running.wait_until_recorded([bed.upload(photographs(1, size=(800, 600))[0])])
            running.wait_until_quiet()
            time.sleep(15)
            code_location = with_command(running.pid, _CODE_LOCATION)[0]
            for _ in range(rounds):
                own, stored = cpu_seconds(code_location), _ticks_stored(running.instance)
                asked = _count(bed.directus.log, _REQUEST)
                cpu, directus, written = cpu_seconds(running.pid), bed.cpu_seconds, written_bytes(running.pid)
                time.sleep(_SECONDS)
                ticks = _ticks_stored(running.instance) - stored
                ticked.append(ticks)
                requests.append((_count(bed.directus.log, _REQUEST) - asked) / ticks)
                ours_cpu.append((cpu_seconds(running.pid) - cpu) / ticks * 1000)
                own_cpu.append((cpu_seconds(code_location) - own) / ticks * 1000)
                rows.append(ticks * 3600 / _SECONDS)
                theirs_cpu.append((bed.cpu_seconds - directus) * 60 / _SECONDS)
                megabytes.append((written_bytes(running.pid) - written) * 3600 / _SECONDS / 1e6)
                memory.append(memory_bytes(running.pid) / 1e6)
            say("with its sensors stopped")
            _stop_sensors(running.pipeline.url)
            time.sleep(15)
            for number in range(rounds):
                cpu = cpu_seconds(running.pid)
                time.sleep(_SECONDS)
                still = (cpu_seconds(running.pid) - cpu) / ticked[number] * 1000
                beyond.append(ours_cpu[number] - still)
    return [
        Figure(
            part="idle",
            what="requests to Directus for each sensor and tick",
            unit="requests",
            ours=tuple(requests),
            goal=ours_at_most(1),
        ),
        Figure(
            part="idle",
            what="CPU for each sensor and tick, beyond the same Dagster with its sensors stopped",
            unit="ms",
            ours=tuple(beyond),
            goal=ours_at_most(100),
            note="Four sensors every five seconds.",
        ),
        Figure(
            part="idle",
            what="all CPU of webserver, daemon and code location, divided by the ticks",
            unit="ms",
            ours=tuple(ours_cpu),
        ),
        Figure(
            part="idle",
            what="of that, in the code location, where all but Dagster's own is done",
            unit="ms",
            ours=tuple(own_cpu),
        ),
        Figure(
            part="idle",
            what="CPU of Directus in a minute, with the pipeline",
            unit="s",
            ours=tuple(theirs_cpu),
            against="Directus alone",
            theirs=tuple(alone),
        ),
        Figure(part="idle", what="written to the disk in an hour", unit="MB", ours=tuple(megabytes)),
        Figure(
            part="idle",
            what="ticks that Dagster stores in an hour, and forgets after a day",
            unit="rows",
            ours=tuple(rows),
            note="The daemon writes each when it begins and when it ends, and the cursor beside it.",
        ),
        Figure(
            part="idle",
            what="memory of all processes of the pipeline together, shared pages counted once",
            unit="MB",
            ours=tuple(memory),
            goal=ours_at_most(_MOST_MEGABYTES),
        ),
    ]


def _stop_sensors(url: str) -> None:
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:

        def ask(query: str) -> dict[str, Any]:
            return dict(http.post("/graphql", json={"query": query}).raise_for_status().json()["data"])

        for repository in ask(_SENSORS)["repositoriesOrError"]["nodes"]:
            for sensor in repository["sensors"]:
                stopped = ask(f"mutation {{ stopSensor(id: {json.dumps(sensor['id'])}) {{ __typename }} }}")[
                    "stopSensor"
                ]
                assert stopped["__typename"] == "StopSensorMutationResult", stopped  # noqa: S101


def _ticks_stored(instance: dg.DagsterInstance) -> int:
    with closing(sqlite3.connect(Path(instance.root_directory) / "schedules" / "schedules.db")) as database:
        return int(database.execute("SELECT count(*) FROM job_ticks").fetchone()[0])


def _count(log: Path, pattern: re.Pattern[str]) -> int:
    return len(pattern.findall(log.read_text("utf-8", errors="replace")))
