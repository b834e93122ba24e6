"""`plan` and `prune` on the real Directus, with its storage on disk and in a bucket."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from rich.console import Console

from directus_assets.commands.plan.images import show_images
from directus_assets.commands.prune.prune import run_prune, run_undo
from directus_assets.commands.prune.undo import FOLDER
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import Storage
from directus_assets.errors import BadInput, Unreachable
from directus_assets.images.transforms import derivatives
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import landscape, upload
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.kinds.pictures import build_image_presets
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.run_tags import range_tags
from directus_assets.settings import Config, Environment, Settings
from tests.buckets import s3_service

NAMES = Names()

pytestmark = pytest.mark.integration

CARD = {"key": "card", "fit": "cover", "width": 40, "height": 30, "quality": 80, "format": "webp", "transforms": []}
WIDE = {"key": "wide", "fit": "inside", "width": 60, "quality": 80, "format": "jpeg", "transforms": []}


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """Directus' variables for a bucket."""
    with s3_service("uploads") as endpoint:
        own = {
            "DRIVER": "s3",
            "KEY": "key",
            "SECRET": "secret",
            "BUCKET": "uploads",
            "REGION": "us-east-1",
            "ENDPOINT": endpoint,
            "FORCE_PATH_STYLE": "true",
            "ROOT": "media",
        }
        yield {"STORAGE_LOCATIONS": "s3", **{f"STORAGE_S3_{name}": value for name, value in own.items()}}


@pytest.fixture(scope="module")
def directus_on_s3(bucket: dict[str, str]) -> Iterator[LocalDirectus]:
    with LocalDirectus(environment=bucket) as server:
        yield server


on_disk_and_in_a_bucket = pytest.mark.parametrize("server", ["empty_directus", "directus_on_s3"], indirect=True)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> LocalDirectus:
    found: LocalDirectus = request.getfixturevalue(getattr(request, "param", "empty_directus"))
    with DirectusClient(found.url, found.admin_token) as client:
        create_bot(client, token=found.bot_token)
    return found


@dataclass
class Pipeline:
    """The assets, their instance, and the commands."""

    server: LocalDirectus
    home: Path
    images: dict[str, Any] = field(default_factory=dict)
    clients: list[DirectusClient] = field(default_factory=list)

    def __post_init__(self) -> None:
        headers = {"authorization": f"Bearer {self.server.admin_token}"}
        self.admin = httpx.Client(base_url=self.server.url, headers=headers, timeout=60, trust_env=False)
        self.project = self.project_of(self.server.bot_token)

    def project_of(self, token: str, **environment: str) -> Project:
        variables = {
            "DIRECTUS_URL": self.server.url,
            "DIRECTUS_TOKEN": token,
            "DAGSTER_HOME": str(self.home),
            **self.server.storage_environment,
            **environment,
        }
        config = Config.model_validate({"images": {"export": {"folder": str(self.home / "site")}, **self.images}})
        project = Project(Settings(environment=Environment.read(variables), config=config))
        self.clients.append(project.directus)
        return project

    @property
    def storage(self) -> Storage:
        (storage,) = self.project.storages.values()
        return storage

    def set_presets(self, *presets: dict[str, Any]) -> None:
        self.admin.patch("/settings", json={"storage_asset_presets": presets}).raise_for_status()

    def upload(self, number: int = 1) -> str:
        content = landscape(number, (300, 200))
        return upload(self.admin, content, filename=f"{number}.jpg", type="image/jpeg", title=str(number))

    def patch(self, file_id: str, **fields: Any) -> None:
        self.admin.patch(f"/files/{file_id}", json=fields).raise_for_status()

    def delete(self, *ids: str) -> None:
        self.admin.request("DELETE", "/files", json=ids).raise_for_status()

    def make(self, *ids: str) -> None:
        """A run over these files, through the presets of now."""
        presets = self.project.directus.project_settings().presets
        with dg.DagsterInstance.get() as instance:
            instance.add_dynamic_partitions(str(NAMES.files_partitions.name), ids)
            known = instance.get_dynamic_partitions(str(NAMES.files_partitions.name))
            for file_id in ids:
                assert file_id in known
                tags = range_tags(file_id, file_id)
                assert dg.materialize(
                    [build_image_presets(self.project, presets)], instance=instance, tags=tags
                ).success

    def names(self, file_id: str) -> set[str]:
        """What the presets of now ask for."""
        (file,) = self.project.directus.files_by_id([file_id])
        presets = self.project.directus.project_settings().presets
        return {each.stored_name for preset in presets for each in derivatives(preset, file)}

    def stored(self) -> dict[str, bytes]:
        """All derivatives, with what they hold."""
        names = [name for name, _ in self.storage.names() if "__" in name and "/" not in name]
        return {name: self.storage.read(name) for name in names}

    def prune(self, *, answer: bool = True, project: Project | None = None, **options: Any) -> tuple[int, str]:
        # Directus keeps whole seconds: what was uploaded in the second of its removal might have been replaced since.
        time.sleep(1)
        out = io.StringIO()
        console = Console(file=out, width=160)
        status = run_prune(console, project or self.project, confirm=lambda: answer, **options)
        return status, out.getvalue()

    def undo(self) -> tuple[int, str]:
        """Undoes what was pruned last."""
        out = io.StringIO()
        status = run_undo(Console(file=out, width=160), self.project, self.lists()[-1])
        return status, out.getvalue()

    def lists(self) -> list[Path]:
        return sorted((self.home / "pruned").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)

    def command(self, *arguments: str) -> str:
        """What `directus-assets` prints; it succeeds."""
        command = Path(sys.executable).with_name("directus-assets")
        environment = {
            "PATH": os.environ["PATH"],
            "COLUMNS": "160",
            "DIRECTUS_URL": self.server.url,
            "DIRECTUS_TOKEN": self.server.bot_token,
            "DAGSTER_HOME": str(self.home),
            **self.server.storage_environment,
        }
        return subprocess.run(
            [command, *arguments],
            env=environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=400,
            check=True,
        ).stdout

    def plan(self, project: Project | None = None) -> str:
        out = io.StringIO()
        show_images(Console(file=out, width=160), project or self.project)
        return out.getvalue()


@pytest.fixture
def pipeline(server: LocalDirectus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}")
    made = Pipeline(server, tmp_path)
    made.set_presets(CARD, WIDE)
    yield made
    rows = made.admin.get("/files", params={"limit": -1, "fields": "id"}).json()["data"]
    if rows:
        made.delete(*(row["id"] for row in rows))
    for name in made.stored():
        made.storage.delete(name)
    for client in (made.admin, *made.clients):
        client.close()


def row_of(text: str, name: str) -> list[str]:
    """The cells of the first row of a table that starts with a name."""
    line = next(line for line in text.splitlines() if line.startswith(f"│ {name} "))
    return [cell.strip() for cell in line.strip("│").split("│")]


@on_disk_and_in_a_bucket
def test_a_changed_and_a_removed_preset_leave_orphans_that_are_pruned_and_put_back(pipeline: Pipeline) -> None:
    file_id = pipeline.upload()
    pipeline.make(file_id)
    old = pipeline.stored()
    pipeline.set_presets({**CARD, "width": 50})
    pipeline.make(file_id)
    before = pipeline.stored()

    dry = pipeline.prune(dry_run=True)
    refused = pipeline.prune(answer=False)
    unchanged = pipeline.stored()
    status, text = pipeline.prune()

    assert dry[0] == 0
    assert refused[0] == 1
    assert unchanged == before
    assert status == 0, text
    assert "preset 'card' changed" in text
    assert "preset 'wide' removed" in text
    assert set(pipeline.stored()) == pipeline.names(file_id)
    lines = [json.loads(line) for line in pipeline.lists()[-1].read_text().splitlines()]
    assert {line["name"] for line in lines} == set(old)
    assert all(line["kept_as"].startswith(f"{FOLDER}/") for line in lines)

    assert pipeline.undo()[0] == 0
    assert pipeline.stored() == before


def test_an_old_focal_point_leaves_an_orphan(pipeline: Pipeline) -> None:
    file_id = pipeline.upload()
    pipeline.patch(file_id, focal_point_x=10, focal_point_y=10)
    pipeline.make(file_id)
    first = set(pipeline.stored())
    pipeline.patch(file_id, focal_point_x=290, focal_point_y=190)
    pipeline.make(file_id)

    status, text = pipeline.prune(keep=False)

    assert status == 0, text
    assert "file changed" in text
    assert set(pipeline.stored()) == pipeline.names(file_id)
    assert len(first - pipeline.names(file_id)) == 1
    status, text = pipeline.undo()
    assert status == 1
    assert "its content was deleted permanently" in text


@on_disk_and_in_a_bucket
def test_derivatives_of_a_deleted_file_that_came_too_late_are_orphans(pipeline: Pipeline) -> None:
    kept, gone = pipeline.upload(1), pipeline.upload(2)
    pipeline.make(kept, gone)
    late = {name: content for name, content in pipeline.stored().items() if name.startswith(gone)}
    pipeline.delete(gone)
    foreign = f"{gone}__{'a' * 40}.webp"
    for name, content in {**late, foreign: b"asked for by a visitor"}.items():
        pipeline.storage.write(name, content, content_type="image/webp")

    status, text = pipeline.prune()

    assert status == 0, text
    assert row_of(text, "storage")[1:3] == ["file deleted", "3"]
    assert set(pipeline.stored()) == pipeline.names(kept)


@on_disk_and_in_a_bucket
def test_what_visitors_and_the_studio_asked_for_is_left_alone(pipeline: Pipeline) -> None:
    file_id = pipeline.upload()
    pipeline.make(file_id)
    for params in ({"width": 33, "format": "webp"}, {"key": "system-small-cover"}):
        pipeline.admin.get(f"/assets/{file_id}", params=params).raise_for_status()
    before = pipeline.stored()

    status, text = pipeline.prune()

    assert (status, text.strip()) == (0, "Nothing to prune.")
    assert pipeline.stored() == before
    assert len(before) == 4
    assert "Derivatives without a preset: 2 (" in pipeline.plan()


def test_a_plan_counts_what_is_present_missing_and_empty(pipeline: Pipeline) -> None:
    one, two, three = (pipeline.upload(number) for number in (1, 2, 3))
    pipeline.make(one, two)
    pipeline.storage.write(next(n for n in pipeline.names(two) if n.endswith("webp")), b"", content_type="image/webp")

    text = pipeline.plan()

    assert row_of(text, "card")[1:7] == ["storage", "3", "1", "1", "1", "0"]
    assert row_of(text, "wide")[1:7] == ["storage", "3", "2", "1", "0", "0"]
    assert "Orphans that" not in text
    assert not {name for name in pipeline.stored() if name.startswith(three)}


def test_without_access_to_the_storage_a_plan_counts_by_dagsters_records_and_says_so(pipeline: Pipeline) -> None:
    one, two = pipeline.upload(1), pipeline.upload(2)
    pipeline.make(one, two)
    pipeline.patch(two, focal_point_x=290, focal_point_y=190)

    text = pipeline.plan(pipeline.project_of(pipeline.server.bot_token, STORAGE_LOCATIONS=""))

    assert row_of(text, "card")[1:7] == ["warm", "2", "1", "1", "0", "0"]
    assert row_of(text, "wide")[1:7] == ["warm", "2", "2", "0", "0", "0"]
    assert "counted from Dagster's records" in text


def test_a_token_that_lost_the_right_to_read_files_proves_nothing(pipeline: Pipeline) -> None:
    file_id = pipeline.upload()
    pipeline.make(file_id)
    pipeline.set_presets({**CARD, "width": 50})
    before = pipeline.stored()
    condition = {"filter[collection][_eq]": "directus_files", "fields": "id,policy,collection,action,fields"}
    (right,) = pipeline.admin.get("/permissions", params=condition).json()["data"]
    pipeline.admin.delete(f"/permissions/{right['id']}").raise_for_status()
    try:
        status, text = pipeline.prune()
    finally:
        body = {**right, "permissions": {}, "validation": {}}
        pipeline.admin.post("/permissions", json=body).raise_for_status()

    assert status == 1
    assert "Left alone: derivatives." in text
    assert "directus_files" in text
    assert pipeline.stored() == before


def test_a_directus_that_is_down_deletes_nothing(pipeline: Pipeline) -> None:
    file_id = pipeline.upload()
    pipeline.make(file_id)
    pipeline.set_presets()
    before = pipeline.stored()

    with pytest.raises(Unreachable):
        pipeline.prune(project=pipeline.project_of("t", DIRECTUS_URL="http://127.0.0.1:1"))

    assert pipeline.stored() == before


def test_another_project_by_mistake_proves_nothing(pipeline: Pipeline) -> None:
    """As where DIRECTUS_URL is staging's, with its own rows, and everything else production's."""
    file_id = pipeline.upload()
    pipeline.make(file_id)
    pipeline.set_presets({**CARD, "width": 50})
    address = pipeline.server.url.replace("127.0.0.1", "localhost")

    status, text = pipeline.prune(project=pipeline.project_of(pipeline.server.bot_token, DIRECTUS_URL=address))

    assert (status, text.strip()) == (0, "Nothing to prune.")


def test_what_was_made_again_since_is_not_overwritten_by_undoing(pipeline: Pipeline) -> None:
    file_id = pipeline.upload()
    pipeline.make(file_id)
    pipeline.set_presets(CARD)
    pipeline.prune()
    pipeline.set_presets(CARD, WIDE)
    pipeline.make(file_id)
    before = pipeline.stored()

    status, text = pipeline.undo()

    assert status == 1
    assert "another file has taken its place" in text
    assert pipeline.stored() == before


def test_a_picture_that_was_replaced_since_does_not_get_its_old_derivatives_back(pipeline: Pipeline) -> None:
    file_id = pipeline.upload()
    pipeline.make(file_id)
    pipeline.set_presets(CARD)
    pipeline.prune()
    content = {"file": ("1.jpg", landscape(7, (300, 200)), "image/jpeg")}
    pipeline.admin.patch(f"/files/{file_id}", files=content).raise_for_status()

    status, text = pipeline.undo()

    assert status == 1
    assert "its file has been replaced since" in text


def test_an_export_loses_deleted_files_and_gets_them_back(pipeline: Pipeline) -> None:
    pipeline.images = {"delivery": "export"}
    pipeline.project = pipeline.project_of(pipeline.server.bot_token)
    kept, gone = pipeline.upload(1), pipeline.upload(2)
    pipeline.make(kept, gone)
    site = pipeline.home / "site"
    before = exported(site)
    pipeline.delete(gone)

    status, text = pipeline.prune()

    assert status == 0, text
    assert list(json.loads((site / "manifest.json").read_bytes())["files"]) == [kept]
    assert not [name for name in exported(site) if gone in name]
    assert pipeline.undo()[0] == 0
    assert exported(site) == before


def exported(site: Path) -> dict[str, bytes]:
    """What an export holds, by name."""
    paths = [path for path in site.rglob("*") if path.is_file() and path.suffix != ".lock" and FOLDER not in path.parts]
    return {str(path.relative_to(site)): path.read_bytes() for path in paths}


def test_the_commands_plan_prune_and_undo(pipeline: Pipeline) -> None:
    file_id = pipeline.upload()
    pipeline.make(file_id)
    pipeline.set_presets(CARD)
    before = pipeline.stored()

    planned = pipeline.command("plan")
    pruned = pipeline.command("prune", "--yes")
    after = pipeline.stored()
    undone = pipeline.command("prune", "--undo", str(pipeline.lists()[-1]))

    assert "preset 'wide' removed" in planned
    assert "Translations: nothing to plan" in planned
    assert "1 deleted" in pruned
    assert set(after) == pipeline.names(file_id)
    assert "1 of 1 restored." in undone
    assert pipeline.stored() == before
    assert pipeline.server.bot_token not in planned + pruned + undone


def test_a_list_that_is_none_is_refused_by_line(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text('{"name": 5}\n')

    with pytest.raises(BadInput, match=r"list\.jsonl, line 1"):
        run_undo(Console(file=io.StringIO()), pipeline.project, path)
