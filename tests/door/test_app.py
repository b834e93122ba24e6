"""The running door: what it accepts, and that everything else gets nothing but a refusal."""

import re
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from directus_assets.directus.storage import LocalStorage
from directus_assets.door.requests import MOST_BYTES, SECRET_HEADER, Changed, Refused
from directus_assets.door.room import CHANGES_PER_MINUTE
from directus_assets.errors import BadInput, ConfigurationError, Unreachable
from tests.door.served import SECRET, Served, served

CHANGE = {"collection": "posts", "keys": ["1"]}
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Otherwise each client reads all certificates of this machine, which costs more than all that is asked."""
CLICK = {"button": "translate", "collection": "posts", "keys": [1], "user": "0d2ab9c2-0c5b-4f5f-8e9c-3a3c55d19a6b"}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(LocalStorage(tmp_path_factory.mktemp("door"))) as made:
        yield made


@pytest.fixture(autouse=True)
def forgotten(door: Served) -> None:
    door.settle()
    door.carrier.batches.clear()
    door.carrier.claims.clear()
    door.carrier.clicks.clear()
    door.carrier.is_unreadable = None
    door.room.changes._windows.clear()
    door.room.clicks._windows.clear()


def ask(door: Served, path: str = "/changes", *, secret: str | None = SECRET, **options: Any) -> httpx.Response:
    headers = {**({SECRET_HEADER: secret} if secret is not None else {}), **options.pop("headers", {})}
    method = options.pop("method", "POST")
    with httpx.Client(base_url=door.url, trust_env=False, timeout=60, verify=_NO_TLS) as client:
        return client.request(method, path, headers=headers, **options)


def raw(door: Served, *lines: str, body: bytes = b"", chunks: int = 0) -> bytes:
    """What is answered to a request as it is written here; then so many chunks of a body are sent as far as they go."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        try:
            for _ in range(chunks):
                connection.sendall(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
        except OSError:
            pass
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
        return answer


OUTSIDERS: list[dict[str, Any]] = [
    {"json": CHANGE},
    {"secret": "wrong", "json": CHANGE},
    {"secret": "", "json": CHANGE},
    {"json": CHANGE, "params": {SECRET_HEADER: SECRET}},
    {"method": "GET", "params": {SECRET_HEADER: SECRET, "collection": "posts", "keys": "1"}},
    {"method": "GET", "path": f"/{SECRET}/changes"},
    {"method": "GET", "path": "/graphql", "params": {"query": "{version}"}},
    {"method": "GET", "path": "/"},
    {"method": "HEAD"},
    {"method": "OPTIONS", "headers": {"origin": "https://blog.example", "access-control-request-method": "POST"}},
    {"method": "PUT", "json": CHANGE},
    {"method": "DELETE"},
    {"method": "TRACE"},
    {"path": "/clicks", "json": CLICK},
    {"path": "/check", "json": {}},
    {"path": "/nowhere", "json": CHANGE},
    {"path": "/shop/changes", "json": CHANGE},
    {"data": {"collection": "posts", SECRET_HEADER: SECRET}},
    {"headers": {"authorization": f"Bearer {SECRET}"}, "json": CHANGE},
    {"headers": {"cookie": f"{SECRET_HEADER}={SECRET}"}, "json": CHANGE},
    {"content": b"x" * 10_000_000},
    {"content": b"\xff\xfe{", "headers": {"content-type": "application/json"}},
]


@pytest.mark.parametrize("request_", OUTSIDERS, ids=range(len(OUTSIDERS)))
def test_whoever_lacks_the_secret_hears_one_and_the_same_refusal(door: Served, request_: dict[str, Any]) -> None:
    try:
        answer = ask(door, **{"secret": None, **request_})
    except httpx.WriteError:
        # What is too much is not even read to its end.
        assert len(request_.get("content", b"")) > MOST_BYTES
    else:
        assert (answer.status_code, answer.content) == (403, b"")
        assert set(answer.headers) <= {"connection", "content-length"}
    assert (door.carrier.claims, door.carrier.clicks) == ([], [])


WRONG: list[tuple[int, dict[str, Any]]] = [
    (405, {"method": "GET"}),
    (405, {"method": "PUT", "json": CHANGE}),
    (405, {"method": "PATCH", "json": CHANGE}),
    (415, {"data": {"collection": "posts"}}),
    (415, {"files": {"collection": b"posts"}}),
    (415, {"content": b"{}", "headers": {"content-type": "text/plain; x=application/json"}}),
    (415, {"content": b"{}"}),
    (400, {"json": CHANGE, "params": {"collection": "pages"}}),
    (404, {"path": "/", "json": CHANGE}),
    (404, {"path": "/graphql", "json": CHANGE}),
    (413, {"content": b" " * 10_000_000, "headers": {"content-type": "application/json"}}),
    (400, {"content": b"{", "headers": {"content-type": "application/json"}}),
    (400, {"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}),
    (
        400,
        {
            "content": b'{"collection": "posts", "keys": [' + b"9" * 5000 + b"]}",
            "headers": {"content-type": "application/json"},
        },
    ),
    (
        400,
        {"content": b'{"collection": "posts", "keys": ["\\ud800"]}', "headers": {"content-type": "application/json"}},
    ),
    (
        400,
        {
            "content": b'{"collection": "posts", "collection": "pages", "keys": ["1"]}',
            "headers": {"content-type": "application/json"},
        },
    ),
    (
        400,
        {
            "content": b'{"collection":"posts","keys":' + b'{"a":' * 50_000,
            "headers": {"content-type": "application/json"},
        },
    ),
    *[
        (
            400,
            {
                "path": "/clicks",
                "content": b'{"button":"translate","collection":"posts","keys":[1],"user":"a","files":' + files + b"}",
                "headers": {"content-type": "application/json"},
            },
        )
        for files in (b"[NaN]", b"[-1e999]", b'["\\ud800"]', b'{"\\udfff":1}')
    ],
    (400, {"json": []}),
    (400, {"json": {"collection": "posts"}}),
    (400, {"json": {**CHANGE, "tags": {"dagster/priority": "9"}}}),
    (400, {"json": {**CHANGE, "runConfigData": {}}}),
    (400, {"json": {**CHANGE, "collection": "directus_users"}}),
    (400, {"json": {**CHANGE, "collection": ["posts"]}}),
    (400, {"json": {**CHANGE, "user": "not a user; {{x}}"}}),
    *[
        (400, {"json": {**CHANGE, "keys": keys}})
        for keys in ([], "1", None, [None], [True], [1.5], [{}], [["1"]], [""])
    ],
    (400, {"json": {**CHANGE, "keys": ["x" * 256]}}),
    (400, {"json": {**CHANGE, "keys": list(range(6000))}}),
    (400, {"path": "/clicks", "json": {**CLICK, "button": "launch"}}),
    (400, {"path": "/clicks", "json": {**CLICK, "button": "render"}}),
    (400, {"path": "/clicks", "json": {**CLICK, "collection": "directus_files"}}),
    (400, {"path": "/clicks", "json": {**CLICK, "user": None}}),
    (400, {"path": "/check", "json": {"plan": "p", "query": "{version}"}}),
    (400, {"path": "/check", "json": {}}),
]


@pytest.mark.parametrize(("status", "request_"), WRONG, ids=range(len(WRONG)))
def test_with_the_secret_only_what_has_our_form_is_taken(door: Served, status: int, request_: dict[str, Any]) -> None:
    try:
        answer = ask(door, **request_)
    except httpx.WriteError:
        assert status == 413
    else:
        assert answer.status_code == status, answer.text
        assert SECRET not in answer.text
    assert (door.carrier.claims, door.carrier.clicks) == ([], [])


HEADS = {
    "two secrets": ("POST /changes HTTP/1.1", f"{SECRET_HEADER}: {SECRET}", f"{SECRET_HEADER}: other"),
    "the right secret twice": ("POST /changes HTTP/1.1", f"{SECRET_HEADER}: {SECRET}", f"{SECRET_HEADER}: {SECRET}"),
    "two in one line": ("POST /changes HTTP/1.1", f"{SECRET_HEADER}: {SECRET}, {SECRET}"),
    "another name": ("POST /changes HTTP/1.1", f"{SECRET_HEADER.replace('-', '_')}: {SECRET}"),
    "a forwarded method": ("GET /changes HTTP/1.1", "x-http-method-override: POST"),
    "a whole address": ("POST http://webserver:3000/graphql HTTP/1.1",),
    "a tunnel": ("CONNECT webserver:3000 HTTP/1.1",),
    "a socket": ("GET /changes HTTP/1.1", "connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"),
    "another protocol": ("GET /changes HTTP/1.1", "connection: upgrade", "upgrade: h2c"),
    "all of the server": ("OPTIONS * HTTP/1.1",),
    "a folder above": ("POST /../../changes HTTP/1.1",),
    "one in other signs": ("POST /%2e%2e/%2fchanges HTTP/1.1",),
    "a NUL": ("POST /changes%00 HTTP/1.1",),
}


@pytest.mark.parametrize("what", HEADS)
def test_no_trick_with_the_head_gets_further_than_the_refusal(door: Served, what: str) -> None:
    first, *more = HEADS[what]

    answer = raw(door, first, "host: door", "content-type: application/json", "content-length: 0", *more)

    assert answer == b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


PATHS = ["/changes/", "/changes;x", "/changes%00", "/CHANGES", "/changes%20", "/graphql/../changes%2f", "/./"]


@pytest.mark.parametrize("path", PATHS)
def test_with_the_secret_another_spelling_of_a_path_is_another_path(door: Served, path: str) -> None:
    lines = ["host: door", "content-type: application/json", f"{SECRET_HEADER}: {SECRET}", "content-length: 36"]

    answer = raw(door, f"POST {path} HTTP/1.1", *lines, body=b'{"collection": "posts", "keys":["1"]}')

    assert answer[:13] in (b"HTTP/1.1 404 ", b"HTTP/1.1 403 ")
    assert door.carrier.claims == []


@pytest.mark.parametrize(
    "sent", [b"", b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\r\n\r\n"]
)
def test_what_is_no_http_is_not_answered_with_anything_of_ours(door: Served, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=60) as connection:
        connection.sendall(sent + b"\r\n\r\n")
        answer = connection.recv(65536)

    assert answer[:13] in (b"HTTP/1.1 400 ", b"HTTP/1.1 403 ")
    assert not re.search(rb"(?i)dagster|directus|uvicorn|server:", answer)


def test_a_body_in_chunks_is_taken_and_one_of_two_lengths_is_not(door: Served) -> None:
    lines = ["host: door", "content-type: application/json", f"{SECRET_HEADER}: {SECRET}", "transfer-encoding: chunked"]
    text = b'{"collection": "posts", "keys": ["1"]}'
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in text) + b"0\r\n\r\n"

    alone = raw(door, "POST /changes HTTP/1.1", "connection: close", *lines, body=body)
    smuggled = raw(door, "POST /changes HTTP/1.1", "content-length: 4", *lines, body=body + b"GET /x HTTP/1.1\r\n\r\n")

    assert alone.startswith(b"HTTP/1.1 202 ")
    assert smuggled.count(b"HTTP/1.1 ") == 1 or b"HTTP/1.1 400 " in smuggled


def drip(door: Served, head: list[str], *, body: bool) -> bytes:
    """The response to a request sent byte by byte, for at most a minute."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", door.port), timeout=60) as connection:
        connection.sendall("\r\n".join(head).encode() + (b"\r\n\r\n" if body else b"\r\nx-drip: "))
        connection.settimeout(0.1)
        answer: bytes | None = None
        while answer is None and time.monotonic() - began < 60:
            try:
                connection.sendall(b" ")
                answer = connection.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                answer = b""
    return b"still listening" if answer is None else answer


def test_nobody_holds_a_place_by_sending_byte_by_byte_or_nothing_more(door: Served) -> None:
    head = ["POST /changes HTTP/1.1", "host: door", "content-type: application/json", f"{SECRET_HEADER}: {SECRET}"]
    with ThreadPoolExecutor(3) as pool:
        nothing = pool.submit(raw, door, *head, "content-length: 40", body=b'{"coll')
        body = pool.submit(drip, door, [*head, "content-length: 1000"], body=True)
        never = pool.submit(drip, door, head, body=False)

        assert nothing.result().startswith(b"HTTP/1.1 408 ")
        assert body.result()[:13] in (b"HTTP/1.1 408 ", b"")
        assert never.result() == b""

    assert ask(door, json=CHANGE).status_code == 202


def test_a_body_without_an_end_is_cut_off(door: Served) -> None:
    head = ["POST /changes HTTP/1.1", "host: door", "content-type: application/json", "transfer-encoding: chunked"]

    inside = raw(door, *head, f"{SECRET_HEADER}: {SECRET}", chunks=5000)
    outside = raw(door, *head, chunks=5000)

    assert inside == b"" or inside.startswith(b"HTTP/1.1 413 ")
    assert outside == b"" or outside.startswith(b"HTTP/1.1 403 ")
    assert ask(door, "/check", json={"plan": "p"}).json()["plan"] == "p"


def test_a_burst_is_one_batch_that_the_sensors_hear_of_at_once(door: Served) -> None:
    options: dict[str, Any] = {"trust_env": False, "verify": _NO_TLS, "timeout": 60}
    with door.gathers(), httpx.Client(base_url=door.url, headers={SECRET_HEADER: SECRET}, **options) as client:
        for number in range(24):
            assert client.post("/changes", json={"collection": "posts", "keys": [number]}).status_code == 202
    door.carrier.wait(24)

    assert [sorted(batch["posts"], key=int) for batch in door.carrier.batches] == [[str(n) for n in range(24)]]
    assert door.carrier.claims[0].keys() == {"posts"}
    assert len(door.carrier.claims[0]["posts"]) <= 24


def test_a_single_push_waits_for_no_second_one(door: Served) -> None:
    ask(door, json=CHANGE)
    door.carrier.wait(1)

    assert door.carrier.batches == [{"posts": ["1"]}]


def test_a_batch_that_fails_takes_no_other_along(door: Served) -> None:
    door.carrier.fails_with = RuntimeError("nobody has foreseen this")
    ask(door, json=CHANGE)
    door.carrier.wait(1)

    ask(door, json={"collection": "posts", "keys": ["2"]})
    door.carrier.wait(2)

    assert door.carrier.batches == [{"posts": ["1"]}, {"posts": ["2"]}]


def test_ten_thousand_pushes_are_mostly_refused_and_hurt_nobody(door: Served) -> None:
    """Of one user; another one is served as before."""

    def push(number: int) -> bool:
        try:
            door.room.take(Changed(collection="posts", keys=[number], user="a"))
        except Refused:
            return False
        return True

    taken = [push(number) for number in range(10_000)]

    assert taken == [True] * CHANGES_PER_MINUTE + [False] * (10_000 - CHANGES_PER_MINUTE)
    assert ask(door, json={**CHANGE, "user": "a"}).status_code == 429
    assert ask(door, json={**CHANGE, "user": "b"}).status_code == 202


def test_a_full_queue_refuses_what_comes_and_goes_on(door: Served) -> None:
    whole = {"collection": "posts", "keys": [f"many {number}" for number in range(5000)]}
    with door.gathers():
        statuses = [ask(door, json=whole).status_code, ask(door, json={**CHANGE, "keys": ["one more"]}).status_code]
    door.carrier.wait(5000)

    statuses.append(ask(door, json=CHANGE).status_code)

    assert statuses == [202, 429, 202]


def test_a_click_is_carried_out_before_it_is_answered(door: Served) -> None:
    answer = ask(door, "/clicks", json=CLICK)

    assert (answer.status_code, answer.json()) == (202, {"taken": 1})
    assert [(click.collection, click.keys) for click in door.carrier.clicks] == [("posts", [1])]


@pytest.mark.parametrize(("error", "status"), [(Unreachable("Dagster is away."), 503), (BadInput("No."), 502)])
def test_whoever_clicks_hears_that_it_was_not_taken(door: Served, error: Exception, status: int) -> None:
    door.carrier.fails_with = error

    assert ask(door, "/clicks", json=CLICK).status_code == status


@pytest.mark.parametrize(
    ("error", "status"), [(Unreachable("Directus is away."), 503), (ConfigurationError("No settings."), 502)]
)
@pytest.mark.parametrize(("path", "body"), [("/changes", CHANGE), ("/clicks", CLICK)])
def test_whoever_calls_hears_that_it_is_unknown_what_is_derived(
    door: Served, path: str, body: Any, error: Exception, status: int
) -> None:
    door.carrier.is_unreadable = error

    answer = ask(door, path, json=body)

    assert (answer.status_code, answer.json()) == (status, {"errors": [{"message": str(error)}]})
