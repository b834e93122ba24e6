"""Checks whether an answer has lost a sentence, as far as its length and its punctuation can tell."""

import re
from collections.abc import Iterator
from typing import Final

from directus_assets.translation.case import WORD, Case, weight
from directus_assets.translation.languages import Language
from directus_assets.translation.own_words import and_or

_END: Final = re.compile(r"[.!?…؟।]+[\"'”’»)]*\s+(?=[\"'“„«(¿¡]*(?P<next>\w))|[。！？]+(?=\w)")
_ANY_END: Final = re.compile(r"(?:[.!?…。！？؟।։።၊။]+|\n)\W*")
_JOINTS: Final = re.compile(r"[,;:،؛、，；：·]|\s[-–—]\s|—|\n")
_PREFIXES: Final = {"ar": "و", "he": "ו"}
"""The word for "and", where it is a part of the next word."""
_LONG_WORD: Final = 6
"""Shorter words with a capital may be abbreviations: "Prof. Miller"."""
_LEAST_WORD: Final = 3
_LONGER: Final = 1.3
"""A translation may be longer than its source by this factor."""


def missing_sentence(case: Case) -> str | None:
    """Fewer sentences than in the source, although none has become longer: two that are joined have a joint."""
    if case.segment.context == "slug" or (case.target.has_no_spaces and case.target.base not in ("zh", "ja")):
        return None
    before = list(_sentences(case.bare_text))
    after = _count(case.bare_answer, case.target)
    if len(before) < 2 or not 0 < after < len(before):
        return None
    lengths = [weight(each) for each in before]
    is_short = weight(case.bare_answer) <= _LONGER * (sum(lengths) - min(lengths))
    if not is_short or _joints(case.bare_answer, case.target) > _joints(case.bare_text, case.source):
        return None
    return f"The source has {len(before)} sentences, the translation {after}. Translate all of them."


def _sentences(text: str) -> Iterator[str]:
    """The sentences that certainly are some."""
    start = 0
    for match in _END.finditer(text):
        words = WORD.findall(text[start : match.start()])
        if match["next"] is None or (_is_end(words, match[0]) and not match["next"].islower()):
            yield text[start : match.end()]
            start = match.end()
    yield text[start:]


def _is_end(words: list[str], marks: str) -> bool:
    if not words:
        return False
    last = words[-1]
    is_name = last[0].isupper() and (len(words) == 1 or (marks.startswith(".") and len(last) < _LONG_WORD))
    return not is_name and len(last) >= _LEAST_WORD


def _count(text: str, language: Language) -> int:
    """The number of sentences, by any sign that may end one."""
    text = text.replace(";", "?") if language.base == "el" else text
    return sum(any(map(str.isalnum, part)) for part in _ANY_END.split(text))


def _joints(text: str, language: Language) -> int:
    words, prefix = and_or(language), _PREFIXES.get(language.base, "\0")
    found = (bool(word.casefold() in words or word.startswith(prefix)) for word in WORD.findall(text))
    return len(_JOINTS.findall(text)) + sum(found)
