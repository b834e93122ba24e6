"""Vectors in a folder and in a bucket."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from directus_assets.directus.storage import LocalStorage, S3Storage
from directus_assets.enrichment.neighbours import Neighbour, quantized
from directus_assets.enrichment.vector_store import StoredVector, VectorStore
from directus_assets.errors import BadInput, Unreachable
from tests.buckets import s3_service


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Storage]:
    """A folder in a bucket of an S3 service."""
    with s3_service("vectors") as url:
        yield S3Storage(
            bucket="vectors", key="key", secret="secret", region="us-east-1", endpoint=url, force_path_style=True
        )


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> VectorStore:
    if request.param == "folder":
        return VectorStore(LocalStorage(tmp_path))
    return VectorStore(request.getfixturevalue("bucket").inside(tmp_path.name))


def place(*vector: float, near: str = "") -> StoredVector:
    neighbours = (Neighbour(key=near, product=12_345_678),) if near else None
    return StoredVector(space="local", text="digest", vector=quantized(vector), neighbours=neighbours, rule="5 from 0")


def test_places_come_back_as_they_were(store: VectorStore) -> None:
    places = {"1": place(1, 2), "ключ/..": place(*range(1, 1537), near="1"), "3": place(-1.0)}

    store.put(places)

    found = store.load()
    assert found.keys() == places.keys()
    for key, expected in places.items():
        assert np.array_equal(found[key].vector, expected.vector)
        assert (found[key].neighbours, found[key].space) == (expected.neighbours, expected.space)


def test_neighbours_are_noted_for_items_that_are_there_only(store: VectorStore) -> None:
    store.put({"1": place(1)})

    store.put_neighbours({"1": (), "2": ()}, rule="3 from 0.5")

    assert {key: (found.neighbours, found.rule) for key, found in store.load().items()} == {"1": ((), "3 from 0.5")}


def test_removed_items_are_forgotten_and_others_are_not(store: VectorStore) -> None:
    store.put({str(key): place(1) for key in range(300)})

    store.remove([str(key) for key in range(299)])

    assert list(store.load()) == ["299"]


def test_writers_at_the_same_time_lose_nothing_of_each_other(store: VectorStore) -> None:
    def write(name: str) -> None:
        store.put({f"{name}{key}": place(1) for key in range(40)})

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(store.load()) == 120


def head(**changed: object) -> bytes:
    row = {"key": "1", "space": "s", "text": "t", "dimensions": 1, "rule": "", "neighbours": None} | changed
    return json.dumps({"version": 1, "items": [row]}).encode() + b"\n\0\0"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{}\n",
        b"\xff\n",
        head(dimensions=2),
        head(dimensions=10**40),
        head(dimensions=-1),
        head(key=None),
        head(neighbours=[["2", 10**40]]),
        head(neighbours=[["2"]]),
        b'{"version": 1, "items": ' + b"[" * 5000,
    ],
)
def test_a_file_that_cannot_be_read_is_set_aside_and_its_items_count_as_new(tmp_path: Path, damaged: bytes) -> None:
    store = VectorStore(LocalStorage(tmp_path))
    store.put({"1": place(1)})
    (file,) = tmp_path.glob("*.vectors")
    file.write_bytes(damaged)

    assert store.load() == {}
    store.put({"1": place(0, 3)})

    (aside,) = tmp_path.glob("*.unreadable-*")
    assert aside.read_bytes() == damaged
    assert store.load()["1"].vector.tolist() == [0, 4000]


def test_a_file_of_a_later_version_is_kept_as_it_is(tmp_path: Path) -> None:
    store = VectorStore(LocalStorage(tmp_path))
    store.put({"1": place(1)})
    (file,) = tmp_path.glob("*.vectors")
    later = b'{"version": 2, "items": []}\n\0\1'
    file.write_bytes(later)

    with pytest.raises(BadInput, match="written by a newer version"):
        store.put({"1": place(1)})
    assert file.read_bytes() == later


def test_a_folder_that_is_not_mounted_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        VectorStore(LocalStorage(tmp_path / "gone")).load()
