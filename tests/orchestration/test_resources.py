"""What several projects share, and what each has separately."""

from pathlib import Path

import pytest

from directus_assets.orchestration.project import Project
from directus_assets.settings import load_each, required

YAML = """
images: {export: {location: cdn, folder: exports}}
translations: {records: {location: cdn, folder: records}}
projects:
  default: {}
  shop: {}
  shop_archive: {environment: SHOP, images: {filter: {folder: {_eq: archive}}}, translations: {enabled: false}}
"""


@pytest.fixture
def projects(tmp_path: Path) -> dict[str, Project]:
    """Three projects with a common bucket, two of them shards of one Directus."""
    (tmp_path / "cms.yaml").write_text(YAML)
    (tmp_path / "bucket").mkdir()
    environ = {"DIRECTUS_ASSETS_CONFIG": str(tmp_path / "cms.yaml"), "DAGSTER_HOME": str(tmp_path / "home")}
    for prefix in ("", "SHOP_"):
        environ[f"{prefix}STORAGE_LOCATIONS"] = "cdn"
        environ[f"{prefix}STORAGE_CDN_DRIVER"] = "local"
        environ[f"{prefix}STORAGE_CDN_ROOT"] = str(tmp_path / "bucket")
    return {settings.project: Project(settings) for settings in map(required, load_each(environ).values())}


def test_projects_keep_what_they_remember_and_export_apart_in_one_bucket(
    projects: dict[str, Project], tmp_path: Path
) -> None:
    for name, project in projects.items():
        project.memory.write("spending.json", name.encode(), content_type="application/json")
        project.export.write("manifest.json", name.encode(), content_type="application/json")

    for name, project in projects.items():
        assert project.memory.read("spending.json") == name.encode()
        assert project.export.read("manifest.json") == name.encode()
    bucket = tmp_path / "bucket"
    assert (bucket / "records" / "spending.json").is_file()
    assert (bucket / "records" / "shop" / "spending.json").is_file()


def test_each_directus_has_one_pool_however_many_projects_work_on_it(projects: dict[str, Project]) -> None:
    pools = {name: project.directus_pool for name, project in projects.items()}

    assert pools == {"": "directus", "shop": "shop_directus", "shop_archive": "shop_directus"}
