"""Whether a translation kept the numbers of its source, however each language writes them."""

import re
import unicodedata
from collections import Counter

# Separators inside a number: point, comma, apostrophes, Arabic ones; blanks only before groups of three.
_NUMBER = re.compile(r"\d+(?:[.,'\u2019\u066b\u066c]\d+|(?<!\d{4})[ \u00a0\u202f\u2009]\d{3}(?!\d))*")
_DATE = re.compile(r"(?<!\d)(\d{1,4})([./-])[ ]?(\d{1,2})\2[ ]?(\d{1,4})(?!\d)")
_ROMAN = re.compile(r"\b[IVXLCDM]+(?=\b|[a-zᵉ])")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
# Languages that count in ten thousands, lakhs and crores write other digits for the same number.
_OTHER_SCALE = re.compile(r"\d\s*(?:[千万萬億亿兆천만억조]|लाख|करोड़|হাজার|লাখ|কোটি|lakh|crore)")


def changed_numbers(source: str, answer: str) -> tuple[list[str], list[str]]:
    """The numbers that `answer` lost and those that it made up, as digits; both empty where nothing is wrong.

    Separators, digits of other scripts, the order of dates, 24-hour clocks, Roman numerals, and small numbers that are
    written as words in one of the languages are no changes. Both texts come without placeholders and URLs.
    """
    if _OTHER_SCALE.search(source) or _OTHER_SCALE.search(answer):
        return [], []
    before, after = Counter(_numbers(source)), Counter(_numbers(answer))
    lost, made_up = before - after, after - before
    for value in _romans(answer):
        lost -= Counter({value: 1})
    for value in _romans(source):
        made_up -= Counter({value: 1})
    for hour in [value for value in lost if len(value) <= 2 and 1 <= int(value) <= 11]:
        afternoon = str(int(hour) + 12)
        if made_up[afternoon]:
            lost -= Counter({hour: 1})
            made_up -= Counter({afternoon: 1})
    if not _is_small(made_up, 31) or (lost and made_up) or not _is_small(lost, 12):
        return sorted(lost.elements()), sorted(made_up.elements())
    return [], []


def _is_small(values: Counter[str], limit: int) -> bool:
    return all(len(value) <= 2 and int(value) <= limit for value in values)


def _numbers(text: str) -> list[str]:
    found = []
    for match in _DATE.finditer(text):
        found += [_plain(part).lstrip("0") or "0" for part in match.group(1, 3, 4)]
    found += [_plain(match[0]) for match in _NUMBER.finditer(_DATE.sub(" ", text))]
    return [value.lstrip("0") or "0" if len(value) <= 2 else value for value in found]


def _plain(number: str) -> str:
    return "".join(str(unicodedata.digit(character)) for character in number if character.isdecimal())


def _romans(text: str) -> list[str]:
    return [str(_roman(match[0])) for match in _ROMAN.finditer(text)]


def _roman(numeral: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))
