"""Vectors from any endpoint that speaks OpenAI's embeddings."""

from collections.abc import Sequence
from typing import Final

import openai

from directus_assets.enrichment.embeddings import Embedded
from directus_assets.errors import Rejected
from directus_assets.translation.engines.openai_endpoint import check_model, classify, connect
from directus_assets.translation.engines.openai_prompt import count_tokens
from directus_assets.translation.engines.protocol import Usage

DEFAULT_MODEL: Final = "text-embedding-3-small"


class OpenAIEmbedder:
    """An `Embedder` for OpenAI and compatible endpoints.

    Args:
        api_key: the endpoint's key.
        model: the embedding model's name there.
        base_url: the endpoint with its version; None for OpenAI itself.
        timeout_seconds: how long an answer may take.
    """

    # OpenAI takes 8,192 tokens of a text and 300,000 of a request; a letter is at most about one token.
    max_characters = 8000
    max_texts = 32

    def __init__(self, *, api_key: str, model: str, base_url: str | None = None, timeout_seconds: float = 60.0) -> None:
        self.model = model
        self.name = f"openai:{model}"
        self._client = connect(api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds)

    def estimate(self, texts: Sequence[str]) -> Usage:
        return Usage(requests=1, input_tokens=sum(map(count_tokens, texts)), characters=sum(map(len, texts)))

    def embed(self, texts: Sequence[str]) -> Embedded:
        try:
            # Asked for by name: the library would ask for base64, which compatible endpoints do not all know.
            answer = self._client.embeddings.create(model=self.model, input=list(texts), encoding_format="float")
        except openai.OpenAIError as error:
            raise classify(error, name=self.name, task="embed") from error
        # Endpoints that are nearly compatible leave out what the type promises.
        rows = getattr(answer, "data", None) or []
        by_index = {getattr(row, "index", None): getattr(row, "embedding", None) for row in rows}
        vectors = [vector for at in range(len(texts)) if (vector := by_index.get(at))]
        if not len(vectors) == len(rows) == len(texts):
            raise Rejected(
                f"{self.name} gave {len(rows)} vectors for {len(texts)} texts.",
                remedy="Check the model's name: it has to be an embedding model.",
            )
        usage = getattr(answer, "usage", None)
        tokens = getattr(usage, "prompt_tokens", None) or 0
        counted = Usage(requests=1, input_tokens=tokens, characters=sum(map(len, texts)))
        return Embedded(vectors=vectors, usage=counted)

    def check(self) -> str:
        return check_model(self._client, model=self.model, name=self.name)

    def close(self) -> None:
        self._client.close()
