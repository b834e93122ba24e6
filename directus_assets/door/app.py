"""The network boundary of the door: HTTP on one side, `Room` on the other.

Starlette and uvicorn come with Dagster's webserver.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from directus_assets.door.requests import (
    MOST_BYTES,
    SECRET_HEADER,
    Head,
    Refused,
    holds_secret,
    parse_body,
    project_of,
    require_form,
    too_large,
)
from directus_assets.door.room import Room
from directus_assets.errors import DirectusAssetsError

BODY_SECONDS = 3.0
"""The time limit for receiving a body."""

HEAD_SECONDS = 5.0
"""The time limit for receiving the head of a connection's first request."""

logger = logging.getLogger(__name__)


class DoorApp:
    """The ASGI application.

    A caller without a project's secret gets 403 and nothing else, whatever the request, and nothing of its body is
    read.

    Args:
        rooms: by project name.
    """

    def __init__(self, rooms: Mapping[str, Room]) -> None:
        self._rooms = rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        head = _head(request)
        room = self._rooms.get(project_of(head.path))
        if room is None or not await run_in_threadpool(_is_open, room, head):
            # The rest of the request stays unread, so the connection cannot be reused.
            return Response(status_code=HTTPStatus.FORBIDDEN, headers={"connection": "close"})
        try:
            kind = require_form(head)
            body = parse_body(kind, await _read(request))
            return JSONResponse(await run_in_threadpool(room.take, body), status_code=HTTPStatus.ACCEPTED)
        except Refused as error:
            content = {"errors": [{"message": error.reason}]}
            return JSONResponse(content, status_code=error.status, headers={"connection": "close"})


def _is_open(room: Room, head: Head) -> bool:
    try:
        return holds_secret(head, room.secrets.digests(head.secret))
    except DirectusAssetsError as error:
        logger.warning("The door's secrets could not be read: %s", error)
        return False


async def _read(request: Request) -> bytes:
    """Read the body, which must be small and arrive soon.

    Raises:
        Refused: it is too large or too late.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise too_large()
    except TimeoutError:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive.") from None
    except ClientDisconnect:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body did not arrive.") from None
    return bytes(body)


def _head(request: Request) -> Head:
    secrets = request.headers.getlist(SECRET_HEADER)
    return Head(
        method=request.method,
        path=request.scope["path"],
        query=request.scope["query_string"],
        content_type=request.headers.get("content-type", ""),
        length=request.headers.get("content-length"),
        secret=secrets[0] if len(secrets) == 1 else "",
    )


class ImpatientProtocol(H11Protocol):
    """uvicorn's HTTP protocol with a time limit for the head of a request, for which uvicorn waits forever: silent
    connections could otherwise occupy all slots.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer."""
        super().connection_made(transport)
        self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None:  # until a request arrives, whatever uvicorn's types say
            self.transport.close()  # type: ignore[unreachable]


def make_server(rooms: Mapping[str, Room]) -> uvicorn.Server:
    """The HTTP server, to be run with its listening sockets; it logs nothing itself."""
    return uvicorn.Server(
        uvicorn.Config(
            DoorApp(rooms),
            http=ImpatientProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            date_header=False,
            limit_concurrency=100,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
        )
    )


@contextlib.contextmanager
def at_work(rooms: Mapping[str, Room]) -> Iterator[None]:
    """Run the workers of all rooms for the duration of the block."""
    threads = [threading.Thread(target=room.work, name=f"door-{name}") for name, room in rooms.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for room in rooms.values():
            room.stop()
        for thread in threads:
            thread.join()
