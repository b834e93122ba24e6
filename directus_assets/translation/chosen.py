"""Selects wordings from the translated parts of a long document for use in the parts that follow.

Otherwise, a document that takes several requests could use several words for one thing. The sentences to show are
chosen by the rare words and names that they share with the texts to translate, within a token budget.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from directus_assets.spending.prompts import count_tokens
from directus_assets.translation.engines.protocol import Wording
from directus_assets.translation.segments.notation import PLACEHOLDER

MOST_TOKENS: Final = 200
"""For everything shown, sources and translations together."""
_LONGEST: Final = 160
"""Characters per sentence; a longer one costs more than it helps."""
_BRACKETS: Final = 3
_FEWEST_LETTERS: Final = 4
_NAME: Final = 3.0
"""The weight of a name relative to another word of the same rarity."""

_SENTENCE_END: Final = re.compile(r"(?<=[.!?…؟۔।])\s+|(?<=[。！？])|\n+")
# Words are separated by spaces or, in scripts without them, by kana.
_WORD: Final = re.compile(r"[\u30a0-\u30ff]{2,}|[\u4e00-\u9fff]{2,4}|[^\W\d_\u3040-\u30ff\u4e00-\u9fff][\w'’-]*")


def chosen(texts: Iterable[str], earlier: Iterable[Wording]) -> tuple[Wording, ...]:
    """The sentences whose words recur, with their translations.

    Args:
        texts: the texts to translate.
        earlier: the translated parts of the same document.
    """
    sentences = list(dict.fromkeys(sentence for wording in earlier for sentence in _sentences(wording)))
    words = {sentence: _words(sentence.source) for sentence in sentences}
    counts = Counter(word for found in words.values() for word in found)
    wanted = set().union(*map(_words, texts)) & counts.keys()
    names = set().union(*(_names(sentence.source) for sentence in sentences)) & wanted
    # A word in half of the sentences is not a term.
    weights = {
        word: math.log((1 + len(sentences)) / counts[word]) * (_NAME if word in names else 1.0)
        for word in wanted
        if word in names or 2 * counts[word] <= 1 + len(sentences)
    }
    return tuple(_picked(sentences, words, weights))


def _picked(
    sentences: Sequence[Wording], words: dict[Wording, AbstractSet[str]], weights: dict[str, float]
) -> Iterator[Wording]:
    """The most useful sentences for their length, each with words that no earlier one covers."""
    left, open_words = MOST_TOKENS, set(weights)

    def worth(sentence: Wording) -> float:
        return sum(weights[word] for word in words[sentence] & open_words) / math.sqrt(_length(sentence))

    candidates = [sentence for sentence in sentences if words[sentence] & open_words]
    while candidates:
        best = max(candidates, key=worth)
        if worth(best) <= 0:
            return
        if _length(best) <= left:
            left -= _length(best)
            open_words -= words[best]
            yield best
        candidates = [each for each in candidates if each != best and _length(each) <= left]


def _sentences(wording: Wording) -> Iterator[Wording]:
    """Split a segment into sentences, if its translation has the same number of them."""
    before, after = (
        [part.strip() for part in _SENTENCE_END.split(PLACEHOLDER.sub("", text)) if part.strip()]
        for text in (wording.source, wording.translation)
    )
    if len(before) != len(after):
        before, after = [" ".join(before)], [" ".join(after)]
    for source, translation in zip(before, after, strict=True):
        if source and translation and len(source) <= _LONGEST and len(translation) <= 2 * _LONGEST:
            yield Wording(source=source, translation=translation)


def _words(text: str) -> AbstractSet[str]:
    found = (match[0] for match in _WORD.finditer(PLACEHOLDER.sub("", text)))
    return {word.casefold() for word in found if len(word) >= _FEWEST_LETTERS or word.isupper() or not word.isascii()}


def _names(text: str) -> AbstractSet[str]:
    """Capitalised words that are not at the beginning."""
    found = list(_WORD.finditer(text))
    return {m[0].casefold() for m in found if any(map(str.isupper, m[0][1:])) or (m.start() and m[0][0].isupper())}


def _length(sentence: Wording) -> int:
    return count_tokens(sentence.source) + count_tokens(sentence.translation) + _BRACKETS
