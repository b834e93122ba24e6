"""The complete system on a real Directus: sensors, queue, runs, and the pictures served in the end.

The tests form one scenario, from the first upload to a backfill; each continues from the previous ones.
"""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import numpy as np
import pytest
from PIL import Image

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File, Preset
from directus_assets.images.render import Source, render
from directus_assets.images.sameness import difference
from directus_assets.images.transforms import Derivative, derivatives
from directus_assets.local.bot import create_bot
from directus_assets.local.content import PUBLIC_POLICY
from directus_assets.local.pictures import upload
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.runs.history import failures_of_run
from directus_assets.orchestration.sensors.cursor import Cursor
from directus_assets.orchestration.webserver import Webserver
from tests.machine import open_to_others

NAMES = Names()

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 400
NO_SCHEDULE = """
# Once a year: one at the full hour makes again what a test has deleted.
reconcile: {cron: "0 0 1 1 *"}
"""
CARD = {"key": "card", "fit": "cover", "width": 60, "height": 60, "quality": 80, "format": "webp"}
WIDE = {"key": "wide", "fit": "inside", "width": 80, "height": None, "quality": None, "format": "jpeg"}
AUTO = {"key": "auto", "fit": "cover", "width": 32, "height": 24, "quality": 50, "format": "auto"}
SQUARE = {"key": "square", "fit": "contain", "width": 50, "height": 50, "format": "png"}


def picture(seed: int, size: tuple[int, int] = (160, 120), kind: str = "JPEG") -> bytes:
    """A picture that differs from the others."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(buffer, kind)
    return buffer.getvalue()


class Story:
    """What the tests look at and act on."""

    def __init__(self, directus: LocalDirectus, admin: httpx.Client, pipeline: LocalPipeline) -> None:
        self.directus = directus
        self.admin = admin
        self.pipeline = pipeline
        self.webserver = Webserver(pipeline.url)
        self.instance = open_instance(pipeline.home)
        self.client = DirectusClient(directus.url, directus.bot_token)

    # Directus

    def file(self, file_id: str) -> File:
        (found,) = self.client.files_by_id([file_id])
        return found

    def wanted(self, file_id: str) -> list[Derivative]:
        presets = [Preset.parse(row) for row in self.presets]
        return [derivative for preset in presets for derivative in derivatives(preset, self.file(file_id))]

    @property
    def presets(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.admin.get("/settings").json()["data"]["storage_asset_presets"]
        return rows

    def set_presets(self, *presets: Mapping[str, Any]) -> None:
        self.admin.patch("/settings", json={"storage_asset_presets": presets}).raise_for_status()

    def change(self, file_id: str, **fields: Any) -> None:
        self.admin.patch(f"/files/{file_id}", json=fields).raise_for_status()

    def served(self, derivative: Derivative) -> bytes:
        """What a visitor gets, without any login."""
        answer = httpx.get(
            f"{self.directus.url}/assets/{derivative.file_id}",
            params={"key": derivative.preset_key},
            headers={"accept": derivative.accept},
            timeout=60,
            trust_env=False,
        )
        answer.raise_for_status()
        return answer.content

    def stored(self) -> dict[str, int]:
        """All files in the upload folder, with the time of their last change."""
        return {path.name: path.stat().st_mtime_ns for path in self.directus.uploads.iterdir() if path.is_file()}

    # Dagster

    def statuses(self, preset: str) -> dict[str, str]:
        found = (
            self.instance.get_status_by_partition(NAMES.preset(preset), self.partitions, NAMES.files_partitions) or {}
        )
        return {key: status.value for key, status in found.items() if status}

    @property
    def partitions(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(str(NAMES.files_partitions.name)))

    def runs(self) -> list[set[str]]:
        """The presets of each run there was, oldest first."""
        records = self.instance.get_run_records(ascending=True)
        return [{key.path[-1] for key in record.dagster_run.asset_selection or ()} for record in records]

    def reasons(self, preset: str) -> dict[str, str]:
        records = self.instance.fetch_observations(NAMES.preset(preset), limit=1000).records
        observed = [record.asset_observation for record in records if record.asset_observation]
        return {str(each.partition): str(each.metadata["error"].value) for each in reversed(observed)}

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what} in {PATIENCE_SECONDS} s. {self._state()}"
            time.sleep(0.5)

    def _state(self) -> str:
        """What a person would look at first."""
        runs = [record.dagster_run for record in self.instance.get_run_records(limit=20)]
        failures = [reason for run in runs for reason in failures_of_run(self.instance, run.run_id).values()]
        last = [f"{run.job_name} {run.status.value}" for run in runs]
        return f"Failures: {failures[:5]}. Last runs: {last}. The log is {self.pipeline.log}."

    def wait_until_made(self, *ids: str) -> None:
        def is_made() -> bool:
            return all(
                self.statuses(preset["key"]).get(file_id) == "MATERIALIZED"
                for preset in self.presets
                for file_id in ids
            )

        self.wait("Not everything was finished", is_made)
        self.settle()

    def settle(self) -> None:
        """Waits until all that has happened in Directus has been followed, and no run is left."""
        latest = self.client.latest_activity_id()
        entries = self.client.activity(collections=["directus_files"], after_id=0, limit=10_000)
        last = max((entry.id for entry in entries), default=0)
        self.wait(f"Activity {latest} was not followed", lambda: self._followed() >= last)
        over = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
        self.wait("Not all runs ended", lambda: all(run.status in over for run in self.instance.get_runs()))

    def _followed(self) -> int:
        for state in self.instance.all_instigator_state():
            cursor = getattr(state.instigator_data, "cursor", None)
            if state.instigator_name == "directus_files_sensor" and cursor:
                return Cursor.model_validate_json(cursor).feed.last_id
        return -1

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "directus-assets"), *arguments],
            cwd=self.pipeline.folder,
            env={**os.environ, **self.pipeline.environment, "COLUMNS": "120"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def story(
    empty_directus: LocalDirectus, admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as client:
        create_bot(client, token=empty_directus.bot_token)
    public = {"policy": PUBLIC_POLICY, "collection": "directus_files", "action": "read"}
    admin.post("/permissions", json={**public, "fields": ["*"], "permissions": {}}).raise_for_status()
    admin.patch("/settings", json={"storage_asset_presets": [CARD, WIDE, AUTO]}).raise_for_status()
    with LocalPipeline(empty_directus, tmp_path_factory.mktemp("pipeline"), config=NO_SCHEDULE) as pipeline:
        told = Story(empty_directus, admin, pipeline)
        with told.client, told.instance:
            told.wait("The sensor did not tick", lambda: told._followed() >= 0)
            yield told


@pytest.fixture(scope="module")
def harbour(story: Story) -> str:
    """The first picture; all of its derivatives are there."""
    file_id = upload(story.admin, picture(1), filename="harbour.jpg")
    story.wait_until_made(file_id)
    return file_id


def assert_served_as_rendered_here(story: Story, file_id: str) -> None:
    """Visitors get the bytes that we render, and Directus makes nothing while it serves them."""
    before = story.stored()
    original = Source((story.directus.uploads / story.file(file_id).filename_disk).read_bytes())
    for derivative in story.wanted(file_id):
        stored = (story.directus.uploads / derivative.stored_name).read_bytes()
        # What this version of Directus encodes otherwise, it renders itself.
        if not difference(story.client.version, derivative):
            assert stored == render(original, derivative).content
        assert story.served(derivative) == stored
    assert story.stored() == before


def test_an_upload_is_served_through_every_preset_as_rendered_here(story: Story, harbour: str) -> None:
    assert_served_as_rendered_here(story, harbour)

    names = {derivative.stored_name for derivative in story.wanted(harbour)}
    assert len(names) == 5
    assert set(story.stored()) == {f"{harbour}.jpg", *names}
    assert story.partitions == [harbour]


def test_nobody_else_can_read_what_the_pipeline_keeps(story: Story, harbour: str) -> None:
    assert {"history", "schedules"} <= {path.name for path in story.pipeline.home.iterdir()}
    assert open_to_others(story.pipeline.home) <= {"dagster.yaml"}
    assert story.pipeline.log.stat().st_mode & 0o077 == 0


def test_an_edited_title_starts_no_run(story: Story, harbour: str) -> None:
    runs, stored = len(story.runs()), story.stored()

    story.change(harbour, title="Harbour at dusk", description="Seen from the pier")
    story.settle()

    assert (len(story.runs()), story.stored()) == (runs, stored)


def test_a_moved_focal_point_makes_only_the_presets_that_follow_it(story: Story, harbour: str) -> None:
    runs = len(story.runs())

    story.change(harbour, focal_point_x=20, focal_point_y=100)
    story.settle()

    assert story.runs()[runs:] == [{"card", "auto"}]
    assert_served_as_rendered_here(story, harbour)


def test_a_replaced_picture_is_served_with_its_new_content(story: Story, harbour: str) -> None:
    before = {derivative.label: story.served(derivative) for derivative in story.wanted(harbour)}

    content = picture(2, (200, 120))
    story.admin.patch(f"/files/{harbour}", files={"file": ("harbour.jpg", content, "image/jpeg")}).raise_for_status()
    names = [derivative.stored_name for derivative in story.wanted(harbour)]
    story.wait("The new derivatives are missing", lambda: set(names) <= set(story.stored()))
    story.settle()

    assert_served_as_rendered_here(story, harbour)
    assert all(story.served(derivative) != before[derivative.label] for derivative in story.wanted(harbour))


def test_an_upload_that_takes_its_time_is_made_when_it_is_complete(story: Story) -> None:
    """Directus logs it when it begins; several ticks see a row without a picture."""
    content = picture(3, (640, 480))
    head = (
        b'--limit\r\nContent-Disposition: form-data; name="file"; filename="slow.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n"
    )

    def trickle() -> Iterator[bytes]:
        yield head + content[:2000]
        time.sleep(14)
        yield content[2000:] + b"\r\n--limit--\r\n"

    runs = len(story.runs())
    answer = story.admin.post(
        "/files", content=trickle(), headers={"content-type": "multipart/form-data; boundary=limit"}
    )
    slow = answer.raise_for_status().json()["data"]["id"]
    story.wait_until_made(slow)

    assert story.runs()[runs:] == [{"card", "wide", "auto"}]
    assert_served_as_rendered_here(story, slow)


def test_a_new_preset_becomes_an_asset_and_is_made_for_all_pictures(story: Story, harbour: str) -> None:
    runs = len(story.runs())

    story.set_presets(CARD, WIDE, AUTO, SQUARE)
    story.wait_until_made(*story.partitions)

    assert set(story.webserver.asset_statuses()) == {
        f"image_presets/{key}" for key in ("card", "wide", "auto", "square")
    }
    assert story.runs()[runs:] == [{"square"}]
    assert_served_as_rendered_here(story, harbour)


def test_a_changed_preset_is_made_again_and_no_other(story: Story, harbour: str) -> None:
    runs = len(story.runs())

    story.set_presets(CARD, {**WIDE, "width": 90}, AUTO, SQUARE)
    names = {derivative.stored_name for key in story.partitions for derivative in story.wanted(key)}
    story.wait("The new derivatives are missing", lambda: names <= set(story.stored()))
    story.settle()

    assert story.runs()[runs:] == [{"wide"}]
    assert_served_as_rendered_here(story, harbour)


def test_a_preset_that_is_removed_is_no_asset_any_more(story: Story) -> None:
    runs = len(story.runs())

    story.set_presets(CARD, {**WIDE, "width": 90})
    story.wait(
        "The assets are still there",
        lambda: set(story.webserver.asset_statuses()) == {"image_presets/card", "image_presets/wide"},
    )
    story.settle()

    assert len(story.runs()) == runs


def test_a_deleted_picture_leaves_no_partition_and_no_file(story: Story, harbour: str) -> None:
    story.admin.delete(f"/files/{harbour}").raise_for_status()

    story.wait("The partition is still there", lambda: harbour not in story.partitions)

    assert not [name for name in story.stored() if name.startswith(harbour)]


def test_three_broken_pictures_of_fifty_fail_with_their_own_reasons(story: Story) -> None:
    broken = {
        upload(story.admin, picture(4, (640, 480))[:9000], filename="cut.jpg"): "damaged or incomplete",
        upload(story.admin, b"This is no picture.", filename="text.jpg"): "is not a JPEG, PNG, WebP, TIFF or AVIF",
        upload(story.admin, picture(5, kind="PNG")[:400], filename="cut.png"): "damaged or incomplete",
    }
    good = [upload(story.admin, picture(100 + number), filename=f"good{number}.jpg") for number in range(47)]

    story.wait_until_made(*good)

    for preset in ("card", "wide"):
        statuses = story.statuses(preset)
        assert {key for key, status in statuses.items() if status == "FAILED"} == set(broken)
        reasons = story.reasons(preset)
        for key, told in broken.items():
            assert told in reasons[key]
    story.admin.request("DELETE", "/files", json=list(broken)).raise_for_status()
    story.wait("Their partitions are still there", lambda: not set(broken) & set(story.partitions))


def test_a_second_pass_over_an_unchanged_project_makes_nothing(story: Story) -> None:
    runs, stored = len(story.runs()), story.stored()

    dry = story.command("backfill", "--missing-only", "--dry-run")
    wet = story.command("backfill", "--missing-only")

    assert (dry.returncode, wet.returncode) == (0, 0), dry.stderr + wet.stderr
    assert "No derivatives to make." in dry.stdout
    assert "No derivatives to make." in wet.stdout
    assert (len(story.runs()), story.stored()) == (runs, stored)


def test_a_backfill_makes_one_preset_for_all_pictures(story: Story) -> None:
    runs, stored = len(story.runs()), story.stored()

    planned = story.command("backfill", "--preset", "card", "--dry-run")
    unknown = story.command("backfill", "--preset", "cart")
    done = story.command("backfill", "--preset", "card")

    assert "48 pictures in Directus" in planned.stdout
    assert unknown.returncode == 1
    assert "Directus has no preset 'cart'. Presets: card, wide." in unknown.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    story.settle()
    assert {frozenset(presets) for presets in story.runs()[runs:]} == {frozenset({"card"})}
    changed = {name for name, moment in story.stored().items() if stored.get(name) != moment}
    assert len(changed) == 48
    assert all(name.endswith(".webp") for name in changed)


def test_the_snapshot_is_what_directus_has(story: Story) -> None:
    kept = json.loads((story.pipeline.home / "directus_snapshot.json").read_text())

    assert [preset["key"] for preset in kept["rows"]["storage_asset_presets"]] == ["card", "wide"]


def test_no_token_is_in_the_log(story: Story) -> None:
    log = story.pipeline.log.read_text("utf-8")

    assert story.directus.bot_token not in log
    assert story.directus.admin_token not in log
