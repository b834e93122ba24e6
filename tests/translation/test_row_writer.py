"""Concurrent writes of translations to the real Directus; above all, a language never keeps two rows."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import LanguageRow
from directus_assets.errors import Forbidden, Unreachable
from directus_assets.local.server import LocalDirectus
from directus_assets.translation.items import Item
from directus_assets.translation.row_writer import RowWriter
from directus_assets.translation.scope import Scope
from tests.translation.posts import create_post, read, rows_of

pytestmark = pytest.mark.integration

GERMAN = LanguageRow(key="de-DE", code="de-DE")
FRENCH = LanguageRow(key="fr-FR", code="fr-FR")
ROUNDS = 12


@pytest.fixture
def right_to_delete(studio: DirectusClient, bot: DirectusClient) -> Iterator[None]:
    """Grant the bot the right to delete rows, which nothing else needs."""
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


def test_a_write_touches_only_what_it_names(studio: DirectusClient, bot: DirectusClient, posts: Scope) -> None:
    key = create_post(studio, title="Bread")
    assert RowWriter(bot, posts).write(read(bot, posts, key), GERMAN, {"title": "Brot", "summary": "Kurz"})

    assert RowWriter(bot, posts).write(read(bot, posts, key), GERMAN, {"title": "Das Brot"})

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
            return RowWriter(bot, posts).write(item, GERMAN, {"title": text})

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

    assert not RowWriter(bot, posts).write(item, GERMAN, {"title": "Von der Maschine"})

    assert [row["title"] for row in rows_of(studio, key)] == ["Vom Menschen"]


class Meddling(httpx.HTTPTransport):
    """Lets others act just before each of our reads."""

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
        assert RowWriter(meddled, posts).write(item, GERMAN, {"title": "Von uns"}) is not stays

    assert [row["title"] for row in rows_of(studio, key)] == ["Von anderen" if stays else "Von uns"]


@pytest.mark.parametrize("goes", ["row", "item", "item without a row"])
def test_what_is_deleted_meanwhile_is_no_error(
    studio: DirectusClient, bot: DirectusClient, posts: Scope, goes: str
) -> None:
    key = create_post(studio, title="Bread")
    if goes != "item without a row":
        RowWriter(bot, posts).write(read(bot, posts, key), GERMAN, {"title": "Brot"})
    item = read(bot, posts, key)
    if goes == "row":
        studio.delete(f"/items/posts_translations/{item.rows['de-DE'].key}")
    else:
        studio.delete(f"/items/posts/{key}")

    assert not RowWriter(bot, posts).write(item, GERMAN, {"title": "Brot"})
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
            RowWriter(bot, posts).write(item, GERMAN, {"title": "Brot"})
    finally:
        studio.post("/permissions", [{name: row[name] for name in row if name != "id"} for row in rights])


class Crowd(httpx.HTTPTransport):
    """Holds our first POST until the others wait, so that theirs become one; may spoil its response."""

    def __init__(self, spoil: Callable[[httpx.Request], httpx.Response] | None = None) -> None:
        super().__init__()
        self.posts = 0
        self.began, self.opened = threading.Event(), threading.Event()
        self._spoil = spoil

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return super().handle_request(request)
        self.posts += 1
        is_first = self.posts == 1
        if is_first:
            self.began.set()
            assert self.opened.wait(60)
        answer = super().handle_request(request)
        if self._spoil and not is_first:
            answer.close()
            return self._spoil(request)
        return answer

    def write(self, writer: RowWriter, items: list[Item], language: LanguageRow) -> list[Future[bool]]:
        """Write the first item alone and all others together; each title is the item's key."""
        with ThreadPoolExecutor(len(items)) as pool:
            first = pool.submit(writer.write, items[0], language, {"title": items[0].key})
            assert self.began.wait(60)
            rest = [pool.submit(writer.write, item, language, {"title": item.key}) for item in items[1:]]
            while len(writer._made._waiting) < len(rest):
                pass
            self.opened.set()
        return [first, *rest]


@pytest.fixture
def items(studio: DirectusClient, bot: DirectusClient, posts: Scope) -> list[Item]:
    return [read(bot, posts, create_post(studio, title=f"Bread {number}")) for number in range(8)]


def test_rows_that_are_made_at_the_same_time_are_one_request_and_nobodys_text_is_anothers(
    directus: LocalDirectus, studio: DirectusClient, posts: Scope, items: list[Item]
) -> None:
    crowd = Crowd()
    with DirectusClient(directus.url, directus.bot_token, transport=crowd) as client:
        written = crowd.write(RowWriter(client, posts), items, GERMAN)

    assert [each.result() for each in written] == [True] * len(items)
    assert crowd.posts == 2
    assert [[row["title"] for row in rows_of(studio, item.key)] for item in items] == [[item.key] for item in items]


def test_two_rows_for_one_place_do_not_stay_though_they_are_made_by_one_request(
    directus: LocalDirectus, studio: DirectusClient, posts: Scope, items: list[Item]
) -> None:
    crowd = Crowd()
    first, twice, *_ = items
    with DirectusClient(directus.url, directus.bot_token, transport=crowd) as client:
        _, *written = crowd.write(RowWriter(client, posts), [first, twice, twice], GERMAN)

    assert crowd.posts == 2
    assert sorted(each.result() for each in written) == [False, True]
    assert len(rows_of(studio, twice.key)) == 1


def test_nobody_suffers_from_a_row_that_directus_refuses(
    directus: LocalDirectus, studio: DirectusClient, posts: Scope, items: list[Item]
) -> None:
    crowd = Crowd()
    gone = items[3]
    studio.delete(f"/items/posts/{gone.key}")
    with DirectusClient(directus.url, directus.bot_token, transport=crowd) as client:
        written = crowd.write(RowWriter(client, posts), items, GERMAN)

    assert [each.result() for each in written] == [item is not gone for item in items]
    assert [[row["title"] for row in rows_of(studio, item.key)] for item in items if item is not gone] == [
        [item.key] for item in items if item is not gone
    ]


def lose(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("The connection was reset.", request=request)


def replace(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="<html>Please log in.</html>")


@pytest.mark.parametrize(("spoil", "error"), [(lose, Unreachable), (replace, None)])
def test_rows_that_may_have_been_made_are_not_made_again(
    directus: LocalDirectus,
    studio: DirectusClient,
    posts: Scope,
    items: list[Item],
    *,
    spoil: Callable[[httpx.Request], httpx.Response],
    error: type[Exception] | None,
) -> None:
    crowd = Crowd(spoil)
    with DirectusClient(directus.url, directus.bot_token, transport=crowd) as client:
        first, *rest = crowd.write(RowWriter(client, posts), items, FRENCH)

    assert first.result()
    # Where the answer makes no sense, the row is found when the item is read again, as if somebody else had made it.
    assert [each.exception() and type(each.exception()) for each in rest] == [error] * len(rest)
    assert error or not any(each.result() for each in rest)
    assert crowd.posts == 2
    assert [len(rows_of(studio, item.key, "fr-FR")) for item in items] == [1] * len(items)
