"""Custom names on disk: derivatives that survive a replacement, and those that two pictures share."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import LocalStorage, Storage
from directus_assets.errors import BadInput, Correctable
from directus_assets.images.make import Maker
from directus_assets.images.names_on_disk import is_chosen
from directus_assets.images.outcomes import Delivered, Failed, Outcome
from directus_assets.images.render import Source, render
from directus_assets.images.transforms import derivatives
from directus_assets.local.pictures import landscape
from directus_assets.local.server import LocalDirectus
from tests.images.scripted_directus import RENDERED, ScriptedDirectus, picture

CARD = Preset(key="card", fit="cover", width=20, height=20, format="webp")
KEPT = Preset(key="kept", fit="cover", width=20, height=20)
PRESETS = (CARD, KEPT)


@pytest.fixture
def scripted(tmp_path: Path) -> ScriptedDirectus:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return ScriptedDirectus(folder, list(PRESETS))


def deliveries(name: str) -> dict[str, str]:
    return {preset.key: name for preset in PRESETS}


def make(maker: Maker, files: Iterable[File], *presets: Preset) -> list[Outcome]:
    return list(maker.make(dict.fromkeys(files, presets or PRESETS)))


def errors(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], str]:
    return {(each.file_id, each.preset): str(each.error) for each in outcomes if isinstance(each, Failed)}


@pytest.mark.parametrize(
    ("filename_disk", "expected"),
    [("f1.jpg", False), ("f1", False), ("folder/f1.jpg", False), ("harbour.jpg", True), ("f1/harbour.jpg", True)],
)
def test_a_name_is_chosen_where_directus_does_not_find_its_derivatives_by_the_id(
    scripted: ScriptedDirectus, filename_disk: str, expected: bool
) -> None:
    file = scripted.add("f1", picture(), filename_disk=filename_disk)

    assert is_chosen(file) is expected


# What a replacement leaves behind


def replaced(scripted: ScriptedDirectus) -> File:
    """A file whose derivatives Directus has made, and that was then replaced as Directus does it."""
    file = scripted.add("f1", picture(), filename_disk="harbour.jpg")
    for preset in PRESETS:
        (wanted,) = derivatives(preset, file)
        scripted.storage.write(wanted.stored_name, b"of the picture before", content_type="image/webp")
        os.utime(scripted.folder / wanted.stored_name, (1, 1))
    (scripted.folder / "harbour.jpg").write_bytes(picture((60, 41)))
    scripted.rows["f1"] |= {"uploaded_on": "2026-02-01T00:00:00.000Z", "filesize": len(picture((60, 41)))}
    return scripted.file("f1")


def test_warming_removes_a_derivative_of_the_picture_before_from_a_storage_that_is_reached(
    scripted: ScriptedDirectus,
) -> None:
    file = replaced(scripted)

    outcomes = make(scripted.maker(deliveries("warm")), [file])

    assert errors(outcomes) == {}
    assert {(scripted.folder / name).read_bytes() for name in scripted.stored()} == {RENDERED}


def test_storing_overwrites_a_derivative_of_the_picture_before(scripted: ScriptedDirectus) -> None:
    file = replaced(scripted)

    outcomes = make(scripted.maker(deliveries("storage")), [file])

    assert errors(outcomes) == {}
    for preset in PRESETS:
        (wanted,) = derivatives(preset, file)
        assert scripted.storage.read(wanted.stored_name) == render(Source(picture((60, 41))), wanted).content


def test_without_the_storage_a_derivative_of_the_picture_before_is_a_failure_with_the_ways_out(
    scripted: ScriptedDirectus,
) -> None:
    file = replaced(scripted)

    outcomes = make(scripted.maker(deliveries("warm"), storages={}), [file])

    failures = errors(outcomes)
    assert set(failures) == {("f1", "card"), ("f1", "kept")}
    for told in ("does not match the current picture", "filename_disk", "STORAGE_", "harbour__"):
        assert told in failures["f1", "card"]
    assert all(isinstance(each.error, Correctable) for each in outcomes if isinstance(each, Failed))


def test_a_picture_that_was_never_replaced_is_not_read_to_prove_anything(scripted: ScriptedDirectus) -> None:
    file = scripted.add("f1", picture(), filename_disk="harbour.jpg")
    asked: list[str] = []
    scripted.trouble = lambda request: asked.append(request.method + request.url.path)

    outcomes = make(scripted.maker(deliveries("warm"), storages={}), [file], CARD)

    assert errors(outcomes) == {}
    assert asked.count("HEAD/assets/f1") == 1
    assert "GET/assets/f1" not in asked


def test_a_token_that_may_not_read_the_date_of_a_row_goes_by_the_log(scripted: ScriptedDirectus) -> None:
    file = replaced(scripted)
    scripted.further["/server/info"] = {"version": "12.4.1"}
    scripted.trouble = lambda request: httpx.Response(403) if "created_on" in str(request.url) else None

    unnoticed = errors(make(scripted.maker(deliveries("warm"), storages={}), [file], CARD))
    scripted.activity.append(
        {
            "id": 1,
            "action": "update",
            "collection": "directus_files",
            "item": "f1",
            "user": "editor",
            "user_agent": "Firefox",
            "timestamp": file.uploaded_on,
        }
    )
    noticed = errors(make(scripted.maker(deliveries("warm"), storages={}), [file], CARD))

    assert unnoticed == {}
    assert set(noticed) == {("f1", "card")}


def test_a_row_that_was_made_for_a_file_in_the_storage_was_never_replaced(scripted: ScriptedDirectus) -> None:
    file = scripted.add("f1", picture(), filename_disk="harbour.jpg", uploaded_on=None)

    assert errors(make(scripted.maker(deliveries("warm"), storages={}), [file], CARD)) == {}


# Two pictures that share their derivatives


@pytest.mark.parametrize("delivery", ["warm", "storage"])
@pytest.mark.parametrize("names", [("a.jpg", "a.png"), ("x/a.jpg", "y/a.jpg"), ("a", "b/a.webp")])
def test_pictures_whose_derivatives_would_have_one_name_fail_and_name_each_other(
    scripted: ScriptedDirectus, names: tuple[str, str], delivery: str
) -> None:
    files = [scripted.add(f"f{number}", picture(), filename_disk=name) for number, name in enumerate(names)]

    failures = errors(make(scripted.maker(deliveries(delivery)), files, CARD))

    assert set(failures) == {("f0", "card"), ("f1", "card")}
    assert names[1] in failures["f0", "card"]
    assert names[0] in failures["f1", "card"]
    assert "Change `filename_disk` of one of the two" in failures["f0", "card"]
    assert scripted.stored() == set()


def test_only_the_presets_that_give_both_one_name_fail(scripted: ScriptedDirectus) -> None:
    """A derivative without a format of its own keeps the extension of its original."""
    files = [
        scripted.add("f1", picture(), filename_disk="a.jpg"),
        scripted.add("f2", picture(), filename_disk="a.jpeg"),
    ]

    failures = errors(make(scripted.maker(deliveries("storage")), files))

    assert set(failures) == {("f1", "card"), ("f2", "card")}


@pytest.mark.parametrize(
    "other",
    [{"filename_disk": "ab.jpg"}, {"filename_disk": "a.svg", "type": "image/svg+xml"}, {"storage": "s3"}],
)
def test_who_shares_no_derivative_is_left_alone(scripted: ScriptedDirectus, other: dict[str, str]) -> None:
    file = scripted.add("f1", picture(), filename_disk="a.jpg")
    scripted.add("f2", picture(), **{"filename_disk": "x/a.jpg", **other})

    assert errors(make(scripted.maker(deliveries("storage")), [file])) == {}


def test_two_rows_of_one_original_share_its_derivatives(scripted: ScriptedDirectus) -> None:
    files = [scripted.add(file_id, picture(), filename_disk="a.jpg") for file_id in ("f1", "f2")]

    assert errors(make(scripted.maker(deliveries("storage")), files)) == {}


def test_an_export_has_names_of_its_own(scripted: ScriptedDirectus, tmp_path: Path) -> None:
    files = [scripted.add("f1", picture(), filename_disk="a.jpg"), scripted.add("f2", picture(), filename_disk="a.png")]

    outcomes = make(scripted.maker(deliveries("export"), export=tmp_path), files)

    assert errors(outcomes) == {}


# On the real Directus

REAL = {"key": "card", "fit": "cover", "width": 40, "height": 30, "quality": 80, "format": "webp"}


class Bed:
    """A real Directus with one preset."""

    def __init__(self, directus: LocalDirectus, admin: httpx.Client) -> None:
        admin.patch("/settings", json={"storage_asset_presets": [REAL]}).raise_for_status()
        self.admin, self.uploads = admin, directus.uploads
        self.client = DirectusClient(directus.url, directus.admin_token)

    def upload(self, filename_disk: str, seed: int) -> File:
        parts = {"file": ("a.jpg", landscape(seed, (200, 150)), "image/jpeg")}
        answer = self.admin.post("/files", data={"filename_disk": filename_disk}, files=parts)
        return self.file(answer.raise_for_status().json()["data"]["id"])

    def replace(self, file: File, seed: int) -> File:
        parts = {"file": ("a.jpg", landscape(seed, (200, 150)), "image/jpeg")}
        self.admin.patch(f"/files/{file.id}", files=parts).raise_for_status()
        return self.file(file.id)

    def file(self, file_id: str) -> File:
        (row,) = self.client.files_by_id([file_id])
        return row

    def make(self, file: File, delivery: str, *, reaches_storage: bool) -> Outcome:
        storages: dict[str, Storage] = {"local": LocalStorage(self.uploads)} if reaches_storage else {}
        maker = Maker(
            client=self.client,
            storages=storages,
            export=lambda: LocalStorage(self.uploads),
            delivery_of=lambda _: delivery,
        )
        (outcome,) = maker.make({file: [Preset.parse(REAL)]})
        return outcome

    def serves(self, file: File, seed: int) -> bool:
        (wanted,) = derivatives(Preset.parse(REAL), file)
        expected = render(Source(landscape(seed, (200, 150))), wanted).content
        return self.admin.get(f"/assets/{file.id}", params={"key": "card"}).content == expected


@pytest.fixture(scope="module")
def bed(empty_directus: LocalDirectus, admin: httpx.Client) -> Iterator[Bed]:
    made = Bed(empty_directus, admin)
    yield made
    made.client.close()


@pytest.mark.integration
@pytest.mark.parametrize("delivery", ["warm", "storage"])
@pytest.mark.parametrize("folder", ["", "press/"])
def test_directus_serves_the_new_picture_after_a_replacement(bed: Bed, delivery: str, folder: str) -> None:
    file = bed.upload(f"{folder}{delivery}-{len(folder)}.jpg", 1)
    assert isinstance(bed.make(file, "warm", reaches_storage=False), Delivered)
    assert bed.serves(file, 1)

    file = bed.replace(file, 2)
    assert bed.serves(file, 1), "Directus keeps no old derivatives any more."
    outcome = bed.make(file, delivery, reaches_storage=True)

    assert isinstance(outcome, Delivered)
    assert bed.serves(file, 2)


@pytest.mark.integration
def test_without_the_storage_the_old_derivative_is_noticed_until_the_file_has_another_name(bed: Bed) -> None:
    file = bed.upload("unreached.jpg", 1)
    bed.make(file, "warm", reaches_storage=False)
    file = bed.replace(file, 2)

    failed = bed.make(file, "warm", reaches_storage=False)
    bed.admin.patch(f"/files/{file.id}", json={"filename_disk": "renamed.jpg"}).raise_for_status()
    made = bed.make(bed.file(file.id), "warm", reaches_storage=False)

    assert isinstance(failed, Failed)
    assert isinstance(failed.error, BadInput)
    assert isinstance(made, Delivered)
    assert bed.serves(bed.file(file.id), 2)
    # And what is right is proved to be.
    assert isinstance(bed.make(bed.file(file.id), "warm", reaches_storage=False), Delivered)


@pytest.mark.integration
def test_directus_itself_serves_one_picture_for_another_of_the_same_stem(bed: Bed) -> None:
    """Which is why both fail."""
    first, second = bed.upload("shared/same.jpg", 1), bed.upload("other/same.jpg", 2)
    assert bed.serves(first, 1)
    assert bed.serves(second, 1)

    for file in (first, second):
        outcome = bed.make(file, "storage", reaches_storage=True)
        assert isinstance(outcome, Failed)
        assert "same.jpg" in outcome.error.message
