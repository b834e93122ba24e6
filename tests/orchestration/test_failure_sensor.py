"""Failure notifications on a real Directus, and by webhook."""

import io
import json
from collections.abc import Collection, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.notify import NOTIFICATIONS_RIGHT
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.sensors.failures import build_failure_sensor
from directus_assets.settings import Config, Environment, Settings

NAMES = Names()

pytestmark = pytest.mark.integration

CARD = NAMES.preset("card")


class Webhook:
    """Records what it receives."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        keep = self.bodies.append

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                keep(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    thread = Thread(target=hook.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield hook
    hook.server.shutdown()
    thread.join()
    hook.server.server_close()


@pytest.fixture(scope="module")
def bot(empty_directus: LocalDirectus, admin: httpx.Client) -> LocalDirectus:
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as client:
        create_bot(client, token=empty_directus.bot_token)
    return empty_directus


@pytest.fixture
def may_notify(bot: LocalDirectus, admin: httpx.Client) -> Iterator[None]:
    """Grant the right to notify editors for the duration of the module."""
    collection, action = NOTIFICATIONS_RIGHT
    (policy,) = admin.get("/policies", params={"filter[permissions][collection][_eq]": "directus_files"}).json()["data"]
    right = {"policy": policy["id"], "collection": collection, "action": action, "fields": ["*"]}
    made = admin.post("/permissions", json={**right, "permissions": {}, "validation": {}})
    made.raise_for_status()
    yield
    admin.delete(f"/permissions/{made.json()['data']['id']}").raise_for_status()


def project(directus: LocalDirectus, folder: Path, **notify: Any) -> Project:
    environment = Environment.read(
        {"DIRECTUS_URL": directus.url, "DIRECTUS_TOKEN": directus.bot_token, "DAGSTER_HOME": str(folder)}
    )
    return Project(Settings(environment=environment, config=Config.model_validate({"notify": notify})))


def fail(
    project: Project, *failed: tuple[str, str], will_retry: bool = False, jobs: Collection[str] = ("image_presets",)
) -> None:
    """Record a run that failed for these files and reasons, and tick the sensor."""
    tags = {"dagster/will_retry": "true" if will_retry else "false"}

    @dg.op
    def render(context: dg.OpExecutionContext) -> None:
        for file_id, reason in failed:
            context.log_event(dg.AssetObservation(CARD, partition=file_id, metadata={"failed": reason}))
        raise dg.Failure("Some failed.", allow_retries=False)

    @dg.job
    def image_presets() -> None:
        render()

    with dg.DagsterInstance.ephemeral() as instance:
        result = image_presets.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
        failure = next(event for event in result.all_events if event.event_type_value == "PIPELINE_FAILURE")
        context = dg.build_run_status_sensor_context(
            sensor_name="directus_failure_sensor",
            dagster_event=failure,
            dagster_instance=instance,
            dagster_run=result.dagster_run,
        ).for_run_failure()
        build_failure_sensor(project, {CARD: "directus_files"}, jobs=jobs)(context)
    project.directus.close()


def upload(admin: httpx.Client) -> str:
    files = {"file": ("harbour.txt", io.BytesIO(b"no picture"), "text/plain")}
    answer = admin.post("/files", files=files)
    answer.raise_for_status()
    return str(answer.json()["data"]["id"])


def notifications(admin: httpx.Client, file_id: str) -> list[str]:
    rows = admin.get("/notifications", params={"filter[item][_eq]": file_id, "sort": "id"}).json()["data"]
    return [row["message"] for row in rows]


@pytest.mark.usefixtures("may_notify")
def test_the_editor_is_told_once_for_each_cause(bot: LocalDirectus, admin: httpx.Client, tmp_path: Path) -> None:
    file_id = upload(admin)

    for _ in range(2):
        fail(project(bot, tmp_path, editors=True), (file_id, "Harbour: corrupt"), (file_id, "Harbour: corrupt"))
    fail(project(bot, tmp_path, editors=True), (file_id, "Harbour: too large"))

    assert notifications(admin, file_id) == ["Harbour: corrupt", "Harbour: too large"]


def test_without_the_right_nothing_breaks_and_the_editor_is_told_later(
    bot: LocalDirectus, admin: httpx.Client, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    file_id = upload(admin)
    fail(project(bot, tmp_path, editors=True), (file_id, "Harbour: corrupt"))
    assert notifications(admin, file_id) == []

    request.getfixturevalue("may_notify")
    fail(project(bot, tmp_path, editors=True), (file_id, "Harbour: corrupt"))

    assert notifications(admin, file_id) == ["Harbour: corrupt"]


def test_a_webhook_gets_what_failed_and_runs_that_died(bot: LocalDirectus, webhook: Webhook, tmp_path: Path) -> None:
    fail(project(bot, tmp_path, webhook=webhook.url), ("f1", "Harbour: corrupt"))
    fail(project(bot, tmp_path, webhook=webhook.url), ("f1", "Harbour: corrupt"))
    fail(project(bot, tmp_path, webhook=webhook.url))

    assert [body["failures"] for body in webhook.bodies] == [
        [{"collection": "directus_files", "item": "f1", "reason": "Harbour: corrupt"}],
        [],
    ]
    assert webhook.bodies[0]["job"] == "image_presets"


def test_runs_of_others_in_the_same_code_location_are_not_told_of(
    bot: LocalDirectus, webhook: Webhook, tmp_path: Path
) -> None:
    fail(project(bot, tmp_path, webhook=webhook.url), jobs=["shop_image_presets"])

    assert webhook.bodies == []


def test_nobody_is_told_of_a_worker_that_died_and_is_replaced(
    bot: LocalDirectus, webhook: Webhook, tmp_path: Path
) -> None:
    fail(project(bot, tmp_path, webhook=webhook.url), will_retry=True)

    assert webhook.bodies == []
