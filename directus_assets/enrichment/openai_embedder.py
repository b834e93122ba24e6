"""Vectors from any endpoint that supports OpenAI's embeddings."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from directus_assets.enrichment.embeddings import Embedded
from directus_assets.json_text import well_formed
from directus_assets.spending.chat_endpoint import check_model, classify, connect, document_of, exchange
from directus_assets.spending.faults import RequestRefused
from directus_assets.spending.prompts import count_tokens
from directus_assets.spending.server_words import Refusal, refusal_in
from directus_assets.spending.usage import Usage, counted

DEFAULT_MODEL: Final = "text-embedding-3-small"

_LARGEST: Final = 1e30
"""The maximum magnitude of a component; no model returns more than some thousands."""


class OpenAIEmbedder:
    """An `Embedder` for OpenAI and compatible endpoints.

    Args:
        api_key: the endpoint's key.
        model: the endpoint's name of the embedding model.
        base_url: the endpoint with its version; None for OpenAI itself.
        timeout_seconds: the time limit for an answer.
    """

    # OpenAI accepts 8,192 tokens per text and 300,000 per request; a letter is at most about one token.
    max_characters = 8000
    max_texts = 32

    def __init__(self, *, api_key: str, model: str, base_url: str | None = None, timeout_seconds: float = 60.0) -> None:
        self.model = model
        self.name = f"openai:{model}"
        self._timeout_seconds = timeout_seconds
        self._client = connect(api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds)

    def estimate(self, texts: Sequence[str]) -> Usage:
        return Usage(requests=1, input_tokens=sum(map(count_tokens, texts)), characters=sum(map(len, texts)))

    def embed(self, texts: Sequence[str]) -> Embedded:
        asked = [well_formed(text) for text in texts]
        answer = exchange(
            # Explicit, since the library would request base64, which not all compatible endpoints support.
            lambda: self._client.embeddings.with_raw_response.create(
                model=self.model, input=asked, encoding_format="float"
            ),
            seconds=self._timeout_seconds,
            name=self.name,
        )
        document = None if isinstance(answer, Refusal) else document_of(answer)
        refusal = answer if isinstance(answer, Refusal) else refusal_in(document, answer.headers)
        if refusal is not None:
            raise classify(refusal, name=self.name, task="embed")
        found = document if isinstance(document, dict) else {}
        # Endpoints that are nearly compatible omit parts of the protocol.
        given = found.get("data")
        rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
        by_index = {str(row.get("index")): _vector(row.get("embedding")) for row in rows}
        vectors = [vector for at in range(len(texts)) if (vector := by_index.get(str(at)))]
        if not len(vectors) == len(rows) == len(texts):
            raise RequestRefused(
                f"{self.name} returned {len(vectors)} vectors for {len(texts)} texts.",
                remedy="Check the model name: it must be an embedding model.",
            )
        if len({len(vector) for vector in vectors}) > 1:
            raise RequestRefused(
                f"{self.name} returned vectors of different lengths.",
                remedy="Check the model name: it must be an embedding model.",
            )
        usage = found.get("usage")
        tokens = counted(usage.get("prompt_tokens")) if isinstance(usage, dict) else None
        estimate = self.estimate(texts)
        return Embedded(vectors=vectors, usage=estimate if tokens is None else replace(estimate, input_tokens=tokens))

    def check(self) -> str:
        return check_model(self._client, model=self.model, name=self.name)

    def close(self) -> None:
        self._client.close()


def _vector(value: object) -> list[float] | None:
    """A list of usable numbers; None for anything else."""
    if not isinstance(value, list):
        return None
    numbers = [each for each in value if isinstance(each, (int, float)) and abs(each) <= _LARGEST]
    return numbers if len(numbers) == len(value) else None
