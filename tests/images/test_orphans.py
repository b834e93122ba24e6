from dataclasses import replace

import pytest

from directus_assets.directus.models import File, Preset
from directus_assets.images.inventory import Inventory
from directus_assets.images.orphans import Making, OrphanEvidence, prove, questions
from directus_assets.images.plan import code_version
from directus_assets.images.transforms import derivatives
from tests.images.test_inventory import BROKEN, CARD, FILE, HASH, ID, inventory

OLD = f"{ID}__{HASH}.webp"
GONE = "3f0c8a51-0000-4000-8000-000000000002"
LEFT = f"{GONE}__{HASH}.webp"
NOW = Making(preset="card", code_version=code_version(CARD))
BEFORE = Making(preset="card", code_version="before")
REMOVED = Making(preset="hero", code_version="before")


def reasons(made: Inventory, evidence: OrphanEvidence) -> dict[str, str]:
    return {each.entry.name: reason for each, reason in prove(made, list(made.unclaimed()), evidence)}


@pytest.mark.parametrize(
    ("making", "reason"),
    [(BEFORE, "preset 'card' changed"), (REMOVED, "preset 'hero' removed"), (NOW, "file changed")],
)
def test_what_we_made_and_nobody_asks_for_now_is_an_orphan(making: Making, reason: str) -> None:
    made = inventory({OLD: 5, f"{ID}.jpg": 9}, FILE)

    assert reasons(made, OrphanEvidence(made={(ID, OLD): making})) == {OLD: reason}


@pytest.mark.parametrize(
    ("evidence", "file", "presets"),
    [
        pytest.param(OrphanEvidence(), FILE, (CARD,), id="a name alone"),
        pytest.param(OrphanEvidence(deleted={ID}), FILE, (CARD,), id="deleted, but there"),
        pytest.param(OrphanEvidence(made={("other", OLD): BEFORE}), FILE, (CARD,), id="made for another file"),
        pytest.param(OrphanEvidence(made={(ID, "other"): BEFORE}), FILE, (CARD,), id="another name was made"),
        pytest.param(
            OrphanEvidence(made={(ID, OLD): BEFORE}), FILE, (CARD, BROKEN), id="a preset that cannot be resolved"
        ),
        pytest.param(
            OrphanEvidence(made={(ID, OLD): BEFORE}), replace(FILE, filename_disk="x.jpg"), (CARD,), id="moved on disk"
        ),
    ],
)
def test_what_is_not_proven_to_be_replaced_is_left_alone(
    evidence: OrphanEvidence, file: File, presets: tuple[Preset, ...]
) -> None:
    assert reasons(inventory({OLD: 5, f"{ID}.jpg": 9}, file, presets=presets), evidence) == {}


def test_what_was_stored_in_full_size_is_an_orphan() -> None:
    """It was made where Directus knows no sizes of a file, under the name that Directus then looks for."""
    unsized = replace(FILE, width=None, height=None)
    format_only = Preset(key="card", format="webp")
    (full_size,) = derivatives(format_only, unsized)
    evidence = OrphanEvidence(made={(ID, full_size.stored_name): NOW})
    stored = {full_size.stored_name: 5, f"{ID}.jpg": 9}

    made = inventory(stored, unsized)
    also_asked_for = inventory(stored, unsized, presets=(CARD, replace(format_only, key="original")))

    assert reasons(made, evidence) == {
        full_size.stored_name: "preset 'card' sets a size, but Directus has no size for the file"
    }
    assert reasons(also_asked_for, evidence) == {}


@pytest.mark.parametrize(
    ("evidence", "stored", "is_proven"),
    [
        pytest.param(OrphanEvidence(deleted={GONE}), [LEFT], True, id="the log says so"),
        pytest.param(OrphanEvidence(made={(GONE, LEFT): NOW}), [LEFT], True, id="we made it"),
        pytest.param(OrphanEvidence(), [LEFT], False, id="a missing row alone"),
        pytest.param(OrphanEvidence(made={(GONE, "other"): NOW}), [LEFT], False, id="we made something else"),
        pytest.param(OrphanEvidence(deleted={GONE}), [LEFT, f"{GONE}.jpg"], False, id="its original is there"),
        pytest.param(
            OrphanEvidence(deleted={GONE}), [LEFT, GONE], False, id="its original is there without an extension"
        ),
    ],
)
def test_a_derivative_of_a_deleted_file_needs_a_witness(
    evidence: OrphanEvidence, stored: list[str], is_proven: bool
) -> None:
    made = inventory(dict.fromkeys(stored, 5), FILE)

    assert reasons(made, evidence) == ({LEFT: "file deleted"} if is_proven else {})


def test_a_file_that_lies_elsewhere_now_is_not_deleted() -> None:
    moved = replace(FILE, id=GONE, storage="archive", filename_disk=f"{GONE}.jpg")

    assert reasons(inventory({LEFT: 5}, moved), OrphanEvidence(deleted={GONE})) == {}


def test_questions_are_asked_about_ids_only() -> None:
    made = inventory({OLD: 5, LEFT: 5, f"harbour__{HASH}.webp": 5}, FILE)

    assert questions(made.unclaimed()) == ({GONE}, {ID})
