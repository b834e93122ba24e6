"""The interface of embedding engines, which turn texts into vectors, and the batching of requests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from directus_assets.enrichment.neighbours import Vector, quantized
from directus_assets.errors import Rejected
from directus_assets.spending.paid_request import paid_request
from directus_assets.spending.payer import Payer
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedded:
    """The vectors of some texts, in order, and the usage."""

    vectors: Sequence[Sequence[float]]
    usage: Usage = field(default_factory=Usage)


class Embedder(Protocol):
    """An embedding service. Only vectors with the same `name` can be compared."""

    @property
    def name(self) -> str:
        """The name stored with each vector, such as `openai:text-embedding-3-small` or `local`."""

    @property
    def model(self) -> str:
        """Its name in the price table."""

    @property
    def max_texts(self) -> int:
        """The maximum number of texts per request."""

    @property
    def max_characters(self) -> int:
        """The maximum characters of a text; the rest is ignored."""

    def estimate(self, texts: Sequence[str]) -> Usage:
        """The estimated usage for these texts, without sending them."""

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed these texts in one request, sent once.

        Raises:
            TransientError: no answer, or the service asks to wait.
            PermanentError: wrong key, unknown model, or an invalid answer.
        """

    def check(self) -> str:
        """Empty if the service answers and accepts the key; else a warning in one sentence. Costs nothing.

        Raises:
            TransientError: no answer.
            PermanentError: wrong key, or the service refuses for another reason.
        """

    def close(self) -> None:
        """Close connections; the embedder is not used afterwards."""


def embed_texts(
    texts: Sequence[str],
    *,
    embedder: Embedder,
    gate: RateGate,
    payer: Payer,
) -> list[Vector]:
    """Embed `texts`, none of which is blank, in as few requests as the embedder allows.

    Args:
        texts: only the beginning of a text that is too long counts.
        embedder: creates the vectors.
        gate: the rate limiter shared by all users of the engine.
        payer: pays for the requests.

    Raises:
        DirectusAssetsError: from `embedder`, `gate` or `payer`.
    """
    vectors: list[Vector] = []
    for start in range(0, len(texts), embedder.max_texts):
        batch = [text[: embedder.max_characters] for text in texts[start : start + embedder.max_texts]]
        answer = paid_request(
            partial(embedder.embed, batch),
            estimate=embedder.estimate(batch),
            gate=gate,
            payer=payer,
            keep=lambda _answer: None,
        )
        found = [quantized(vector) for vector in answer.vectors]
        if len(found) != len(batch) or len({len(vector) for vector in [*vectors, *found]}) > 1:
            raise Rejected(
                f"{embedder.name} returned {len(found)} vectors for {len(batch)} texts, or vectors of different "
                "lengths.",
                remedy="Use another embedding model.",
            )
        vectors += found
    return vectors
