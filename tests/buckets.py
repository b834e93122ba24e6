"""A local S3 service that treats concurrent writers as S3 does.

`moto` compares a condition (`If-Match`, `If-None-Match`) and writes in two steps, and loses an update that comes in
between. It answers 500 to a read of what is being replaced. S3 does each at once.
"""

import io
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wsgi import get_input_stream

KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
"""Accepted like any other."""


class _Service:
    """`moto`, with one request at a time."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._busy = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Read before the lock is taken: an upload that hangs delays no other.
        environ["wsgi.input"] = io.BytesIO(get_input_stream(environ).read())
        with self._busy:
            return self._moto(environ, start_response)  # type: ignore[no-any-return]


def _server(port: int) -> BaseWSGIServer:
    return make_server("127.0.0.1", port, _Service(), threaded=True, request_handler=MotoRequestHandler)


@contextmanager
def s3_service(*buckets: str) -> Iterator[str]:
    """Run a service with these buckets; yield its address. All services of one process share their buckets.

    The buckets are gone when it ends: another test module may use the same names.
    """
    server = _server(0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        client = boto3.client("s3", endpoint_url=url, **KEYS)
        for bucket in buckets:
            client.create_bucket(Bucket=bucket)
        client.close()
        yield url
    finally:
        httpx.post(f"{url}/moto-api/reset", trust_env=False).raise_for_status()
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    _server(int(sys.argv[1])).serve_forever()
