"""Related items as an enrichment: neighbours replace an engine's answers, and people still win."""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from directus_assets.directus.models import JsonValue
from directus_assets.directus.sight import find_deleted
from directus_assets.directus.storage import Storage
from directus_assets.enrichment.builtin.related import RelatedOptions
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.embeddings import Embedder, embed_texts
from directus_assets.enrichment.items import EnrichedItem, ItemReader
from directus_assets.enrichment.lease import Lease
from directus_assets.enrichment.neighbours import Neighbours, Vector
from directus_assets.enrichment.questions import fingerprint, inputs_of, refuse_depths, source_of
from directus_assets.enrichment.records import EnrichmentRecord
from directus_assets.enrichment.related import Related
from directus_assets.enrichment.targets import Targets
from directus_assets.enrichment.text_statistics import plain
from directus_assets.enrichment.vector_store import StoredVector, VectorStore
from directus_assets.enrichment.vocabularies import Vocabularies
from directus_assets.enrichment.work import ROUNDS, Enriched
from directus_assets.errors import DirectusAssetsError, PermanentError, TransientError
from directus_assets.isolation import isolate
from directus_assets.ownership.record_store import RecordStore, record_folder
from directus_assets.spending.payer import Counting, Payer
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage

_TURN = "turn.json"
_RESULT = "related"


def vectors_folder(memory: Storage, collection: str, name: str) -> Storage:
    """The folder for the vectors of an enrichment."""
    # In a folder of their own, whose name no collection's translation records share.
    return memory.inside(f"vectors/{record_folder(collection, name)}")


@dataclass(frozen=True, kw_only=True)
class RelatedEnricher:
    """An `Enricher` that compares items with each other.

    Args:
        reader: reads and writes the items.
        declaration: the collection, its input and its targets.
        embedder: embeds texts.
        gate: the rate limiter shared by all users of the embedder.
        payer: pays for the requests.
        records: the records of the lists that we wrote.
        vectors: stores vectors and neighbours (`vectors_folder`).
    """

    reader: ItemReader
    declaration: Declaration
    embedder: Embedder
    gate: RateGate
    payer: Payer
    records: RecordStore[EnrichmentRecord]
    vectors: Storage
    _prepaid: dict[str, Usage] = field(default_factory=dict)
    """The usage of `prepare` for items that are not enriched yet."""
    _prepared: dict[str, str] = field(default_factory=dict)
    """Their texts. The first item updates the lists of all of them, since that requires reading all vectors."""
    _found: dict[str, Enriched | DirectusAssetsError] = field(default_factory=dict)
    """The results for the others."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def engine_name(self) -> str:
        return self.embedder.name

    @property
    def model(self) -> str:
        return self.embedder.model

    def enrich(self, item: EnrichedItem, *, anew: bool = False) -> Enriched:  # noqa: ARG002 - vectors do not change
        started = time.monotonic()
        payer = Counting(self.payer, self._prepaid.pop(item.key, Usage()))
        with self._turn:
            if item.key not in self._found:
                self._found.update(self._find(self._with_prepared(item), payer))
            found = self._found.pop(item.key)
        if isinstance(found, DirectusAssetsError):
            raise found
        return replace(found, usage=payer.usage, seconds=time.monotonic() - started)

    def _with_prepared(self, item: EnrichedItem) -> dict[str, str]:
        """The texts of an item and of those prepared with it; none of the latter after a common failure."""
        if item.key not in self._prepared:
            return {item.key: _text(self.declaration, item)}
        texts = dict(self._prepared)
        self._prepared.clear()
        return texts

    def _find(self, texts: Mapping[str, str], payer: Payer) -> dict[str, Enriched | DirectusAssetsError]:
        """Update these items; each fails on its own."""
        made = isolate(texts, lambda keys: self._update({key: texts[key] for key in keys}, payer))
        return {key: result for results in made.results for key, result in results.items()} | made.culprits

    def _update(self, texts: Mapping[str, str], payer: Payer) -> dict[str, Enriched | DirectusAssetsError]:
        """Update the lists of these items and of their neighbours; return the result for each."""
        results: dict[str, Enriched] = {}
        faults: dict[str, PermanentError] = {}
        related = self._related(payer, lambda lists: self._write(lists, results, faults))
        lists = related.update(texts)
        if gone := self._gone(lists):
            related.update({}, gone=gone)
        others = sum(
            bool(result.outcome.written or result.outcome.rows_written)
            for key, result in results.items()
            if key not in texts
        )
        note = f"The lists of {others} other items were updated, too."
        # An item without a result was deleted in the meantime. Problems of other items are reported on their own
        # partitions.
        found = {key: results.get(key, Enriched(item=key, fingerprint="")) for key in texts}
        return {key: replace(result, note=result.note or note) for key, result in found.items()} | {
            key: fault for key, fault in faults.items() if key in texts
        }

    def prepare(self, items: Sequence[EnrichedItem]) -> None:
        payer = Counting(self.payer)
        texts = {item.key: _text(self.declaration, item) for item in items}
        new = self._related(payer, lambda _lists: ()).place(texts)
        self._prepaid.update(shares(payer.usage, {key: len(texts[key]) for key in new}))
        self._prepared.update(texts)

    def forecast(self, item: EnrichedItem, *, anew: bool = False) -> Usage:  # noqa: ARG002 - vectors are not bought twice
        text = _text(self.declaration, item)
        known = self._related(self.payer, lambda _lists: ()).is_placed(self._places.get(item.key), text)
        return Usage() if known or not text.strip() else self.embedder.estimate([text[: self.embedder.max_characters]])

    @cached_property
    def _places(self) -> Mapping[str, StoredVector]:
        """The stored vectors, read once for all forecasts: they are those of all items."""
        return VectorStore(self.vectors).load()

    def _related(self, payer: Payer, write: Callable[[Mapping[str, Neighbours]], Collection[str]]) -> Related:
        options = RelatedOptions.model_validate(self.declaration.options.options)

        def embed(texts: Sequence[str]) -> Sequence[Vector]:
            return embed_texts(texts, embedder=self.embedder, gate=self.gate, payer=payer)

        return Related(
            store=VectorStore(self.vectors),
            lease=Lease(storage=self.vectors, name=_TURN),
            space=self.embedder.name,
            embed=embed,
            write=write,
            count=options.count,
            least=options.least,
        )

    def _write(
        self, lists: Mapping[str, Neighbours], results: dict[str, Enriched], faults: dict[str, PermanentError]
    ) -> set[str]:
        """Write lists to their items; return the items whose list cannot be written."""
        for item in self.reader.read(lists, matching=False):
            try:
                if result := self._write_one(item, lists[item.key]):
                    results[item.key] = result
            except PermanentError as error:
                faults[item.key] = error
        return faults.keys() & lists.keys()

    def _write_one(self, item: EnrichedItem, near: Neighbours) -> Enriched | None:
        """Write the list of one item; None if it was deleted."""
        values: list[JsonValue] = [
            {"item": self._key(n.key), "score": n.cosine, "rank": rank} for rank, n in enumerate(near, start=1)
        ]
        now: EnrichedItem | None = item
        for _ in range(ROUNDS):
            if now is None:
                return None
            outcome = self._targets.write(now, source_of(self.declaration, now), {"": {_RESULT: values}})
            if outcome is not None:
                made = fingerprint(self.declaration, now)
                return Enriched(item=item.key, fingerprint=made, values={_RESULT: values}, outcome=outcome)
            now = self.reader.present.get(item.key)
        raise TransientError(f"Item {item.key} of {self.reader.collection} kept being edited while we wrote it.")

    def _key(self, key: str) -> JsonValue:
        field = self.declaration.collection.field(self.declaration.collection.key_field)
        return int(key) if field and field.type in ("integer", "bigInteger") else key

    def _gone(self, lists: Mapping[str, Neighbours]) -> set[str]:
        """Neighbours that were deleted in Directus; an item that is merely invisible may be hidden by a right."""
        named = sorted({neighbour.key for near in lists.values() for neighbour in near})
        return find_deleted(self.reader.client, self.reader.collection, named, self.reader.existing)

    @property
    def _targets(self) -> Targets:
        vocabularies = Vocabularies(self.reader.client, self.declaration)
        return Targets(
            reader=self.reader, declaration=self.declaration, records=self.records, vocabularies=vocabularies
        )


def shares(usage: Usage, sizes: Mapping[str, int]) -> dict[str, Usage]:
    """Divide a common usage among several items by their sizes; the shares add up to the whole.

    Requests are attributed to the first item.
    """
    total = sum(sizes.values())
    found: dict[str, Usage] = {}
    before = 0
    for key, size in sizes.items():
        after = before + size
        found[key] = Usage(
            requests=0 if found else usage.requests,
            input_tokens=_between(usage.input_tokens, before, after, total),
            characters=_between(usage.characters, before, after, total),
        )
        before = after
    return found


def _between(amount: int, before: int, after: int, total: int) -> int:
    return amount * after // total - amount * before // total


def _text(declaration: Declaration, item: EnrichedItem) -> str:
    """The text of an item.

    Raises:
        BadInput: JSON that is nested too deeply.
    """
    refuse_depths(declaration, item)
    return "\n".join(plain(text) for text in inputs_of(declaration, item).values())
