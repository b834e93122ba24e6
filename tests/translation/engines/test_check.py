"""Checking an engine's key without paid work."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from directus_assets.errors import Forbidden, Unreachable
from directus_assets.translation.engines.deepl import DeepLEngine
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.pseudo import PseudoEngine


class Service(ThreadingHTTPServer):
    """Answers every GET the same way, and records the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.body: object = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = json.dumps(self.server.body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def openai_engine(service: Service) -> Iterator[OpenAIEngine]:
    with closing(OpenAIEngine(api_key="sk-secret-key-1234", model="llama3", base_url=f"{service.url}/v1")) as engine:
        yield engine


@pytest.fixture
def deepl_engine(service: Service) -> Iterator[DeepLEngine]:
    with closing(DeepLEngine(api_key="secret", server_url=service.url, timeout_seconds=30)) as engine:
        yield engine


@pytest.mark.parametrize("name", ["llama3", "llama3:latest"])
def test_a_model_that_is_listed_leaves_no_doubt(name: str, service: Service, openai_engine: OpenAIEngine) -> None:
    service.body = {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "us"}]}

    assert openai_engine.check() == ""
    assert service.asked == ["/v1/models"]


def test_a_model_that_is_not_listed_is_a_doubt(service: Service, openai_engine: OpenAIEngine) -> None:
    service.body = {"object": "list", "data": []}

    assert "'llama3' is not among the 0 models" in openai_engine.check()


@pytest.mark.parametrize(("status", "body"), [(404, {}), (200, ["nonsense"]), (200, {"error": None})])
def test_an_endpoint_without_a_list_is_a_doubt(
    status: int, body: object, service: Service, openai_engine: OpenAIEngine
) -> None:
    service.status, service.body = status, body

    assert "could not check" in openai_engine.check()


def test_a_wrong_key_is_forbidden(service: Service, openai_engine: OpenAIEngine, deepl_engine: DeepLEngine) -> None:
    service.status, service.body = 401, {"error": {"message": "Incorrect API key."}}

    with pytest.raises(Forbidden, match="OPENAI_API_KEY"):
        openai_engine.check()
    service.status = 403
    with pytest.raises(Forbidden):
        deepl_engine.check()


def test_nobody_there_is_unreachable() -> None:
    with (
        closing(OpenAIEngine(api_key="key", model="m", base_url="http://127.0.0.1:9/v1")) as engine,
        pytest.raises(Unreachable),
    ):
        engine.check()


def test_characters_that_are_left_leave_no_doubt(service: Service, deepl_engine: DeepLEngine) -> None:
    service.body = {"character_count": 10, "character_limit": 500}

    assert deepl_engine.check() == ""


def test_a_quota_that_is_used_up_is_a_doubt(service: Service, deepl_engine: DeepLEngine) -> None:
    service.body = {"character_count": 500, "character_limit": 500}

    assert "used up (500 of 500 characters)" in deepl_engine.check()


def test_pseudo_says_that_these_are_no_translations() -> None:
    assert "only adds accents so that texts look translated" in PseudoEngine().check()
