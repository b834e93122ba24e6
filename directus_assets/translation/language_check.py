"""Checks whether a text is in the requested language, as far as letters and statistics can tell.

The first opinion comes from a detector for all 75 languages that lingua knows, in its low-accuracy mode: 60 MB and half
a second once, then about 1 ms per text. Only if it suspects another language, a detector for just those two, in
high-accuracy mode (about 50 MB per language), has to confirm it. Both are loaded on first use.
"""

import functools
import unicodedata
from typing import TYPE_CHECKING, Final

from directus_assets.translation.languages import Language

if TYPE_CHECKING:
    from lingua import Language as KnownLanguage
    from lingua import LanguageDetector

MIN_LETTERS: Final = 80
"""Shorter texts are not judged, since the detector is wrong too often."""

_SURE: Final = 0.9
_END: Final = 1000
_CHINESE: Final = frozenset("的是了在这這我們你您也很吧嗎吗與与及就都")

# Closely related languages that the detector confuses; statistics cannot decide between them.
_RELATIVES: Final[tuple[frozenset[str], ...]] = (
    frozenset({"nb", "nn", "no", "da"}),
    frozenset({"hr", "bs", "sr", "sh", "sl"}),
    frozenset({"sr", "mk", "bg"}),
    frozenset({"id", "ms"}),
    frozenset({"cs", "sk"}),
    frozenset({"es", "ca"}),
    frozenset({"zu", "xh", "st", "tn", "ts"}),
    frozenset({"hi", "mr", "ne"}),
    frozenset({"af", "nl"}),
    frozenset({"tr", "az"}),
)


def detected_language(text: str, *, target: Language) -> str | None:
    """The English name of the language of `text` if it certainly differs from `target`, else None.

    Languages that the detector does not know, and texts with fewer than `MIN_LETTERS` letters, are never judged.
    """
    wanted = _canonical(target.base)
    if sum(map(str.isalpha, text)) < MIN_LETTERS or wanted not in _known_languages():
        return None
    # The detector's time grows with the text, but its certainty soon does not: both ends are enough.
    text = text if len(text) <= 2 * _END else f"{text[:_END]} {text[-_END:]}"
    suspect = _surest(_detector(), text)
    if suspect is None or are_alike(suspect, wanted) or (wanted == "ja" and _may_be_japanese(text)):
        return None
    # Both halves have to agree: in a text of names, codes or nonsense a single chance hit would decide.
    middle = len(text) // 2
    judge = _pair_detector(suspect, wanted)
    if any(_surest(judge, part) != suspect for part in (text[:middle], text[middle:])):
        return None
    return next(known.name.capitalize() for known in _all_languages() if _code(known) == suspect)


def _may_be_japanese(text: str) -> bool:
    """Whether a text without kana, such as a list of names and headings, may still be Japanese.

    Japanese character sets lack simplified characters, and Japanese function words differ from Chinese ones.
    """
    han = [sign for sign in text if "CJK" in unicodedata.name(sign, "")]
    if not han or any("KATAKANA" in (name := unicodedata.name(sign, "")) or "HIRAGANA" in name for sign in text):
        return False
    foreign = sum(sign in _CHINESE or not sign.encode("euc_jp", "ignore") for sign in han)
    return foreign <= len(han) / 50


def _surest(detector: "LanguageDetector", text: str) -> str | None:
    ranked = detector.compute_language_confidence_values(text)
    return _code(ranked[0].language) if ranked and ranked[0].value >= _SURE else None


def _code(known: "KnownLanguage") -> str:
    return known.iso_code_639_1.name.lower()


def are_alike(one: str, other: str) -> bool:
    """Whether two languages, by their bare codes, are the same, or hard to distinguish."""
    one, other = _canonical(one), _canonical(other)
    return one == other or any({one, other} <= group for group in _RELATIVES)


def _canonical(base: str) -> str:
    return {"no": "nb", "fil": "tl", "iw": "he", "in": "id"}.get(base, base)


@functools.cache
def _detector() -> "LanguageDetector":
    from lingua import LanguageDetectorBuilder

    return LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()


@functools.lru_cache(maxsize=8)
def _pair_detector(one: str, other: str) -> "LanguageDetector":
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = (IsoCode639_1.from_str(one.upper()), IsoCode639_1.from_str(other.upper()))
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()


@functools.cache
def _known_languages() -> frozenset[str]:
    return frozenset(map(_code, _all_languages()))


def _all_languages() -> "frozenset[KnownLanguage]":
    from lingua import Language as KnownLanguage

    return KnownLanguage.all()
