"""What items that were embedded together have cost each, and what others would."""

from pathlib import Path

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.items import EnrichedItem, ItemReader
from directus_assets.enrichment.local_embedder import LocalEmbedder
from directus_assets.enrichment.records import EnrichmentRecords
from directus_assets.enrichment.related_work import RelatedEnricher, shares
from directus_assets.spending.payer import Unlimited
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import (
    Usage,
)
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
            records=EnrichmentRecords(storage),
            vectors=storage,
        )
        items = [EnrichedItem(key=key, own={"title": f"Title {key}"}) for key in ("1", "2", "3")]
        enricher.prepare(items[:1])
        reads.clear()

        forecasts = [enricher.forecast(item).characters for item in items]

    assert forecasts == [0, 7, 7]
    assert len(reads) == 1
