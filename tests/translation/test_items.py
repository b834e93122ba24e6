"""Items and rows on the real Directus; above all, that one language never keeps two rows."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import LanguageRow
from directus_assets.errors import Forbidden
from directus_assets.local.server import LocalDirectus
from directus_assets.translation.items import Item, item_keys, items_of_rows, read_items, write_row
from directus_assets.translation.scope import Scope

pytestmark = pytest.mark.integration

GERMAN = LanguageRow(key="de-DE", code="de-DE")
ROUNDS = 12


@pytest.fixture
def posts(scopes: Mapping[str, Scope]) -> Scope:
    return scopes["posts"]


@pytest.fixture
def right_to_delete(studio: DirectusClient, bot: DirectusClient) -> Iterator[None]:
    """The bot may delete rows, which it needs for nothing else."""
    policies = {
        row["policy"] for row in studio.get("/permissions", filter={"collection": {"_eq": "posts_translations"}})
    }
    right = {
        "collection": "posts_translations",
        "action": "delete",
        "fields": ["*"],
        "permissions": {},
        "validation": {},
    }
    made = [studio.post("/permissions", {"policy": policy, **right})["id"] for policy in policies]
    yield
    for id_ in made:
        studio.delete(f"/permissions/{id_}")


def create_post(studio: DirectusClient, **texts: Any) -> str:
    return str(studio.post("/items/posts", {"translations": [{"languages_code": "en-US", **texts}]})["id"])


def rows_of(studio: DirectusClient, item: str, language: str = "de-DE") -> list[dict[str, Any]]:
    condition = {"posts_id": {"_eq": item}, "languages_code": {"_eq": language}}
    return list(studio.get("/items/posts_translations", filter=condition, limit=-1))


def read(client: DirectusClient, scope: Scope, key: str) -> Item:
    (item,) = read_items(client, scope, [key])
    return item


def test_the_source_is_a_row_or_the_item_itself(
    studio: DirectusClient, bot: DirectusClient, scopes: Mapping[str, Scope]
) -> None:
    post = create_post(studio, title="Bread", tags=["rye"])
    page = studio.post("/items/pages", {"title": "About", "translations": [{"languages_code": "fr-FR", "title": "À"}]})

    on_row, on_item = read(bot, scopes["posts"], post), read(bot, scopes["pages"], page["id"])

    assert (on_row.source["title"], on_row.source["tags"], on_row.source["body"]) == ("Bread", ["rye"], None)
    assert on_row.rows == {}
    assert on_item.source["title"] == "About"
    assert on_item.rows["fr-FR"].values["title"] == "À"


def test_an_item_without_a_source_row_has_no_source(studio: DirectusClient, bot: DirectusClient, posts: Scope) -> None:
    key = str(studio.post("/items/posts", {})["id"])

    assert read(bot, posts, key).source == {}
    assert read_items(bot, posts, ["987654"]) == []


def test_rows_lead_to_their_items_and_deleted_ones_to_none(
    studio: DirectusClient, bot: DirectusClient, posts: Scope
) -> None:
    key = create_post(studio, title="Bread")
    (row,) = rows_of(studio, key, "en-US")

    assert items_of_rows(bot, posts, [str(row["id"]), "987654"]) == [key]
    assert key in item_keys(bot, posts, page=1, size=1000)


def test_a_write_touches_only_what_it_names(studio: DirectusClient, bot: DirectusClient, posts: Scope) -> None:
    key = create_post(studio, title="Bread")
    assert write_row(bot, posts, read(bot, posts, key), GERMAN, {"title": "Brot", "summary": "Kurz"})

    assert write_row(bot, posts, read(bot, posts, key), GERMAN, {"title": "Das Brot"})

    (row,) = rows_of(studio, key)
    assert (row["title"], row["summary"], row["body"]) == ("Das Brot", "Kurz", None)


@pytest.mark.parametrize("may_delete", [False, True])
def test_two_who_write_at_once_leave_one_row(
    studio: DirectusClient, bot: DirectusClient, posts: Scope, request: pytest.FixtureRequest, *, may_delete: bool
) -> None:
    if may_delete:
        request.getfixturevalue("right_to_delete")
    for round_ in range(ROUNDS):
        key = create_post(studio, title=f"Bread {round_}")
        item = read(bot, posts, key)
        barrier = threading.Barrier(2)

        def write(text: str, item: Item = item, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            return write_row(bot, posts, item, GERMAN, {"title": text})

        with ThreadPoolExecutor(2) as pool:
            written = [*pool.map(write, ["one", "two"])]

        rows = rows_of(studio, key)
        assert len(rows) == sum(written) == 1
    left = studio.get("/items/posts_translations", filter={"posts_id": {"_null": True}}, limit=-1)
    assert not may_delete or not left
    studio.delete("/items/posts_translations", [row["id"] for row in left] or [0])


def test_a_row_that_a_human_makes_at_the_same_moment_is_the_one_that_stays(
    studio: DirectusClient, bot: DirectusClient, posts: Scope
) -> None:
    key = create_post(studio, title="Bread")
    item = read(bot, posts, key)
    studio.post("/items/posts_translations", {"posts_id": int(key), "languages_code": "de-DE", "title": "Vom Menschen"})

    assert not write_row(bot, posts, item, GERMAN, {"title": "Von der Maschine"})

    assert [row["title"] for row in rows_of(studio, key)] == ["Vom Menschen"]


class Meddling(httpx.HTTPTransport):
    """Lets others act just before each of our looks at Directus."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        super().__init__()
        self.acts = list(acts)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and self.acts:
            self.acts.pop(0)()
        return super().handle_request(request)


@pytest.mark.parametrize("stays", [False, True])
def test_who_comes_first_gives_others_the_time_to_take_theirs_back_and_gives_way_where_they_do_not(
    directus: LocalDirectus, studio: DirectusClient, bot: DirectusClient, posts: Scope, *, stays: bool
) -> None:
    key = create_post(studio, title="Bread")
    item = read(bot, posts, key)
    other = {"posts_id": int(key), "languages_code": "de-DE", "title": "Von anderen"}

    def take_back() -> None:
        (row,) = [row for row in rows_of(studio, key) if row["title"] == "Von anderen"]
        studio.delete(f"/items/posts_translations/{row['id']}")

    acts = [lambda: studio.post("/items/posts_translations", other), *([] if stays else [take_back])]
    with DirectusClient(directus.url, directus.bot_token, transport=Meddling(*acts)) as meddled:
        assert write_row(meddled, posts, item, GERMAN, {"title": "Von uns"}) is not stays

    assert [row["title"] for row in rows_of(studio, key)] == ["Von anderen" if stays else "Von uns"]


@pytest.mark.parametrize("goes", ["row", "item", "item without a row"])
def test_what_is_deleted_meanwhile_is_no_error(
    studio: DirectusClient, bot: DirectusClient, posts: Scope, goes: str
) -> None:
    key = create_post(studio, title="Bread")
    if goes != "item without a row":
        write_row(bot, posts, read(bot, posts, key), GERMAN, {"title": "Brot"})
    item = read(bot, posts, key)
    if goes == "row":
        studio.delete(f"/items/posts_translations/{item.rows['de-DE'].key}")
    else:
        studio.delete(f"/items/posts/{key}")

    assert not write_row(bot, posts, item, GERMAN, {"title": "Brot"})
    assert rows_of(studio, key) == []


def test_a_right_that_lacks_is_an_error(directus: LocalDirectus, studio: DirectusClient, posts: Scope) -> None:
    key = create_post(studio, title="Bread")
    item = read(studio, posts, key)
    rights = studio.get(
        "/permissions", filter={"collection": {"_eq": "posts_translations"}, "action": {"_eq": "create"}}
    )
    studio.delete("/permissions", [row["id"] for row in rights])
    try:
        with (
            DirectusClient(directus.url, directus.bot_token) as bot,
            pytest.raises(Forbidden, match="'create on posts_translations'"),
        ):
            write_row(bot, posts, item, GERMAN, {"title": "Brot"})
    finally:
        studio.post("/permissions", [{name: row[name] for name in row if name != "id"} for row in rights])


def test_duplicates_are_told(studio: DirectusClient, bot: DirectusClient, posts: Scope) -> None:
    key = create_post(studio, title="Bread")
    for title in ("eins", "zwei"):
        studio.post("/items/posts_translations", {"posts_id": int(key), "languages_code": "de-DE", "title": title})

    item = read(bot, posts, key)

    assert item.duplicates == ("de-DE",)
    assert item.rows["de-DE"].values["title"] == "eins"
