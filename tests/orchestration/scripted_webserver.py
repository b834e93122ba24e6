"""A scripted Dagster webserver that records requests, and refuses what Dagster refuses."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.orchestration.dagster_rules import check_run, refusal


class Dagster:
    """Accepts every run, and records the requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.daemons = [{"daemonType": "SENSOR", "required": True, "healthy": True}]
        self.refuses = False
        asked = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                refused = next(filter(None, (refusal(check_run, run) for run in runs_of(body))), None)
                content = refused.content if refused else json.dumps({"data": asked.answer(body)}).encode()
                self.send_response(refused.status_code if refused else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        query = body["query"]
        if "Version" in query:
            return {"version": "1.13.27"}
        if "Daemons" in query:
            return {"instance": {"daemonHealth": {"allDaemonStatuses": self.daemons}}}
        if "Locations" in query:
            found = {"repositories": [{"sensors": [{"name": "directus_buttons_sensor"}]}]}
            return {"workspaceOrError": {"locationEntries": [{"name": "shop", "locationOrLoadError": found}]}}
        self.requests.append(body)
        kind = "PythonError" if self.refuses else "LaunchRunSuccess"
        results = [{"__typename": kind} for _ in body["variables"]["runs"]]
        return {"launchMultipleRuns": {"launchMultipleRunsResult": results}}

    @property
    def variables(self) -> list[dict[str, Any]]:
        return [request["variables"] for request in self.requests]

    def jobs(self) -> list[tuple[str, str]]:
        """The job and the item of each requested run."""
        return [
            (run["selector"]["jobName"], tags(run).get("dagster/asset_partition_range_start", ""))
            for variables in self.variables
            for run in variables["runs"]
        ]


def runs_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs that a request starts."""
    return list((body.get("variables") or {}).get("runs", ()))


def tags(run: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["executionMetadata"]["tags"]}


@pytest.fixture
def dagster() -> Iterator[Dagster]:
    server = Dagster()
    thread = Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()
