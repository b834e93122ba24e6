"""The pseudo-translation engine: produces letters that look translated, for trying things out and for tests.

Latin letters get accents; for a language in another script each letter becomes one of that script, so a text for Arabic
runs from right to left as a real one would. Deterministic.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from directus_assets.spending.usage import Usage
from directus_assets.translation import icu
from directus_assets.translation.engines.protocol import Answer, Request
from directus_assets.translation.glossary import Term, terms_in
from directus_assets.translation.icu_parts import Unfolded
from directus_assets.translation.languages import Language, unicode_script
from directus_assets.translation.segments.notation import PLACEHOLDER

NAME: Final = "pseudo"

_PLAIN = "abcdefghijklmnopqrstuvwxyz"
# No language is written like this: language detection finds none, whereas ordinary accents would pass for Vietnamese.
_ACCENTED = "ḁḇȼḏḙḟǥḫḭɉḵḻṃṋȯṕɋṟṣṭṵṿẇẋẏẓ"
_ACCENTS: Final = str.maketrans(_PLAIN + _PLAIN.upper(), _ACCENTED + _ACCENTED.upper())

_KEPT: Final = re.compile(rf"{PLACEHOLDER.pattern}|https?://\S+|www\.\S+|(?<![\w.+-])[\w.+-]+@[\w-]+\.\w[\w.]*|\d+")

# The Unicode blocks of each script's letters, by the beginning of their Unicode names; the first letters of the block
# are used.
_BLOCKS: Final[dict[str, tuple[int, int]]] = {
    "GREEK": (0x3B1, 0x3CA),
    "CYRILLIC": (0x514, 0x530),  # rare ones, for the same reason as the accents above
    "ARMENIAN": (0x561, 0x587),
    "HEBREW": (0x5D0, 0x5EB),
    "ARABIC": (0x627, 0x64B),
    "DEVANAGARI": (0x905, 0x93A),
    "BENGALI": (0x985, 0x9BA),
    "GURMUKHI": (0xA05, 0xA3A),
    "GUJARATI": (0xA85, 0xABA),
    "TAMIL": (0xB85, 0xBBA),
    "TELUGU": (0xC05, 0xC3A),
    "KANNADA": (0xC85, 0xCBA),
    "MALAYALAM": (0xD05, 0xD3A),
    "SINHALA": (0xD85, 0xDC7),
    "THAI": (0xE01, 0xE2F),
    "LAO": (0xE81, 0xEAF),
    "MYANMAR": (0x1000, 0x1022),
    "GEORGIAN": (0x10D0, 0x10F1),
    "ETHIOPIC": (0x1210, 0x1250),
    "KHMER": (0x1780, 0x17A3),
    "KATAKANA": (0x30A2, 0x30F0),
    "CJK": (0x4E00, 0x4E60),
    "HANGUL": (0xAC00, 0xAC60),
}


class PseudoEngine:
    """An `Engine` without a service. Chosen only if requested by name."""

    name = NAME
    model = NAME
    max_characters = 200_000
    max_segments = 1_000
    can_repair = False

    def estimate(self, request: Request) -> Usage:
        """Characters and one request, free of charge."""
        return Usage(requests=1, characters=request.characters)

    def translate(self, request: Request) -> Answer:
        """The answer to `request`; never fails."""
        terms = request.terms
        texts = {segment.key: pseudo(segment.text, target=request.target, terms=terms) for segment in request.segments}
        return Answer(texts=texts, usage=self.estimate(request))

    def check(self) -> str:
        """A reminder that these are not translations."""
        return "It only adds accents so that texts look translated, for trials."

    def close(self) -> None:
        """Do nothing."""


def pseudo(text: str, *, target: Language, terms: Sequence[Term] = ()) -> str:
    """`text` with its letters replaced by letters for `target`.

    Placeholders, URLs, e-mail addresses, numbers and fixed glossary translations are kept; ICU messages get the plural
    forms of `target`.
    """
    if message := icu.message_in(text):
        parts = Unfolded.of(message)
        return parts.folded([_pseudo(each, target=target, terms=terms) for each in parts.texts], target) or text
    return _pseudo(text, target=target, terms=terms)


def _pseudo(text: str, *, target: Language, terms: Sequence[Term]) -> str:
    fixed = {term.term: wording for term in terms_in(text, terms) if (wording := term.fixed_translation(target))}
    longest_first = sorted(fixed, key=len, reverse=True)
    kept = re.compile("|".join([_KEPT.pattern, *(f"(?i:{re.escape(term)})" for term in longest_first)]))
    wordings = {term.casefold(): wording for term, wording in fixed.items()}
    parts, end = [], 0
    for match in kept.finditer(text):
        parts += [_change(text[end : match.start()], target), wordings.get(match[0].casefold(), match[0])]
        end = match.end()
    return "".join([*parts, _change(text[end:], target)])


def _change(text: str, target: Language) -> str:
    alphabet = _alphabet(target)
    if not alphabet:
        text = text.translate(_ACCENTS)
        return "".join(letter if _is_latin_or_no_letter(letter) else _from(letter, _ACCENTED) for letter in text)
    return "".join(_from(letter, alphabet) if letter.isalpha() else letter for letter in text)


def _is_latin_or_no_letter(character: str) -> bool:
    return not character.isalpha() or unicode_script(character) == "LATIN"


def _from(letter: str, alphabet: str) -> str:
    return alphabet[ord(letter.lower()[0]) % len(alphabet)]


@functools.cache
def _alphabet(target: Language) -> str:
    """Letters of the language's own script; empty for Latin scripts."""
    # Han letters come last: alone they would make Japanese and Korean look Chinese.
    names = sorted(target.script_names & _BLOCKS.keys(), key=lambda name: (name == "CJK", name))
    start, stop = _BLOCKS[names[0]] if names else (0, 0)
    letters = (chr(code) for code in range(start, stop))
    return "".join(letter for letter in letters if unicodedata.category(letter) in {"Lo", "Ll"} and _is_common(letter))


def _is_common(letter: str) -> bool:
    """Whether it is not a Han letter, or one that simplified and traditional Chinese share."""
    if unicode_script(letter) != "CJK":
        return True
    try:
        letter.encode("gb2312")
        letter.encode("big5")
    except UnicodeEncodeError:
        return False
    return True
