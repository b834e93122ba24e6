"""What a click becomes in Dagster: partitions, runs over exactly the chosen items, and a stored state."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dagster as dg
import httpx
import pytest

from directus_assets.directus.models import Preset
from directus_assets.orchestration.buttons.clicks import Button, open_clicks
from directus_assets.orchestration.buttons.job import build_buttons
from directus_assets.orchestration.kinds.files import Files
from directus_assets.run_tags import (
    CLICK_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    TRIGGER_TAG,
    keys_of_tags,
    range_tags,
)
from tests.orchestration.scripted_project import ScriptedDirectus, ScriptedProject
from tests.orchestration.scripted_webserver import Dagster, dagster, tags

__all__ = ["dagster"]

CARD = Preset(key="card", fit="cover", width=200, height=200, format="webp")
FILES = [f"f{number}" for number in range(6)]


class AttentiveDirectus(ScriptedDirectus):
    """Records whether each caller gives signs of life."""

    def __init__(self) -> None:
        super().__init__()
        self.signs: list[bool] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.signs.append(any(thread.name == "signs-of-life" for thread in threading.enumerate()))
        return super()._answer(request)


class Thumbnails(Files):
    """Another kind derived from the same pictures, with its own job."""

    job_name = "thumbnails"


class Clicks:
    """The buttons' job, with a Directus of six pictures, the last of which is not a partition yet."""

    def __init__(self, instance: dg.DagsterInstance, webserver_url: str) -> None:
        self.instance = instance
        self.directus = AttentiveDirectus()
        self.directus.upload(*FILES)
        instance.add_dynamic_partitions("directus_files", FILES[:-1])
        self.project = ScriptedProject(self.directus, batch_size=2)
        environment = replace(self.project.settings.environment, webserver_url=webserver_url)
        self.project.settings = replace(self.project.settings, environment=environment)
        self.build(Files(self.project, [CARD]))

    def build(self, *subjects: Files) -> None:
        """The kinds that the button makes."""
        self.defs = build_buttons(self.project, {(Button.RENDER, "directus_files"): subjects})

    def click(
        self, *keys: Any, button: str = "render", root: str | None = None, **more: Any
    ) -> dg.ExecuteInProcessResult:
        config = {"button": button, "collection": "directus_files", "keys": list(keys), "user": "anna", **more}
        return self.defs.resolve_job_def("directus_buttons").execute_in_process(
            instance=self.instance,
            run_config={"ops": {"make_chosen_again": {"config": config}}},
            tags={"dagster/root_run_id": root} if root else None,
            raise_on_error=False,
        )


@pytest.fixture
def clicks(dagster: Dagster) -> Iterator[Clicks]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Clicks(instance, dagster.url)


def ranges(server: Dagster) -> list[tuple[str, ...]]:
    """Both ends of each range, and all keys of runs that are not ranges."""
    runs = [tags(run) for variables in server.variables for run in variables["runs"]]
    return [tuple(keys_of_tags(run)) or (run[RANGE_START_TAG], run[RANGE_END_TAG]) for run in runs]


def test_a_click_starts_runs_over_exactly_the_chosen_items(clicks: Clicks, dagster: Dagster) -> None:
    done = clicks.click("f5", "f0", "f3", "f2", "f3")

    assert done.success
    assert ranges(dagster) == [("f0", "f2"), ("f3", "f5")]
    asked = tags(dagster.variables[0]["runs"][0])
    assert asked[CLICK_TAG] == done.run_id
    # As a run that a person starts: everything is made again, right or not.
    assert TRIGGER_TAG not in asked
    assert clicks.instance.get_dynamic_partitions("directus_files") == FILES
    assert [click.user for click in open_clicks(clicks.project.memory)] == ["anna"]


def jobs(server: Dagster) -> list[str]:
    return [run["selector"]["jobName"] for variables in server.variables for run in variables["runs"]]


def test_a_click_starts_the_runs_of_all_that_the_button_makes(clicks: Clicks, dagster: Dagster) -> None:
    clicks.build(Files(clicks.project, [CARD]), Thumbnails(clicks.project, [CARD]))

    clicks.click("f0", "nowhere")

    assert list(zip(jobs(dagster), ranges(dagster), strict=True)) == [
        ("image_presets", ("f0", "f0")),
        ("thumbnails", ("f0", "f0")),
    ]
    (click,) = open_clicks(clicks.project.memory)
    assert click.passed_over == ("nowhere",)


def test_a_click_that_takes_long_is_not_taken_for_dead(clicks: Clicks) -> None:
    clicks.click("f0")

    assert clicks.directus.signs
    assert all(clicks.directus.signs)


def test_what_is_no_picture_or_gone_is_passed_over(clicks: Clicks, dagster: Dagster) -> None:
    clicks.directus.change("f1", type="application/pdf")

    clicks.click("f0", "f1", "nowhere", 17, None)

    assert ranges(dagster) == [("f0", "f0")]
    (click,) = open_clicks(clicks.project.memory)
    assert click.passed_over == ("f1", "nowhere", "17")


def test_the_files_of_chosen_content_are_made(clicks: Clicks, dagster: Dagster) -> None:
    rows = [{"image": "f1", "gallery": [{"file": "f4"}, {"file": None}]}, {"image": None, "gallery": []}]

    clicks.click("post 1", "post 2", files=rows)

    assert ranges(dagster) == [("f1", "f4")]
    (click,) = open_clicks(clicks.project.memory)
    assert (click.collection, click.keys) == ("directus_files", ("f1", "f4"))


@pytest.mark.parametrize(
    ("config", "trouble"),
    [
        ({"button": "translate"}, "'Translate again' is not available for 'directus_files'"),
        ({"files": []}, "None of the selected items has a picture"),
    ],
)
def test_a_click_that_cannot_be_taken_is_remembered_with_the_reason(
    clicks: Clicks, dagster: Dagster, config: dict[str, Any], trouble: str
) -> None:
    assert not clicks.click("f0", **config).success

    (click,) = open_clicks(clicks.project.memory)
    assert trouble in click.trouble
    assert dagster.requests == []


def test_a_dagster_that_refuses_is_the_reason(clicks: Clicks, dagster: Dagster) -> None:
    dagster.refuses = True

    assert not clicks.click("f0").success
    assert "did not start the run" in open_clicks(clicks.project.memory)[0].trouble


def test_a_second_try_starts_only_what_the_first_did_not(clicks: Clicks, dagster: Dagster) -> None:
    first = clicks.click("f0", "f2").run_id
    run_tags = {CLICK_TAG: first, **range_tags("f0", "f0")}
    clicks.instance.add_run(
        dg.DagsterRun(job_name="image_presets", run_id="00000000-0000-4000-8000-000000000000", tags=run_tags)
    )
    dagster.requests.clear()

    clicks.click("f0", "f2", root=first)

    assert ranges(dagster) == [("f2", "f2")]
    assert len(open_clicks(clicks.project.memory)) == 1


def test_a_second_try_does_not_take_a_run_of_one_job_for_that_of_another(clicks: Clicks, dagster: Dagster) -> None:
    clicks.build(Files(clicks.project, [CARD]), Thumbnails(clicks.project, [CARD]))
    first = clicks.click("f0").run_id
    run_tags = {CLICK_TAG: first, **range_tags("f0", "f0")}
    clicks.instance.add_run(
        dg.DagsterRun(job_name="image_presets", run_id="00000000-0000-4000-8000-000000000000", tags=run_tags)
    )
    dagster.requests.clear()

    clicks.click("f0", root=first)

    assert jobs(dagster) == ["thumbnails"]
