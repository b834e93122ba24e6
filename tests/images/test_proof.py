import datetime as dt
import io

import numpy as np
import pytest
from PIL import Image

from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import Entry
from directus_assets.images.plan import fingerprint
from directus_assets.images.proof import adopted, are_lost, are_right, marked
from directus_assets.images.transforms import derivatives

PRESET = Preset(key="card", fit="cover", width=20, height=20, format="auto")
UPLOADED = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def file(uploaded_on: str = "2026-01-01T12:00:00.000Z") -> File:
    return File.parse(
        {
            "id": "f1",
            "storage": "local",
            "filename_disk": "f1.jpg",
            "type": "image/jpeg",
            "width": 60,
            "height": 40,
            "uploaded_on": uploaded_on,
        }
    )


WANTED = derivatives(PRESET, file())


def stored(*, size: int = 9, modified: dt.datetime = UPLOADED + SECOND, without: int = 0) -> dict[str, Entry]:
    names = [derivative.stored_name for derivative in WANTED[without:]]
    return {name: Entry(name=name, size=size, modified=modified) for name in names}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (stored(), True),
        (stored(without=1), False),
        (stored(size=0), False),
        (stored(size=len(marked(b"picture"))), False),
        (stored(modified=UPLOADED - SECOND), False),
        (stored(modified=UPLOADED + SECOND / 2), False),
        ({}, False),
    ],
    ids=["all there", "one missing", "empty", "marked", "of an earlier picture", "of the same second", "nothing"],
)
def test_derivatives_are_right_where_all_are_there_and_newer_than_the_upload(
    found: dict[str, Entry], expected: bool
) -> None:
    assert are_right(file(), WANTED, found) is expected


def test_a_file_that_was_never_uploaded_proves_nothing() -> None:
    assert not are_right(file(uploaded_on=""), WANTED, stored())


@pytest.mark.parametrize(
    ("found", "sizes", "expected"),
    [
        (stored(), {}, False),
        (stored(), {derivative.stored_name: 9 for derivative in WANTED}, False),
        (stored(), {WANTED[0].stored_name: 8}, True),
        (stored(size=0), {}, True),
        (stored(without=2), {}, True),
        ({}, {"/assets/f1 (card)": 9}, False),
    ],
    ids=["sizes not recorded", "as recorded", "another size", "empty", "missing", "under a name that is not known"],
)
def test_derivatives_are_lost_where_they_are_not_what_was_recorded(
    found: dict[str, Entry], sizes: dict[str, int], expected: bool
) -> None:
    assert are_lost(WANTED, found, sizes) is expected


@pytest.mark.parametrize("form", ["webp", "jpeg", "avif", "png", "tiff", "gif"])
@pytest.mark.parametrize("side", [1, 60, 300])
def test_a_marked_picture_looks_the_same_and_is_not_adopted(form: str, side: int) -> None:
    content = io.BytesIO()
    noise = np.random.default_rng(side).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(noise).save(content, form)

    marking = marked(content.getvalue())

    assert np.array_equal(Image.open(io.BytesIO(marking)), Image.open(content))
    assert adopted(file(), PRESET, WANTED, stored(size=content.tell()))
    assert adopted(file(), PRESET, WANTED, stored(size=len(marking))) is None


def test_what_is_adopted_counts_as_delivered() -> None:
    outcome = adopted(file(), PRESET, WANTED, stored())

    assert outcome
    assert outcome.fingerprint == fingerprint(file(), PRESET)
    assert {made.name for made in outcome.made} == {derivative.stored_name for derivative in WANTED}
    assert adopted(file(), PRESET, WANTED, {}) is None
