"""A fresh Dagster project with two instances of the component: two shards of one real Directus."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import landscape, upload
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.names import Names
from directus_assets.settings import Config

pytestmark = [
    pytest.mark.integration,
    # Dagster 1.13 reads `defs.yaml` with a function that pydantic has renamed.
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
]

PRESETS = [{"key": "card", "fit": "cover", "width": 60, "height": 60, "quality": 80, "format": "webp"}]

PYPROJECT = """
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "sharded_site"
"""

DEFS = """
type: directus_assets.DirectusComponent
attributes:
  name: {name}
  url: "{{{{ env.CMS_URL }}}}"
  token: "{{{{ env.CMS_TOKEN }}}}"
  environment: CMS
  images: {{filter: {{folder: {{_eq: {folder}}}}}}}
  translations: {{collections: {{posts: {{filter: {{status: {{_eq: {status}}}}}}}, pages: {{enabled: false}}}}}}
"""


class Site:
    """A Dagster project with one instance of the component for each half of a Directus."""

    def __init__(self, root: Path, admin: httpx.Client) -> None:
        self.root = root
        self.admin = admin
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursors: dict[str, str] = {}
        self.folders = {name: self.folder(name) for name in ("photos", "drawings")}
        (root / "pyproject.toml").write_text(PYPROJECT)
        for name, status in (("photos", "published"), ("drawings", "draft")):
            place = root / "src" / "sharded_site" / "defs" / name
            place.mkdir(parents=True)
            text = DEFS.format(name=name, folder=self.folders[name], status=status)
            (place / "defs.yaml").write_text(text)
        for package in ("sharded_site", "sharded_site/defs"):
            (root / "src" / package / "__init__.py").touch()
        sys.path.insert(0, str(root / "src"))
        importlib.invalidate_caches()
        self.definitions = dg.load_from_defs_folder(path_within_project=root)

    def folder(self, name: str) -> str:
        return str(self.admin.post("/folders", json={"name": name}).json()["data"]["id"])

    def upload(self, seed: int, folder: str) -> str:
        file_id = upload(self.admin, landscape(seed), filename=f"{seed}.jpg")
        self.move(file_id, folder)
        return file_id

    def move(self, file_id: str, folder: str) -> None:
        self.admin.patch(f"/files/{file_id}", json={"folder": self.folders[folder]}).raise_for_status()

    def write(self, title: str, status: str) -> str:
        row = {"status": status, "translations": [{"languages_code": "en-US", "title": title}]}
        answer = self.admin.post("/items/posts", json=row)
        answer.raise_for_status()
        return str(answer.json()["data"]["id"])

    def settle(self) -> None:
        """Tick all sensors and execute the requested runs until nothing is requested."""
        for project in ("photos", "drawings"):
            names = Names(project)
            for sensor, job in (
                (names.files_sensor, names.images_job),
                (names.items_sensor("posts"), names.translation_job("posts")),
            ):
                while self._tick(sensor, job):
                    pass

    def _tick(self, sensor: str, job: str) -> bool:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursors.get(sensor), definitions=self.definitions, sensor_name=sensor
        )
        result = self.definitions.resolve_sensor_def(sensor)(context)
        assert isinstance(result, dg.SensorResult)
        self.cursors[sensor] = result.cursor or ""
        for request in result.run_requests or []:
            run = self.definitions.resolve_job_def(job).execute_in_process(
                instance=self.instance, asset_selection=list(request.asset_selection or ()), tags=request.tags
            )
            assert run.success
        return bool(result.run_requests)

    def partitions(self, project: str) -> list[str]:
        return list(self.instance.get_dynamic_partitions(str(Names(project).files_partitions.name)))

    def made(self, key: dg.AssetKey) -> set[str]:
        return self.instance.get_materialized_partitions(key)


@pytest.fixture
def site(
    empty_directus: LocalDirectus, admin: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    admin.patch("/settings", json={"storage_asset_presets": PRESETS}).raise_for_status()
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as client:
        create_collections(client)
        filters = {
            "images": {"filter": {"folder": {"_null": True}}},
            "translations": {"collections": {"posts": {"filter": {"status": {"_nnull": True}}}}},
        }
        create_bot(client, token=empty_directus.bot_token, config=Config.model_validate(filters))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("CMS_URL", empty_directus.url)
    monkeypatch.setenv("CMS_TOKEN", empty_directus.bot_token)
    monkeypatch.setenv("TRANSLATION_ENGINE", "pseudo")
    for name, value in empty_directus.storage_environment.items():
        monkeypatch.setenv(f"CMS_{name}", value)
    site = Site(tmp_path, admin)
    yield site
    site.instance.dispose()
    for name in [name for name in sys.modules if name.partition(".")[0] == "sharded_site"]:
        del sys.modules[name]


def test_two_instances_share_the_work_of_one_directus_and_mix_nothing(site: Site, tmp_path: Path) -> None:
    old = site.upload(1, "photos")
    site.settle()
    photo, drawing = site.upload(2, "photos"), site.upload(3, "drawings")
    post, draft = site.write("A harbour", "published"), site.write("A sketch", "draft")

    site.settle()

    photos, drawings = Names("photos"), Names("drawings")
    assert site.partitions("photos") == [old, photo]
    assert site.partitions("drawings") == [drawing]
    assert site.made(photos.preset("card")) == {photo}
    assert site.made(drawings.preset("card")) == {drawing}
    assert site.made(photos.translation("posts", "de-DE")) == {post}
    assert site.made(drawings.translation("posts", "de-DE")) == {draft}
    assert site.instance.get_dynamic_partitions("directus_files") == []
    folders = {path.name for path in (tmp_path / "projects").iterdir()}
    assert folders == {"photos", "drawings"}
    for name in folders:
        assert (tmp_path / "projects" / name / "directus_snapshot.json").is_file()
        records = [path.name for path in (tmp_path / "projects" / name / "translations").rglob("*.json")]
        item = post if name == "photos" else draft
        assert {name.partition(".")[0] for name in records} - {"existed_at_first", "reconcile", "spending"} == {item}
    runs = site.instance.get_runs()
    assert {run.tags["directus_assets/project"] for run in runs} == {"photos", "drawings"}
    tags = {run.job_name.partition("_")[0]: run.tags["directus_assets/project"] for run in runs}
    assert tags == {"photos": "photos", "drawings": "drawings"}


def test_a_file_that_moves_to_another_shard_is_made_there(site: Site) -> None:
    file_id = site.upload(4, "photos")
    site.settle()
    assert site.made(Names("drawings").preset("card")) == set()

    site.move(file_id, "drawings")
    site.settle()

    assert site.made(Names("drawings").preset("card")) == {file_id}
