"""Texts become vectors in batches that fit the embedder, through the rate limiter and the budget."""

from collections.abc import Sequence

import pytest

from directus_assets.enrichment.embeddings import Embedded, embed_texts
from directus_assets.enrichment.local_embedder import LocalEmbedder
from directus_assets.enrichment.neighbours import Space
from directus_assets.errors import BadInput, Overloaded, Rejected
from directus_assets.spending.payer import Unlimited
from directus_assets.spending.prices import SpendingLimitReached
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage


class ScriptedEmbedder:
    """Embeds each text as its length, and records the requests."""

    name = model = "scripted"
    max_texts = 3
    max_characters = 20

    def __init__(self, *, failures: int = 0, vectors: Sequence[Sequence[float]] | None = None) -> None:
        self.requests: list[list[str]] = []
        self._failures = failures
        self._vectors = vectors

    def estimate(self, texts: Sequence[str]) -> Usage:
        return Usage(requests=1, input_tokens=len(texts))

    def embed(self, texts: Sequence[str]) -> Embedded:
        self.requests.append(list(texts))
        if len(self.requests) <= self._failures:
            raise Overloaded("Too many requests.")
        vectors = self._vectors or [[1.0, float(len(text))] for text in texts]
        return Embedded(vectors=vectors, usage=Usage(requests=1, input_tokens=10))

    def check(self) -> str:
        return ""

    def close(self) -> None:
        pass


class Noting(Unlimited):
    """Records the usage of requests."""

    def __init__(self, spent: list[Usage]) -> None:
        self.spent = spent

    def settle(self, used: Usage, estimate: Usage) -> None:
        self.spent.append(used)


def embed(embedder: ScriptedEmbedder, texts: Sequence[str], spent: list[Usage] | None = None) -> int:
    gate = RateGate(limit=1, sleep=lambda _seconds: None)
    found = embed_texts(
        texts,
        embedder=embedder,
        gate=gate,
        payer=Noting([] if spent is None else spent),
    )
    return len(found)


def test_texts_share_requests_and_of_a_long_one_only_the_beginning_counts() -> None:
    embedder = ScriptedEmbedder()

    assert embed(embedder, ["a", "b", "c", "d", "e" * 25]) == 5

    assert embedder.requests == [["a", "b", "c"], ["d", "e" * 20]]


def test_a_busy_service_is_asked_again_and_each_answer_is_paid_once() -> None:
    embedder, spent = ScriptedEmbedder(failures=2), list[Usage]()

    embed(embedder, ["a"], spent)

    assert len(embedder.requests) == 3
    assert spent == [Usage(requests=1, input_tokens=10)]


def test_nothing_is_sent_that_the_purse_does_not_admit() -> None:
    embedder = ScriptedEmbedder()

    class Empty(Unlimited):
        def admit(self, estimate: Usage) -> None:
            raise SpendingLimitReached("No money left.")

    with pytest.raises(SpendingLimitReached):
        embed_texts(["a"], embedder=embedder, gate=RateGate(limit=1), payer=Empty())
    assert embedder.requests == []


@pytest.mark.parametrize(
    ("vectors", "error"),
    [([[1.0]], Rejected), ([[1.0], [1.0, 2.0]], Rejected), ([[0.0], [0.0]], BadInput)],
    ids=["too few", "of different lengths", "without direction"],
)
def test_vectors_that_make_no_sense_are_refused(vectors: list[list[float]], error: type[Exception]) -> None:
    with pytest.raises(error):
        embed(ScriptedEmbedder(vectors=vectors), ["a", "b"])


def test_the_local_embedder_finds_texts_that_share_words() -> None:
    texts = {
        "boats": "<p>Wooden boats in the harbour, and the sailor who repairs them.</p>",
        "sailing": "A sailor repairs a wooden boat before sailing out of the harbour.",
        "bread": "Sourdough bread needs flour, water, salt, and a long night of patience.",
        "baking": "Why the bread of our baker tastes of patience: flour, water and salt.",
        "ja": "港の木造船とそれを修理する船乗り",
    }
    vectors = embed_texts(
        list(texts.values()),
        embedder=LocalEmbedder(),
        gate=RateGate(limit=1),
        payer=Unlimited(),
    )

    nearest = Space(dict(zip(texts, vectors, strict=True)), count=1, least=-1).nearest(texts)

    assert {key: nearest[key][0].key for key in ("boats", "sailing", "bread", "baking")} == {
        "boats": "sailing",
        "sailing": "boats",
        "bread": "baking",
        "baking": "bread",
    }


@pytest.mark.parametrize("text", ["!", "…", "a", "<p></p>", "🍞"])
def test_the_local_embedder_gives_every_text_a_direction(text: str) -> None:
    (vector,) = LocalEmbedder().embed([text]).vectors

    assert any(vector)
    assert vector == LocalEmbedder().embed([text]).vectors[0]
