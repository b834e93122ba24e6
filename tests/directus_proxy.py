"""A proxy in front of the real Directus that records each request, and modifies the change feed for a test.

::

    with DirectusProxy(directus.url) as proxy:
        proxy.hidden_entries = {17}       # not visible yet, as with a transaction that has not been committed
        ...                               # work with proxy.url
        assert len(proxy.requests) == 3
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"})

IN_TIME = httpx.Limits(keepalive_expiry=2)
"""Directus closes connections that were idle for five seconds, perhaps just when another request is sent on one."""


class DirectusProxy:
    """The proxy. Its address is `url`; `requests` holds method and path of each request."""

    def __init__(self, target: str) -> None:
        self.requests: list[str] = []
        self.hidden_entries: set[int] = set()
        self.meanwhile: list[Callable[[], object]] = []
        """What others do just before a write is passed on: one for each PATCH, DELETE, or POST that saves a version."""
        self.repeats_credentials = False
        """Whether every request is refused in words that hold what was sent in `Authorization`."""
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._client = httpx.Client(base_url=target, timeout=60, limits=IN_TIME, trust_env=False)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=5)
        self._client.close()

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """Directus' response without the hidden entries."""
        self.requests.append(f"{method} {path}")
        if self.repeats_credentials:
            sent = headers.get("Authorization", "")
            words = f"{sent.removeprefix('Bearer ')} is not welcome ({sent})"
            return httpx.Response(500, json={"errors": [{"message": words}]})
        if self.meanwhile and (method in ("PATCH", "DELETE") or path.endswith("/save")):
            self.meanwhile.pop(0)()
        passed = {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
        answer = self._client.request(method, path, headers={**passed, "accept-encoding": "identity"}, content=body)
        if self.hidden_entries and urlsplit(path).path == "/activity" and answer.is_success:
            return httpx.Response(answer.status_code, headers=answer.headers, content=self._shown(answer.json()))
        return answer

    def _shown(self, answer: dict[str, Any]) -> bytes:
        rows = [row for row in answer["data"] if row.get("id") not in self.hidden_entries]
        return json.dumps({**answer, "data": rows}).encode()


class _Server(ThreadingHTTPServer):
    # By default a sixth connection that is not accepted yet waits for seconds.
    request_queue_size = 128


def _handler(proxy: DirectusProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                answer = proxy.forward(self.command, self.path, dict(self.headers), body)
            except httpx.TransportError:
                self.close_connection = True
                return
            # The answer to HEAD tells the length of what it does not bring.
            length = answer.headers.get("content-length") if self.command == "HEAD" else None
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("content-length", length or str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = do_SEARCH = _pass_on  # noqa: N815  # names of http.server

        def log_message(self, *_: object) -> None:
            """Stay quiet: `proxy.requests` is the log."""

    return Handler
