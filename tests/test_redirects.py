"""No request with a secret or a text follows a redirect: with real servers, on the wire."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.errors import DirectusAssetsError
from directus_assets.notify import call_webhook
from directus_assets.orchestration.webserver import Webserver
from directus_assets.translation.engines.deepl import DeepLEngine
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.protocol import AskedSegment, Request
from directus_assets.translation.languages import language

TOKEN = "the-token-0123456789"
REQUEST = Request(
    source=language("en-US"), target=language("de-DE"), segments=(AskedSegment(key="1", text="Good bread"),)
)


class Elsewhere:
    """A server that records its requests, and one that redirects everyone to it."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        note = self.reached.append

        class Target(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                note(self.rfile.readline().decode())
                self.close_connection = True

        self.target = ThreadingHTTPServer(("127.0.0.1", 0), Target)
        # Another host by its name, as far as a client can tell.
        address = f"http://localhost:{self.target.server_port}/elsewhere"

        class Redirecting(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(307)
                self.send_header("location", address)
                self.send_header("content-length", "0")
                self.end_headers()

            do_POST = do_HEAD = do_GET  # noqa: N815  # names of http.server

            def log_message(self, *_: object) -> None: ...

        self.redirecting = ThreadingHTTPServer(("127.0.0.1", 0), Redirecting)
        self.url = f"http://127.0.0.1:{self.redirecting.server_port}"


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere()
    servers = (made.target, made.redirecting)
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}) for server in servers]
    for thread in threads:
        thread.start()
    yield made
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


def ask_directus(url: str) -> None:
    with DirectusClient(url, TOKEN) as client:
        client.get("/items/posts")


def ask_for_a_derivative(url: str) -> None:
    with DirectusClient(url, TOKEN) as client:
        client.head_asset("f1", preset="card")


def ask_openai(url: str) -> None:
    with closing(OpenAIEngine(api_key=TOKEN, model="tiny", base_url=url)) as engine:
        engine.translate(REQUEST)


def ask_deepl(url: str) -> None:
    with closing(DeepLEngine(api_key=TOKEN, server_url=url)) as engine:
        engine.translate(REQUEST)


def tell_a_webhook(url: str) -> None:
    call_webhook(f"{url}/hooks/{TOKEN}", {"error": "It failed."})


def ask_dagster(url: str) -> None:
    Webserver(url).asset_statuses()


@pytest.mark.parametrize(
    "ask", [ask_directus, ask_for_a_derivative, ask_openai, ask_deepl, tell_a_webhook, ask_dagster]
)
def test_a_redirect_to_another_host_is_not_followed(elsewhere: Elsewhere, ask: Callable[[str], None]) -> None:
    with suppress(DirectusAssetsError):
        ask(elsewhere.url)

    assert elsewhere.reached == []
