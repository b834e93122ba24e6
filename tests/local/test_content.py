"""The content of a seeded Directus."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from directus_assets.local import content
from directus_assets.local.content import Content, seed
from directus_assets.local.pictures import upload
from directus_assets.local.server import LocalDirectus

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def seeded(empty_directus: LocalDirectus) -> Content:
    return seed(empty_directus, landscapes=0)


@pytest.fixture(scope="module")
def bot(directus: LocalDirectus, seeded: Content) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {directus.bot_token}"}
    with httpx.Client(base_url=directus.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def test_seeding_again_changes_nothing(directus: LocalDirectus, seeded: Content, admin: httpx.Client) -> None:
    before = _rows(admin, "/activity", limit=-1, fields="id")

    again = seed(directus, landscapes=0)

    assert again == seeded
    assert _rows(admin, "/activity", limit=-1, fields="id") == before


def test_a_deleted_picture_comes_back_and_an_edited_post_stays_edited(
    directus: LocalDirectus, seeded: Content, admin: httpx.Client
) -> None:
    admin.delete(f"/files/{seeded.files['rocket.jpg']}").raise_for_status()
    admin.patch("/items/posts_translations/3", json={"summary": "Edited."}).raise_for_status()

    again = seed(directus, landscapes=0)

    assert set(again.files) == set(seeded.files)
    assert again.files["rocket.jpg"] != seeded.files["rocket.jpg"]
    assert admin.get("/items/posts_translations/3").json()["data"]["summary"] == "Edited."


def test_every_fit_and_every_format_has_a_preset(seeded: Content, admin: httpx.Client) -> None:
    presets = admin.get("/settings").json()["data"]["storage_asset_presets"]

    assert {preset["fit"] for preset in presets} == {"cover", "contain", "inside", "outside"}
    assert {preset["format"] for preset in presets} >= {"auto", "jpeg", "png", "webp", "tiff", "avif"}


def test_posts_have_their_source_as_a_translation_and_pages_on_themselves(bot: httpx.Client) -> None:
    posts = _rows(bot, "/items/posts", fields="*,translations.*")
    pages = _rows(bot, "/items/pages", fields="*,translations.*")

    assert all(any(row["languages_code"] == "en-US" for row in post["translations"]) for post in posts)
    assert all("title" not in post for post in posts)
    assert all(page["title"] and page["body"] and page["translations"] == [] for page in pages)
    assert pages[0]["date_created"]


def test_relations_are_what_the_studio_makes_of_a_translations_field(bot: httpx.Client) -> None:
    relations = {(row["collection"], row["field"]): row for row in _rows(bot, "/relations")}

    parent = relations["posts_translations", "posts_id"]
    language = relations["posts_translations", "languages_code"]
    assert parent["meta"]["one_field"] == "translations"
    assert parent["meta"]["junction_field"] == "languages_code"
    assert language["related_collection"] == "languages"
    assert language["meta"]["junction_field"] == "posts_id"


def test_pictures_in_texts_can_be_seen_by_everybody(directus: LocalDirectus, bot: httpx.Client) -> None:
    bodies = [row["body"] or "" for row in _rows(bot, "/items/posts_translations")]
    addresses = [address for body in bodies for address in re.findall(r'src="([^"]+/assets/[^"]+)"', body)]

    answers = [httpx.head(address, timeout=60) for address in addresses if address.startswith(directus.url)]

    assert len(answers) == 2
    assert all(answer.status_code == 200 for answer in answers)


def test_the_bot_reads_what_it_needs_and_writes_translations_only(bot: httpx.Client, seeded: Content) -> None:
    for path in ("/activity", "/settings", "/fields", "/relations", "/collections", "/files", "/items/languages"):
        assert bot.get(path).status_code == 200, path

    created = bot.post("/items/posts_translations", json={"posts_id": 1, "languages_code": "fr-FR", "title": "Trois"})
    updated = bot.patch(f"/items/posts_translations/{created.json()['data']['id']}", json={"title": "En trois"})
    forbidden = [
        bot.patch("/items/posts/1", json={"status": "archived"}),
        bot.patch(f"/files/{seeded.files['china.jpg']}", json={"title": "Mine"}),
        bot.patch("/settings", json={"project_name": "Mine"}),
        bot.delete(f"/items/posts_translations/{created.json()['data']['id']}"),
        bot.get("/users"),
    ]

    assert (created.status_code, updated.status_code) == (200, 200)
    assert [answer.status_code for answer in forbidden] == [403] * len(forbidden)


def test_one_picture_is_uploaded_from_a_path_or_from_bytes(admin: httpx.Client, seeded: Content) -> None:
    path = Path(content.__file__).parent / "texts.yaml"

    from_path = admin.get(f"/files/{upload(admin, path, type='text/plain')}").json()["data"]
    from_bytes = admin.get(f"/files/{upload(admin, b'x', filename='x.png', title='X', focal_point=(1, 2))}").json()[
        "data"
    ]

    assert (from_path["filename_download"], from_path["type"]) == ("texts.yaml", "text/plain")
    assert (from_bytes["title"], from_bytes["type"]) == ("X", "image/png")
    assert (from_bytes["focal_point_x"], from_bytes["focal_point_y"]) == (1, 2)


def _rows(client: httpx.Client, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params=params)
    answer.raise_for_status()
    return list(answer.json()["data"])
