"""An unchanged project requests nothing again, however odd its presets and file names are."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import landscape
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.asked import note_first
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.settings import Config, Environment, Settings
from directus_assets.snapshot import Wanted, take_snapshot
from tests.images.odd_presets import KEYS, LEFT_TO_DIRECTUS, MADE, REFUSED, REFUSED_HERE, with_keys
from tests.orchestration.test_reconcile_on_directus import FILES, Inline

pytestmark = pytest.mark.integration

PRESETS = [
    *with_keys([*MADE[::8], *MADE[-7:-5]], "made"),
    *with_keys(LEFT_TO_DIRECTUS[:2], "left"),
    *with_keys(REFUSED[::12], "refused"),
    *with_keys(REFUSED_HERE[:2], "here"),
    *[{"key": key, "width": 33, "format": "webp"} for key in KEYS[:2]],
    {"key": "auto", "width": 20, "height": 20, "format": "auto"},
    {"key": "tiff", "width": 20, "format": "tiff"},
    {"key": "nothing"},
]

NAMES = ["", "chosen.jpg", "x/same.jpg", "y/same.jpg", "same.jpeg", "no extension", "two.dots.JPG", ".hidden"]
"""Names on disk; the empty one is left to Directus."""


class OddSite:
    """A Directus with these presets and names, and a pipeline that takes its storage to be in some folder."""

    def __init__(self, directus: LocalDirectus, folder: Path, root: str) -> None:
        environment = {
            "DIRECTUS_URL": directus.url,
            "DIRECTUS_TOKEN": directus.bot_token,
            "DAGSTER_HOME": str(folder),
            "STORAGE_LOCATIONS": "local" if root else "",
            "STORAGE_LOCAL_DRIVER": "local",
            "STORAGE_LOCAL_ROOT": root,
        }
        settings = Settings(environment=Environment.read(environment), config=Config(), config_folder=folder)
        self.project = Project(settings)
        self.instance = dg.DagsterInstance.ephemeral()
        self.snapshot = take_snapshot(self.project.directus, Wanted())
        note_first(self.project.memory, FILES, [])

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
        ).run()

    def materializations(self) -> int:
        keys = self.instance.get_asset_keys()
        return sum(len(self.instance.fetch_materializations(key, limit=10_000).records) for key in keys)

    def close(self) -> None:
        self.instance.dispose()
        self.project.directus.close()


@pytest.fixture(scope="module")
def odd_directus(empty_directus: LocalDirectus, admin: httpx.Client) -> Iterator[LocalDirectus]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token, timeout_seconds=120) as client:
        create_bot(client, token=empty_directus.bot_token)
    admin.patch("/settings", json={"storage_asset_presets": PRESETS}).raise_for_status()
    for number, name in enumerate(NAMES):
        parts = {"file": ("a.jpg", landscape(number, (120, 90)), "image/jpeg")}
        admin.post("/files", data={"filename_disk": name} if name else {}, files=parts).raise_for_status()
    time.sleep(1)
    yield empty_directus
    admin.patch("/settings", json={"storage_asset_presets": None}).raise_for_status()


@pytest.mark.parametrize("storage", ["reached", "another", "none"])
def test_on_an_unchanged_project_the_number_of_materializations_does_not_grow(
    odd_directus: LocalDirectus, tmp_path: Path, storage: str
) -> None:
    if storage == "another":
        # As where a relative root means another folder here than it does for Directus.
        shutil.copytree(odd_directus.uploads, tmp_path / "uploads", ignore=shutil.ignore_patterns("*__*"))
    root = {"reached": str(odd_directus.uploads), "another": "./uploads", "none": ""}[storage]
    with contextlib.closing(OddSite(odd_directus, tmp_path, root)) as site:
        site.reconcile()
        made = site.materializations()
        later = []
        for _ in range(3):
            site.reconcile()
            later.append(site.materializations())

    assert made > len(NAMES) * 5
    assert later == [made] * 3
