"""The similarity of texts, by words or, in scripts without spaces, by characters. Pure.

A single character occurs in too many texts to find others by it, so an index takes pairs of characters.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final, TypeVar

from directus_assets.translation.segments.notation import PLACEHOLDER

T = TypeVar("T")

LEAST_ALIKE: Final = 0.75
"""The minimum similarity for showing a translation as an example."""

_UNSPACED: Final = re.compile(
    "["
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "]+"
)


def with_spaces(text: str) -> str:
    """The text for an index of words: runs in scripts without spaces become pairs of characters."""
    return _UNSPACED.sub(lambda found: f" {' '.join(_pairs(found[0]))} ", text)


def terms(text: str) -> set[str]:
    """The words or pairs of characters by which a text can be found."""
    return {word.lower() for word in re.findall(r"\w+", with_spaces(PLACEHOLDER.sub(" ", text)))}


def alike(text: str, others: Iterable[tuple[str, T]]) -> Iterator[tuple[float, T]]:
    """The values of texts that are similar enough, each with its similarity: 1 for identical.

    Args:
        text: the text to compare with.
        others: texts, each with its value.
    """
    matcher = SequenceMatcher(None, b=_units(text), autojunk=False)
    for other, what in others:
        matcher.set_seq1(_units(other))
        # From the cheapest to the most expensive: each is an upper bound of the next.
        for ratio in (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio):
            if (found := ratio()) < LEAST_ALIKE:
                break
        else:
            yield found, what


def _units(text: str) -> list[str]:
    return _UNSPACED.sub(lambda found: f" {' '.join(found[0])} ", text).lower().split()


def _pairs(run: str) -> list[str]:
    # An index takes no combining vowels and tones.
    letters = [letter for letter in run if letter.isalnum()]
    return [one + other for one, other in pairwise(letters)] or letters
