import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest

from directus_assets.errors import Forbidden
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.reconcile.job import build_reconcile
from directus_assets.settings import Settings
from directus_assets.snapshot import Snapshot, Wanted, read_snapshot, take_snapshot
from tests.orchestration.scripted_project import LOCATIONS, ScriptedDirectus, ScriptedProject

NAMES = Names()


class Webserver:
    """Records requests, and carries them out."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        note = self.queries.append
        data = {"reloadRepositoryLocation": {"locationOrLoadError": {}}, "workspaceOrError": LOCATIONS}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                note(json.loads(self.rfile.read(int(self.headers["content-length"])))["query"])
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"data": data}).encode())

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def webserver() -> Iterator[Webserver]:
    server = Webserver()
    thread = Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


@pytest.fixture
def project(webserver: Webserver, tmp_path: Path) -> ScriptedProject:
    directus = ScriptedDirectus()
    directus.settings = {"storage_asset_presets": [{"key": "card", "width": 200}]}
    project = ScriptedProject(directus)
    environment = replace(project.settings.environment, webserver_url=webserver.url, state_folder=tmp_path)
    project.settings = Settings(environment=environment, config=project.settings.config)
    return project


def run(project: ScriptedProject, loaded: Snapshot, kinds: Sequence[Kind] = ()) -> dg.ExecuteInProcessResult:
    """Run the job as requested by its schedule."""
    definitions = build_reconcile(loaded, project, kinds).get_repository_def()
    # A schedule opens its instance anew, which an ephemeral one cannot.
    with dg.DagsterInstance.local_temp() as instance:
        schedule = definitions.get_schedule_def(NAMES.reconcile)
        with dg.build_schedule_context(instance=instance) as context:
            (request,) = schedule.evaluate_tick(context).run_requests or ()
        return definitions.get_job(NAMES.reconcile).execute_in_process(
            instance=instance, tags=request.tags, raise_on_error=False
        )


def test_presets_that_changed_unseen_have_the_definitions_built_anew(
    project: ScriptedProject, webserver: Webserver, tmp_path: Path
) -> None:
    assert run(project, Snapshot(url=project.directus.url)).success

    assert len(webserver.queries) == 2
    assert "reloadRepositoryLocation" in webserver.queries[1]
    kept = read_snapshot(tmp_path, url=project.directus.url)
    assert [preset.key for preset in kept.settings.presets] == ["card"]


def test_where_definitions_are_up_to_date_the_webserver_is_not_asked(
    project: ScriptedProject, webserver: Webserver
) -> None:
    assert run(project, take_snapshot(project.directus, Wanted())).success

    assert webserver.queries == []


def test_an_unfinished_reconcile_is_not_joined_by_another(project: ScriptedProject) -> None:
    schedule = build_reconcile(Snapshot(), project, []).get_repository_def().get_schedule_def(NAMES.reconcile)
    with dg.DagsterInstance.local_temp() as instance, dg.build_schedule_context(instance=instance) as context:
        instance.add_run(dg.DagsterRun(job_name=NAMES.reconcile, run_id="1" * 32, status=dg.DagsterRunStatus.STARTED))

        result = schedule.evaluate_tick(context)

    assert result.skip_message == "The last reconcile is still running."


class Broken(Files):
    name = "broken"

    def existing(self, *, page: int, size: int) -> list[str]:
        raise Forbidden("The rows may not be read.")


def test_a_run_that_could_not_do_all_does_the_rest_and_fails_with_what_and_why(project: ScriptedProject) -> None:
    files, broken = Files(project, []), Broken(project, [])

    done = run(project, take_snapshot(project.directus, Wanted()), [broken, files])

    (failure,) = [event for event in done.all_events if event.event_type_value == "STEP_FAILURE"]
    told = failure.step_failure_data.user_failure_data
    assert told
    assert told.description == ("Everything else was done. 'broken' could not be compared: The rows may not be read.")
    assert told.metadata["compared_everything"].value is True
