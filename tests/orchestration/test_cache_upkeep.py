"""What a cache in front of Directus is told between runs: what is gone."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from directus_assets.images.purge import Purger
from directus_assets.orchestration.project import Project
from directus_assets.settings import Config, Environment, Settings
from directus_assets.settings.sections import PurgeOptions
from tests.images.scripted_directus import URL, picture
from tests.orchestration.test_export_upkeep import Site


class CachedSite(Site):
    """With delivery `warm`, behind a cache."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.is_up = True
        super().__init__(folder)
        self.directus.presets = dict(self.presets)

    def project(self, export: str = "export") -> Project:
        images = {"delivery": "warm", "backfill_on_start": True}
        made = Project(
            Settings(
                environment=Environment.read({"DIRECTUS_URL": URL, "DIRECTUS_TOKEN": "t"}),
                config=Config.model_validate({"images": images}),
                config_folder=self.folder,
            )
        )
        options = PurgeOptions.model_validate({"form": "generic", "url": "https://hook.example.com"})
        made.__dict__["directus"] = self.directus.client
        made.__dict__["purger"] = Purger(options, made.memory, httpx.MockTransport(self.hear))
        return made

    def hear(self, request: httpx.Request) -> httpx.Response:
        if not self.is_up:
            return httpx.Response(503)
        self.told += json.loads(request.content)["urls"]
        return httpx.Response(204)

    def news(self) -> set[str]:
        """What it was told since the last look, by preset and file."""
        told = {f"{httpx.URL(each).params['key']} {httpx.URL(each).path.split('/')[2]}" for each in self.told}
        self.told.clear()
        return told


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CachedSite]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    made = CachedSite(tmp_path)
    for number in range(3):
        made.upload(f"f{number}", picture((40, 30 + number)), width=40, height=30 + number)
    made.tick()
    assert made.news() == set()
    yield made
    made.instance.dispose()


def test_a_deleted_file_is_forgotten_at_every_preset(site: CachedSite) -> None:
    site.delete("f1")
    site.tick()

    assert site.news() == {"card f1", "wide f1"}


def test_a_file_that_is_no_picture_any_more_is_forgotten_and_again_when_it_is_one(site: CachedSite) -> None:
    site.upload("f1", b"%PDF", width=None, height=None, type="application/pdf")
    site.tick()
    as_document = site.news()
    site.upload("f1", picture((40, 31)), width=40, height=31, type="image/jpeg")
    site.tick()

    assert as_document == site.news() == {"card f1", "wide f1"}


def test_a_preset_that_is_gone_is_forgotten_and_one_that_is_switched_off_is_not(site: CachedSite) -> None:
    site.delete("f0")
    site.tick()
    site.news()

    site.directus.further["/settings"] = {"storage_asset_presets": [{"key": "card"}]}
    del site.presets["card"]
    site.tick()
    switched_off = site.news()
    del site.presets["wide"]
    site.tick()

    assert switched_off == set()
    assert site.news() == {"wide f1", "wide f2"}


def test_a_cache_that_does_not_answer_is_told_by_a_later_tick(site: CachedSite) -> None:
    site.is_up = False
    site.delete("f1")
    site.tick()
    silent = site.news()
    site.is_up = True
    site.tick()

    assert silent == set()
    assert site.news() == {"card f1", "wide f1"}
    site.tick()
    assert site.news() == set()


def test_what_the_feed_did_not_tell_and_what_the_cache_did_not_hear_is_told_by_the_reconcile(site: CachedSite) -> None:
    del site.directus.rows["f0"]
    site.is_up = False
    site.delete("f1")
    site.tick()
    site.is_up = True

    site.reconcile()

    assert site.news() == {f"{preset} {file_id}" for preset in ("card", "wide") for file_id in ("f0", "f1")}
