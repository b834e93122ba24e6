"""Purging a cache in front of Directus between runs: pictures that are gone."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
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
    """A site with delivery `warm`, behind a cache."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.is_up = True
        self.trouble: Exception | None = None
        super().__init__(folder)
        self.directus.presets = dict(self.presets)

    def project(self, export: str = "export") -> Project:
        images = {"delivery": "warm", "backfill_on_start": True}
        made = Project(
            Settings(
                environment=Environment.read(
                    {"DIRECTUS_URL": URL, "DIRECTUS_TOKEN": "t", "DAGSTER_HOME": str(self.folder)}
                ),
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
            if self.trouble:
                raise self.trouble
            return httpx.Response(503)
        self.told += json.loads(request.content)["urls"]
        return httpx.Response(204)

    def news(self) -> set[str]:
        """The purges since the last call: preset or download name, and file."""
        told = {_what(httpx.URL(each)) for each in self.told}
        self.told.clear()
        return told


def _what(url: httpx.URL) -> str:
    file_id, _, name = url.path.removeprefix("/assets/").partition("/")
    return f"{url.params.get('key', name or 'itself')} {file_id}"


def all_of(file_id: str, *names: str) -> set[str]:
    return {f"{what} {file_id}" for what in ("card", "wide", "itself", *names)}


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

    assert site.news() == all_of("f1", "f1.jpg")


def test_a_file_that_is_no_picture_any_more_is_forgotten_and_again_when_it_is_one(site: CachedSite) -> None:
    site.upload("f1", b"%PDF", width=None, height=None, type="application/pdf")
    site.tick()
    as_document = site.news()
    site.upload("f1", picture((40, 31)), width=40, height=31, type="image/jpeg")
    site.tick()

    assert as_document == site.news() == all_of("f1", "f1.jpg")


def test_a_file_itself_is_forgotten_where_its_bytes_are_others_under_all_of_its_names(site: CachedSite) -> None:
    site.upload("f1", picture((40, 31)), width=40, height=31, filename_download="f1.jpg")
    site.tick()
    by_the_same = site.news()
    site.change("f1", focal_point_x=1, focal_point_y=1, title="New")
    site.tick()
    moved = site.news()
    site.upload("f1", picture((44, 31)), width=44, height=31, filename_download="Grün, neu & groß.jpg")
    site.tick()
    replaced = {each for each in site.told if "key=" not in each}
    site.told.clear()
    site.delete("f1")
    site.tick()

    assert by_the_same & {"itself f1", "f1.jpg f1"} == moved & {"itself f1", "f1.jpg f1"} == set()
    place = f"{URL}/assets/f1"
    names = {"f1.jpg", "Gr%C3%BCn%2C%20neu%20%26%20gro%C3%9F.jpg", "Gr%C3%BCn,%20neu%20&%20gro%C3%9F.jpg"}
    assert replaced == {place, *(f"{place}/{name}" for name in names)}
    assert site.news() == all_of("f1", "f1.jpg", "Grün, neu & groß.jpg")


def test_a_picture_is_forgotten_at_its_presets_under_all_names_of_its_file(site: CachedSite) -> None:
    site.change("f1", filename_download="A cake.jpg")
    site.tick()
    renamed = site.news()
    site.upload("f1", picture((44, 31)), width=44, height=31, type="image/svg+xml", filename_download="A cake.jpg")
    site.tick()
    drawing = set(site.told)
    site.told.clear()
    site.delete("f1")
    site.tick()

    places = [f"{URL}/assets/f1{name}" for name in ("", "/f1.jpg", "/A%20cake.jpg")]
    assert renamed == set()
    assert drawing == {f"{place}{preset}" for place in places for preset in ("", "?key=card", "?key=wide")}
    assert set(site.told) >= set(places)


def test_a_file_that_spoils_is_forgotten_itself_and_not_once_more_for_another_preset(site: CachedSite) -> None:
    site.upload("f1", b"no picture", width=40, height=30)
    site.tick()
    spoiled = site.news()
    site.presets["wide"] = replace(site.presets["wide"], width=28)
    site.directus.presets = dict(site.presets)
    site.tick()

    assert {"itself f1", "f1.jpg f1"} <= spoiled
    assert not site.news() & {"itself f1", "f1.jpg f1"}


@pytest.mark.parametrize("presets", [("card", "wide"), ()])
def test_a_document_is_forgotten_where_it_is_uploaded_again_and_where_it_is_deleted(
    site: CachedSite, presets: tuple[str, ...]
) -> None:
    site.directus.further["/settings"] = {"storage_asset_presets": [{"key": key} for key in site.presets]}
    site.presets = {key: preset for key, preset in site.presets.items() if key in presets}
    site.tick()
    site.news()
    site.upload("d1", b"%PDF", type="application/pdf", filename_download="d1.pdf")
    site.tick()
    site.change("d1", title="A title")
    site.tick()
    uploaded = site.news()
    site.upload("d1", b"%PDF-2", type="application/pdf", filename_download="d1.pdf")
    site.tick()
    again = site.news()
    site.delete("d1")
    site.tick()

    assert uploaded == set()
    assert again == {"itself d1", "d1.pdf d1"}
    assert {"itself d1", "d1.pdf d1"} <= site.news()


def test_a_file_of_which_nothing_is_remembered_is_forgotten_where_it_was_just_uploaded(site: CachedSite) -> None:
    for record in site.folder.rglob("originals/*.json"):
        record.unlink()
    site.seconds = itertools.count(3600)
    site.change("f0", title="A title")
    site.tick()
    edited = site.news()
    site.upload("f1", picture((44, 31)), width=44, height=31)
    site.tick()

    assert edited == set()
    assert site.news() >= {"itself f1", "f1.jpg f1"}


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


@pytest.mark.parametrize("trouble", [None, KeyError("nobody has foreseen this")])
def test_a_cache_that_does_not_answer_is_told_by_a_later_tick(site: CachedSite, trouble: Exception | None) -> None:
    site.is_up, site.trouble = False, trouble
    site.delete("f1")
    site.tick()
    site.reconcile()
    silent = site.news()
    site.is_up = True
    site.tick()

    assert silent == set()
    assert site.news() == all_of("f1", "f1.jpg")
    site.tick()
    assert site.news() == set()


def test_what_the_feed_did_not_tell_and_what_the_cache_did_not_hear_is_told_by_the_reconcile(site: CachedSite) -> None:
    del site.directus.rows["f0"]
    site.is_up = False
    site.delete("f1")
    site.tick()
    site.is_up = True

    site.reconcile()

    assert site.news() == all_of("f0", "f0.jpg") | all_of("f1", "f1.jpg")
