"""Checks that an answer uses the letters of its language, and no invisible characters.

Statistics need a sentence or two (`language_check`). Letters tell more about a few words: Chinese has no kana, Japanese
no simplified characters, Ukrainian no `ы`, Arabic no `گ`.
"""

import functools
import re
from typing import Final

from directus_assets.translation.case import WORD, Case
from directus_assets.translation.languages import Language, unicode_script

_NAMES_OF_SCRIPTS: Final = (
    "CYRILLIC GREEK HEBREW ARABIC ARMENIAN GEORGIAN ETHIOPIC DEVANAGARI BENGALI GUJARATI GURMUKHI TAMIL TELUGU KANNADA "
    "MALAYALAM SINHALA ORIYA THAI LAO KHMER MYANMAR TIBETAN MONGOLIAN HANGUL HIRAGANA KATAKANA CJK"
)
_SCRIPTS: Final = frozenset(_NAMES_OF_SCRIPTS.split())
_LEAST_LEFT: Final = 6
_QUOTED: Final = re.compile('[(\uff08「『《„“"«].*?[)\uff09」』》”"»]', re.DOTALL)

# Letters that a language lacks and its neighbours have.
_FOREIGN: Final = {
    "uk": "ыэъё",
    "ru": "іїєґўјљњћџђ",
    "be": "иїєґщъ",
    "bg": "ыэёіїєґўј",
    "sr": "ыэъёйщьюяіїєґў",
    "mk": "ыэъёйщьюяіїєґў",
    "ar": "گچپژیکٹڈڑںےہھ",
    "fa": "ةكيىٹڈڑںےہھ",
    "ur": "ةكيٸ",
}
_COMMON_WORDS: Final = {
    "hi": "है हैं का के की में और को से नहीं",
    "mr": "आहे आहेत आणि नाही असते येतात मध्ये च्या",
    "ne": "छ छन् हुन्छ हरेक लागि गर्नुहोस् भएको",
}
_LEAST_FOREIGN: Final = 2
_VARIANTS: Final = (("gb2312", "big5"), ("big5", "gb2312"))
"""The charsets of simplified and traditional characters, and the other way round."""
_SPEAKS_CHINESE: Final = frozenset("你您妳們们这這嗎吗呢吧很請请")

_OVERRIDES: Final = frozenset("\u202d\u202e")
_EMBEDDINGS: Final = frozenset("\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
_ZERO_WIDTH: Final = frozenset("\u200b\u2060\ufeff\u180e")
_MISREAD: Final = re.compile(
    # UTF-8 decoded as Windows-1252, and bytes lost in the process.
    "[ÃÂ][\u0080-\u009f\u00a1-\u00aa\u00ac-\u00ba\u00bc-\u00bf€‚ƒ„†‡ˆ‰Š‹ŒŽ‘•–—˜™š›œžŸ]|â€[™œ“”˜¦\u009d]"
    "|[ÐÑ][°-¿\u0080-\u009f][ÐÑ]|\ufffd|(?<=[^\\W\\d_])\\?(?=[a-zà-öø-ÿ])"
)
_ESCAPED: Final = re.compile("(?:%[0-9A-F]{2}){2,}")


def foreign_letters(case: Case) -> str | None:
    """Letters of another script than the target's: invented ones, or whole words left over from the source."""
    if case.is_pseudo:
        return None
    strange = [letter for letter in case.bare_answer if _is_strange(letter, case.target)]
    known = set(case.bare_text).union(*(term.fixed_translation(case.target) or "" for term in case.terms))
    made_up = [letter for letter in strange if letter not in known]
    if len(made_up) >= _LEAST_FOREIGN:
        return f"These letters do not belong to {case.target.name}: {''.join(made_up)[:60]}."
    left = _QUOTED.sub(" ", case.bare_answer)
    words = [
        word
        for word in WORD.findall(left)
        if sum(_is_strange(letter, case.target) for letter in word) >= _LEAST_FOREIGN
    ]
    letters = sum(map(len, words))
    is_text = letters >= _LEAST_LEFT and (case.source.has_no_spaces or len(words) >= _LEAST_FOREIGN)
    if is_text and case.crosses_languages and not _is_fixed(words, case):
        return f"A part of the source was not translated: '{' '.join(words)[:80]}'."
    return None


def other_alphabet(case: Case) -> str | None:
    """Letters, or the most common words, of a language related to the target."""
    if case.is_pseudo or not case.crosses_languages:
        return None
    kept = set(case.words)
    words = [word for word in WORD.findall(case.bare_answer) if word not in kept]
    text = "".join(words)
    if case.target.base == "zh":
        return _other_chinese(text, case.target)
    if case.target.base == "ja":
        return _chinese(text)
    foreign = _FOREIGN.get(case.target.base, "") if case.target.script in {"Cyrl", "Arab"} else ""
    if sum(letter in foreign for letter in text.lower()) >= _LEAST_FOREIGN or _speaks_of_neighbours(case):
        return f"This is not {case.target.name}, but a related language."
    return None


def unseen_characters(case: Case) -> str | None:
    """Invisible characters that reorder or hide others, and wrongly decoded bytes."""
    added = set(case.answer) - set(case.text)
    bad = added & _OVERRIDES
    if not case.target.is_rtl:
        bad |= added & _EMBEDDINGS
    if not case.target.has_no_spaces:
        bad |= added & _ZERO_WIDTH
    bad |= {sign for sign in added if "\U000e0000" <= sign <= "\U000e007f"} - set(case.text)
    if bad and not case.is_pseudo:
        names = " ".join(f"U+{ord(sign):04X}" for sign in sorted(bad))
        return f"The translation contains invisible characters: {names[:80]}."
    for pattern in (_MISREAD, _ESCAPED):
        if (match := pattern.search(case.bare_answer)) and not pattern.search(case.bare_text):
            return f"The characters of the translation are broken: '{match[0]}'."
    return None


def _is_strange(letter: str, target: Language) -> bool:
    return letter.isalpha() and (script := unicode_script(letter)) in _SCRIPTS and script not in target.script_names


def _is_fixed(words: list[str], case: Case) -> bool:
    fixed = " ".join(term.fixed_translation(case.target) or "" for term in case.terms)
    return all(word in fixed for word in words)


def _other_chinese(text: str, target: Language) -> str | None:
    simplified, traditional = (sum(_is_only_in(one, other, sign) for sign in text) for one, other in _VARIANTS)
    own, others = (simplified, traditional) if target.script == "Hans" else (traditional, simplified)
    if others >= _LEAST_FOREIGN and others > own:
        return f"This is not in the characters of {target.name}."
    return None


def _is_only_in(one: str, other: str, sign: str) -> bool:
    return not sign.isascii() and _can_encode(sign, one) and not _can_encode(sign, other)


def _chinese(text: str) -> str | None:
    """Simplified characters in Japanese; without kana, also words that exist only in Chinese."""
    han = [sign for sign in text if unicode_script(sign) == "CJK"]
    has_kana = any(unicode_script(sign) in {"HIRAGANA", "KATAKANA"} for sign in text)
    unknown = sum(not _can_encode(sign, "euc_jis_2004") for sign in han)
    spoken = 0 if has_kana else sum(sign in _SPEAKS_CHINESE for sign in han)
    return "This is Chinese, not Japanese." if unknown + spoken >= (_LEAST_FOREIGN if has_kana else 1) else None


@functools.lru_cache(maxsize=8192)
def _can_encode(sign: str, charset: str) -> bool:
    try:
        sign.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _speaks_of_neighbours(case: Case) -> bool:
    if case.target.base not in _COMMON_WORDS:
        return False
    words = re.split(r"[\s.,!?;:\u0964]+", case.bare_answer)
    found = {base: sum(word in known.split() for word in words) for base, known in _COMMON_WORDS.items()}
    return found[case.target.base] == 0 and max(found.values()) >= _LEAST_FOREIGN
