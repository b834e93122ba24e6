"""Related items in the real Directus: in a JSON field and in a junction collection, and people win."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.project_schema import read_project_schema
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.declare import declare
from directus_assets.enrichment.items import ItemReader
from directus_assets.enrichment.local_embedder import LocalEmbedder
from directus_assets.enrichment.records import EnrichmentRecord
from directus_assets.enrichment.related_work import RelatedEnricher
from directus_assets.enrichment.work import Enriched
from directus_assets.ownership.record_store import RecordStore
from directus_assets.settings import Config
from directus_assets.spending.payer import Unlimited
from directus_assets.spending.rate_gate import RateGate
from tests.enrichment.conftest import create, fields, relate

pytestmark = pytest.mark.integration

JUNCTION = {
    "collection": "notes_related",
    "item_field": "note",
    "each": "related",
    "fields": {"item": "other", "rank": "sort", "score": "score"},
}
TEXTS = {
    "boats": "A sailor repairs wooden boats in the harbour",
    "ships": "Wooden ships and boats fill the harbour, says the sailor",
    "bread": "Bread from sourdough needs flour and patience",
    "cake": "Cake needs flour, sugar and patience",
}


@pytest.fixture(scope="module", autouse=True)
def collections(studio: DirectusClient) -> None:
    create(studio, "notes", *fields(title="string", body="text", related="json"))
    create(studio, "notes_related", *fields(note="integer", other="integer", sort="integer", score="float"))
    relate(studio, "notes_related", "note", "notes")
    relate(studio, "notes_related", "other", "notes")


@pytest.fixture
def notes(studio: DirectusClient) -> Iterator[dict[str, str]]:
    """The ids of notes, by word."""
    made = studio.post("/items/notes", [{"title": word, "body": text} for word, text in TEXTS.items()])
    yield {row["title"]: str(row["id"]) for row in made}
    studio.delete("/items/notes", [row["id"] for row in studio.get("/items/notes", fields=["id"], limit=-1)])


class Work:
    """Enriches like a run."""

    def __init__(self, studio: DirectusClient, folder: Path, **options: Any) -> None:
        config = Config.model_validate({"enrichments": {"notes": {"related": {"input": ["title", "body"], **options}}}})
        (declaration,) = declare(config.enrichments, read_project_schema(studio), default_language=None)
        self.reader = ItemReader(studio, [declaration])
        self.enricher = RelatedEnricher(
            reader=self.reader,
            declaration=declaration,
            embedder=LocalEmbedder(),
            gate=RateGate(limit=4),
            payer=Unlimited(),
            records=RecordStore(LocalStorage(folder), EnrichmentRecord),
            vectors=LocalStorage(folder),
        )

    def run(self, *keys: str) -> list[Enriched]:
        items = self.reader.read(keys)
        self.enricher.prepare(items)
        return [self.enricher.enrich(item) for item in items]


def json_lists(studio: DirectusClient) -> Mapping[str, list[str]]:
    """Neighbours by title, from the field."""
    rows = studio.get("/items/notes", fields=["id", "title", "related"], limit=-1)
    titles = {row["id"]: row["title"] for row in rows}
    return {row["title"]: [titles.get(n["item"], "gone") for n in row["related"] or []] for row in rows}


def junction_lists(studio: DirectusClient) -> Mapping[str, list[str]]:
    """Neighbours by title, from the rows."""
    rows = studio.get("/items/notes_related", fields=["note.title", "other.title"], sort="note,sort", limit=-1)
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["note"]["title"], []).append(row["other"]["title"])
    return found


@pytest.mark.parametrize("where", ["field", "rows"])
def test_a_new_item_updates_its_neighbours(
    studio: DirectusClient, notes: dict[str, str], tmp_path: Path, where: str
) -> None:
    options: dict[str, Any] = {"options": {"count": 1, "least": 0.1}}
    work = Work(studio, tmp_path, **options, **({"rows": JUNCTION} if where == "rows" else {}))
    lists = json_lists if where == "field" else junction_lists
    work.run(*(notes[word] for word in ("boats", "bread", "cake")))
    assert lists(studio)["bread"] == ["cake"]
    assert not lists(studio).get("boats")

    (result,) = work.run(notes["ships"])

    assert lists(studio) == {"boats": ["ships"], "ships": ["boats"], "bread": ["cake"], "cake": ["bread"]}
    assert result.note == "The lists of 1 other items were updated, too."


def test_a_list_holds_keys_of_their_own_type_with_rank_and_score(
    studio: DirectusClient, notes: dict[str, str], tmp_path: Path
) -> None:
    Work(studio, tmp_path, options={"count": 2, "least": -1}).run(*notes.values())

    (first, second) = studio.get(f"/items/notes/{notes['boats']}", fields=["related"])["related"]

    assert (first["item"], first["rank"], second["rank"]) == (int(notes["ships"]), 1, 2)
    assert 0 < second["score"] < first["score"] < 1


@pytest.mark.parametrize("where", ["field", "rows"])
def test_a_steady_state_writes_nothing(
    studio: DirectusClient, notes: dict[str, str], tmp_path: Path, where: str
) -> None:
    work = Work(studio, tmp_path, **({"rows": JUNCTION} if where == "rows" else {}))
    work.run(*notes.values())
    before = studio.latest_activity_id()

    results = work.run(*notes.values())

    assert studio.latest_activity_id() == before
    assert not any(result.outcome.written for result in results)


def test_a_list_that_a_human_has_made_stays(studio: DirectusClient, notes: dict[str, str], tmp_path: Path) -> None:
    work = Work(studio, tmp_path, options={"count": 1})
    work.run(*(notes[word] for word in ("boats", "bread", "cake")))
    chosen = [{"item": int(notes["cake"]), "score": 1, "rank": 1}]
    studio.patch(f"/items/notes/{notes['boats']}", {"related": chosen})

    work.run(notes["ships"])

    assert json_lists(studio)["boats"] == ["cake"]
    assert json_lists(studio)["ships"] == ["boats"]


def test_a_row_that_a_human_has_made_stays_beside_ours(
    studio: DirectusClient, notes: dict[str, str], tmp_path: Path
) -> None:
    work = Work(studio, tmp_path, rows=JUNCTION, options={"count": 1})
    work.run(*(notes[word] for word in ("boats", "bread", "cake")))
    row = {"note": int(notes["bread"]), "other": int(notes["boats"]), "sort": 9, "score": 0}
    studio.post("/items/notes_related", row)

    work.run(notes["ships"])

    assert junction_lists(studio)["bread"] == ["cake", "boats"]


def test_a_deleted_item_leaves_the_lists(studio: DirectusClient, notes: dict[str, str], tmp_path: Path) -> None:
    work = Work(studio, tmp_path, options={"count": 1})
    work.run(*notes.values())
    studio.delete(f"/items/notes/{notes['ships']}")

    work.run(notes["boats"])

    assert "gone" not in str(json_lists(studio))


def test_a_forecast_counts_what_is_not_known_yet(studio: DirectusClient, notes: dict[str, str], tmp_path: Path) -> None:
    work = Work(studio, tmp_path)
    (item,) = work.reader.read([notes["boats"]])
    assert work.enricher.forecast(item).characters > 0

    work.run(notes["boats"])

    assert Work(studio, tmp_path).enricher.forecast(item).characters == 0
