"""Posts and their rows, as an editor makes and sees them in the Studio."""

from typing import Any

from directus_assets.directus.client import DirectusClient
from directus_assets.translation.items import Item, read_items
from directus_assets.translation.scope import Scope


def create_post(studio: DirectusClient, **texts: Any) -> str:
    return str(studio.post("/items/posts", {"translations": [{"languages_code": "en-US", **texts}]})["id"])


def rows_of(studio: DirectusClient, item: str, language: str = "de-DE") -> list[dict[str, Any]]:
    condition = {"posts_id": {"_eq": item}, "languages_code": {"_eq": language}}
    return list(studio.get("/items/posts_translations", filter=condition, limit=-1))


def read(client: DirectusClient, scope: Scope, key: str) -> Item:
    (item,) = read_items(client, scope, [key])
    return item
