"""Records in a folder and in a bucket."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from directus_assets.directus.storage import LocalStorage, S3Storage
from directus_assets.errors import BadInput, PermanentError, Unreachable
from directus_assets.translation.record_store import RecordStore, record_name
from directus_assets.translation.records import Arrived, FieldRecord, Remembered, TranslationRecord

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
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    client.create_bucket(Bucket="records")
    client.close()
    yield url
    server.stop()


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


def test_a_damaged_record_is_an_error_and_not_a_missing_one(tmp_path: Path) -> None:
    store = folder(tmp_path)
    store.save(RECORD)
    (tmp_path / record_name("posts", "17", "de-DE")).write_text('{"version": 1, "colle')

    with pytest.raises(BadInput, match="count as a human's"):
        store.load("posts", "17", "de-DE")


def test_a_record_of_another_version_is_an_error() -> None:
    with pytest.raises(BadInput):
        TranslationRecord.from_json(RECORD.to_json().replace(b'"version":1', b'"version":2'), name="x")


def test_a_folder_that_is_gone_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    store = RecordStore(LocalStorage(tmp_path / "unmounted"))

    with pytest.raises(Unreachable, match="not there"):
        store.load("posts", "17", "de-DE")
    with pytest.raises(Unreachable, match="not there"):
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
