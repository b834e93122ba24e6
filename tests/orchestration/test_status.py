import io
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import httpx
import pytest
from rich.console import Console
from rich.text import Text

from directus_assets.directus.models import Preset
from directus_assets.orchestration.files import Files
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.status import OutputStatus, health, output_statuses, run_status
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
    counts = {"partitions": 3, "failed": 0, "review": 0, "running": 0}

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
    screen = io.StringIO()

    status = run_status(Console(file=screen, width=150), Settings(environment=environment))

    assert status == 0
    assert "image_presets/card" in screen.getvalue()
    assert "Webserver: Dagster's webserver at http://127.0.0.1:1 does not answer" in screen.getvalue()
    assert "Runs: 0 running, 0 in the queue." in screen.getvalue()
    assert "image_presets/card: Harbour [1]: corrupt" in screen.getvalue()


def test_parts_of_the_daemon_that_do_not_run_are_named() -> None:
    rows = [
        {"daemonType": "SENSOR", "required": True, "healthy": False},
        {"daemonType": "BACKFILL", "required": True, "healthy": True},
        {"daemonType": "MONITORING", "required": False, "healthy": None},
    ]
    answer = {"data": {"instance": {"daemonHealth": {"allDaemonStatuses": rows}}}}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))

    assert Webserver("http://dagster.example.com", transport=transport).sick_daemons() == ["SENSOR"]


def test_code_locations_that_cannot_be_used_are_named() -> None:
    entries = [
        {"name": "ours", "locationOrLoadError": {"message": "directus_assets.yaml, line 3: [bold]\nmore"}},
        {"name": "theirs", "locationOrLoadError": {"repositories": []}},
        {"name": "new", "locationOrLoadError": None},
    ]
    answer = {
        "instance": {"daemonHealth": {"allDaemonStatuses": []}},
        "workspaceOrError": {"locationEntries": entries},
    }
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": answer}))

    lines = list(health(Webserver("http://dagster.example.com", transport=transport)))

    assert lines[0] == "Webserver: http://dagster.example.com, and the daemon runs."
    assert [Text.from_markup(line).plain for line in lines[1:]] == [
        (
            "Code location: 'ours' cannot be used: directus_assets.yaml, line 3: [bold] "
            "Correct that, then press Reload in the UI, or have `directus-assets watch` run."
        )
    ]
