"""Translations in the running system: daemon, queue and run workers, the real Directus, and the command `plan`."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.webserver import Webserver
from directus_assets.ownership.record_store import RecordStore
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from directus_assets.translation.records import TranslationRecord
from tests.directus_proxy import DirectusProxy
from tests.translation.scripted_openai import ScriptedOpenAI, answer_right, unauthorized

pytestmark = pytest.mark.integration

TARGETS = ("de-DE", "fr-FR", "ja-JP", "ar-SA")
PATIENCE_SECONDS = 400
CONFIG = """
translations:
  prices:
    tiny: {input: 1000, output: 1000}
# Once a year: a comparison that came in between would be a run.
reconcile: {cron: "0 0 1 1 *"}
notify: {webhook: "http://127.0.0.1:9/hooks/hook-4f1b7c2e9a"}
"""
SECRETS = {"engine": "engine-5b1d8e7c3f", "storage": "storage-9c2a6d4e1b", "webhook": "hook-4f1b7c2e9a"}
SENSORS = ("directus_files_sensor", "directus_settings_sensor", "directus_posts_sensor", "directus_pages_sensor")


@pytest.fixture(scope="module")
def engine() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def wire(directus: LocalDirectus) -> Iterator[DirectusProxy]:
    """The proxy between the pipeline and Directus."""
    with DirectusProxy(directus.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def pipeline(
    directus: LocalDirectus,
    studio: DirectusClient,
    engine: ScriptedOpenAI,
    wire: DirectusProxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalPipeline]:
    environment = {
        "DIRECTUS_URL": wire.url,
        "OPENAI_API_KEY": SECRETS["engine"],
        "STORAGE_CDN_SECRET": SECRETS["storage"],
        "OPENAI_BASE_URL": engine.url,
        "OPENAI_MODEL": "tiny",
    }
    folder = tmp_path_factory.mktemp("pipeline")
    with LocalPipeline(directus, folder, config=CONFIG, environment=environment) as running:
        # The first tick only notes where the feed stands.
        _wait(lambda: _ticks(running, "directus_posts_sensor") > 0 and _ticks(running, "directus_pages_sensor") > 0)
        yield running


def test_new_items_are_there_in_all_languages_without_configuration(
    pipeline: LocalPipeline, studio: DirectusClient
) -> None:
    post = _create_post(studio, title="Bread", body="<p>The dough has to rest.</p>")
    page = str(studio.post("/items/pages", {"title": "About us", "body": "The dough has to **rest**."})["id"])

    _wait(lambda: len(_rows(studio, "posts", post)) == 5 and len(_rows(studio, "pages", page)) == 4)

    for code in TARGETS:
        assert _rows(studio, "posts", post)[code]["title"] == pseudo("Bread", target=language(code))
        assert _rows(studio, "pages", page)[code]["title"] == pseudo("About us", target=language(code))


def test_a_run_worker_that_is_killed_loses_nothing_and_pays_nothing_twice(
    pipeline: LocalPipeline, studio: DirectusClient, engine: ScriptedOpenAI
) -> None:
    records = RecordStore(LocalStorage(pipeline.home / "translations"), TranslationRecord)
    engine.asked.clear()
    engine.delay_seconds = 6
    body = "\n".join(f"<p>Paragraph {n}: the dough has to rest.</p>" for n in range(100))
    post = _create_post(studio, body=body)
    _wait(lambda: any(records.is_known("posts", post, code) for code in TARGETS))

    os.kill(_run_worker(pipeline), signal.SIGKILL)

    before = len(engine.asked)
    found = {code: records.load("posts", post, code) for code in TARGETS}
    remembered = {
        code: len(record.segments) + sum(len(answer.texts) for answer in record.answers)
        for code, record in found.items()
    }
    assert 0 < sum(remembered.values()) < 400
    assert {row["body"].count("</p>") for row in _rows(studio, "posts", post).values()} == {100}
    engine.delay_seconds = 0
    _wait(lambda: len(_rows(studio, "posts", post)) == 5)
    for code in TARGETS:
        assert _rows(studio, "posts", post)[code]["body"].count("</p>") == 100
        again = [len(asked.segments) for asked in engine.asked[before:] if asked.target.code == code]
        assert sum(again) == 100 - remembered[code]


def test_a_new_language_is_there_without_a_restart_and_what_exists_waits_for_a_backfill(
    pipeline: LocalPipeline, studio: DirectusClient, engine: ScriptedOpenAI
) -> None:
    page = studio.post("/items/pages", {"title": "Rye", "body": "The dough has to **rest**."})
    items = {"posts": _create_post(studio, title="Rye"), "pages": str(page["id"])}
    _wait(lambda: all("fr-FR" in _rows(studio, name, key) for name, key in items.items()))

    studio.post("/items/languages", {"code": "es-ES", "name": "Spanish"})
    _wait(lambda: "es-ES" in (pipeline.home / "directus_snapshot.json").read_text("utf-8"))
    ticks = {name: _ticks(pipeline, f"directus_{name}_sensor") for name in ("posts", "pages")}
    _wait(lambda: all(_ticks(pipeline, f"directus_{name}_sensor") > before + 5 for name, before in ticks.items()))
    assert not any(asked.target.code == "es-ES" for asked in engine.asked)

    chosen = ("--language", "es-ES", "--missing-only")
    priced = _command(pipeline, "backfill", *chosen, "--dry-run")
    assert priced.returncode == 0, priced.stderr
    assert re.search(r"posts\s+│\s+es-ES\s+│\s+[1-9]", priced.stdout)
    assert not any(asked.target.code == "es-ES" for asked in engine.asked)
    # The webserver follows the new definitions within seconds.
    _wait(lambda: _command(pipeline, "backfill", *chosen, "--yes").returncode == 0)

    _wait(lambda: all("es-ES" in _rows(studio, name, key) for name, key in items.items()))


def test_plan_prices_what_a_backfill_would_send_and_sends_nothing(
    pipeline: LocalPipeline, studio: DirectusClient, engine: ScriptedOpenAI
) -> None:
    before = len(engine.asked)

    everything = _plan(pipeline)
    missing = _plan(pipeline, "--missing-only", "--collection", "posts", "--language", "de-DE")

    assert len(engine.asked) == before
    assert re.search(r"posts\s+│\s+de-DE\s+│\s+\d+\s+│\s+0\s+│\s+0\s+│\s+0\s+│", everything)
    assert re.search(r"posts\s+│\s+de-DE\s+│(\s+0\s+│){7}\s+0.00", missing)
    assert "fr-FR" not in missing.partition("Translations by")[2]


def test_a_steady_system_is_silent_for_ten_ticks(
    pipeline: LocalPipeline, engine: ScriptedOpenAI, wire: DirectusProxy
) -> None:
    _wait(lambda: _unfinished(pipeline) == 0)
    runs, asked = _runs(pipeline), len(engine.asked)
    before = {sensor: _ticks(pipeline, sensor) for sensor in SENSORS}
    requests = len(wire.requests)

    _wait(lambda: all(_ticks(pipeline, sensor) >= before[sensor] + 10 for sensor in SENSORS))

    requests = len(wire.requests) - requests
    # One tick of each sensor may have been at work at either end.
    ticks = sum(_ticks(pipeline, sensor) - before[sensor] + 1 for sensor in SENSORS)
    assert (_runs(pipeline), len(engine.asked)) == (runs, asked)
    assert requests <= ticks
    assert {request.partition("?")[0] for request in wire.requests[-requests:]} == {"GET /activity"}


def test_no_secret_is_in_anything_that_the_pipeline_and_directus_have_written(
    pipeline: LocalPipeline,
    directus: LocalDirectus,
    studio: DirectusClient,
    engine: ScriptedOpenAI,
    wire: DirectusProxy,
) -> None:
    engine.always(unauthorized)
    failed = _failed(pipeline)
    # What any item has had translated before is not asked for again.
    _create_post(studio, title="Nobody has translated this so far")
    _wait(lambda: _failed(pipeline) > failed)
    before = _ticks(pipeline, "directus_files_sensor")
    wire.repeats_credentials = True
    _wait(lambda: _ticks(pipeline, "directus_files_sensor") >= before + 2)
    wire.repeats_credentials = False
    engine.always(answer_right)
    pipeline.stop()

    written = {path.relative_to(pipeline.folder): _content(path) for path in pipeline.folder.rglob("*")}
    written[Path("directus.log")] = directus.log.read_bytes()

    # The search would find something: what the two refusals said, without the secrets in them.
    assert any(b"Incorrect API key provided" in content for content in written.values())
    assert any(b"is not welcome" in content for content in written.values())
    secrets = {**SECRETS, "directus": directus.bot_token}
    assert [
        (name, str(path))
        for path, content in written.items()
        for name, secret in secrets.items()
        if secret.encode() in content and path != Path("directus_assets.yaml")
    ] == []


def _content(path: Path) -> bytes:
    """The content of a file, including compressed content of databases."""
    if not path.is_file():
        return b""
    content = path.read_bytes()
    if not content.startswith(b"SQLite format 3"):
        return content
    parts = [content]
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        # What virtual tables show stands in others.
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %'"
        tables = [name for (name,) in database.execute(query)]
        rows = [row for name in tables for row in database.execute(f'SELECT * FROM "{name}"')]  # noqa: S608  # its own
    for blob in (value for row in rows for value in row if isinstance(value, bytes)):
        with suppress(zlib.error):
            parts.append(zlib.decompress(blob))
    return b"\0".join(parts)


def _failed(pipeline: LocalPipeline) -> int:
    query = "{ runsOrError(filter: {statuses: [FAILURE]}) { ... on Runs { count } } }"
    return int(Webserver(pipeline.url)._ask(query)["runsOrError"]["count"])


def _create_post(studio: DirectusClient, **texts: Any) -> str:
    return str(studio.post("/items/posts", {"translations": [{"languages_code": "en-US", **texts}]})["id"])


def _rows(studio: DirectusClient, collection: str, item: str) -> dict[str, dict[str, Any]]:
    rows = studio.get(f"/items/{collection}_translations", filter={f"{collection}_id": {"_eq": item}}, limit=-1)
    found = {row["languages_code"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "It did not happen."
        time.sleep(0.5)


def _ticks(pipeline: LocalPipeline, sensor: str) -> int:
    """The number of completed ticks."""
    selector = {"repositoryLocationName": "directus_assets", "repositoryName": "__repository__", "sensorName": sensor}
    query = """query ($selector: SensorSelector!) {
        sensorOrError(sensorSelector: $selector) { ... on Sensor { sensorState { ticks(limit: 500) { status } } } }
    }"""
    found = Webserver(pipeline.url)._ask(query, selector=selector)["sensorOrError"]
    return sum(tick["status"] != "STARTED" for tick in found.get("sensorState", {}).get("ticks", []))


def _runs(pipeline: LocalPipeline) -> int:
    query = "{ runsOrError { ... on Runs { count } } }"
    return int(Webserver(pipeline.url)._ask(query)["runsOrError"]["count"])


def _unfinished(pipeline: LocalPipeline) -> int:
    query = "{ runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED]}) { ... on Runs { count } } }"
    return int(Webserver(pipeline.url)._ask(query)["runsOrError"]["count"])


def _run_worker(pipeline: LocalPipeline) -> int:
    """The process of the latest run, according to its log."""
    ask = Webserver(pipeline.url)._ask
    (run,) = ask("{ runsOrError(limit: 1) { ... on Runs { results { runId } } } }")["runsOrError"]["results"]
    query = """query ($runId: ID!) {
        logsForRun(runId: $runId) { ... on EventConnection { events { ... on MessageEvent { message } } } }
    }"""
    messages = "\n".join(event.get("message", "") for event in ask(query, **run)["logsForRun"]["events"])
    return int(re.findall(r"process \(pid: (\d+)\)", messages)[-1])


def _plan(pipeline: LocalPipeline, *options: str) -> str:
    done = _command(pipeline, "plan", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _command(pipeline: LocalPipeline, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).parent / "directus-assets"), *arguments]
    environment = {**os.environ, **pipeline.environment, "COLUMNS": "160"}
    return subprocess.run(
        command, cwd=pipeline.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
