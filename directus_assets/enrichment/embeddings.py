"""Texts as vectors: what every embedding engine takes and gives, and the one way in which they are asked."""

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
    """The vectors of some texts, in their order, and what they cost."""

    vectors: Sequence[Sequence[float]]
    usage: Usage = field(default_factory=Usage)


class Embedder(Protocol):
    """An embedding service. Vectors of one `name` can be compared with each other, and with no others."""

    @property
    def name(self) -> str:
        """What is remembered with each vector, such as `openai:text-embedding-3-small` or `local`."""

    @property
    def model(self) -> str:
        """What the price table calls it."""

    @property
    def max_texts(self) -> int:
        """How many texts one request may hold."""

    @property
    def max_characters(self) -> int:
        """How much of a text counts."""

    def estimate(self, texts: Sequence[str]) -> Usage:
        """What these texts will about consume, without sending them."""

    def embed(self, texts: Sequence[str]) -> Embedded:
        """The vectors of these texts; one request, sent once.

        Raises:
            TransientError: no answer, or one that asks for patience.
            PermanentError: wrong key, unknown model, or an answer that makes no sense.
        """

    def check(self) -> str:
        """Nothing, where the service answers and takes the key; else a doubt in one sentence. Costs nothing.

        Raises:
            TransientError: no answer.
            PermanentError: wrong key, or the service refuses for another reason.
        """

    def close(self) -> None:
        """Give back connections; the embedder is not used afterwards."""


def embed_texts(
    texts: Sequence[str],
    *,
    embedder: Embedder,
    gate: RateGate,
    payer: Payer,
) -> list[Vector]:
    """The vectors of `texts`, none of them blank, in as few requests as the embedder allows.

    Args:
        texts: of a longer one than the embedder takes, only the beginning counts.
        embedder: who embeds.
        gate: the gate that all who use the engine share.
        payer: who pays for the requests.

    Raises:
        DirectusAssetsError: as `embedder`, `gate` and `payer`.
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
