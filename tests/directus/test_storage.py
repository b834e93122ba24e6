import contextlib
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from directus_assets.directus.storage import LocalStorage, S3Storage, Storage, open_storages
from directus_assets.errors import (
    BadInput,
    ConfigurationError,
    Forbidden,
    NotFound,
    PermanentError,
    TooLarge,
    TransientError,
    Unreachable,
)
from tests.buckets import s3_service
from tests.machine import own_mounts

SECRET = "bucket-s3cr3t"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_service() as url:
        yield url


@pytest.fixture
def bucket(endpoint: str, request: pytest.FixtureRequest) -> S3Storage:
    name = f"b{abs(hash(request.node.name))}"
    storage = bucket_at(endpoint, name)
    storage._client.create_bucket(Bucket=name)
    return storage


def bucket_at(endpoint: str, name: str) -> S3Storage:
    return S3Storage(
        bucket=name,
        root="uploads",
        key="key",
        secret=SECRET,
        region="us-east-1",
        endpoint=endpoint,
        force_path_style=True,
    )


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return LocalStorage(tmp_path)
    bucket: S3Storage = request.getfixturevalue("bucket")
    return bucket


# What holds for every storage


def test_what_is_written_is_read_back(storage: Storage) -> None:
    storage.write("picture.webp", b"first", content_type="image/webp")
    storage.write("picture.webp", b"second", content_type="image/webp")

    assert storage.read("picture.webp") == b"second"
    assert storage.size("picture.webp") == 6


def test_what_is_larger_than_allowed_is_not_read(storage: Storage) -> None:
    storage.write("a.jpg", b"picture", content_type="image/jpeg")

    with pytest.raises(TooLarge, match=r"a\.jpg has 7 bytes; the limit is 6"):
        storage.read("a.jpg", most=6)
    assert storage.read("a.jpg", most=7) == b"picture"


def test_names_are_listed_by_prefix_with_their_sizes(storage: Storage) -> None:
    for name in ("a__1.webp", "a__2.webp", "b.jpg", "deep/a__3.webp"):
        storage.write(name, name.encode(), content_type="image/webp")

    assert list(storage.names("a__")) == [("a__1.webp", 9), ("a__2.webp", 9)]
    assert list(storage.names("deep/")) == [("deep/a__3.webp", 14)]


def test_what_is_not_there_is_told_by_its_name(storage: Storage) -> None:
    assert storage.size("absent.jpg") is None
    with pytest.raises(NotFound, match=r"absent\.jpg is not in"):
        storage.read("absent.jpg")


def test_deleting_twice_is_fine(storage: Storage) -> None:
    storage.write("picture.webp", b"x", content_type="image/webp")

    storage.delete("picture.webp")
    storage.delete("picture.webp")

    assert storage.size("picture.webp") is None


def test_a_folder_of_a_storage_is_a_storage(storage: Storage) -> None:
    inner = storage.inside("exports/site")

    inner.write("card/f1.webp", b"x", content_type="image/webp")

    assert storage.read("exports/site/card/f1.webp") == b"x"
    assert list(inner.names("card/")) == [("card/f1.webp", 1)]


@pytest.mark.parametrize("folder", ["..", "a/../../b", "/etc", "", "."])
def test_a_folder_outside_of_its_location_is_a_mistake_in_the_configuration(storage: Storage, folder: str) -> None:
    with pytest.raises(ConfigurationError, match="is not inside its storage location"):
        storage.inside(folder)


@pytest.mark.parametrize("name", ["../x.jpg", "a/../../x.jpg", "/etc/passwd", "", ".", "./", "a\0b", "..\\x.jpg"])
def test_a_name_that_leaves_its_folder_is_refused(storage: Storage, name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: storage.read(name),
        lambda: storage.write(name, b"x", content_type="image/webp"),
        lambda: storage.update(name, lambda _: b"x", content_type="image/webp"),
        lambda: storage.size(name),
        lambda: storage.delete(name),
    ]
    for call in calls:
        with pytest.raises(BadInput, match="points outside its storage folder") as caught:
            call()
        assert "filename_disk" in caught.value.remedy


def test_an_update_starts_from_what_is_there(storage: Storage) -> None:
    seen: list[bytes | None] = []

    def change(current: bytes | None) -> bytes:
        seen.append(current)
        return (current or b"") + b"+"

    storage.update("manifest.json", change, content_type="application/json")
    storage.update("manifest.json", change, content_type="application/json")

    assert seen == [None, b"+"]
    assert storage.read("manifest.json") == b"++"


def test_no_update_is_lost_when_many_write_at_once(storage: Storage) -> None:
    together = threading.Barrier(4)

    def add(number: int) -> None:
        together.wait()
        for part in range(3):
            storage.update("m.json", lambda now, p=part: with_entry(now, f"{number}.{p}"), content_type="text/plain")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))

    expected = sorted(f"{number}.{part}" for number in range(4) for part in range(3))
    assert sorted(json.loads(storage.read("m.json"))) == expected


def test_a_change_that_fails_leaves_what_was_there(storage: Storage) -> None:
    storage.write("manifest.json", b"{}", content_type="application/json")

    def fail(current: bytes | None) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        storage.update("manifest.json", fail, content_type="application/json")

    assert storage.read("manifest.json") == b"{}"


# The folder on this machine


def test_readers_of_a_file_see_the_old_or_the_new_content_and_never_a_part(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    contents = [bytes([number]) * 200_000 for number in range(20)]
    storage.write("picture.webp", contents[0], content_type="image/webp")
    stop, seen = threading.Event(), set()

    def look() -> None:
        while not stop.is_set():
            seen.add(storage.read("picture.webp"))

    reader = threading.Thread(target=look)
    reader.start()
    for content in contents:
        storage.write("picture.webp", content, content_type="image/webp")
    stop.set()
    reader.join()

    assert seen <= set(contents)
    assert list(tmp_path.iterdir()) == [tmp_path / "picture.webp"]


def test_a_temporary_name_starts_with_the_final_one_so_that_directus_cleans_it_up_with_the_file(tmp_path: Path) -> None:
    code = f"""
        import os, sys
        from pathlib import Path
        from directus_assets.directus.storage import LocalStorage

        def tell(event, arguments):
            if event == "open" and str(arguments[0]).startswith({str(tmp_path)!r}):
                print(Path(arguments[0]).name)
            if event == "os.rename":
                print(Path(arguments[0]).name, "->", Path(arguments[1]).name)

        sys.addaudithook(tell)
        LocalStorage(Path({str(tmp_path)!r})).write("a__1.webp", b"x", content_type="image/webp")
    """

    lines = run(code).stdout.split("\n")

    assert lines[0].startswith("a__1.webp.")
    assert lines[1] == f"{lines[0]} -> a__1.webp"


@pytest.mark.parametrize("stem", ["s" * 200, "ü" * 100, "😀" * 50, "a"])
def test_a_temporary_name_is_never_longer_than_a_derivatives_own(tmp_path: Path, stem: str) -> None:
    name = f"{stem}__{'0' * 40}.webp"
    code = f"""
        import sys
        from pathlib import Path
        from directus_assets.directus.storage import LocalStorage

        def tell(event, arguments):
            if event == "os.rename":
                print(Path(arguments[0]).name)

        sys.stdout.reconfigure(encoding="utf-8")
        sys.addaudithook(tell)
        LocalStorage(Path({str(tmp_path)!r})).write({name!r}, b"x", content_type="image/webp")
    """

    (temporary,) = run(code).stdout.splitlines()

    assert len(temporary.encode()) <= len(name.encode())
    assert temporary.startswith(f"{stem}__")
    assert [path.name for path in tmp_path.iterdir()] == [name]


# Nothing is closed to root, unless root gives that right away.
AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


def test_a_write_that_fails_half_way_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a__1.webp").write_bytes(b"old")
    code = f"""
        import resource
        from pathlib import Path
        from directus_assets.directus.storage import LocalStorage, StorageFull
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        storage = LocalStorage(Path({str(tmp_path)!r}))
        try:
            storage.write("a__1.webp", bytes(1_000_000), content_type="image/webp")
        except StorageFull as error:
            print(error)
    """

    told = run(code).stdout

    assert "Not enough space for a__1.webp" in told
    assert "Free some space" in told
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a__1.webp": b"old"}


def test_a_full_disk_is_worth_another_try_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    code = f"""
        import subprocess
        from pathlib import Path
        from directus_assets.directus.storage import LocalStorage, StorageFull
        root = Path({str(tmp_path)!r})
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(root)], check=True)
        storage = LocalStorage(root)
        storage.write("small.webp", bytes(1000), content_type="image/webp")
        try:
            storage.write("large.webp", bytes(200_000), content_type="image/webp")
        except StorageFull as error:
            print(error)
        print(sorted(path.name for path in root.iterdir()))
    """
    answer = run(code, prefix=own_mounts())

    assert "Not enough space for large.webp" in answer.stdout
    assert "['small.webp']" in answer.stdout


def test_a_storage_that_is_mounted_read_only_is_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "f1.jpg").write_bytes(b"x")
    code = f"""
        import subprocess
        from pathlib import Path
        from directus_assets.directus.storage import LocalStorage
        from directus_assets.errors import PermanentError
        root = Path({str(tmp_path)!r})
        subprocess.run(["mount", "--bind", str(root), str(root)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(root)], check=True)
        storage = LocalStorage(root)
        assert storage.read("f1.jpg") == b"x"
        try:
            storage.write("f1__1.webp", b"x", content_type="image/webp")
        except PermanentError as error:
            print(error)
    """
    answer = run(code, prefix=own_mounts())

    assert "No access to f1__1.webp in the storage folder" in answer.stdout
    assert "or use delivery `warm`" in answer.stdout


def test_a_file_that_this_user_may_not_read_is_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "f1.jpg").write_bytes(b"x")
    (tmp_path / "f1.jpg").chmod(0)
    code = f"""
        from pathlib import Path
        from directus_assets.directus.storage import LocalStorage
        from directus_assets.errors import PermanentError
        try:
            LocalStorage(Path({str(tmp_path)!r})).read("f1.jpg")
        except PermanentError as error:
            print(error)
    """

    told = run(code, prefix=AS_ANYBODY).stdout

    assert "Permission denied. Run as a user who can read" in told


@pytest.mark.parametrize("closed", ["around/root", "around"])
def test_a_storage_that_is_closed_to_this_user_is_no_items_fault(tmp_path: Path, closed: str) -> None:
    (tmp_path / "around" / "root").mkdir(parents=True)
    (tmp_path / "around" / "root" / "f1.jpg").write_bytes(b"x")
    code = f"""
        from pathlib import Path
        from directus_assets.directus.storage import LocalStorage
        from directus_assets.errors import Forbidden
        storage = LocalStorage(Path({str(tmp_path / "around/root")!r}))
        Path({str(tmp_path / closed)!r}).chmod(0)
        for call in (
            lambda: storage.read("f1.jpg"),
            lambda: storage.write("f1.jpg", b"x", content_type="image/jpeg"),
            lambda: storage.update("f1.jpg", lambda _: b"x", content_type="image/jpeg"),
            lambda: storage.size("f1.jpg"),
            lambda: list(storage.names()),
            lambda: storage.inside("exports"),
        ):
            try:
                call()
            except Forbidden as error:
                print(error)
        Path({str(tmp_path / closed)!r}).chmod(0o755)
    """

    told = run(code, prefix=AS_ANYBODY).stdout

    assert told.count("Run as a user who can read and write") == 6


def test_a_folder_that_is_not_there_is_a_volume_that_is_not_mounted(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "absent")
    calls: list[Callable[[], object]] = [
        lambda: storage.read("f1.jpg"),
        lambda: storage.write("f1.jpg", b"x", content_type="image/jpeg"),
        lambda: storage.update("f1.jpg", lambda _: b"x", content_type="image/jpeg"),
        lambda: storage.size("f1.jpg"),
        lambda: list(storage.names()),
        lambda: storage.inside("exports"),
    ]

    for call in calls:
        with pytest.raises(Unreachable, match="Is its volume mounted"):
            call()
    assert not storage.root.exists()


@pytest.mark.parametrize("name", [f"{'n' * 252}.jpg", "f1.jpg/x.webp"], ids=["too long", "below a file"])
def test_a_name_that_the_disk_cannot_hold_is_not_tried_again(tmp_path: Path, name: str) -> None:
    (tmp_path / "f1.jpg").write_bytes(b"x")

    with pytest.raises(PermanentError, match="filename_disk"):
        LocalStorage(tmp_path).write(name, b"x", content_type="image/webp")


# The bucket


def test_an_object_carries_its_type_and_lies_where_directus_looks(bucket: S3Storage) -> None:
    bucket.write("f1__1.webp", b"x", content_type="image/webp")

    found = bucket._client.head_object(Bucket=bucket.bucket, Key="uploads/f1__1.webp")
    assert found["ContentType"] == "image/webp"


def test_a_bucket_that_is_not_there_is_not_an_empty_one(endpoint: str) -> None:
    storage = bucket_at(endpoint, "absent-bucket")

    with pytest.raises(PermanentError, match="There is no bucket 'absent-bucket'"):
        storage.read("f1.jpg")
    with pytest.raises(PermanentError, match="There is no bucket 'absent-bucket'"):
        storage.update("m.json", lambda _: b"x", content_type="application/json")


def test_a_bucket_that_does_not_answer_is_worth_another_try() -> None:
    storage = bucket_at("http://127.0.0.1:1", "b")
    calls: list[Callable[[], object]] = [
        lambda: storage.read("f1.jpg"),
        lambda: storage.write("f1.jpg", b"x", content_type="image/jpeg"),
        lambda: storage.update("f1.jpg", lambda _: b"x", content_type="image/jpeg"),
        lambda: storage.size("f1.jpg"),
        lambda: list(storage.names()),
    ]

    for call in calls:
        with pytest.raises(Unreachable, match="cannot be reached"):
            call()


LISTING = (
    b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Name>b</Name><Prefix>uploads/</Prefix><MaxKeys>1000</MaxKeys><KeyCount>1</KeyCount>"
    b"<IsTruncated>false</IsTruncated><Contents><Key>uploads/f1.jpg</Key><Size>5</Size>"
    b'<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"e1"</ETag></Contents></ListBucketResult>'
)


def object_answer(body: bytes, *, first: str = "") -> bytes:
    headers = {
        "Content-Length": str(len(body)),
        "ETag": '"e1"',
        "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
        "Content-Type": "application/octet-stream",
    }
    lines = [f"{name}: {headers[name]}" for name in sorted(headers, key=lambda name: (name != first, name))]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode() + body


class CutServer:
    """Answers each request with the first bytes of one answer, and closes the connection."""

    def __init__(self) -> None:
        self.answer, self.length, self.request = b"", 0, b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    self.request = b""
                    while b"\r\n\r\n" not in self.request:
                        self.request += connection.recv(65536)
                    connection.sendall(self.answer[: self.length])

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def cut_server() -> Iterator[CutServer]:
    server = CutServer()
    yield server
    server.close()


# Of half a time zone.
@pytest.mark.filterwarnings("ignore::dateutil.parser.UnknownTimezoneWarning")
@pytest.mark.parametrize("first", ["Content-Length", "ETag", "Last-Modified"])
def test_an_object_that_broke_off_anywhere_is_worth_another_try(cut_server: CutServer, first: str) -> None:
    storage = bucket_at(cut_server.url, "b")
    cut_server.answer = object_answer(b"hello", first=first)
    for length in range(0, len(cut_server.answer), 3):
        cut_server.length = length
        with pytest.raises(TransientError):
            storage.read("f1.jpg", most=100)
        with pytest.raises(TransientError):
            storage.update("f1.jpg", lambda _: pytest.fail("It was read."), content_type="image/jpeg")
    cut_server.length = len(cut_server.answer)

    assert storage.read("f1.jpg", most=100) == b"hello"


def test_a_refusal_that_broke_off_anywhere_is_worth_another_try(cut_server: CutServer) -> None:
    storage = bucket_at(cut_server.url, "b")
    cut_server.answer = b"HTTP/1.1 503 Slow Down\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n<Error>\r\n0\r\n\r\n"
    for length in range(0, len(cut_server.answer), 3):
        cut_server.length = length
        with pytest.raises(TransientError):
            storage.read("f1.jpg", most=100)


def test_a_proxy_whose_service_is_gone_is_no_empty_storage(cut_server: CutServer) -> None:
    storage = bucket_at(cut_server.url, "b")
    # Traefik, while a container restarts.
    cut_server.answer = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 19\r\n\r\n404 page not found\n"
    cut_server.length = len(cut_server.answer)
    calls: list[Callable[[], object]] = [
        lambda: storage.read("f1.jpg"),
        lambda: storage.update("f1.jpg", lambda _: pytest.fail("It was read."), content_type="image/jpeg"),
        lambda: list(storage.names()),
        lambda: storage.delete("f1.jpg"),
    ]

    for call in calls:
        with pytest.raises(Unreachable, match="not from S3"):
            call()


def test_a_listing_that_broke_off_anywhere_is_not_a_shorter_one(cut_server: CutServer) -> None:
    storage = bucket_at(cut_server.url, "b")
    cut_server.answer = object_answer(LISTING, first="ETag")
    for length in range(0, len(cut_server.answer), 5):
        cut_server.length = length
        with pytest.raises(TransientError):
            list(storage.names())
    cut_server.length = len(cut_server.answer)

    assert list(storage.names()) == [("f1.jpg", 5)]


def test_a_write_whose_answer_broke_off_is_worth_another_try(cut_server: CutServer) -> None:
    """botocore would read an interim answer that breaks off forever, without a pause."""
    storage = bucket_at(cut_server.url, "b")
    cut_server.answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    for length in (0, 12, 23, 25, 30):
        cut_server.length = length
        with pytest.raises(TransientError):
            storage.write("f1.jpg", b"x" * 100, content_type="image/jpeg")
        assert b"expect:" not in cut_server.request.lower()


def test_an_entry_without_its_size_or_time_is_worth_another_try(cut_server: CutServer) -> None:
    storage = bucket_at(cut_server.url, "b")
    whole = cut_server.answer = object_answer(b"")
    for length in (whole.index(b"Content-Length"), whole.index(b"ETag"), whole.index(b"Last-Modified")):
        cut_server.length = length
        with pytest.raises(TransientError, match="incomplete or invalid"):
            storage.entry("f1.jpg")


def test_wrong_keys_are_told_without_the_secret(endpoint: str, bucket: S3Storage) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}]}
    admin = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    policy["Statement"][0]["Resource"] = f"arn:aws:s3:::{bucket.bucket}/*"  # type: ignore[index]
    bucket.write("f1.jpg", b"x", content_type="image/jpeg")
    admin.put_bucket_policy(Bucket=bucket.bucket, Policy=json.dumps(policy))

    with pytest.raises(Forbidden) as caught:
        bucket.read("f1.jpg")

    assert "STORAGE_<LOCATION>_KEY" in caught.value.remedy
    assert SECRET not in f"{caught.value} {caught.value!r} {bucket!r} {bucket.describe()}"


# Directus' own variables


def test_directus_own_variables_name_the_storages(tmp_path: Path) -> None:
    storages = open_storages(
        {
            "STORAGE_LOCATIONS": "local, s3",
            "STORAGE_LOCAL_DRIVER": "local",
            "STORAGE_LOCAL_ROOT": "./uploads",
            "STORAGE_S3_DRIVER": "s3",
            "STORAGE_S3_KEY": "key",
            "STORAGE_S3_SECRET": SECRET,
            "STORAGE_S3_BUCKET": "pictures",
            "STORAGE_S3_REGION": "eu-central-1",
            "STORAGE_S3_ENDPOINT": "s3.example.com",
            "STORAGE_S3_FORCE_PATH_STYLE": "TRUE",
            "STORAGE_S3_ROOT": "cms/",
        },
        folder=tmp_path,
    )

    assert storages == {
        "local": LocalStorage(tmp_path / "uploads"),
        "s3": S3Storage(
            bucket="pictures",
            root="cms/",
            key="key",
            secret=SECRET,
            region="eu-central-1",
            endpoint="https://s3.example.com",
            force_path_style=True,
        ),
    }
    assert storages["s3"].describe() == "s3://pictures/cms"


@pytest.mark.parametrize("variables", [{}, {"STORAGE_LOCATIONS": ""}])
def test_without_locations_there_is_no_storage(variables: dict[str, str]) -> None:
    assert open_storages(variables) == {}


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ConfigurationError, match="STORAGE_S3_BUCKET is not set"):
        open_storages({"STORAGE_LOCATIONS": "s3", "STORAGE_S3_DRIVER": "s3"})


def test_a_driver_that_we_cannot_write_to_is_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert open_storages({"STORAGE_LOCATIONS": "gcs", "STORAGE_GCS_DRIVER": "gcs"}) == {}
    assert "STORAGE_GCS_DRIVER is 'gcs'" in caplog.text


def with_entry(current: bytes | None, entry: str) -> bytes:
    return json.dumps([*json.loads(current or b"[]"), entry]).encode()


def run(code: str, *, prefix: tuple[str, ...] = (), check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=check)


def test_a_link_that_leads_to_itself_hides_no_other_file(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.write("harbour.jpg", b"content", content_type="image/jpeg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")

    assert list(storage.names()) == [("harbour.jpg", 7)]
