"""An edit saved between our last read of an item and our write, on the real Directus: the editor wins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import JsonValue
from directus_assets.directus.project_schema import read_project_schema
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.declare import declare
from directus_assets.enrichment.items import ItemReader
from directus_assets.enrichment.questions import source_of
from directus_assets.enrichment.records import EnrichmentRecord
from directus_assets.enrichment.targets import Targets, Written
from directus_assets.enrichment.vocabularies import Vocabularies
from directus_assets.local.server import LocalDirectus
from directus_assets.ownership.record_store import RecordStore
from directus_assets.settings import Config
from tests.directus_proxy import DirectusProxy
from tests.enrichment.conftest import create, fields, relate
from tests.enrichment.test_recommendations import offers, recompute, visit
from tests.enrichment.test_related_on_directus import TEXTS, Work

pytestmark = pytest.mark.integration

KINDS = {"mood": "string", "summary": "text", "words": "json", "tags": "csv", "score": "float", "flag": "boolean"}
FOUND: Mapping[str, JsonValue] = {
    "mood": "good",
    "summary": "One.\nTwo.",
    "words": ["bread", "salt"],
    "tags": ["bread", "salt"],
    "score": 0.1,
    "flag": True,
}
FOUND_LATER: Mapping[str, JsonValue] = {
    "mood": "bad",
    "summary": "Three.",
    "words": ["rye"],
    "tags": ["rye"],
    "score": 0.3,
    "flag": False,
}
SAVED: Mapping[str, JsonValue] = {
    "mood": "so so",
    "summary": "Von Hand.",
    "words": ["Hand"],
    "tags": ["Hand"],
    "score": 0.2,
    "flag": None,
}
DECLARED = {
    "prompt": "Judge.",
    "input": ["title"],
    "result": {
        "mood": "text",
        "summary": "text",
        "words": {"type": "list", "of": "text"},
        "tags": {"type": "list", "of": "text"},
        "score": "number",
        "flag": "boolean",
    },
    "targets": {name: name for name in KINDS},
}
ROWS = {
    "prompt": "Find people.",
    "input": ["title"],
    "result": {"names": {"type": "list", "of": "text"}},
    "rows": {"collection": "people", "item_field": "note", "each": "names", "fields": {"value": "name"}},
}


@dataclass(frozen=True)
class Desk:
    """An editor in the Studio, and us behind a proxy."""

    editor: httpx.Client
    studio: DirectusClient
    ours: DirectusClient
    proxy: DirectusProxy
    folder: Path

    def save_meanwhile(self, path: str, values: Mapping[str, JsonValue]) -> None:
        """Save an edit as soon as we write."""
        self.proxy.meanwhile = [lambda: self.editor.patch(path, json=dict(values)).raise_for_status()]

    def write(self, key: str, values: Mapping[str, JsonValue], declared: Mapping[str, Any] = DECLARED) -> Written:
        """Write the results for a note like a run, which reads the note again if it changed in the meantime."""
        config = Config.model_validate({"enrichments": {"notes": {"judged": declared}}})
        (declaration,) = declare(config.enrichments, read_project_schema(self.ours), default_language=None)
        reader = ItemReader(self.ours, [declaration])
        records = RecordStore(LocalStorage(self.folder), EnrichmentRecord)
        vocabularies = Vocabularies(self.ours, declaration)
        targets = Targets(reader=reader, declaration=declaration, records=records, vocabularies=vocabularies)
        for _ in range(3):
            (item,) = reader.read([key])
            if done := targets.write(item, source_of(declaration, item), {"": values}):
                return done
        raise AssertionError("It never ends.")


@pytest.fixture(scope="module", autouse=True)
def collections(studio: DirectusClient) -> None:
    create(studio, "notes", *fields(title="string", body="text", related="json", **KINDS))
    create(studio, "people", *fields(note="integer", name="string"))
    relate(studio, "people", "note", "notes")
    create(studio, "articles", *fields(title="string", tags="json", status="string"))
    create(studio, "visitors", *fields(segment="string"))
    create(studio, "visits", *fields(article="integer", visitor="integer", at="timestamp", kind="string"))
    create(studio, "offers", *fields(segment="string", article="integer", rank="integer", score="float", reason="text"))
    for collection, name, related in (
        ("visits", "article", "articles"),
        ("visits", "visitor", "visitors"),
        ("offers", "article", "articles"),
    ):
        relate(studio, collection, name, related)


@pytest.fixture
def desk(directus: LocalDirectus, admin: httpx.Client, studio: DirectusClient, tmp_path: Path) -> Iterator[Desk]:
    with DirectusProxy(directus.url) as proxy, DirectusClient(proxy.url, directus.admin_token) as ours:
        yield Desk(admin, studio, ours, proxy, tmp_path)


@pytest.mark.parametrize("name", KINDS)
def test_of_all_that_is_written_what_an_editor_saves_just_before_stays_and_is_the_editors(
    desk: Desk, name: str
) -> None:
    key = str(desk.studio.post("/items/notes", {"title": "Bread"})["id"])
    assert set(desk.write(key, FOUND).written) == set(KINDS)
    desk.save_meanwhile(f"/items/notes/{key}", {name: SAVED[name]})

    done = desk.write(key, FOUND_LATER)

    others = KINDS.keys() - {name}
    now = desk.studio.get(f"/items/notes/{key}")
    if SAVED[name] is None:
        assert name in done.written
    else:
        assert now[name] == SAVED[name]
        assert name not in done.written
    assert {each: now[each] for each in others} == {each: FOUND_LATER[each] for each in others}
    assert others <= set(done.written)
    assert desk.write(key, FOUND).written == tuple(each for each in KINDS if each in done.written)


def test_a_row_that_an_editor_changes_just_before_we_do_is_the_editors(desk: Desk) -> None:
    key = str(desk.studio.post("/items/notes", {"title": "Bread"})["id"])
    desk.write(key, {"names": ["Anna"]}, ROWS)
    (row,) = desk.studio.get("/items/people", filter={"note": {"_eq": key}})
    desk.save_meanwhile(f"/items/people/{row['id']}", {"name": "Anna von Hand"})

    desk.write(key, {"names": ["Berta"]}, ROWS)

    names = desk.studio.get("/items/people", filter={"note": {"_eq": key}}, fields=["name"], sort="id")
    assert [each["name"] for each in names] == ["Anna von Hand", "Berta"]


def test_a_row_that_an_editor_changes_just_before_we_remove_it_stays(desk: Desk) -> None:
    key = str(desk.studio.post("/items/notes", {"title": "Bread"})["id"])
    desk.write(key, {"names": ["Anna"]}, ROWS)
    (row,) = desk.studio.get("/items/people", filter={"note": {"_eq": key}})
    desk.save_meanwhile(f"/items/people/{row['id']}", {"name": "Anna von Hand"})

    desk.write(key, {"names": []}, ROWS)

    names = desk.studio.get("/items/people", filter={"note": {"_eq": key}}, fields=["name"])
    assert [each["name"] for each in names] == ["Anna von Hand"]


def test_a_list_of_related_items_that_an_editor_makes_just_before_we_do_stays(desk: Desk) -> None:
    made = desk.studio.post("/items/notes", [{"title": word, "body": text} for word, text in TEXTS.items()])
    keys = [str(row["id"]) for row in made]
    work = Work(desk.ours, desk.folder, options={"count": 1, "least": 0.1})
    desk.save_meanwhile(f"/items/notes/{keys[0]}", {"related": [{"item": 1}]})

    results = work.run(*keys)

    assert not desk.proxy.meanwhile
    lists = [desk.studio.get(f"/items/notes/{key}")["related"] for key in keys]
    assert lists[0] == [{"item": 1}]
    assert all(lists[1:])
    assert [bool(result.outcome.written) for result in results] == [False, True, True, True]


def test_a_recommendation_that_an_editor_changes_just_before_we_do_stays(desk: Desk) -> None:
    titles = {"Boats": ["sea"], "Sails": ["sea"], "Oars": ["sea"]}
    articles = [{"title": title, "tags": tags, "status": "published"} for title, tags in titles.items()]
    boats, sails, oars = (row["id"] for row in desk.studio.post("/items/articles", articles))
    visitor = desk.studio.post("/items/visitors", {"segment": "sailors"})["id"]
    desk.studio.post("/items/visits", [visit(boats, visitor), visit(oars, visitor)])
    recompute(desk.ours, desk.folder)
    (offer,) = desk.studio.get("/items/offers", limit=-1)
    assert offer["article"] == sails
    desk.studio.delete("/items/visits", [row["id"] for row in desk.studio.get("/items/visits", limit=-1)])
    desk.studio.post("/items/visits", [visit(boats, visitor), visit(sails, visitor)])
    own = {"reason": "Because I say so."}
    desk.save_meanwhile(f"/items/offers/{offer['id']}", own)

    recompute(desk.ours, desk.folder)

    assert not desk.proxy.meanwhile
    edited = desk.studio.get(f"/items/offers/{offer['id']}")
    assert (edited["article"], edited["reason"]) == (sails, own["reason"])
    assert {article for _segment, article, _rank in offers(desk.studio)} == {sails, oars}
