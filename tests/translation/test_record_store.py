"""Records in a folder and in a bucket."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from directus_assets.directus.storage import LocalStorage, S3Storage
from directus_assets.errors import BadInput, PermanentError, Unreachable
from directus_assets.ownership.field_records import Arrived, FieldRecord, Remembered, TranslationRecord
from directus_assets.ownership.record_store import RecordStore, record_name
from tests.buckets import s3_service

RECORD = TranslationRecord(
    collection="posts",
    item="17",
    language="de-DE",
    segments={"k": Remembered(text="Brot 🍞", glossary="", engine="pseudo")},
    fields={"title": FieldRecord(source="Bread", written="abc")},
)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 service with the bucket `records`."""
    with s3_service("records") as url:
        yield url


def bucket(name: str, url: str) -> RecordStore:
    storage = S3Storage(
        bucket=name, root="a/b", key="key", secret="secret", region="us-east-1", endpoint=url, force_path_style=True
    )
    return RecordStore(storage)


def folder(path: Path) -> RecordStore:
    path.mkdir(exist_ok=True)
    return RecordStore(LocalStorage(path))


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> RecordStore:
    if request.param == "folder":
        return folder(tmp_path / "records")
    return bucket("records", request.getfixturevalue("s3"))


def test_a_record_comes_back_as_it_was(store: RecordStore) -> None:
    assert store.load("posts", "17", "fr-FR") is None

    store.save(RECORD)

    assert store.load("posts", "17", "de-DE") == RECORD


def test_a_deleted_record_is_gone_and_deleting_twice_is_no_error(store: RecordStore) -> None:
    store.save(RECORD)

    store.delete("posts", "17", "de-DE")
    store.delete("posts", "17", "de-DE")

    assert store.load("posts", "17", "de-DE") is None


def test_what_several_runs_remember_of_one_item_at_once_is_all_kept(store: RecordStore) -> None:
    def remember(number: int) -> None:
        answer = Arrived(texts={str(number): "Brot"}, engine="openai")
        store.update("posts", "17", "de-DE", lambda known: known.with_answer(answer))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(remember, range(12)))

    record = store.load("posts", "17", "de-DE")
    assert record is not None
    assert {key for answer in record.answers for key in answer.texts} == set(map(str, range(12)))


def test_a_decision_that_another_run_has_made_meanwhile_is_not_overwritten(store: RecordStore) -> None:
    nothing = TranslationRecord(collection="posts", item="17", language="de-DE")
    store.update("posts", "17", "de-DE", lambda known: known.with_answer(Arrived(texts={"k": "Brot"}, engine="openai")))

    assert store.replace(nothing, RECORD)
    assert not store.replace(nothing, RECORD.with_fields({"title": FieldRecord(source="Bread", written="def")}))
    assert store.load("posts", "17", "de-DE") == RECORD


@pytest.mark.parametrize("item", ["../../etc/passwd", "..", "", "CON", "a/b\\c", "ü🍞\x00", "x" * 5000, "A"])
def test_every_key_is_a_safe_name_of_its_own(tmp_path: Path, item: str) -> None:
    store = folder(tmp_path / "records")
    record = TranslationRecord(collection="../posts", item=item, language="de-DE")

    store.save(record)

    assert store.load("../posts", item, "de-DE") == record
    assert [path.name for path in tmp_path.iterdir()] == ["records"]
    assert record_name("c", item, "l").lower() != record_name("c", item.swapcase() + "b", "l").lower()


def test_names_differ_by_more_than_case() -> None:
    assert record_name("c", "A", "l").lower() != record_name("c", "a", "l").lower()


DAMAGED = {
    "empty": b"",
    "cut off": RECORD.to_json()[:40],
    "not UTF-8": RECORD.to_json().replace(b"Bread", b"\xff\xfe"),
    "half an emoji": RECORD.to_json().replace(b"Bread", b"\\ud83d"),
    "a list": b"[]",
    "of another type": RECORD.to_json().replace(b'"Bread"', b"17"),
    "a number that is infinite": RECORD.to_json().replace(b'"answers":[]', b'"answers":[{"usage":{"requests":1e400}}]'),
    "a number of 10,000 digits": RECORD.to_json().replace(b'"Bread"', b"9" * 10_000),
    "nested": b'{"fields": ' + b"[" * 10_000,
    "of no version": RECORD.to_json().replace(b'"version":1', b'"version":[]'),
}


def put(store: RecordStore, content: bytes) -> str:
    name = record_name("posts", "17", "de-DE")
    store.storage.write(name, content, content_type="application/json")
    return name


def asides(store: RecordStore, name: str) -> list[bytes]:
    found = [entry.name for entry in store.storage.entries(f"{name}.")]
    return [store.storage.read(each) for each in found]


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_record_that_cannot_be_read_is_set_aside_reported_once_and_counts_as_lost(
    store: RecordStore, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    name = put(store, content)

    assert store.load("posts", "17", "de-DE") is None
    assert store.load("posts", "17", "de-DE") is None

    assert content in asides(store, name)
    (report,) = (record.message for record in caplog.records if "cannot be read" in record.message)
    assert "The translation record of posts 17 in de-DE cannot be read: " in report
    assert f"the texts in Directus count as written by people. A copy is kept as {name}.unreadable-" in report
    store.save(RECORD)
    assert store.load("posts", "17", "de-DE") == RECORD


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_an_update_of_a_record_that_cannot_be_read_begins_with_an_empty_one(store: RecordStore, content: bytes) -> None:
    name = put(store, content)

    store.update("posts", "17", "de-DE", lambda known: known.with_fields(RECORD.fields))

    assert content in asides(store, name)
    empty = TranslationRecord(collection="posts", item="17", language="de-DE")
    assert store.load("posts", "17", "de-DE") == empty.with_fields(RECORD.fields)


def test_of_several_runs_that_find_a_damaged_record_none_loses_what_another_has_remembered(tmp_path: Path) -> None:
    store = folder(tmp_path)
    name = put(store, b"{")

    def remember(number: int) -> None:
        store.load("posts", "17", "de-DE")
        answer = Arrived(texts={str(number): "Brot"}, engine="openai")
        store.update("posts", "17", "de-DE", lambda known: known.with_answer(answer))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remember, range(24)))

    record = store.load("posts", "17", "de-DE")
    assert record is not None
    assert {key for answer in record.answers for key in answer.texts} == set(map(str, range(24)))
    assert asides(store, name) == [b"{"]


@pytest.mark.parametrize("act", ["load", "update", "save"])
def test_a_folder_in_the_place_of_a_record_is_set_aside(
    tmp_path: Path, act: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = folder(tmp_path)
    name = record_name("posts", "17", "de-DE")
    (tmp_path / name / "inside").mkdir(parents=True)

    if act == "load":
        assert store.load("posts", "17", "de-DE") is None
    elif act == "update":
        store.update("posts", "17", "de-DE", lambda known: known.with_fields(RECORD.fields))
    else:
        store.save(RECORD)

    (aside,) = (tmp_path / name).parent.glob("*.unreadable-*")
    assert (aside / "inside").is_dir()
    assert "Is a directory" in caplog.text


def test_a_folder_in_the_place_of_the_lock_stands_in_nobodys_way(tmp_path: Path) -> None:
    store = folder(tmp_path)
    lock = (tmp_path / record_name("posts", "17", "de-DE")).with_name(".lock")
    lock.mkdir(parents=True)

    store.update("posts", "17", "de-DE", lambda _: RECORD)

    assert store.load("posts", "17", "de-DE") == RECORD


NO_PERMISSION = """
import os, sys
from pathlib import Path
from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import PermanentError
from directus_assets.ownership.record_store import RecordStore, record_name
root, name = Path(sys.argv[1]), record_name("posts", "17", "de-DE")
theirs = record_name("posts", "18", "de-DE")
os.setgid(65534)
os.setuid(65534)
store = RecordStore(LocalStorage(root))
(root / name).chmod(0)
assert store.load("posts", "17", "de-DE") is None
assert len(list((root / name).parent.glob("*.unreadable-*"))) == 1
try:
    store.load("posts", "18", "de-DE")
except PermanentError as error:
    assert "Run as a user" in str(error), error
else:
    raise AssertionError("Another user's record was taken for a lost one.")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can become another user.")
def test_a_record_that_may_not_be_read_is_set_aside_but_not_that_of_another_user(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        store = RecordStore(LocalStorage(root))
        store.save(RECORD)
        store.save(replace(RECORD, item="18"))
        os.chown(root, 65534, 65534)
        for path in root.rglob("*"):
            os.chown(path, 65534, 65534)
        theirs = root / record_name("posts", "18", "de-DE")
        os.chown(theirs, 0, 0)
        theirs.chmod(0o600)

        done = subprocess.run(
            [sys.executable, "-c", NO_PERMISSION, str(root)], capture_output=True, text=True, check=False
        )

    assert done.returncode == 0, done.stderr


def test_a_record_of_a_later_version_is_an_error_and_stays_where_it_is(tmp_path: Path) -> None:
    store = folder(tmp_path)
    later = RECORD.to_json().replace(b'"version":1', b'"version":2')
    name = put(store, later)

    with pytest.raises(BadInput, match="was written by a newer version of this package"):
        store.load("posts", "17", "de-DE")
    with pytest.raises(BadInput, match="was written by a newer version of this package"):
        store.update("posts", "17", "de-DE", lambda known: known)
    assert store.storage.read(name) == later


def test_a_folder_that_is_gone_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    store = RecordStore(LocalStorage(tmp_path / "unmounted"))

    with pytest.raises(Unreachable, match="does not exist"):
        store.load("posts", "17", "de-DE")
    with pytest.raises(Unreachable, match="does not exist"):
        store.save(RECORD)


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    store = folder(tmp_path)

    store.save(RECORD)

    assert [name for _, _, files in os.walk(tmp_path) for name in files] == [
        Path(record_name("posts", "17", "de-DE")).name
    ]


def test_a_missing_bucket_is_an_error_and_not_an_empty_one(s3: str) -> None:
    with pytest.raises(PermanentError, match="no bucket"):
        bucket("other", s3).load("posts", "17", "de-DE")


def test_a_bucket_that_does_not_answer_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        bucket("records", "http://127.0.0.1:9").load("posts", "17", "de-DE")
