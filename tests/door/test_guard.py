"""The guard blocks requests to Dagster's webserver, and its UI and our own commands keep working."""

import asyncio
from typing import Any

import pytest

from directus_assets.door.guard import Guard, HttpRequest, refusal


def asked(method: str = "POST", path: str = "/graphql", query: bytes = b"", **headers: str) -> HttpRequest:
    named = {"host": "127.0.0.1:3000", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return HttpRequest(method=method, path=path, query=query, headers=named)


REFUSED = {
    "a mutation by GET, as Directus' import sends it": asked("GET", query=b"query=mutation", accept="application/json"),
    "the same by an image tag": asked(
        "GET", query=b"query=mutation", accept="image/avif,*/*", referer="https://b.example/"
    ),
    "GET without a query": asked("GET"),
    "GET that claims to want a page": asked("GET", query=b"query=mutation", accept="text/html"),
    "HEAD": asked("HEAD", query=b"query=mutation"),
    "PUT": asked("PUT", content_type="application/json"),
    "a query in the address of a POST": asked(query=b"query=mutation", content_type="text/plain"),
    "a form": asked(content_type="application/x-www-form-urlencoded"),
    "a form with parts": asked(content_type="multipart/form-data; boundary=x"),
    "text that claims to be JSON besides": asked(content_type="text/plain; x=application/json"),
    "no type": asked(),
    "JSON from another page": asked(content_type="application/json", origin="https://blog.example"),
    "JSON from a page without an origin": asked(content_type="application/json", origin="null"),
    "JSON from a page on another port": asked(content_type="application/json", origin="http://127.0.0.1:8055"),
    "JSON from another site": asked(content_type="application/json", sec_fetch_site="cross-site"),
    "JSON from a subdomain": asked(content_type="application/json", sec_fetch_site="same-site"),
    "a form that reports an asset": asked(path="/report_asset_materialization/a", origin="https://blog.example"),
    "a socket from another page": asked("WEBSOCKET", origin="https://blog.example"),
    "a name that was pointed here": asked(content_type="application/json", host="attacker.example:3000"),
    "a page at a name that was pointed here": asked("GET", path="/", host="attacker.example"),
    "a name like a local one": asked(content_type="application/json", host="localhost.attacker.example:3000"),
    "an address with a name": asked(content_type="application/json", host="127.0.0.1.attacker.example"),
    "no name": asked("GET", path="/", host=""),
    "a prefix before the path": asked("GET", path="/dagster/graphql/", query=b"query=x"),
}

TAKEN = {
    "our own commands": asked(content_type="application/json"),
    "with a set of characters": asked(content_type="Application/JSON; charset=utf-8"),
    "the UI": asked(content_type="application/json", origin="http://127.0.0.1:3000", sec_fetch_site="same-origin"),
    "the UI of an old browser": asked(content_type="application/json", origin="http://127.0.0.1:3000"),
    "the UI by another name": asked(
        content_type="application/json", host="localhost:3000", origin="http://localhost:3000"
    ),
    "the UI behind a proxy": asked(
        content_type="application/json", origin="https://dagster.example.com", sec_fetch_site="same-origin"
    ),
    "the UI behind a proxy, in an old browser": asked(
        content_type="application/json", origin="https://dagster.example.com"
    ),
    "the UI's socket": asked("WEBSOCKET", origin="http://127.0.0.1:3000"),
    "the page with the editor for queries": asked("GET", accept="text/html,*/*"),
    "a page": asked("GET", path="/runs", accept="text/html", sec_fetch_site="cross-site"),
    "a probe": asked("GET", path="/server_info"),
    "a report of an asset by a program": asked(path="/report_asset_materialization/a"),
    "the name of a service": asked(content_type="application/json", host="webserver:3000"),
    "IPv6": asked(content_type="application/json", host="[::1]:3000"),
    "the name that is configured": asked(content_type="application/json", host="dagster.example.com"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_nobody_from_elsewhere_gets_through(what: str) -> None:
    assert refusal(REFUSED[what], ["dagster.example.com"])


@pytest.mark.parametrize("what", TAKEN)
def test_the_ui_and_our_commands_get_through(what: str) -> None:
    assert refusal(TAKEN[what], ["dagster.example.com"]) == ""


def through(scope: dict[str, Any]) -> list[dict[str, Any]]:
    """The request that reaches a webserver behind the guard, or the guard's own response."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sent.append({"type": "reached"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> None: ...

    asyncio.run(
        Guard(app)({"path": "/graphql", "query_string": b"", "server": ("127.0.0.1", 3000), **scope}, receive, send)
    )
    return sent


def test_a_header_that_comes_twice_hides_nothing() -> None:
    headers = [(b"host", b"127.0.0.1"), (b"Content-Type", b"text/plain"), (b"content-type", b"application/json")]

    answer = through({"type": "http", "method": "POST", "headers": headers})

    assert answer[0]["status"] == 403


@pytest.mark.parametrize("server", [("127.0.0.1", 3000), ("172.20.0.3", 3000), None])
def test_a_name_that_was_pointed_here_is_refused_in_a_container_too(server: tuple[str, int] | None) -> None:
    """There the connection comes from the network, though the port is published on loopback."""
    name = b"attacker.example:3000"
    headers = [(b"host", name), (b"origin", b"http://" + name), (b"sec-fetch-site", b"same-origin")]
    json = [(b"content-type", b"application/json")]

    answer = through({"type": "http", "method": "POST", "server": server, "headers": [*headers, *json]})

    assert answer[0]["status"] == 403
    assert through({"type": "websocket", "server": server, "headers": headers})[0]["code"] == 1008


def test_a_refused_socket_is_closed_and_a_start_is_handed_on() -> None:
    headers = [(b"host", b"127.0.0.1"), (b"origin", b"https://blog.example")]

    assert through({"type": "websocket", "headers": headers}) == [{"type": "websocket.close", "code": 1008}]
    assert through({"type": "lifespan"}) == [{"type": "reached"}]
