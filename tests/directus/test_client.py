import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import USER_AGENT, AssetHead, DirectusClient, item_path
from directus_assets.directus.version import NEWEST
from directus_assets.errors import (
    BadInput,
    ConfigurationError,
    DirectusAssetsError,
    Forbidden,
    NotFound,
    Overloaded,
    Rejected,
    Unreachable,
)
from directus_assets.json_text import is_too_deep
from directus_assets.settings import Environment
from tests.directus_query import answer_query, query_of

URL = "https://cms.example.com"
TOKEN = "s3cr3t-t0ken"

Handler = Callable[[httpx.Request], httpx.Response]


@contextmanager
def directus_that(handler: Handler, *, url: str = URL) -> Iterator[DirectusClient]:
    with DirectusClient(url, TOKEN, transport=httpx.MockTransport(handler)) as client:
        yield client


def answering(status: int = 200, **answer: Any) -> Handler:
    return lambda _: httpx.Response(status, **answer)


def raising(error: Exception) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return handler


def test_every_request_carries_the_token_and_says_who_asks() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": []})

    with directus_that(handler, url=f"{URL}/cms/") as client:
        client.get("/files")

    assert str(seen[0].url) == f"{URL}/cms/files"
    assert seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert seen[0].headers["user-agent"] == USER_AGENT


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, Forbidden),
        (403, Forbidden),
        (404, NotFound),
        (408, Overloaded),
        (410, NotFound),
        (413, Rejected),
        (429, Overloaded),
        (500, Overloaded),
        (501, Rejected),
        (502, Overloaded),
        (503, Overloaded),
        (504, Overloaded),
        (505, Rejected),
        *((status, Overloaded) for status in range(520, 527)),
        (530, Overloaded),
    ],
)
def test_a_status_is_permanent_or_transient(status: int, error: type[DirectusAssetsError]) -> None:
    refusal = answering(status, json={"errors": [{"message": "Because."}]})
    with directus_that(refusal) as client, pytest.raises(error) as caught:
        client.get("/files")

    assert f"GET /files on Directus at {URL} failed: Because. (HTTP {status})" in str(caught.value)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_proxy_whose_directus_is_gone_is_no_answer_of_directus(method: str) -> None:
    """Traefik answers like this while a container restarts."""
    page = answering(404, text="404 page not found", headers={"Content-Type": "text/plain"})

    with directus_that(page) as client, pytest.raises(Unreachable, match="HTTP 404, but not from Directus"):
        client.get("/files") if method == "GET" else client.head_asset("f1", preset="card")


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", None), (None, None)])
def test_an_overloaded_directus_says_how_long_to_wait(header: str | None, seconds: float | None) -> None:
    headers = {"Retry-After": header} if header else {}
    with directus_that(answering(503, headers=headers)) as client, pytest.raises(Overloaded) as caught:
        client.get("/files")

    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut off"),
        httpx.ReadError(""),
        httpx.DecodingError("no gzip"),
    ],
)
def test_a_directus_that_is_down_or_slow_is_unreachable(error: httpx.RequestError) -> None:
    with directus_that(raising(error)) as client, pytest.raises(Unreachable) as caught:
        client.get("/files")

    assert URL in str(caught.value)
    assert any(f" {reason}." in str(caught.value) for reason in (str(error), "timed out", "ReadError") if reason)
    assert caught.value.remedy


def test_a_redirect_is_refused_so_that_the_token_goes_nowhere_else() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(301, headers={"Location": "https://elsewhere.example.com/"})

    with directus_that(handler) as client, pytest.raises(Rejected, match="was redirected"):
        client.get("/settings")

    assert asked == [f"{URL}/settings"]


@pytest.mark.parametrize(
    "answer",
    [{"text": "<html>Sign in</html>"}, {"json": []}, {"json": {"rows": []}}, {"content": b""}],
    ids=["a page", "a list", "no data", "nothing"],
)
def test_an_answer_of_something_else_than_directus_is_told(answer: dict[str, Any]) -> None:
    with directus_that(answering(200, **answer)) as client, pytest.raises(Rejected) as caught:
        client.get("/settings")

    assert "The response to GET /settings did not come from Directus" in str(caught.value)
    assert "DIRECTUS_URL" in caught.value.remedy


def compressed_so_far(part: bytes) -> httpx.Response:
    compressor = zlib.compressobj(wbits=31)
    content = compressor.compress(part) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return httpx.Response(200, content=content, headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize("so_far", [lambda part: httpx.Response(200, content=part), compressed_so_far])
def test_an_answer_that_broke_off_behind_a_proxy_is_worth_another_try(
    so_far: Callable[[bytes], httpx.Response],
) -> None:
    whole = b'{"data":[{"id":1,"text":"Br\xc3\xb6tchen"},{"id":2,"text":null}]}'
    for length in range(len(b'{"data"'), len(whole)):
        answer = so_far(whole[:length])
        with (
            directus_that(lambda _, answer=answer: answer) as client,
            pytest.raises(Unreachable, match="The response to GET /items/posts broke off"),
        ):
            client.get("/items/posts")


@pytest.mark.parametrize(
    "handler",
    [
        answering(401, json={"errors": [{"message": f"Invalid token: {TOKEN}"}]}),
        answering(500, text=f"Authorization: Bearer {TOKEN}"),
        raising(httpx.ConnectError(f"failed with header Authorization: Bearer {TOKEN}")),
        answering(302, headers={"Location": f"https://elsewhere.example.com/?access_token={TOKEN}"}),
    ],
    ids=["echoed reason", "echoed body", "transport", "redirect"],
)
def test_no_error_and_no_repr_shows_the_token(handler: Handler) -> None:
    with directus_that(handler) as client:
        with pytest.raises(DirectusAssetsError) as caught:
            client.get("/settings")

        assert TOKEN not in f"{caught.value} {caught.value!r} {client!r} {vars(caught.value)}"


def test_a_wrong_token_and_a_missing_right_have_each_their_remedy() -> None:
    with directus_that(answering(401)) as client, pytest.raises(Forbidden, match="DIRECTUS_TOKEN to a valid static"):
        client.get("/activity")
    with directus_that(answering(403)) as client, pytest.raises(Forbidden, match="'read on directus_activity'"):
        client.get("/activity")


def test_a_text_that_is_too_large_for_directus_is_told_with_the_variable_to_raise() -> None:
    refusal = httpx.Response(400, json={"errors": [{"message": "Invalid payload. request entity too large."}]})

    with directus_that(lambda _: refusal) as client, pytest.raises(Rejected, match="Raise MAX_PAYLOAD_SIZE"):
        client.patch("/items/posts_translations/1", {"body": "x"})


def test_without_address_or_token_there_is_no_client() -> None:
    with pytest.raises(ConfigurationError, match="DIRECTUS_TOKEN not set"):
        DirectusClient.from_environment(Environment.read({"DIRECTUS_URL": URL}))


HALF = "bicycle \ud83d"


def test_half_an_emoji_goes_back_to_directus_as_it_came() -> None:
    bodies: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200, content=b'{"data": {"tags": ["bicycle \\ud83d"], "\\ud83d": "Stra\xc3\x9fe"}}')

    with directus_that(handler) as client:
        row = client.get("/items/posts/1")
        client.patch("/items/posts/1", row)
        client.post("/items/posts", [row])
        client.delete("/items/posts", [HALF])

    assert row == {"tags": [HALF], "\ud83d": "Straße"}
    assert bodies[1] == '{"tags":["bicycle \\ud83d"],"\\ud83d":"Straße"}'.encode()
    assert [json.loads(body) for body in bodies[2:]] == [[row], [HALF]]


def test_a_body_says_that_it_is_json_and_a_delete_without_one_has_none() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    with directus_that(handler) as client:
        client.patch("/items/posts/1", {"title": "Brot"})
        client.delete("/items/posts/1")

    assert [request.headers.get("content-type") for request in seen] == ["application/json", None]
    assert seen[1].content == b""


@pytest.mark.parametrize("deep", ["[" * 1_500 + "]" * 1_500, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_a_value_that_is_nested_too_deeply_takes_no_other_row_along(deep: str) -> None:
    body = f'{{"data": [{{"id": 1, "notice": {deep}}}, {{"id": 2, "notice": {{"blocks": []}}}}]}}'

    with directus_that(answering(content=body.encode())) as client:
        bad, good = client.get("/items/pages")

    assert is_too_deep(bad["notice"])
    assert (bad["id"], good) == (1, {"id": 2, "notice": {"blocks": []}})


def test_a_number_of_thousands_of_digits_takes_no_other_row_along() -> None:
    body = f'{{"data": [{{"id": 1, "n": {"9" * 5_000}}}, {{"id": 2}}]}}'

    with directus_that(answering(content=body.encode())) as client:
        assert client.get("/items/pages") == [{"id": 1, "n": float("inf")}, {"id": 2}]


def test_what_cannot_be_sent_says_so() -> None:
    with directus_that(answering(json={"data": {}})) as client:
        with pytest.raises(BadInput, match="cannot be converted to JSON"):
            client.patch("/items/posts/1", {"score": float("nan")})
        with pytest.raises(BadInput, match="of an item in posts contains an invalid character"):
            client.patch(item_path("posts", HALF), {})


def test_what_the_settings_hold_can_be_kept_and_shown() -> None:
    settings = {
        "storage_asset_presets": [{"key": HALF}],
        "ai_translation_glossary": None,
        "ai_translation_style_guide": HALF,
    }

    with directus_that(answering(content=json.dumps({"data": settings}).encode())) as client:
        found = client.project_settings()

    assert [preset.key for preset in found.presets] == ["bicycle \ufffd"]
    assert found.style_guide == "bicycle \ufffd"


def test_query_parameters_are_written_as_directus_wants_them() -> None:
    seen: dict[str, str] = {}

    def handler(request: httpx.Request) -> httpx.Response:
        seen.update(request.url.params)
        return httpx.Response(200, json={"data": []})

    with directus_that(handler) as client:
        client.activity(collections=["directus_files"], after_id=5, limit=10, skip_ids={8, 7})

    assert seen["fields"] == "id,action,collection,item,user,user_agent,timestamp"
    assert json.loads(seen["filter"]) == {
        "_and": [{"id": {"_gt": 5}}, {"collection": {"_in": ["directus_files"]}}, {"id": {"_nin": [7, 8]}}]
    }
    assert (seen["sort"], seen["limit"]) == ("id", "10")


class Table:
    """A collection in a Directus with a limit; records the method and URL length of each request."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], *, query_limit_max: int = -1) -> None:
        self.rows = rows
        self.query_limit_max = query_limit_max
        self.asked: list[tuple[str, int]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, len(request.url.raw_path)))
        if request.url.path == "/server/info":
            return httpx.Response(200, json={"data": {"queryLimit": {"default": 100, "max": self.query_limit_max}}})
        return answer_query(request, self.rows, query_limit_max=self.query_limit_max)


def test_many_ids_are_asked_for_in_requests_that_servers_accept() -> None:
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(250)]
    table = Table([file_row(file_id) for file_id in ids if file_id != ids[3]])

    with directus_that(table) as client:
        files = client.files_by_id([*ids, ids[0]])

    assert [file.id for file in files] == [file_id for file_id in ids if file_id != ids[3]]
    assert [method for method, _ in table.asked] == ["GET", "GET", "GET"]
    assert max(length for _, length in table.asked) < 8192


def test_the_longest_look_back_stays_within_what_servers_accept() -> None:
    table = Table([])

    with directus_that(table) as client:
        seen = range(2_000_000_000, 2_000_000_500)
        client.activity(collections=["directus_files"], after_id=2_000_000_000, limit=500, skip_ids=seen)

    ((method, length),) = table.asked
    assert (method, length < 8192) == ("GET", True)


@pytest.mark.parametrize(
    "key",
    ["a-readable-slug-" * 10, "語" * 20, "😀" * 255, '"' * 255, "\ud83d" * 100],
    ids=["160 Latin", "20 Japanese", "255 emoji", "255 quotes", "halves of emoji"],
)
def test_keys_that_are_too_long_for_an_address_are_searched_for(key: str) -> None:
    rows = [{"id": f"{key}{number}", "title": "Bread"} for number in range(150)]
    keys = [row["id"] for row in rows]
    table = Table(rows)

    with directus_that(table) as client:
        found = list(client.rows_with("/items/terms", "id", keys, fields=["id", "title"], sort="id"))

    assert sorted(row["id"] for row in found) == sorted(keys)
    assert {method for method, _ in table.asked} == {"SEARCH"}
    assert max(length for _, length in table.asked) < 8192


def test_a_long_filter_is_searched_for_as_long_keys_are() -> None:
    table = Table([file_row("f1")])
    matching = {"title": {"_nin": [f"Picture number {number}" for number in range(1000)]}}

    with directus_that(table) as client:
        files = client.files_page(types=["image/jpeg"], page=1, size=10, matching=matching)

    assert [file.id for file in files] == ["f1"]
    assert [method for method, _ in table.asked] == ["SEARCH"]


def test_a_proxy_that_refuses_to_search_is_named_with_what_to_do() -> None:
    with directus_that(answering(403, text="<h1>Forbidden</h1>")) as client, pytest.raises(Forbidden) as caught:
        client.files_by_id(["x" * 8000])

    assert "allow the SEARCH method" in caught.value.remedy


@pytest.mark.parametrize("query_limit_max", [-1, 1, 2, 3, 5, 6, 1000])
def test_rows_are_read_as_many_at_a_time_as_directus_gives(query_limit_max: int) -> None:
    rows = [{"id": number} for number in range(5)]

    with directus_that(Table(rows, query_limit_max=query_limit_max)) as client:
        assert list(client.rows("/items/posts", sort="id")) == rows
        assert list(client.rows("/items/posts", sort="id", start=1, most=3)) == rows[1:4]
        assert list(client.rows("/items/posts", sort="id", start=4, most=3)) == rows[4:]
        assert list(client.rows("/items/posts", sort="id", start=5)) == []


def test_the_limit_of_directus_is_asked_for_once_it_is_met_and_no_more() -> None:
    table = Table([{"id": number} for number in range(70)], query_limit_max=50)

    with directus_that(table) as client:
        first, second = (len(list(client.rows("/items/posts", sort="id"))) for _ in range(2))

    assert (first, second) == (70, 70)
    # Refused, the limit, and twice two pages.
    assert len(table.asked) == 6


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"code": "FAILED_VALIDATION", "field": "title"}, {"title": 'Value "x" is bad.'}),
        ({"code": "FAILED_VALIDATION"}, {}),
        # Directus 11 on PostgreSQL names the first column, whichever value is too long.
        ({"code": "VALUE_TOO_LONG", "field": "title"}, {}),
        ({}, {}),
    ],
)
def test_a_refused_field_is_named_where_directus_knows_it(more: dict[str, str], fields: dict[str, str]) -> None:
    answer = httpx.Response(400, json={"errors": [{"message": 'Value "x" is bad.', "extensions": more}]})

    with directus_that(lambda _: answer) as client, pytest.raises(Rejected) as refused:
        client.post("/items/posts", {"title": "x"})

    assert refused.value.fields == fields
    assert ('"x"' in str(refused.value)) == (more.get("code") != "VALUE_TOO_LONG")


def test_what_is_refused_for_another_reason_stays_refused() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/server/info":
            return httpx.Response(200, json={"data": {"queryLimit": {"default": 100, "max": -1}}})
        return httpx.Response(400, json={"errors": [{"message": "Invalid query."}]})

    with directus_that(handler) as client, pytest.raises(Rejected, match="Invalid query"):
        list(client.rows("/items/posts", sort="id"))


def test_a_singleton_is_a_collection_of_one_row() -> None:
    with directus_that(answering(200, json={"data": {"id": 1}})) as client:
        assert list(client.rows("/items/home", sort="id")) == [{"id": 1}]
        assert list(client.rows("/items/home", sort="id", start=1, most=1)) == []


def test_rows_within_rows_are_not_cut() -> None:
    seen: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(query_of(request))
        return httpx.Response(200, json={"data": []})

    with directus_that(handler) as client:
        client.get("/items/posts", fields=["id", "tags.tag.name", "author.name"])
        client.get("/items/posts", fields=["id"])

    limit = {"_limit": 1_000_000}
    assert seen[0]["deep"] == {"tags": {**limit, "tag": limit}, "author": limit}
    assert "deep" not in seen[1]


def test_an_answer_to_head_says_size_and_type() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.method == "HEAD"
        assert dict(request.url.params) == {"key": "card"}
        assert request.headers["accept"] == "image/avif"
        return httpx.Response(200, headers={"Content-Length": "123", "Content-Type": "image/avif; charset=utf-8"})

    with directus_that(handler) as client:
        head = client.head_asset("f1", preset="card", accept="image/avif")

    assert head == AssetHead(content_length=123, content_type="image/avif")


def test_where_a_proxy_takes_the_length_away_the_bytes_are_counted() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "HEAD":
            return httpx.Response(200, headers={"Content-Type": "image/webp"})
        return httpx.Response(200, content=b"picture", headers={"Content-Type": "image/webp"})

    with directus_that(handler) as client:
        assert client.head_asset("f1", preset="card").content_length == 7


def test_a_row_without_a_field_names_the_right_that_is_missing() -> None:
    row = {"id": "f1", "filename_disk": "f1.jpg"}
    with directus_that(answering(200, json={"data": [row]})) as client, pytest.raises(Rejected) as caught:
        client.files_by_id(["f1"])

    assert "permission to read the field `storage` of directus_files" in str(caught.value)


def test_settings_without_presets_name_the_right_that_is_missing() -> None:
    partial = answering(200, json={"data": {"default_language": "en-US"}})
    with directus_that(partial) as client, pytest.raises(Rejected, match="to read that field of directus_settings"):
        client.project_settings()


def test_the_own_user_is_asked_for_once() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={"data": {"id": "bot"}})

    with directus_that(handler) as client:
        assert (client.own_user_id, client.own_user_id) == ("bot", "bot")

    assert asked == ["/users/me"]


def test_an_empty_feed_begins_at_zero() -> None:
    with directus_that(answering(200, json={"data": []})) as client:
        assert client.latest_activity_id() == 0


def test_a_client_is_closed_with_its_block() -> None:
    with directus_that(answering(200, json={"data": []})) as client:
        client.get("/files")

    with pytest.raises(RuntimeError, match="closed"):
        client.get("/files")


def file_row(file_id: str) -> dict[str, Any]:
    return {
        "id": file_id,
        "storage": "local",
        "filename_disk": f"{file_id}.jpg",
        "filename_download": "picture.jpg",
        "title": "Picture",
        "type": "image/jpeg",
        "filesize": "1000",
        "width": 800,
        "height": 600,
        "focal_point_x": None,
        "focal_point_y": None,
        "uploaded_on": "2026-01-01T00:00:00.000Z",
        "modified_on": "2026-01-01T00:00:00.000Z",
    }


def test_a_directus_without_a_glossary_gives_the_settings_that_it_has() -> None:
    """Directus 11 refuses a field that it does not have as one that may not be read."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/server/info":
            return httpx.Response(200, json={"data": {"version": "11.17.4"}})
        if "ai_translation_glossary" in request.url.params["fields"]:
            return httpx.Response(403, json={"errors": [{"message": "No permission, or it does not exist."}]})
        return httpx.Response(200, json={"data": {"storage_asset_presets": [{"key": "card"}]}})

    with DirectusClient(URL, "t0ken", transport=httpx.MockTransport(answer)) as client:
        settings = client.project_settings()

    assert [preset.key for preset in settings.presets] == ["card"]
    assert settings.glossary == ()


def test_a_glossary_that_may_not_be_read_is_no_empty_one() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/server/info":
            return httpx.Response(200, json={"data": {"version": "12.4.0"}})
        return httpx.Response(403, json={"errors": [{"message": "No permission, or it does not exist."}]})

    with (
        DirectusClient(URL, "t0ken", transport=httpx.MockTransport(answer)) as client,
        pytest.raises(Forbidden, match="GET /settings"),
    ):
        client.project_settings()


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("9.26.0", "Directus 9.26.0 is too old: the oldest supported version is 10.13."),
        ("10.12.1", "Directus 10.12.1 is too old: the oldest supported version is 10.13."),
        ("11.0.2", "Directus 11.0.2 is not supported: use 11.1 or later."),
    ],
)
def test_a_directus_that_is_not_supported_is_named_before_its_settings_are_read(version: str, words: str) -> None:
    info = answering(200, json={"data": {"version": version}})
    with directus_that(info) as client, pytest.raises(ConfigurationError) as caught:
        client.project_settings()

    assert words in str(caught.value)
    assert "Upgrade Directus" in str(caught.value)


@pytest.mark.parametrize("version", ["10.13.4", "11.1.0", "11.17.4", "12.4.1", "13.0.0", None])
def test_presets_know_whose_they_are(version: str | None) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/server/info":
            return httpx.Response(200, json={"data": {"version": version} if version else {}})
        return httpx.Response(200, json={"data": {"storage_asset_presets": [{"key": "card"}]}})

    with directus_that(answer) as client:
        (preset,) = client.project_settings().presets

    assert str(preset.directus) == (version or NEWEST)
