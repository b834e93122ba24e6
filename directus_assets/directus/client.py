"""HTTP client for Directus with typed answers, time-outs, and failures as errors of this package.

The client never retries: an error's type says whether a retry may help, and the caller decides. Redirects are refused,
so that the token reaches no other host.
"""

import contextlib
import json
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import quote

import httpx

from directus_assets.directus.answers import data_of, nonsense, refusal, reported
from directus_assets.directus.models import Activity, File, ProjectSettings
from directus_assets.directus.version import SUPPORTED, Version
from directus_assets.errors import BadInput, ConfigurationError, NotFound, Rejected, TooLarge
from directus_assets.json_text import as_json, well_formed, well_formed_json
from directus_assets.settings import Environment

USER_AGENT = "directus-assets"
"""Directus stores it in its activity log, where it distinguishes our own writes, together with the user."""

_RENDER_TIMEOUT = httpx.Timeout(180, connect=5)
"""Directus needs about 30 s for an AVIF of 4000 px on a small machine."""

Filter: TypeAlias = Mapping[str, Any]
"""A condition in Directus' own format, such as `{"folder": {"_eq": "…"}}`."""

NO_FILTER: Filter = MappingProxyType({})

LONGEST_ADDRESS = 7500
"""Bytes of path and query. Servers and proxies commonly allow 8 KiB; a longer query goes into the body of a SEARCH."""

ROWS_PER_REQUEST = 1000
"""Reduced to Directus' `QUERY_LIMIT_MAX` if that is lower."""

_VALUES_PER_REQUEST = 100
"""Keys per condition: databases limit their number, and Directus the size of a body (`MAX_PAYLOAD_SIZE`)."""

_NESTED_ROWS = 1_000_000
"""Nested rows without a limit of their own are cut at `QUERY_LIMIT_DEFAULT` (100). No other limit applies to them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AssetHead:
    """The response of `HEAD /assets/<id>`: the size in bytes and the MIME type of what a visitor would get."""

    content_length: int
    content_type: str


class DirectusClient:
    """Client for one Directus project; thread-safe.

    >>> with DirectusClient.from_environment(environment) as directus:  # doctest: +SKIP
    ...     for file in directus.files_by_id(["3f0c…"]):
    ...         directus.head_asset(file.id, preset="card")
    """

    def __init__(
        self, url: str, token: str, *, timeout_seconds: float = 30, transport: httpx.BaseTransport | None = None
    ) -> None:
        """
        Args:
            url: the address of the project, with a path if it is served under one.
            token: a static token.
            timeout_seconds: the time limit for responses that need no rendering.
            transport: for tests; the network by default.
        """
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT},
            timeout=httpx.Timeout(timeout_seconds, connect=min(5, timeout_seconds)),
            follow_redirects=False,
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=32, keepalive_expiry=4),
            transport=transport,
            verify=certificates(),
        )
        self._rows_per_request = ROWS_PER_REQUEST
        self._version: Version | None = None

    @classmethod
    def from_environment(cls, environment: Environment, *, timeout_seconds: float = 30) -> Self:
        """The client for `DIRECTUS_URL` and `DIRECTUS_TOKEN`.

        Raises:
            ConfigurationError: one of them is not set.
        """
        environment.require()
        token = environment.directus_token.get_secret_value()
        return cls(environment.directus_url, token, timeout_seconds=timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"DirectusClient({self.url!r})"

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    @cached_property
    def own_user_id(self) -> str:
        """The id of the token's user: its entries in the change feed are our own writes."""
        return str(self.get("/users/me", fields=["id"])["id"])

    def activity(
        self,
        *,
        collections: Sequence[str],
        after_id: int,
        limit: int,
        skip_ids: Iterable[int] = (),
        also: Filter = NO_FILTER,
    ) -> list[Activity]:
        """Entries of the change feed with an id above `after_id`, ordered by id, at most `limit` of them.

        Entries that match `also` are included, whatever their id and collection.
        """
        conditions: list[Any] = [{"id": {"_gt": after_id}}, {"collection": {"_in": list(collections)}}]
        if skip := sorted(skip_ids):
            conditions.append({"id": {"_nin": skip}})
        condition: Filter = {"_and": conditions}
        if also:
            condition = {"_or": [also, condition]}
        return self.activity_entries(condition, sort="id", limit=limit)

    def activity_entries(self, matching: Filter, *, sort: str, limit: int) -> list[Activity]:
        """The first entries of the change feed that match, at most `limit` of them."""
        rows = self.rows("/activity", most=limit, fields=Activity.FIELDS, filter=matching, sort=sort)
        return [Activity.parse(row) for row in rows]

    def latest_activity_id(self) -> int:
        """The highest id in the change feed; 0 if it is empty."""
        rows = self.get("/activity", fields=["id"], sort="-id", limit=1)
        return int(rows[0]["id"]) if rows else 0

    def files_by_id(self, ids: Iterable[str], *, matching: Filter = NO_FILTER) -> list[File]:
        """The rows of the files that exist and match, in no particular order."""
        rows = self.rows_with("/files", "id", ids, matching=matching, fields=File.FIELDS, sort="id")
        return [File.parse(row) for row in rows]

    def existing_files(self, ids: Iterable[str]) -> set[str]:
        """The ids among these that have a file in Directus, as far as the token sees."""
        return {str(row["id"]) for row in self.rows_with("/files", "id", ids, fields=["id"], sort="id")}

    def files_page(self, *, types: Iterable[str], page: int, size: int, matching: Filter = NO_FILTER) -> list[File]:
        """Page `page` (from 1) of all files of these MIME types that match, oldest first."""
        return [File.parse(row) for row in self._files_page(types, page, size, matching, File.FIELDS)]

    def file_ids_page(self, *, types: Iterable[str], page: int, size: int, matching: Filter = NO_FILTER) -> list[str]:
        """The ids of the same files, including those with invalid rows."""
        return [str(row["id"]) for row in self._files_page(types, page, size, matching, ["id"])]

    def _files_page(
        self, types: Iterable[str], page: int, size: int, matching: Filter, fields: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        condition = all_of({"type": {"_in": sorted(types)}}, matching)
        start = (page - 1) * size
        return self.rows("/files", start=start, most=size, fields=fields, filter=condition, sort="uploaded_on,id")

    def count_files(self, *, types: Iterable[str], matching: Filter = NO_FILTER) -> int:
        """The number of matching files of these MIME types."""
        condition = all_of({"type": {"_in": sorted(types)}}, matching)
        rows = self.get("/files", filter=condition, aggregate={"count": "id"})
        return int(rows[0]["count"]["id"])

    def project_settings(self) -> ProjectSettings:
        """The part of Directus' settings that this project uses."""
        return ProjectSettings.parse(self.settings_row())

    def settings_row(self) -> dict[str, Any]:
        """The settings as Directus returns them, plus its version."""
        # Read anew, since an upgrade of Directus leaves no other trace.
        version = self.read_version()
        # By default Directus sorts even the only row: by its key, or if the token may not read that, by the first field
        # it may read. PostgreSQL cannot sort by JSON (`getAllowedSort`, Directus 11 and 12).
        row = self.get("/settings", fields=ProjectSettings.fields_of(version), sort=ProjectSettings.SORTABLE)
        mended: dict[str, Any] = {**well_formed_json(row), ProjectSettings.VERSION: version.text}
        return mended

    def schema_rows(self, path: str) -> Any:
        """The rows of `/collections`, `/fields` or `/relations` with well-formed texts, since definitions keep them."""
        return well_formed_json(self.get(path))

    @property
    def version(self) -> Version:
        """The version of Directus, as it was last read.

        Raises:
            ConfigurationError: the version is not supported.
        """
        return self._version or self.read_version()

    def require_supported(self) -> None:
        """Check that this version of Directus is supported; read it once.

        Raises:
            ConfigurationError: it is not.
        """
        _ = self.version

    def read_version(self) -> Version:
        """Read the version of Directus; `/server/info` answers any token.

        Raises:
            ConfigurationError: the version is not supported.
        """
        info = self.get("/server/info")
        version = Version.parse(str(info.get("version")) if isinstance(info, Mapping) else "")
        if version.fault:
            raise ConfigurationError(version.fault, remedy=f"Upgrade Directus at {self.url} to {SUPPORTED}.")
        self._version = version
        return version

    def head_asset(self, file_id: str, *, preset: str, accept: str | None = None) -> AssetHead:
        """Request a derivative without its bytes.

        Directus renders and stores it if it does not exist yet (Directus 12).

        Args:
            file_id: the file.
            preset: the key of the preset.
            accept: the caller's Accept header; determines the format of presets with the format `auto`.
        """
        headers = {"Accept": accept} if accept else {}
        path, params = f"/assets/{file_id}", {"key": preset}
        try:
            answer = self._send("HEAD", path, params=params, headers=headers, timeout=_RENDER_TIMEOUT)
        except (NotFound, Rejected):
            # The reason is in the body, which a HEAD response lacks.
            answer = self._send("GET", path, params=params, headers=headers, timeout=_RENDER_TIMEOUT)
        length = answer.headers.get("content-length")
        if length is None:
            # Some proxies strip the header, and a missing size must not pass for an empty picture: then the bytes are
            # counted.
            length = len(self._send("GET", path, params=params, headers=headers, timeout=_RENDER_TIMEOUT).content)
        return AssetHead(
            content_length=int(length),
            content_type=answer.headers.get("content-type", "").partition(";")[0].strip(),
        )

    def download(
        self, file_id: str, *, most: int | None = None, accept: str | None = None, **transformation: str | int
    ) -> bytes:
        """The original of a file, or a transformation of it with these query parameters.

        Args:
            file_id: the file.
            most: the maximum number of bytes to read.
            accept: as for `head_asset`.
            transformation: the query parameters.

        Raises:
            TooLarge: the file has more bytes; reading stops there.
        """
        path, headers = f"/assets/{file_id}", {"Accept": accept} if accept else {}
        answer = self._send(
            "GET", path, is_streamed=True, params=transformation, headers=headers, timeout=_RENDER_TIMEOUT
        )
        announced = answer.headers.get("content-length", "")
        content = bytearray()
        with contextlib.closing(answer), reported(self._attempt("GET", path)):
            if most is not None and announced.isdecimal() and int(announced) > most:
                raise TooLarge(f"File {file_id}", most=most, size=int(announced))
            for some in answer.iter_bytes():
                content += some
                if most is not None and len(content) > most:
                    raise TooLarge(f"File {file_id}", most=most)
        return bytes(content)

    def get(self, path: str, **query: Any) -> Any:
        """The `data` of a read. Directus limits the number of rows: see `rows`.

        Args:
            path: in the API, such as `/items/posts`.
            query: as in Directus' documentation, with plain lists and mappings as values.
        """
        if nested := _nested_limits(query.get("fields", ())):
            query = {"deep": nested, **query}
        query = {name: value for name, value in query.items() if not isinstance(value, Mapping) or value}
        params = _parameters(query)
        if len(path) + len(str(httpx.QueryParams(params))) <= LONGEST_ADDRESS:
            answer = self._send("GET", path, params=params)
        else:
            body = json.dumps({"query": _as_json(query)}).encode()
            answer = self._send("SEARCH", path, content=body, headers={"Content-Type": "application/json"})
        if not answer.content:
            raise nonsense(answer)
        return data_of(answer)

    def rows(self, path: str, *, start: int = 0, most: int | None = None, **query: Any) -> Iterator[dict[str, Any]]:
        """All rows that match a query, in as many requests as Directus' limit requires; the only row of a singleton.

        Args:
            path: as for `get`.
            start: the number of rows to skip.
            most: the maximum number of rows; all if None.
            query: as for `get`, with a `sort` that defines a total order, and without a limit.
        """
        given = 0
        while most is None or given < most:
            size = self._rows_per_request if most is None else min(self._rows_per_request, most - given)
            try:
                found = self.get(path, limit=size, **({"offset": start + given} if start + given else {}), **query)
            except Rejected:
                if not self._is_limited_to_fewer_than(size):
                    raise
                continue
            rows = found if isinstance(found, list) else [found][start + given :]
            yield from rows
            given += len(rows)
            if len(rows) < size:
                return

    def rows_with(
        self, path: str, field: str, values: Iterable[str], *, matching: Filter = NO_FILTER, **query: Any
    ) -> Iterator[dict[str, Any]]:
        """The matching rows with one of these values in a field; other parameters as for `rows`."""
        wanted = list(dict.fromkeys(values))
        for start in range(0, len(wanted), _VALUES_PER_REQUEST):
            condition = {field: {"_in": wanted[start : start + _VALUES_PER_REQUEST]}}
            yield from self.rows(path, filter=all_of(condition, matching), **query)

    def _is_limited_to_fewer_than(self, size: int) -> bool:
        """Whether Directus returns fewer rows at a time; requests then ask for no more."""
        limit = self.query_limit()
        if limit is None or not 0 < limit < size:
            return False
        self._rows_per_request = limit
        return True

    def takes_chunked_uploads(self) -> bool:
        """Whether Directus accepts chunked uploads (`TUS_ENABLED`)."""
        return "chunkSize" in (self.get("/server/info").get("uploads") or {})

    def query_limit(self) -> int | None:
        """The maximum number of rows that Directus returns at a time (`QUERY_LIMIT_MAX`); None if it reports none."""
        limit = (self.get("/server/info").get("queryLimit") or {}).get("max", -1)
        return int(limit) if limit >= 0 else None

    def post(self, path: str, body: Any) -> Any:
        """The `data` of a POST with a JSON body."""
        return data_of(self._send("POST", path, **_body(body)))

    def patch(self, path: str, body: Any, **query: Any) -> Any:
        """The `data` of a PATCH with a JSON body; `query` selects the response, as for `get`."""
        return data_of(self._send("PATCH", path, **_body(body), params=_parameters(query)))

    def delete(self, path: str, body: Any = None) -> None:
        """Send a DELETE."""
        self._send("DELETE", path, **({} if body is None else _body(body)))

    def _attempt(self, method: str, path: str) -> str:
        return f"{method} {path} on Directus at {self.url}"

    def _send(self, method: str, path: str, *, is_streamed: bool = False, **arguments: Any) -> httpx.Response:
        attempt = self._attempt(method, path)
        with reported(attempt):
            answer = self._http.send(self._http.build_request(method, path, **arguments), stream=is_streamed)
            if answer.is_success:
                return answer
            answer.read()
        raise refusal(attempt, answer, method, path)


def items_path(collection: str) -> str:
    """The path of a collection's items; Directus' own collections have other paths."""
    own = collection.removeprefix("directus_")
    return f"/items/{collection}" if own == collection else f"/{own}"


def item_path(collection: str, key: str) -> str:
    """The path of one item. A key can be any text that people type in, even `../users/me`.

    Raises:
        BadInput: the key contains a lone surrogate, which a URL cannot.
    """
    if key != well_formed(key):
        raise BadInput(
            f"The key {key!r} of an item in {collection} contains an invalid character (half of a surrogate pair).",
            remedy="Give the item a different key.",
        )
    # `quote` keeps dots, and two of them would change the path.
    return f"{items_path(collection)}/{quote(key, safe='').replace('.', '%2E')}"


def all_of(condition: Filter, matching: Filter) -> Filter:
    """The conjunction of both filters."""
    return {"_and": [condition, matching]} if condition and matching else condition or matching


def _nested_limits(fields: str | Iterable[str]) -> dict[str, Any]:
    """A limit that cuts nothing for each relation in the field paths, in the form of Directus' `deep`."""
    limits: dict[str, Any] = {}
    for name in fields.split(",") if isinstance(fields, str) else fields:
        level = limits
        for relation in name.split(".")[:-1]:
            level = level.setdefault(relation, {"_limit": _NESTED_ROWS})
    return limits


def _as_json(value: Any) -> Any:
    """Convert mappings and tuples of any type to JSON's types."""
    if isinstance(value, Mapping):
        return {name: _as_json(part) for name, part in value.items()}
    return [_as_json(part) for part in value] if isinstance(value, (list, tuple)) else value


def _parameters(query: Mapping[str, Any]) -> dict[str, str]:
    return {name: _as_parameter(value) for name, value in query.items()}


def _as_parameter(value: Any) -> str:
    if isinstance(value, Mapping):
        return json.dumps(_as_json(value), separators=(",", ":"))
    if isinstance(value, (list, tuple)):
        return ",".join(str(part) for part in value)
    return str(value)


def _body(value: Any) -> dict[str, Any]:
    return {"content": as_json(value), "headers": {"Content-Type": "application/json"}}


@cache
def certificates() -> ssl.SSLContext:
    """The trusted certificates; loaded once per process, since that takes tens of milliseconds."""
    return httpx.create_ssl_context()
