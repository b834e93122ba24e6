"""The bucket checks of `doctor`, on a real S3 service and behind proxies that break conditional writes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from directus_assets.commands.doctor.findings import Status
from directus_assets.commands.doctor.storages import try_out
from directus_assets.directus.storage import LocalStorage, S3Storage
from tests.buckets import s3_service


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_service() as url:
        yield url


def bucket(endpoint: str, name: str = "records") -> S3Storage:
    storage = S3Storage(
        bucket=name, key="key", secret="secret", region="us-east-1", endpoint=endpoint, force_path_style=True
    )
    storage._client.create_bucket(Bucket=name)
    return storage


@contextmanager
def service(endpoint: str, *, ignores: str = "", refuses: str = "") -> Iterator[str]:
    """A service that ignores a header, like older ones, or refuses requests with it."""

    class Handler(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if refuses and self.headers.get(refuses):
                self.send_response(501)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in (ignores, "host")}
            answer = httpx.request(self.command, endpoint + self.path, headers=headers, content=body, trust_env=False)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                    self.send_header(name, value)
            length = answer.headers.get("content-length", "0") if self.command == "HEAD" else len(answer.content)
            self.send_header("content-length", str(length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815 - called so by the library

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - called so by the library

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_bucket_that_refuses_the_second_of_two_writers_is_fine(endpoint: str) -> None:
    storage = bucket(endpoint)

    found = try_out("translation records", storage, is_updated=True)

    assert found.status is Status.OK
    assert "conditional update work" in found.text
    assert list(storage.names()) == []


@pytest.mark.parametrize(("header", "told"), [("if-match", "(If-Match)"), ("if-none-match", "(If-None-Match)")])
def test_a_service_that_ignores_conditions_is_told(endpoint: str, header: str, told: str) -> None:
    with service(endpoint, ignores=header) as url:
        storage = bucket(url, f"ignores-{header}")

        found = try_out("translation records", storage, is_updated=True)

        assert found.status is Status.FAILED
        assert told in found.text
        assert found.remedy
        assert list(storage.names()) == []


def test_a_service_that_refuses_conditions_is_told(endpoint: str) -> None:
    with service(endpoint, refuses="if-none-match") as url:
        found = try_out("exports", bucket(url, "refuses"), is_updated=True)

    assert found.status is Status.FAILED
    assert "s3://refuses" in found.text


def test_where_files_are_only_replaced_no_condition_is_needed(endpoint: str) -> None:
    with service(endpoint, ignores="if-match") as url:
        assert try_out("storage s3", bucket(url, "replaced")).status is Status.OK


def test_a_folder_keeps_its_writers_apart_by_a_lock(tmp_path: Path) -> None:
    assert try_out("translation records", LocalStorage(tmp_path), is_updated=True).status is Status.OK
