import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from rich.console import Console

from directus_assets.commands.status import (
    OutputStatus,
    as_json,
    dagster_problems,
    directus_problems,
    last_errors,
    output_problems,
    output_statuses,
    project_status,
    run_status,
    webserver_problems,
)
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import Preset
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.sensors.outages import TRIES_AGAIN
from directus_assets.orchestration.webserver import Webserver
from directus_assets.settings import Environment, Settings
from tests.orchestration.scripted_project import ScriptedDirectus, ScriptedProject, materialize

NAMES = Names()

CARD = Preset(key="card", fit="cover", width=200, height=200, format="webp")
BIGGER = Preset(key="card", fit="cover", width=300, height=300, format="webp")


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_partitions_are_counted_as_done_or_behind(instance: dg.DagsterInstance) -> None:
    directus = ScriptedDirectus()
    directus.upload("a", "b")
    instance.add_dynamic_partitions("directus_files", ["a", "b", "c"])
    materialize(instance, directus, CARD)
    project = ScriptedProject(directus)
    counts = {"partitions": 3, "failed": 0, "review": 0, "running": 0, "oldest_review": 0.0}

    (now,) = output_statuses(instance, Files(project, [CARD]))
    (changed,) = output_statuses(instance, Files(project, [BIGGER]))

    assert now == OutputStatus(name="image_presets/card", done=2, behind=0, **counts)
    assert changed == OutputStatus(name="image_presets/card", done=0, behind=2, **counts)


def test_the_command_works_while_webserver_and_directus_are_down_and_says_so(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    (tmp_path / "directus_snapshot.json").write_text(
        '{"url": "http://127.0.0.1:1", "rows": {"storage_asset_presets": [{"key": "card"}]}, "collections": []}'
    )
    instance.report_runless_asset_event(
        dg.AssetObservation(NAMES.preset("card"), partition="a", metadata={"failed": "Harbour [1]: corrupt"})
    )
    environment = Environment.read(
        {
            "DIRECTUS_URL": "http://127.0.0.1:1",
            "DIRECTUS_TOKEN": "t",
            "DAGSTER_HOME": str(tmp_path),
            "DAGSTER_WEBSERVER_URL": "http://127.0.0.1:1",
        }
    )
    for number in range(6):
        instance.report_runless_asset_event(
            dg.AssetObservation(NAMES.preset("card"), partition=str(number), metadata={"proposals": 1})
        )
    settings = Settings(environment=environment)
    places = {"translations/posts/de-DE": {"1": "a", "2": "b"}, "translations/posts/fr-FR": {"1": "c"}}
    Project(settings).memory.write(
        "proposals.json", json.dumps({"places": places}).encode(), content_type="application/json"
    )
    screen = io.StringIO()

    status = run_status(Console(file=screen, width=150), settings)
    checked = run_status(Console(file=io.StringIO()), settings, check=True)
    document = json.loads(as_json([project_status(settings)]))
    instance.add_dynamic_partitions("directus_files", ["b"])
    run_status(Console(file=(later := io.StringIO()), width=150), settings)

    assert "start it with" not in screen.getvalue()
    assert "start it with" in later.getvalue()
    assert (status, checked, document["ok"]) == (0, 1, False)
    assert "1 more is complete (shown with --all)" in screen.getvalue()
    assert "Webserver: Dagster's webserver at http://127.0.0.1:1 does not respond" in screen.getvalue()
    assert "Directus: " in screen.getvalue()
    assert "Runs: 0 running, 0 queued." in screen.getvalue()
    assert "3 proposals: people have corrected the same text elsewhere. → directus-assets memory apply" in (
        screen.getvalue()
    )
    assert document["projects"][0]["proposals"] == 3
    assert "image_presets/card: Harbour [1]: corrupt" in screen.getvalue()
    assert document["projects"][0]["last_errors"][0]["text"] == "image_presets/card: Harbour [1]: corrupt"
    assert {problem["what"] for problem in document["projects"][0]["problems"]} == {"Directus", "Webserver"}


def test_an_item_that_fails_in_several_outputs_is_told_once(instance: dg.DagsterInstance) -> None:
    failed = [
        dg.AssetKey(["translations", "pages", "de-DE"]),
        dg.AssetKey(["translations", "posts", "de-DE"]),
        dg.AssetKey(["translations", "posts", "fr-FR"]),
    ]
    for key in [*failed, *failed]:
        instance.report_runless_asset_event(dg.AssetObservation(key, partition="1", metadata={"failed": "No."}))

    told = [text for _, text in last_errors(instance, failed)]

    assert told == [
        "translations/posts/fr-FR: No. (And 1 more of its outputs.)",
        "translations/pages/de-DE: No.",
    ]


def test_a_directus_that_does_not_take_the_token_is_a_problem() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") == "Bearer right":
            return httpx.Response(200, json={"data": {"id": "bot"}})
        error = {"message": "Invalid user credentials.", "extensions": {"code": "INVALID_CREDENTIALS"}}
        return httpx.Response(401, json={"errors": [error]})

    wrong, right = (
        list(directus_problems(DirectusClient("http://d.test", token, transport=httpx.MockTransport(answer))))
        for token in ("wrong", "right")
    )

    assert right == []
    assert [problem.what for problem in wrong] == ["Directus"]
    assert "DIRECTUS_TOKEN" in wrong[0].remedy


@pytest.mark.parametrize("data", [{}, {"workspaceOrError": None}, {"workspaceOrError": {"locationEntries": [None]}}])
def test_a_webserver_that_answers_something_else_is_a_problem_and_no_end(data: object) -> None:
    webserver = Webserver(
        "http://dagster.example.com",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"data": data})),
    )

    (problem,) = webserver_problems(webserver, SETTINGS)

    assert problem.what == "Webserver"


def test_parts_of_the_daemon_that_do_not_run_are_named() -> None:
    rows = [
        {"daemonType": "SENSOR", "required": True, "healthy": False},
        {"daemonType": "BACKFILL", "required": True, "healthy": True},
        {"daemonType": "MONITORING", "required": False, "healthy": None},
    ]
    answer = {"data": {"instance": {"daemonHealth": {"allDaemonStatuses": rows}}}}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))

    assert Webserver("http://dagster.example.com", transport=transport).sick_daemons() == ["SENSOR"]


SETTINGS = Settings(environment=Environment(directus_url="http://cms.example.com"))


def test_code_locations_that_cannot_be_used_are_named() -> None:
    entries = [
        {"name": "ours", "locationOrLoadError": {"message": "directus_assets.yaml, line 3: [bold]\nmore"}},
        {"name": "theirs", "locationOrLoadError": {"repositories": []}},
        {"name": "new", "locationOrLoadError": None},
    ]

    (problem,) = dagster_problems(dagster(entries), SETTINGS)

    assert problem.text == "'ours' failed to load: directus_assets.yaml, line 3: [bold]"


def test_sensors_of_ours_that_fail_or_are_switched_off_are_named_and_no_others() -> None:
    error = {"message": "Error occurred during the execution\n", "cause": {"message": "Directus does not answer.\n"}}
    states = {
        "directus_settings_sensor": ("RUNNING", []),
        "directus_files_sensor": ("RUNNING", [{"status": "FAILURE", "error": error}]),
        "directus_posts_sensor": ("STOPPED", [{"status": "SUCCESS", "error": None}]),
        "directus_pages_sensor": ("RUNNING", [{"status": "SKIPPED", "error": None}]),
        "directus_runs_sensor": ("RUNNING", [{"status": "SKIPPED", "skipReason": f"No answer. {TRIES_AGAIN}"}]),
        "theirs": ("STOPPED", []),
    }
    sensors = [
        {"name": name, "tags": [], "sensorState": {"status": status, "ticks": ticks}}
        for name, (status, ticks) in states.items()
    ]
    entries = [{"name": "ours", "locationOrLoadError": {"repositories": [{"sensors": sensors}]}}]

    found = [problem.text for problem in dagster_problems(dagster(entries), SETTINGS)]

    assert found == [
        "directus_files_sensor: its last tick failed: Directus does not answer.",
        "directus_posts_sensor: it is turned off.",
        f"directus_runs_sensor: it is waiting: No answer. {TRIES_AGAIN}",
    ]


def test_what_all_sensors_wait_for_is_told_once() -> None:
    tick = {"status": "SKIPPED", "skipReason": f"Connection refused. {TRIES_AGAIN}"}
    sensors = [
        {"name": f"directus_{name}_sensor", "tags": [], "sensorState": {"status": "RUNNING", "ticks": [tick]}}
        for name in ("files", "pages", "posts", "settings")
    ]
    entries = [{"name": "ours", "locationOrLoadError": {"repositories": [{"sensors": sensors}]}}]

    (problem,) = dagster_problems(dagster(entries), SETTINGS)

    assert problem.text == (
        "directus_files_sensor, directus_pages_sensor, directus_posts_sensor and 1 more: it is waiting: "
        f"Connection refused. {TRIES_AGAIN}"
    )


def dagster(entries: list[dict[str, Any]]) -> Webserver:
    answer = {
        "instance": {"daemonHealth": {"allDaemonStatuses": []}},
        "workspaceOrError": {"locationEntries": entries},
    }
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": answer}))
    return Webserver("http://dagster.example.com", transport=transport)


def output(**counts: float) -> OutputStatus:
    none = {"partitions": 4, "done": 4, "behind": 0, "failed": 0, "review": 0, "running": 0}
    return OutputStatus(name="translations/posts/de-DE", **{**none, **counts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, []),
        ({"done": 1, "behind": 2}, []),
        ({"review": 1, "oldest_review": 9 * 86_400.0}, []),
        ({"review": 1, "oldest_review": 1.0}, ["1 waiting for review, the oldest for 10 days."]),
        ({"done": 3, "failed": 1}, ["1 of 4."]),
    ],
)
def test_failures_and_overdue_reviews_are_problems_and_waiting_is_none(
    counts: dict[str, float], told: list[str]
) -> None:
    found = output_problems([output(**counts)], review_days=7, now=10 * 86_400.0)

    assert [problem.text.removeprefix("translations/posts/de-DE: ") for problem in found] == told


def test_what_nobody_has_made_or_tried_is_waiting() -> None:
    assert output(done=1, behind=1, failed=1).waiting == 1
    assert output().is_complete
    assert not output(review=1).is_complete
