"""A real Directus with enriched collections."""

from collections.abc import Iterator
from typing import Any

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.local.server import LocalDirectus
from tests.translation.scripted_openai import ScriptedOpenAI

KEY = {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}, "meta": {}}


def field(name: str, kind: str, **meta: Any) -> dict[str, Any]:
    """A field as the Studio creates it."""
    casts = {"json": "cast-json", "csv": "cast-csv", "boolean": "cast-boolean"}
    special = {"special": [casts[kind]]} if kind in casts else {}
    return {"field": name, "type": kind, "schema": {}, "meta": special | meta}


def fields(**kinds: str) -> list[dict[str, Any]]:
    return [field(name, kind) for name, kind in kinds.items()]


def create(studio: DirectusClient, collection: str, *own: dict[str, Any]) -> None:
    studio.post("/collections", {"collection": collection, "schema": {}, "meta": {}, "fields": [KEY, *own]})


def relate(studio: DirectusClient, collection: str, name: str, related: str, *, on_delete: str = "CASCADE") -> None:
    body = {"collection": collection, "field": name, "related_collection": related, "schema": {"on_delete": on_delete}}
    studio.post("/relations", body)


@pytest.fixture(scope="module")
def studio(empty_directus: LocalDirectus) -> Iterator[DirectusClient]:
    """An administrator's client."""
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as client:
        yield client


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server
