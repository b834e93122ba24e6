"""Odd presets on a real Directus: our derivatives have the same names and bytes, and we refuse what it refuses."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from directus_assets.directus.models import File, Preset, ProjectSettings
from directus_assets.directus.version import NEWEST
from directus_assets.errors import BadInput
from directus_assets.images.render import NotReproducible, Source, render
from directus_assets.images.transforms import derivatives
from directus_assets.local.pictures import landscape, upload
from directus_assets.local.server import LocalDirectus
from tests.images.odd_presets import (
    KEYS,
    LEFT_TO_DIRECTUS,
    MADE,
    REFUSED,
    REFUSED_BY_THE_NEWEST,
    REFUSED_HERE,
    with_keys,
)

pytestmark = pytest.mark.integration

NOBODY_ASKS_FOR = [{"width": 23}, {"key": None, "width": 22}, {"key": 5, "width": 24}, "text", [], 7]
TWICE = [{"key": "twice", "width": 20}, {"key": "twice", "width": 30}]


class Bench:
    """A picture in a Directus with all of these presets."""

    def __init__(self, directus: LocalDirectus, admin: httpx.Client) -> None:
        self.directus, self._admin = directus, admin
        keys = [{"key": key, "width": 33, "format": "webp"} for key in KEYS]
        groups = [("made", MADE), ("left", LEFT_TO_DIRECTUS), ("refused", REFUSED), ("here", REFUSED_HERE)]
        groups += [("newest", REFUSED_BY_THE_NEWEST)]
        rows = [row for prefix, presets in groups for row in with_keys(presets, prefix)]
        presets = [*rows, *keys, *NOBODY_ASKS_FOR, *TWICE]
        admin.patch("/settings", json={"storage_asset_presets": presets}).raise_for_status()
        stored = admin.get("/settings", params={"fields": "storage_asset_presets"}).json()["data"]
        self.presets = {preset.key: preset for preset in ProjectSettings.parse(stored).presets}
        self.original = landscape(3, (300, 200))
        file_id = upload(admin, self.original, filename="odd.jpg")
        self.file = File.parse(admin.get(f"/files/{file_id}").json()["data"])

    def ask(self, key: str) -> httpx.Response:
        return self._admin.get(f"/assets/{self.file.id}", params={"key": key})

    def make(self, preset: Preset) -> list[bytes]:
        return [render(Source(self.original), wanted).content for wanted in derivatives(preset, self.file)]

    def is_equal(self, preset: Preset) -> bool:
        """Whether Directus stores and serves what is rendered here."""
        theirs = self.ask(preset.key)
        (wanted,) = derivatives(preset, self.file)
        stored = self.directus.uploads / wanted.stored_name
        is_made_the_same = wanted.mime_type == "image/tiff" or self.make(preset) == [theirs.content]
        return stored.read_bytes() == theirs.content and is_made_the_same


@pytest.fixture(scope="module")
def bench(empty_directus: LocalDirectus, admin: httpx.Client) -> Iterator[Bench]:
    yield Bench(empty_directus, admin)
    admin.patch("/settings", json={"storage_asset_presets": None}).raise_for_status()


def named(presets: list[dict[str, Any]], prefix: str) -> pytest.MarkDecorator:
    rows = with_keys(presets, prefix)
    return pytest.mark.parametrize("key", [row["key"] for row in rows], ids=[str(preset)[:60] for preset in presets])


@named(MADE, "made")
def test_what_directus_makes_of_an_odd_preset_is_made_the_same(bench: Bench, key: str) -> None:
    assert bench.is_equal(bench.presets[key])


@named(LEFT_TO_DIRECTUS, "left")
def test_what_only_directus_makes_is_left_to_it_under_the_right_name(bench: Bench, key: str) -> None:
    (wanted,) = derivatives(bench.presets[key], bench.file)

    answer = bench.ask(key)

    assert answer.is_success
    assert (bench.directus.uploads / wanted.stored_name).read_bytes() == answer.content
    with pytest.raises(NotReproducible):
        render(Source(bench.original), wanted)


@named(REFUSED, "refused")
def test_what_directus_refuses_is_refused_with_a_reason(bench: Bench, key: str) -> None:
    assert bench.ask(key).is_error
    with pytest.raises(BadInput, match=key):
        bench.make(bench.presets[key])


@named(REFUSED_BY_THE_NEWEST, "newest")
def test_what_the_newest_directus_refuses_is_refused_on_all_with_a_reason(bench: Bench, key: str) -> None:
    assert bench.ask(key).is_error or bench.directus.version != NEWEST
    with pytest.raises(BadInput, match=key):
        bench.make(bench.presets[key])


@pytest.mark.parametrize("number", range(len(REFUSED_HERE)))
def test_what_directus_makes_something_of_by_chance_is_refused_with_a_reason(bench: Bench, number: int) -> None:
    key = with_keys(REFUSED_HERE, "here")[number]["key"]

    assert bench.ask(key).is_success
    with pytest.raises(BadInput, match=key):
        derivatives(bench.presets[key], bench.file)


@pytest.mark.parametrize("key", KEYS)
def test_any_text_is_a_key(bench: Bench, key: str) -> None:
    assert bench.is_equal(bench.presets[key])


def test_of_two_presets_with_one_key_directus_takes_the_first(bench: Bench) -> None:
    assert bench.presets["twice"].width == 20
    assert bench.is_equal(bench.presets["twice"])


def test_what_nobody_can_ask_for_is_no_preset(bench: Bench) -> None:
    assert bench.ask("5").status_code == 400
    assert bench.presets.keys().isdisjoint({"5", "None"})


def test_a_null_among_the_presets_stops_every_asset(bench: Bench, admin: httpx.Client) -> None:
    """Which is why it is refused as a whole."""
    presets = admin.get("/settings", params={"fields": "storage_asset_presets"}).json()["data"]["storage_asset_presets"]
    admin.patch("/settings", json={"storage_asset_presets": [*presets, None]}).raise_for_status()
    try:
        assert bench.ask("twice").status_code == 500
    finally:
        admin.patch("/settings", json={"storage_asset_presets": presets}).raise_for_status()
