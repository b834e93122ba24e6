"""Numbers that are not written in digits only: `2.5 million`, `万`, Roman and Chinese numerals, "half past"."""

import re
from collections.abc import Iterator
from typing import Final

from directus_assets.translation.languages import Language

_VALID_ROMAN: Final = r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
# "C", "D", "L" and "M" alone are letters. "XIXe" and "XXIᵉ" are ordinals.
_ROMAN: Final = re.compile(rf"\b(?=[IVXLCDM]{{2}}|[IVX])({_VALID_ROMAN})(?=\b|(?:er?|re|ère|ème|st|th)\b|[ºªᵉ])")
_ROMAN_VALUES: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}

_HAN_DIGITS: Final = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_HAN_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_HAN: Final = re.compile("[〇零一二三四五六七八九十百千两兩]+")
_DISCOUNT: Final = re.compile("([1-9一二三四五六七八九])折")

_ROUND_WORDS: Final = {
    "100": re.compile(r"(?i)\b(?:hundreds?|hundert\w*|cents?|cien\w*|cem|cento|honderd\w*|sto|сто|сотн\w+)\b|百"),
    "1000": re.compile(r"(?i)\b(?:thousands?|tausend\w*|mille|mila|mil|duizend\w*|tysiąc\w*|тысяч\w*)\b|千"),
}
_CLOCK_WORDS: Final = {
    "30": re.compile(
        r"(?i)半|반|\b(?:half|halb|halv|halbe[rns]?|demie?|media|mezz[ao]|meia|pół|wpół|pol|половин\w*|пол[а-я]{4,9}ого|puoli|fél)\b"
    ),
    "15": re.compile(r"(?i)[一三]刻|\b(?:quarter|viertel|quart|cuarto|quarto|kwadrans|kvart|четверть)\b"),
}

_SCALES: Final = {
    10**3: r"(?:thousands?|tausend|tsd|k|mille?|mila|duizend|tys\w*|tusen|tusind|тыс\w*|тисяч\w*)\b|[천千]|ह[ज़ज]़?ार|พัน",
    10**4: r"[万萬만]|หมื่น",
    10**5: r"lakhs?\b|लाख|লাখ|লক্ষ|แสน",
    10**6: r"(?:mill?(?:i[oóöõ]|[oó]n)\w*|milh[ãõ]\w+|milij\w+|milyon\w*"
    r"|mio|mln|mn|juta|miljo\w+|miljonai|млн|ми(?:лл?|ль)[иій]о\w*"
    r"|мільйон\w*|εκατομμ\w+|triệu)\b|ล้าน|مليون|ملايين|میلیون|מיליון|மில்லியன்",
    10**7: r"crores?\b|करोड़|কোটি",
    10**8: r"[億亿억]",
    10**9: r"(?:mill?i[aá]rd\w*|mili?ardi\w*|miljard\w*|milyar\w*|miliar|mrd|mld|bn|млрд"
    r"|ми(?:лл?|ль)[иія]ард\w*|мільярд\w*"
    r"|δισεκατομμ\w+|tỷ|tỉ|bilh[ãõ]\w+)\b|مليار\w*|میلیارد|מיליארד",
    10**12: r"(?:tril\w+|трил\w+|трлн|bill?[ijoóõãu]\w*)\b|[兆조]",
}
_SCALE: Final = re.compile(
    r"(?i)(?:[\s\u00a0\u202f-]*(?:de\s)?(?:"
    + "|".join(f"(?P<s{len(str(by)) - 1}>{words})" for by, words in _SCALES.items())
    + "))"
)
_SCALE_WORD: Final = re.compile(
    r"(?i)(?<!\w)(?!(?:k|mn|bn|mio|mln|mrd|mld|tsd|mill?e?|mila)\b)(?:"
    + "|".join(_SCALES.values())
    + ")|[一二三四五六七八九十百千两兩数數][千万萬億亿]"
)
_SHORT_SCALE: Final = frozenset({"en", "tr", "ru", "uk", "bg", "id", "ro", "el", "ar", "he"})
"""Languages in which a billion, if they have the word, is a thousand million."""


def scale_after(text: str, position: int, language: Language) -> tuple[int, int]:
    """The factors for the words after a number, and their end; 1 and `position` if there are none."""
    factor = 1
    while match := _SCALE.match(text, position):
        power = int(str(match.lastgroup)[1:])
        is_billion = power == 12 and match[0].strip(" \u00a0\u202f-").lower().startswith("bil")
        factor *= 10 ** (9 if is_billion and language.base in _SHORT_SCALE else power)
        position = match.end()
    return factor, position


def has_scale_word(text: str) -> bool:
    """Whether `text` may hold a large number in words: `a million`, `百万`."""
    return _SCALE_WORD.search(text) is not None


def romans(text: str, *, shortest: int = 1) -> list[str]:
    """The values of Roman numerals in `text` with at least this many letters."""
    return [str(_roman(match[1])) for match in _ROMAN.finditer(text) if len(match[1]) >= shortest]


def round_words(text: str) -> list[str]:
    """A hundred and a thousand, if `text` contains them as words."""
    return [digits for digits, words in _ROUND_WORDS.items() if words.search(text)]


def clock_words(text: str) -> list[str]:
    """The minutes that `text` may express in words: half past, a quarter to."""
    found = [minutes for minutes, words in _CLOCK_WORDS.items() if words.search(text)]
    return [*found, "45"] if "15" in found else found


def han_numbers(text: str) -> Iterator[str]:
    """The values of the Chinese numerals in `text`, and of its discounts: `八折` is 20 % off."""
    for match in _HAN.finditer(text):
        yield str(_han(match[0]))
    for match in _DISCOUNT.finditer(text):
        left = int(match[1]) if match[1].isdecimal() else _HAN_DIGITS[match[1]]
        yield str(100 - 10 * left)


def _roman(numeral: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def _han(numeral: str) -> int:
    if not any(sign in _HAN_UNITS for sign in numeral):
        return int("".join(str(_HAN_DIGITS[sign]) for sign in numeral))  # as in years: 二〇二四
    total, digit = 0, None
    for sign in numeral:
        if sign in _HAN_UNITS:
            total += (1 if digit is None else digit) * _HAN_UNITS[sign]
            digit = None
        else:
            digit = _HAN_DIGITS[sign]
    return total + (digit or 0)
