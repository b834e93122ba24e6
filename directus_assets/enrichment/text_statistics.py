"""Text analysis by counting: no model, and the same result everywhere. The basis of the engine `local`."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from html import unescape
from typing import Final

_TAG: Final = re.compile(r"<[^<>]*>")
_SPACE: Final = re.compile(r"\s+")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")
_WORD: Final = re.compile(r"[^\W\d_][\w'’-]*")
_NAME: Final = re.compile(r"(?<=[\w,;:] )[A-ZÀ-Þ][\w’'-]+(?: [A-ZÀ-Þ][\w’'-]+)*")


def _known(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SHORT: Final = 3
"""Words this short are mostly common to all texts."""
_LONG: Final = 40
"""Anything longer is not a word."""
_COMMON: Final = _known(
    "about after again also been before being between both could does done down each even every from have here into"
    " itself just like made make many more most much must never nothing once only other over same should some such than"
    " that their them then there these they this those through under until very were what when where which while will"
    " with without would your"
)
_PLEASANT: Final = _known(
    "beautiful best better calm delight enjoy excellent fine fresh friendly good great happy joy kind love perfect"
    " pleasure rich success warm welcome well wonderful"
)
_UNPLEASANT: Final = _known(
    "angry awful bad broken cruel danger dead death fail failure fear hate horrible hurt kill loss pain poor sad sick"
    " terrible ugly violence war worse worst wrong"
)


def plain(text: str) -> str:
    """`text` without markup, on one line."""
    return _SPACE.sub(" ", unescape(_TAG.sub(" ", text))).strip()


def sentences(text: str) -> list[str]:
    """The sentences of a plain text."""
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def shortened(text: str, most: int) -> str:
    """The beginning of `text` with at most `most` characters, cut between words."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    whole = cut.rpartition(" ")[0] if " " in cut else cut
    return f"{whole.rstrip(' ,;:.-')}…"


def first_sentences(text: str, most: int) -> str:
    """As many whole sentences from the beginning as fit into `most` characters; of a longer one, its start."""
    found = ""
    for sentence in sentences(text):
        longer = f"{found} {sentence}".strip()
        if len(longer) > most:
            break
        found = longer
    return found or shortened(text, most)


def keywords(text: str, most: int) -> list[str]:
    """The most frequent words; of equally frequent ones, the longer first."""
    counted = Counter(word for word in words(text) if _SHORT < len(word) <= _LONG and word not in _COMMON)
    return sorted(counted, key=lambda word: (-counted[word], -len(word), word))[:most]


def words(text: str) -> list[str]:
    """The words of a text, in lower case, in order."""
    return [word.casefold().strip("'’-") for word in _WORD.findall(text)]


def names(text: str, most: int) -> list[str]:
    """Capitalised words that do not start a sentence, the most frequent first."""
    counted = Counter(_NAME.findall(text))
    return sorted(counted, key=lambda name: (-counted[name], name))[:most]


def sentiment(text: str) -> float:
    """From -1 to 1: the balance of some pleasant and unpleasant English words."""
    said = words(text)
    pleasant, unpleasant = (sum(word in known for word in said) for known in (_PLEASANT, _UNPLEASANT))
    return round((pleasant - unpleasant) / max(1, pleasant + unpleasant), 2)


def fitting(text: str, choices: Iterable[str], most: int) -> list[str]:
    """The choices whose words occur in the text, also inflected; the most frequent first, then in the given order."""
    said = Counter(words(text))
    scores = {choice: _occurrences(choice, said) for choice in choices}
    return sorted((choice for choice in scores if scores[choice]), key=lambda choice: -scores[choice])[:most]


def share_of(text: str, wanted: Sequence[str]) -> float:
    """From 0 to 1: the share of words with one of these beginnings; three in twenty count as 1."""
    said = words(text)
    hits = sum(word.startswith(tuple(wanted)) for word in said)
    return round(min(1.0, 20 * hits / (3 * max(20, len(said)))), 2)


def _occurrences(choice: str, said: Counter[str]) -> int:
    """How often the rarest word of `choice` occurs; by stem, so that `boats` counts for `boat`."""
    stems = [word[: max(4, len(word) - 2)] for word in words(choice)]
    return min((sum(count for word, count in said.items() if word.startswith(stem)) for stem in stems), default=0)
