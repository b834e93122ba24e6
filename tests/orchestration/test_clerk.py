"""Accepted pushes become the runs that a sensor would request, and a click starts its job."""

import dataclasses
import uuid
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from directus_assets.directus.models import Preset
from directus_assets.door.claims import claimed
from directus_assets.door.gathering import Changes
from directus_assets.door.requests import Clicked
from directus_assets.errors import Rejected, Unreachable
from directus_assets.orchestration.clerk import Clerk, Derived
from directus_assets.run_tags import CHANGE, PUSH, TRIGGER_TAG, range_tags
from directus_assets.snapshot import Snapshot
from tests.orchestration.scripted_project import ScriptedDirectus, ScriptedProject, materialize
from tests.orchestration.scripted_webserver import Dagster, dagster, tags

__all__ = ["dagster"]

ROWS: list[dict[str, Any]] = [
    {"key": "card", "fit": "cover", "width": 200, "height": 200, "format": "webp"},
    {"key": "hero", "fit": "inside", "width": 1600, "format": "webp"},
]
CARD, HERO = (Preset(**row) for row in ROWS)
ANNA = "0d2ab9c2-0c5b-4f5f-8e9c-3a3c55d19a6b"


@dataclasses.dataclass
class Office:
    """A clerk with its Directus and its Dagster."""

    clerk: Clerk
    directus: ScriptedDirectus
    dagster: Dagster
    instance: dg.DagsterInstance

    def runs(self) -> list[tuple[str, str, str]]:
        """The job, and the first and last partition, of each requested run."""
        asked = [run for variables in self.dagster.variables for run in variables["runs"]]
        return [
            (
                run["selector"]["jobName"],
                tags(run)["dagster/asset_partition_range_start"],
                tags(run)["dagster/asset_partition_range_end"],
            )
            for run in asked
        ]

    def add_run(self, key: str, trigger: str) -> None:
        run_tags = {TRIGGER_TAG: trigger, **range_tags(key, key)}
        status = dg.DagsterRunStatus.STARTED
        self.instance.add_run(
            dg.DagsterRun(job_name="image_presets", run_id=str(uuid.uuid4()), status=status, tags=run_tags)
        )


@pytest.fixture
def office(dagster: Dagster) -> Iterator[Office]:
    directus = ScriptedDirectus()
    directus.settings["storage_asset_presets"] = ROWS
    project = ScriptedProject(directus)
    environment = dataclasses.replace(project.settings.environment, webserver_url=dagster.url)
    project.settings = dataclasses.replace(project.settings, environment=environment)
    snapshot = Snapshot(url="http://directus.example.com", rows=directus.settings_row)
    with dg.DagsterInstance.ephemeral() as instance:
        clerk = Clerk(lambda: project.settings, instance=lambda: instance)
        clerk._desk = Derived(project, snapshot)
        clerk._looked_at = float("inf")
        yield Office(clerk, directus, dagster, instance)


def click(**more: Any) -> Clicked:
    return Clicked.model_validate(
        {"button": "render", "collection": "directus_files", "keys": ["f1"], "user": ANNA, **more}
    )


def carry(office: Office, changes: Changes) -> None:
    start = office.clerk.plan(changes)
    assert start
    start()


def test_a_door_opens_although_dagsters_storage_is_away(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    def away() -> dg.DagsterInstance:
        raise OSError("no connection to the database")

    clerk = dataclasses.replace(office.clerk, instance=away)
    clerk.prepare()

    assert clerk.knows("directus_files")
    assert "no connection to the database" in caplog.text


def test_a_burst_of_uploads_is_one_run(office: Office) -> None:
    files = [f"f{number:02}" for number in range(24)]
    office.directus.upload(*files)

    carry(office, {"directus_files": files})

    assert office.runs() == [("image_presets", "f00", "f23")]
    (run,) = office.dagster.variables[0]["runs"]
    assert tags(run) == {
        "dagster/asset_partition_range_start": "f00",
        "dagster/asset_partition_range_end": "f23",
        "directus_assets/trigger": "push",
        "dagster/priority": "10",
    }
    assert run["runConfigData"] == {}
    assert office.instance.get_dynamic_partitions("directus_files") == files


def test_only_what_is_stale_is_asked_for(office: Office) -> None:
    """What nobody knows, what nothing is made of, and what is right already."""
    office.directus.upload("f1", "f2")
    office.directus.upload("document", type="application/pdf")
    office.instance.add_dynamic_partitions("directus_files", ["f1", "f2"])
    materialize(office.instance, office.directus, CARD, HERO, but=["f2", "document"])
    materialize(office.instance, office.directus, CARD, but=["f1", "document"])

    carry(office, {"directus_files": ["f1", "f2", "document", "nowhere"], "posts": ["1"]})

    assert office.runs() == [("image_presets", "f2", "f2")]
    (run,) = office.dagster.variables[0]["runs"]
    assert run["selector"]["assetSelection"] == [{"path": ["image_presets", "hero"]}]
    assert office.instance.get_dynamic_partitions("directus_files") == ["f1", "f2"]


def test_dagster_is_opened_once_for_all_pushes(office: Office) -> None:
    office.directus.upload("f1", "f2")
    opened: list[dg.DagsterInstance] = []

    def instance() -> dg.DagsterInstance:
        opened.append(office.instance)
        return office.instance

    office.clerk.instance = instance

    office.clerk.prepare()
    carry(office, {"directus_files": ["f1"]})
    carry(office, {"directus_files": ["f2"]})

    assert opened == [office.instance]


@pytest.mark.parametrize("trigger", [CHANGE, PUSH])
def test_what_a_run_is_at_work_on_is_left_to_it_and_the_sensor(office: Office, trigger: str) -> None:
    office.directus.upload("f1", "f2")
    office.add_run("f1", trigger)

    carry(office, {"directus_files": ["f1", "f2"]})

    assert office.runs() == [("image_presets", "f2", "f2")]


def test_the_sensors_hear_of_what_is_about_to_be_done(office: Office) -> None:
    office.clerk.claim({"directus_files": ["f1"]})

    assert claimed(office.directus.memory, "directus_files", ["f1", "f2"]) == {"f1"}


def test_a_click_starts_the_job_that_takes_it(office: Office) -> None:
    office.clerk.click(click(keys=["f1", 2], language="de-DE"))

    (run,) = office.dagster.variables[0]["runs"]
    assert run["selector"]["jobName"] == "directus_buttons"
    config = run["runConfigData"]["ops"]["make_chosen_again"]["config"]
    assert config == {
        "button": "render",
        "collection": "directus_files",
        "keys": ["f1", 2],
        "user": ANNA,
        "language": "de-DE",
    }


@pytest.mark.parametrize(
    ("asked", "has"),
    [
        ({}, True),
        ({"collection": "posts", "files": [{"image": "f1"}]}, True),
        ({"collection": "posts"}, False),
        ({"button": "translate"}, False),
        ({"button": "launch"}, False),
        ({"button": "translate", "files": []}, False),
    ],
)
def test_a_button_is_known_where_it_makes_something(office: Office, asked: dict[str, Any], has: bool) -> None:
    assert office.clerk.has_button(click(**asked)) is has


def test_only_collections_that_something_is_made_of_are_known(office: Office) -> None:
    assert [office.clerk.knows(name) for name in ("directus_files", "posts", "directus_users")] == [True, False, False]


def test_what_dagster_refuses_is_told_and_its_names_are_asked_for_anew(office: Office) -> None:
    office.directus.upload("f1")
    office.dagster.refuses = True

    with pytest.raises(Rejected, match="did not start the run"):
        carry(office, {"directus_files": ["f1"]})

    assert office.clerk._desk is None


def test_the_check_tells_whether_runs_can_be_started(office: Office) -> None:
    office.dagster.daemons[0]["healthy"] = False

    assert office.clerk.check() == {"dagster": "1.13.27", "loaded": True, "sick": ["SENSOR"]}


def test_a_dagster_that_is_away_is_told(office: Office) -> None:
    office.dagster.server.server_close()

    with pytest.raises(Unreachable):
        office.clerk.check()
