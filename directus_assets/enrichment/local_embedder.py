"""The embedder `local`: counts of words and parts of words, no model. For demos, tests and small projects.

It knows which texts share words, but nothing about meaning. Deterministic on all machines.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from directus_assets.enrichment.embeddings import Embedded
from directus_assets.spending.usage import Usage

NAME: Final = "local"
_DIMENSIONS: Final = 512
_WORD: Final = re.compile(r"\w+")
_TAG: Final = re.compile(r"<[^<>]*>")
_PART: Final = 4
"""The length of word parts, which make inflections of a word similar."""
_COMMON: Final = 3
"""Words this short are mostly common to all texts."""


class LocalEmbedder:
    """An `Embedder` without a service and without cost.

    The digest of each word, word pair and word part determines its position in the vector and its sign ("feature
    hashing", Weinberger et al. 2009). Its weight grows with the logarithm of its frequency.
    """

    name = NAME
    model = NAME
    max_texts = 1000
    max_characters = 200_000

    def estimate(self, texts: Sequence[str]) -> Usage:
        return Usage(characters=sum(map(len, texts)))

    def embed(self, texts: Sequence[str]) -> Embedded:
        return Embedded(vectors=[_vector(text) for text in texts], usage=self.estimate(texts))

    def check(self) -> str:
        return ""

    def close(self) -> None:
        pass


def _vector(text: str) -> list[float]:
    vector = [0.0] * _DIMENSIONS
    for feature, count in Counter(_features(text)).items():
        place, sign = _place(feature)
        vector[place] += sign * (1 + math.log(count)) * _weight(feature)
    if not any(vector):
        # Only punctuation, or signs that cancel out: the vector still needs a direction.
        vector[_place(text)[0]] = 1.0
    return vector


def _features(text: str) -> Iterator[str]:
    words = _WORD.findall(_TAG.sub(" ", text).casefold())
    yield from words
    yield from (f"{first} {second}" for first, second in pairwise(words))
    for word in words:
        if len(word) > _COMMON:
            framed = f"<{word}>"
            yield from (f"#{framed[start : start + _PART]}" for start in range(len(framed) - _PART + 1))


def _weight(feature: str) -> float:
    if feature.startswith("#"):
        return 0.3
    return 0.1 if len(feature) <= _COMMON else 1.0


@lru_cache(maxsize=100_000)
def _place(feature: str) -> tuple[int, int]:
    digest = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return digest % _DIMENSIONS, 1 if digest >> 63 else -1
