"""How the cost of a common embedding request is divided among items, and forecast for others."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.items import EnrichedItem, ItemReader
from directus_assets.enrichment.local_embedder import LocalEmbedder
from directus_assets.enrichment.records import EnrichmentRecord
from directus_assets.enrichment.related_work import RelatedEnricher, shares
from directus_assets.errors import PermanentError
from directus_assets.ownership.record_store import RecordStore
from directus_assets.spending.payer import Unlimited
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage
from tests.directus_query import matches
from tests.enrichment.test_declare import declared


@pytest.mark.parametrize("sizes", [{"a": 1}, {"a": 3, "b": 4, "c": 6}, {str(n): n + 1 for n in range(50)}])
@pytest.mark.parametrize("tokens", [0, 1, 7, 1000])
def test_shares_add_up_to_what_was_paid(sizes: dict[str, int], tokens: int) -> None:
    usage = Usage(requests=2, input_tokens=tokens, characters=sum(sizes.values()))

    found = shares(usage, sizes)

    assert sum(found.values(), Usage()) == usage
    assert {key: share.characters for key, share in found.items()} == sizes


def test_nothing_is_shared_where_nothing_was_sent() -> None:
    assert shares(Usage(), {}) == {}


def test_a_forecast_of_many_items_reads_the_vectors_once(tmp_path: Path) -> None:
    reads: list[str] = []

    class Counting(LocalStorage):
        def read(self, name: str) -> bytes:
            reads.append(name)
            return super().read(name)

    storage = Counting(tmp_path)
    declaration = declared(name="related", target="topics", input=["title"])
    with DirectusClient("http://directus", "token") as client:
        enricher = RelatedEnricher(
            reader=ItemReader(client, [declaration]),
            declaration=declaration,
            embedder=LocalEmbedder(),
            gate=RateGate(limit=1),
            payer=Unlimited(),
            records=RecordStore(storage, EnrichmentRecord),
            vectors=storage,
        )
        items = [EnrichedItem(key=key, own={"title": f"Title {key}"}) for key in ("1", "2", "3")]
        enricher.prepare(items[:1])
        reads.clear()

        forecasts = [enricher.forecast(item).characters for item in items]

    assert forecasts == [0, 7, 7]
    assert len(reads) == 1


class CountedStorage(LocalStorage):
    """Records which files were read."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        self.reads: Counter[str] = Counter()

    def read(self, name: str, *, most: int | None = None) -> bytes:
        self.reads[name] += 1
        return super().read(name, most=most)


@contextmanager
def enriching(rows: dict[str, dict[str, Any]], folder: Path, *, refused: str = "") -> Iterator[RelatedEnricher]:
    """Notes in a Directus that refuses the list of one note."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/items/notes":
            return httpx.Response(200, json={"data": []})
        update = json.loads(request.content) if request.method == "PATCH" else {}
        condition = update["query"]["filter"] if update else json.loads(request.url.params["filter"])
        found = [row for row in rows.values() if matches(row, condition)]
        if update and any(row["id"] == refused for row in found):
            errors = [{"message": "Value is too long", "extensions": {"code": "VALUE_TOO_LONG"}}]
            return httpx.Response(400, json={"errors": errors})
        for row in found:
            row.update(update.get("data", {}))
        return httpx.Response(200, json={"data": found})

    declaration = declared(name="related", target="topics", input=["title"], options={"count": 2, "least": -1})
    storage = CountedStorage(folder)
    with DirectusClient("http://directus", "token", transport=httpx.MockTransport(answer)) as client:
        yield RelatedEnricher(
            reader=ItemReader(client, [declaration]),
            declaration=declaration,
            embedder=LocalEmbedder(),
            gate=RateGate(limit=1),
            payer=Unlimited(),
            records=RecordStore(storage, EnrichmentRecord),
            vectors=storage,
        )


def notes(count: int) -> dict[str, dict[str, Any]]:
    words = ["bread", "boats", "cake", "ships", "flour", "harbour"]
    return {
        str(n): {"id": str(n), "title": f"About {words[n % 6]} and {words[n // 6 % 6]}", "topics": None}
        for n in range(count)
    }


def test_a_run_reads_the_vectors_of_all_items_once_and_not_for_each(tmp_path: Path) -> None:
    rows = notes(30)
    with enriching(rows, tmp_path / "together") as enricher:
        items = enricher.reader.read(list(rows))
        enricher.prepare(items)
        results = [enricher.enrich(item) for item in items]
        most = max(count for name, count in enricher.vectors.reads.items() if name.endswith(".vectors"))  # type: ignore[attr-defined]
    alone = notes(30)
    with enriching(alone, tmp_path / "alone") as enricher:
        for item in enricher.reader.read(list(alone)):
            enricher.enrich(item)

    assert {key: row["topics"] for key, row in rows.items()} == {key: row["topics"] for key, row in alone.items()}
    assert [len(result.values["related"]) for result in results] == [2] * 30  # type: ignore[arg-type]
    assert most <= 4


def test_of_items_that_are_compared_together_each_fails_alone(tmp_path: Path) -> None:
    rows = notes(6)
    with enriching(rows, tmp_path, refused="3") as enricher:
        items = enricher.reader.read(list(rows))
        enricher.prepare(items)
        made = {}
        for item in items:
            try:
                made[item.key] = len(enricher.enrich(item).values["related"])  # type: ignore[arg-type]
            except PermanentError:
                made[item.key] = 0

        again = replace(items[3], own={**items[3].own, "title": "Another"})
        with pytest.raises(PermanentError):
            enricher.enrich(again)

    assert made == {"0": 2, "1": 2, "2": 2, "3": 0, "4": 2, "5": 2}
    assert [key for key, row in rows.items() if not row["topics"]] == ["3"]
