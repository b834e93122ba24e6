"""The pipeline with one right removed: it names the right, does no damage, and resumes when the right is back."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.errors import DirectusAssetsError
from directus_assets.local.pictures import upload
from directus_assets.orchestration.build import all_kinds, build_defs
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.snapshot import Wanted, load_snapshot, take_snapshot, write_snapshot
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from tests.operations.conftest import Site, picture
from tests.operations.test_rights import RIGHTS
from tests.orchestration.test_reconcile_on_directus import Inline

pytestmark = pytest.mark.integration

CONFIG = """
translations: {review: version, languages: [de-DE]}
notify: {editors: true}
"""
SENSORS = {
    "directus_settings_sensor": "",
    "directus_files_sensor": "image_presets",
    "directus_posts_sensor": "translate_posts",
    "directus_pages_sensor": "translate_pages",
}
HUMAN = "Von einem Menschen"


class Pipeline:
    """All sensors of a site and the runs they request, executed one after the other in this process."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.project = Project(site.settings(CONFIG, DAGSTER_HOME=str(folder)))
        self.snapshot = take_snapshot(self.project.directus, Wanted(translations=True))
        write_snapshot(self.snapshot, folder)
        self.defs = build_defs(self.project.settings, snapshot=self.snapshot, project=self.project)
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursors: dict[str, str | None] = {}

    def close(self) -> None:
        self.project.directus.close()
        self.instance.dispose()

    def tick(self) -> list[str]:
        """Tick all sensors and execute the requested runs; return what went wrong, in words."""
        problems = []
        for sensor, job in SENSORS.items():
            context = dg.build_sensor_context(instance=self.instance, cursor=self.cursors.get(sensor))
            try:
                result = self.defs.resolve_sensor_def(sensor)(context)
            except DirectusAssetsError as error:
                problems.append(str(error))
                continue
            assert isinstance(result, dg.SensorResult)
            self.cursors[sensor] = result.cursor
            for request in result.run_requests or []:
                problems += self.run(job, request)
        return problems

    def partitions(self, name: str) -> list[str]:
        return list(self.instance.get_dynamic_partitions(name))

    def reconcile(self) -> None:
        Reconcile(
            instance=self.instance,
            memory=self.project.memory,
            webserver=Inline(self),
            names=self.project.names,
            kinds=all_kinds(self.project, self.snapshot),
            seconds=600,
            first_wait_seconds=0,
        ).run()

    def run(self, job: str, request: dg.RunRequest) -> list[str]:
        done = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            asset_selection=list(request.asset_selection or []),
            tags=request.tags,
            raise_on_error=False,
        )
        if done.success:
            return []
        sensor = self.defs.resolve_sensor_def(self.project.names.failure_sensor)
        context = dg.build_run_status_sensor_context(
            sensor_name=sensor.name,
            dagster_instance=self.instance,
            dagster_run=done.dagster_run,
            dagster_event=done.get_run_failure_event(),
        ).for_run_failure()
        sensor(context)
        return [str(event.event_specific_data) for event in done.all_events if event.is_step_failure]


@pytest.fixture
def pipeline(site: Site, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(site, tmp_path)
    assert made.tick() == []
    yield made
    made.close()


# Each takes 13 seconds: every other one, unless all are wanted.
TRIED = RIGHTS if os.environ.get("CHAOS") == "full" else RIGHTS[::2]


@pytest.mark.parametrize("right", TRIED)
def test_without_a_right_the_pipeline_names_it_damages_nothing_and_goes_on_when_it_is_back(
    right: str, site: Site, pipeline: Pipeline, admin: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    reviewed, edited, page = site.write_post("Bread"), site.write_post("Bread"), write_page(site, "Bread")
    assert pipeline.tick() == []
    edit(site, "posts", reviewed, "de-DE", HUMAN)

    with site.without(right):
        upload(admin, picture(), filename="new.jpg")
        new = {"posts": site.write_post("Cake"), "pages": write_page(site, "Cake")}
        for post in (reviewed, edited):
            edit(site, "posts", post, "en-US", "Good bread")
        site.admin.patch(f"/items/pages/{page}", {"title": "Good bread"})
        ambiguous = site.write_post("Roll")
        for title in ("eins", "zwei"):
            write_row(site, ambiguous, title)
        site.admin.patch("/settings", {"project_descriptor": right})
        problems = [*pipeline.tick(), *pipeline.tick(), capfd.readouterr().err]

        assert f"the permission '{right}'" in "\n".join(problems)
        assert all(title_of(site, name, item) in (None, german("Cake")) for name, item in new.items())
        for name, item in (("posts", edited), ("pages", page)):
            assert title_of(site, name, item) in (german("Bread"), german("Good bread"))
            assert item in pipeline.partitions(f"directus_{name}")
        assert title_of(site, "posts", reviewed) == HUMAN
        kept = load_snapshot(pipeline.project.settings.environment, Wanted(translations=True))
        assert kept.collections == pipeline.snapshot.collections

    pipeline.tick()
    pipeline.reconcile()
    assert [title_of(site, name, item) for name, item in new.items()] == [german("Cake")] * 2
    assert [title_of(site, name, item) for name, item in (("posts", edited), ("pages", page))] == [
        german("Good bread")
    ] * 2
    assert title_of(site, "posts", reviewed) == HUMAN


def test_a_collection_that_was_deleted_is_not_taken_for_one_that_is_hidden(site: Site, bot: DirectusClient) -> None:
    known = take_snapshot(bot, Wanted(translations=True))
    for name in ("pages_translations", "pages"):
        site.admin.delete(f"/collections/{name}")

    snapshot = take_snapshot(bot, Wanted(translations=True), known=known)

    assert [each.collection for each in snapshot.collections] == ["posts"]


def write_page(site: Site, title: str) -> str:
    return str(site.admin.post("/items/pages", {"title": title})["id"])


def write_row(site: Site, post: str, title: str) -> None:
    site.admin.post("/items/posts_translations", {"posts_id": int(post), "languages_code": "en-US", "title": title})


def row_of(site: Site, collection: str, item: str, code: str) -> dict[str, Any] | None:
    condition = {f"{collection}_id": {"_eq": item}, "languages_code": {"_eq": code}}
    rows = site.admin.get(f"/items/{collection}_translations", filter=condition, limit=-1)
    assert len(rows) <= 1
    return dict(rows[0]) if rows else None


def edit(site: Site, collection: str, item: str, code: str, title: str) -> None:
    row = row_of(site, collection, item, code)
    assert row
    site.admin.patch(f"/items/{collection}_translations/{row['id']}", {"title": title})


def title_of(site: Site, collection: str, item: str) -> str | None:
    row = row_of(site, collection, item, "de-DE")
    return row["title"] if row else None


def german(text: str) -> str:
    return pseudo(text, target=language("de-DE"))
