"""Items and rows of the real Directus."""

from collections.abc import Mapping

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.translation.items import item_keys, items_of_rows, read_items
from directus_assets.translation.scope import Scope
from tests.translation.posts import create_post, read, rows_of

pytestmark = pytest.mark.integration


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


def test_duplicates_are_told(studio: DirectusClient, bot: DirectusClient, posts: Scope) -> None:
    key = create_post(studio, title="Bread")
    for title in ("eins", "zwei"):
        studio.post("/items/posts_translations", {"posts_id": int(key), "languages_code": "de-DE", "title": title})

    item = read(bot, posts, key)

    assert item.duplicates == ("de-DE",)
    assert item.rows["de-DE"].values["title"] == "eins"
