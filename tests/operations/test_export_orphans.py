import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

from directus_assets.commands.prune.exports import Exports
from directus_assets.directus.storage import LocalStorage
from directus_assets.images.delivery import Exported, ManifestEntry
from directus_assets.images.inventory import Inventory
from directus_assets.images.orphans import Making, OrphanEvidence
from directus_assets.images.previews import Placeholder
from tests.images.test_delivery import made
from tests.images.test_inventory import CARD, FILE, ID, inventory

GONE = "3f0c8a51-0000-4000-8000-000000000002"
MAKING = Making(preset="card", code_version="1")


def export(folder: Path, *ids: str, unlisted: str = "", is_fresh: bool = False) -> LocalStorage:
    """An export of these files through one preset, and perhaps one more picture."""
    folder.mkdir(exist_ok=True)
    storage = LocalStorage(folder)
    for file_id in ids:
        output = replace(made("card", 20, 10)[1], name=f"card/{file_id}.webp")
        storage.write(output.name, b"x", content_type="image/webp")
        entry = ManifestEntry(
            file=FILE, placeholder=Placeholder(blurhash="L", colour="#aabbcc"), outputs=(("card", output, "5ha256"),)
        )
        Exported(storage).publish({file_id: entry})
    if unlisted:
        storage.write(unlisted, b"x", content_type="image/webp")
        age = 0 if is_fresh else 2 * 3600
        moment = dt.datetime.now(dt.UTC).timestamp() - age
        os.utime(folder / unlisted, (moment, moment))
    return storage


def found(storage: LocalStorage, evidence: OrphanEvidence, files: Inventory | None = None) -> list[tuple[str, str]]:
    exports = Exports.read(storage, (CARD,))
    return [(each.name, each.reason) for each in exports.orphans(files or inventory({}, FILE), evidence)]


def test_a_deleted_file_loses_its_entry_first_and_then_its_pictures(tmp_path: Path) -> None:
    storage = export(tmp_path, ID, GONE)

    assert found(storage, OrphanEvidence(deleted={GONE})) == [
        ("manifest.json", "file deleted"),
        (f"card/{GONE}.webp", "file deleted"),
    ]
    assert found(storage, OrphanEvidence(made={(GONE, f"card/{GONE}.webp"): MAKING})) != []


def test_a_row_that_is_not_there_proves_no_deletion(tmp_path: Path) -> None:
    assert found(export(tmp_path, ID, GONE), OrphanEvidence()) == []


def test_a_picture_of_ours_outside_of_the_manifest_is_an_orphan(tmp_path: Path) -> None:
    name = f"card/{ID}.avif"

    assert found(export(tmp_path, ID, unlisted=name), OrphanEvidence(made={(ID, name): MAKING})) == [
        (name, "not in the manifest")
    ]


def test_a_picture_of_somebody_else_or_one_under_way_is_left_alone(tmp_path: Path) -> None:
    name = f"card/{ID}.avif"

    assert found(export(tmp_path / "a", ID, unlisted=name), OrphanEvidence()) == []
    fresh = export(tmp_path / "b", ID, unlisted=name, is_fresh=True)
    assert found(fresh, OrphanEvidence(made={(ID, name): MAKING})) == []


def test_without_a_manifest_nothing_is_told(tmp_path: Path) -> None:
    name = f"card/{ID}.avif"
    storage = export(tmp_path, ID, unlisted=name)
    storage.delete("manifest.json")

    assert found(storage, OrphanEvidence(made={(ID, name): MAKING}, deleted={GONE})) == []
