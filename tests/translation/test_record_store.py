"""Records in a folder and in a bucket."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from pydantic import TypeAdapter

from directus_assets.directus.storage import LocalStorage, S3Storage
from directus_assets.enrichment.records import EnrichmentRecord, KeptAnswer, MadeRow
from directus_assets.errors import BadInput, PermanentError, Unreachable
from directus_assets.ownership.field_records import Base, FieldRecord
from directus_assets.ownership.record_store import Record, RecordStore, record_name
from directus_assets.translation.records import Arrived, Remembered, TranslationRecord
from tests.buckets import s3_service

Store: TypeAlias = RecordStore[TranslationRecord]

RECORD = TranslationRecord(
    collection="posts",
    item="17",
    language="de-DE",
    segments={"k": Remembered(text="Brot 🍞", glossary="", engine="pseudo")},
    fields={"title": FieldRecord(source="Bread", written="abc")},
)
NOTHING = TranslationRecord(collection="posts", item="17", language="de-DE")
CONTENT = TypeAdapter(TranslationRecord).dump_json(RECORD)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 service with the bucket `records`."""
    with s3_service("records") as url:
        yield url


def bucket(name: str, url: str, *, root: str = "a/b") -> Store:
    storage = S3Storage(
        bucket=name, root=root, key="key", secret="secret", region="us-east-1", endpoint=url, force_path_style=True
    )
    return RecordStore(storage, TranslationRecord)


def folder(path: Path) -> Store:
    path.mkdir(exist_ok=True)
    return RecordStore(LocalStorage(path), TranslationRecord)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return folder(tmp_path / "records")
    return bucket("records", request.getfixturevalue("s3"), root=f"a/{tmp_path.name}")


def test_a_record_comes_back_as_it_was(store: Store) -> None:
    assert not store.is_known("posts", "17", "de-DE")
    assert store.load("posts", "17", "de-DE") == NOTHING

    store.save(RECORD)

    assert store.is_known("posts", "17", "de-DE")
    assert store.load("posts", "17", "de-DE") == RECORD
    assert not store.is_known("posts", "17", "fr-FR")


KEPT: list[tuple[Record, str, str]] = [
    (
        replace(
            RECORD,
            fields={"title": FieldRecord(source="Bread", before=Base(source="b", ours="o"), waiting={"k": "w"})},
            answers=(Arrived(texts={"k": "Brot"}, engine="openai"),),
            row="7",
            refused={"title": {"d": "too long"}},
        ),
        "posts.a44f1b975171/de-DE.4f429ced49de/17.4523540f1504.json",
        (
            '{"collection":"posts","item":"17","language":"de-DE",'
            '"segments":{"k":{"text":"Brot 🍞","glossary":"","engine":"pseudo"}},'
            '"fields":{"title":{"source":"Bread","written":"","intended":"","seen_source":"","seen_target":"","ours":"",'
            '"before":{"source":"b","ours":"o"},"waiting":{"k":"w"}}},'
            '"answers":[{"texts":{"k":"Brot"},"engine":"openai","usage":{"requests":0,"input_tokens":0,"cached_tokens":0,'
            '"output_tokens":0,"characters":0},"is_repair":false}],'
            '"source_language":"","row":"7","refused":{"title":{"d":"too long"}},"seen":{},"corrected":{},'
            '"waits":false,"version":1}'
        ),
    ),
    (
        EnrichmentRecord(
            collection="posts",
            item="17",
            name="mood",
            answers={"": KeptAnswer(question="q", answer={"mood": "☀"}, engine="pseudo")},
            fields={"mood": FieldRecord(source="Bread", written="abc")},
            rows=(MadeRow(key="7", digest="d", about="3"),),
            intended_rows=("e",),
        ),
        "enrichments/posts.a44f1b975171/mood.ee0e4f309c9a/17.4523540f1504.json",
        (
            '{"collection":"posts","item":"17","name":"mood",'
            '"answers":{"":{"question":"q","answer":{"mood":"☀"},"engine":"pseudo","failure":"","is_repair":false,'
            '"is_used":false,"usage":{"requests":0,"input_tokens":0,"cached_tokens":0,"output_tokens":0,"characters":0}}},'
            '"fields":{"mood":{"source":"Bread","written":"abc","intended":"","seen_source":"","seen_target":"","ours":"",'
            '"before":null,"waiting":{}}},'
            '"rows":[{"key":"7","digest":"d","about":"3"}],"intended_rows":["e"],"refused":{},"version":1}'
        ),
    ),
]


@pytest.mark.parametrize(("record", "name", "content"), KEPT, ids=["translation", "enrichment"])
def test_records_stay_where_earlier_versions_look_for_them_byte_for_byte(
    tmp_path: Path, record: Record, name: str, content: str
) -> None:
    store = RecordStore(LocalStorage(tmp_path), type(record))

    store.save(record)
    store.update(record.collection, record.item, record.output, lambda known: known)

    assert (tmp_path / name).read_text("utf-8") == content
    assert [path.name for path in tmp_path.rglob("*.json")] == [Path(name).name]
    assert store.load(record.collection, record.item, record.output) == record


def test_what_several_runs_remember_of_one_item_at_once_is_all_kept(store: Store) -> None:
    def remember(number: int) -> None:
        answer = Arrived(texts={str(number): "Brot"}, engine="openai")
        store.update("posts", "17", "de-DE", lambda known: known.with_answer(answer))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(remember, range(12)))

    record = store.load("posts", "17", "de-DE")
    assert {key for answer in record.answers for key in answer.texts} == set(map(str, range(12)))


def test_a_decision_that_another_run_has_made_meanwhile_is_not_overwritten(
    store: Store,
) -> None:
    store.update("posts", "17", "de-DE", lambda known: known.with_answer(Arrived(texts={"k": "Brot"}, engine="openai")))

    assert store.replace(NOTHING, RECORD)
    assert not store.replace(NOTHING, RECORD.with_fields({"title": FieldRecord(source="Bread", written="def")}))
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
    "cut off": CONTENT[:40],
    "not UTF-8": CONTENT.replace(b"Bread", b"\xff\xfe"),
    "half an emoji": CONTENT.replace(b"Bread", b"\\ud83d"),
    "a list": b"[]",
    "of another type": CONTENT.replace(b'"Bread"', b"17"),
    "a number that is infinite": CONTENT.replace(b'"answers":[]', b'"answers":[{"usage":{"requests":1e400}}]'),
    "a number of 10,000 digits": CONTENT.replace(b'"Bread"', b"9" * 10_000),
    "nested": b'{"fields": ' + b"[" * 10_000,
    "of no version": CONTENT.replace(b'"version":1', b'"version":[]'),
}


def put(store: Store, content: bytes) -> str:
    name = record_name("posts", "17", "de-DE")
    store.storage.write(name, content, content_type="application/json")
    return name


def asides(store: Store, name: str) -> list[bytes]:
    found = [entry.name for entry in store.storage.entries(f"{name}.")]
    return [store.storage.read(each) for each in found]


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_record_that_cannot_be_read_is_set_aside_reported_once_and_counts_as_lost(
    store: Store, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    name = put(store, content)

    assert store.load("posts", "17", "de-DE") == NOTHING
    assert not store.is_known("posts", "17", "de-DE")

    assert content in asides(store, name)
    (report,) = (record.message for record in caplog.records if "cannot be read" in record.message)
    assert "The translation record of posts 17 in de-DE cannot be read: " in report
    assert f"the texts in Directus count as written by people. A copy is kept as {name}.unreadable-" in report
    store.save(RECORD)
    assert store.load("posts", "17", "de-DE") == RECORD


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_an_update_of_a_record_that_cannot_be_read_begins_with_an_empty_one(store: Store, content: bytes) -> None:
    name = put(store, content)

    store.update("posts", "17", "de-DE", lambda known: known.with_fields(RECORD.fields))

    assert content in asides(store, name)
    assert store.load("posts", "17", "de-DE") == NOTHING.with_fields(RECORD.fields)


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
        assert store.load("posts", "17", "de-DE") == NOTHING
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
from directus_assets.translation.records import TranslationRecord
from directus_assets.ownership.record_store import RecordStore, record_name
root, name = Path(sys.argv[1]), record_name("posts", "17", "de-DE")
theirs = record_name("posts", "18", "de-DE")
store = RecordStore(LocalStorage(root), TranslationRecord)
# Python imports some modules on first use, which the other user may not be allowed to read.
assert not store.is_known("posts", "19", "de-DE")
os.setgid(65534)
os.setuid(65534)
(root / name).chmod(0)
assert not store.is_known("posts", "17", "de-DE")
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
        store = RecordStore(LocalStorage(root), TranslationRecord)
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
    later = CONTENT.replace(b'"version":1', b'"version":2')
    name = put(store, later)

    with pytest.raises(BadInput, match="was written by a newer version of this package"):
        store.load("posts", "17", "de-DE")
    with pytest.raises(BadInput, match="was written by a newer version of this package"):
        store.update("posts", "17", "de-DE", lambda known: known)
    assert store.storage.read(name) == later


def test_a_folder_that_is_gone_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    store = RecordStore(LocalStorage(tmp_path / "unmounted"), TranslationRecord)

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
