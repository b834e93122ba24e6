"""Guards Dagster's webserver, which has no login and accepts GraphQL by GET, and from any web page.

It blocks three kinds of access: a GET that some server on this machine is tricked into sending (for example by an
import from a URL), a request that a web page makes a browser send, and a web page whose own domain name resolves to
this webserver (in a container, nothing shows that its port is published on loopback, so names are always checked). It
allows what the UI and our own commands use: posted JSON.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_JSON = ("application/json", "application/graphql")
_FROM_HERE = ("same-origin", "none")


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request to the webserver."""

    method: str
    """`WEBSOCKET` for a WebSocket connection."""
    path: str
    query: bytes
    headers: Mapping[str, str]


def refusal(asked: HttpRequest, hosts: Collection[str] = ()) -> str:
    """Why a request is refused; empty if it is allowed.

    Args:
        asked: the request.
        hosts: host names of the webserver besides numeric addresses and names without a dot.
    """
    headers = asked.headers
    host = headers.get("host", "")
    if not _is_known(_name(host), hosts):
        return f"Unknown host name {_name(host)!r}. Set DAGSTER_WEBSERVER_URL to the address of this UI."
    if asked.method not in _SAFE_METHODS and not _is_from_here(headers, host, hosts):
        return "This request comes from another web page."
    is_graphql = asked.path.rstrip("/").endswith("/graphql")
    if not is_graphql or asked.method == "WEBSOCKET":
        return ""
    if asked.method == "GET":
        # The page with the query editor, which itself posts queries.
        is_page = "text/html" in headers.get("accept", "") and not asked.query
        return "" if is_page else "Only POST requests are accepted here."
    if asked.method != "POST":
        return "Only POST requests are accepted here."
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return "" if content_type in _JSON else "Only application/json is accepted here."


class Guard:
    """ASGI middleware around Dagster's webserver.

    Args:
        app: the webserver.
        hosts: its host names besides numeric addresses and names without a dot.
    """

    def __init__(self, app: App, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Pass on allowed requests."""
        reason = refusal(_asked(scope), self._hosts) if scope["type"] in ("http", "websocket") else ""
        if not reason:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": f"{reason}\n".encode("utf-8", "replace")})


def _asked(scope: Scope) -> HttpRequest:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        # Duplicate headers are joined, so that none can hide the other.
        text = value.decode("latin-1")
        key = name.decode("latin-1").lower()
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return HttpRequest(
        method=scope["method"] if scope["type"] == "http" else "WEBSOCKET",
        path=scope["path"],
        query=scope.get("query_string", b""),
        headers=headers,
    )


def _is_from_here(headers: Mapping[str, str], host: str, hosts: Collection[str]) -> bool:
    """Whether a request comes from the webserver's own pages, or from no web page at all."""
    if (site := headers.get("sec-fetch-site")) is not None:
        return site in _FROM_HERE
    if (origin := headers.get("origin")) is None:
        return True
    # Browsers omit `Sec-Fetch-Site` for pages loaded without encryption.
    parts = urlsplit(origin)
    return parts.netloc in (host, headers.get("x-forwarded-host")) or (parts.hostname or "") in hosts


def _is_known(name: str, hosts: Collection[str]) -> bool:
    # Attackers need a name that they can make resolve to this machine. A numeric address is not resolved, and public
    # DNS has no names without a dot, such as those of services.
    return name in hosts or _is_address(name) or (name != "" and "." not in name)


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
