"""Checks whether an answer contains the engine's own words, contains no words at all, or is wrapped in something."""

import re
from typing import Final

from directus_assets.translation.case import Case

_WORDS_FOR_IT: Final = "übersetzung|traduction|traducción|traduzione|tradução|翻訳|翻译|译文|перевод"
_LABEL: Final = re.compile(
    rf"^\W*(?:the )?translat(?:ion|ed text)\b.{{0,30}}:|^.{{0,40}}?(?:{_WORDS_FOR_IT})\s*[:\uff1a]", re.IGNORECASE
)
_COLON: Final = re.compile(r"[:\uff1a]")
_LEAKS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\W*(?:sure|certainly|of course|okay)[,!.:]\s+(?:here|i)\b",
        r"^\W*here(?:'s|\u2019s| is| are)\b.{0,40}\btranslat",
        r"\bas an ai\b",
        r"\bi(?:'m| am) sorry, (?:but )?i\b",
        r"\bi (?:can(?:no|')t|am unable to) (?:translate|assist|help)\b",
        r"\((?:note|translator['\u2019]?s note|n\.? ?d\.? ?t|anm\. ?d)\b.*\)",
        r"```|<\|(?:im_|end)|\bsource_segments\b",
    )
)
# What models and programs wrap answers in: JSON, emphasis, a heading, brackets, and straight quotes; a language's own
# quotes can belong to titles.
_WRAPPERS: Final = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (r'^[\[{]\s*["{].*[\]}]$', r"\*\*|__", r"^#{1,6} ", r"^\[.*\]$", r'^".*"$')
)
_NOTHING: Final = frozenset({"null", "NaN"})
_FEW_LETTERS: Final = 6


def own_words(case: Case) -> str | None:
    """The engine comments on its answer, or addresses us."""
    has_new_colon = len(_COLON.findall(case.answer)) > len(_COLON.findall(case.text))
    name = re.escape(case.target.name.partition(" (")[0])
    labels = (_LABEL, re.compile(rf"^\W*{name}\W{{0,3}}:", re.IGNORECASE)) if has_new_colon else ()
    for pattern in (*_LEAKS, *labels):
        if (match := pattern.search(case.answer)) and not pattern.search(case.text):
            return (
                f"There are words of your own in the translation: '{match[0][:60]}'. Answer with the translation only."
            )
    return None


def wrapped_up(case: Case) -> str | None:
    """Something around or in the text that the source does not have."""
    for pattern in _WRAPPERS:
        if len(pattern.findall(case.answer)) > len(pattern.findall(case.text)):
            return "The translation is wrapped in quotes, brackets or emphasis that the source does not have."
    return None


def no_words(case: Case) -> str | None:
    """An answer without content."""
    answer = case.bare_answer.strip()
    if sum(map(str.isalpha, case.bare_text)) <= _FEW_LETTERS:
        return None
    says_nothing = answer in _NOTHING or not any(map(str.isalnum, answer))
    return "The translation holds no words." if says_nothing else None
