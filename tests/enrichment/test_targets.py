"""Ownership of targets whose clearing is a decision."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import JsonValue
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.items import EnrichedItem, ItemReader
from directus_assets.enrichment.records import EnrichmentRecord
from directus_assets.enrichment.targets import Targets
from directus_assets.enrichment.vocabularies import Vocabularies
from directus_assets.ownership.record_store import RecordStore
from tests.directus_query import matches
from tests.enrichment.test_declare import declared

FOUND: dict[str, JsonValue] = {"scores": {"hate": 0.9}, "flagged": True, "status": "needs_review", "also": None}
NOTHING: dict[str, JsonValue] = {"scores": {"hate": 0.1}, "flagged": False, "status": None, "also": None}


class Note:
    """One note, and the moderation of it."""

    def __init__(self, client: DirectusClient, folder: Path) -> None:
        places = {"scores": "topics", "flagged": "flag", "status": "status"}
        declaration = declared(name="text_moderation", targets=places)
        self.targets = Targets(
            reader=ItemReader(client, [declaration]),
            declaration=declaration,
            records=RecordStore(LocalStorage(folder), EnrichmentRecord),
            vocabularies=Vocabularies(client, declaration),
        )

    def write(self, own: dict[str, Any], source: str, values: dict[str, JsonValue]) -> set[str]:
        done = self.targets.write(EnrichedItem(key="1", own=own), source, {"": values})
        assert done is not None
        return set(done.written)


@pytest.fixture
def row() -> dict[str, Any]:
    return {"id": 1, "title": "t", "topics": None, "flag": False, "status": None}


@pytest.fixture
def note(row: dict[str, Any], tmp_path: Path) -> Iterator[Note]:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/activity":
            return httpx.Response(200, json={"data": []})
        update = json.loads(request.content)
        found = [row] if matches(row | {"id": "1"}, update["query"]["filter"]) else []
        for each in found:
            each.update(update["data"])
        return httpx.Response(200, json={"data": found})

    with DirectusClient("http://directus", "token", transport=httpx.MockTransport(answer)) as client:
        yield Note(client, tmp_path)


def test_what_a_moderator_cleared_stays_clear_for_the_same_content(note: Note, row: dict[str, Any]) -> None:
    assert note.write(row, "content", FOUND) == {"topics", "flag", "status"}
    row |= {"flag": False, "status": None}

    assert note.write(row, "content", FOUND) == set()
    assert (row["flag"], row["status"]) == (False, None)


def test_other_content_is_flagged_again_after_it_was_cleared(note: Note, row: dict[str, Any]) -> None:
    note.write(row, "content", FOUND)
    row |= {"flag": False, "status": None}

    assert note.write(row, "other content", FOUND) == {"flag", "status"}


def test_what_we_cleared_ourselves_is_nobodys_decision(note: Note, row: dict[str, Any]) -> None:
    note.write(row, "content", FOUND)
    assert note.write(row, "other content", NOTHING) == {"topics", "flag", "status"}

    assert note.write(row, "other content", FOUND) == {"topics", "flag", "status"}
