"""Checks that a translation kept the numbers of its source, by value, however each language writes them.

Separators are those of CLDR: `1.500` is one and a half in English, and one thousand five hundred in German.
"""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final, TypeAlias

import babel

from directus_assets.translation.languages import Language

Reading: TypeAlias = tuple[str, ...]
"""One way to read a piece of text: its numbers, with a decimal point and no other separators."""

# Separators within a number: point, comma, apostrophes, Arabic ones; spaces only before groups of three.
_NUMBER = re.compile(r"\d+(?:[.,'\u2019\u066b\u066c]\d+|(?<!\d{4})[ \u00a0\u202f\u2009]\d{3}(?!\d))*")
_SEPARATOR = re.compile(r"[^\d]")
_DATE = re.compile(r"(?<!\d)(\d{1,4})([./-])[ ]?(\d{1,2})\2[ ]?(\d{1,4})(?!\d)")
_ROMAN = re.compile(r"\b[IVXLCDM]+(?=\b|[a-zᵉ])")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
# Languages that count in ten thousands, lakhs and crores write different digits for the same number.
_OTHER_SCALE = re.compile(r"\d\s*(?:[千万萬億亿兆천만억조]|लाख|करोड़|হাজার|লাখ|কোটি|lakh|crore)")
# So do languages that disagree on the meaning of "billion".
_LARGE = re.compile(
    r"(?i)\d\s*(?:bn\b|bill?i[oóa]|m(?:n\b|io\b|rd|il\b|il(?:l?i[oóa]|lon|h|j))|trill?i[oóa]|thousand|tausend|tys|тыс|млн|млрд)"
)
_DAYTIME = re.compile(
    r"(?i)\d\s*[ap]\.?\s?m\b|午前|午後|上午|下午|晚上|오전|오후|\b(?:tarde|noche|matin|soir|nachmittags|abends)\b"
)
_ROUND_WORDS: Final = {
    "100": re.compile(r"(?i)\b(?:hundreds?|hundert\w*|cents?|cien\w*|cem|cento|honderd\w*|sto|сто|сотн\w+)\b|百"),
    "1000": re.compile(r"(?i)\b(?:thousands?|tausend\w*|mille|mila|mil|duizend\w*|tysiąc\w*|тысяч\w*)\b|千"),
}
_BUDDHIST_ERA: Final = 543
_GROUPING: Final = frozenset("'\u2019\u066c \u00a0\u202f\u2009")
_SMALL_FRACTIONS: Final = frozenset({"0.5", "1.5"})
"""Fractions for which many languages have words."""


def changed_numbers(source: str, answer: str, *, languages: tuple[Language, Language]) -> tuple[list[str], list[str]]:
    """The numbers that `answer` lost and those that it invented; both empty if there is no defect.

    Separators, digits of other scripts, the order of dates, 12- and 24-hour clocks, Roman numerals, and small numbers
    written as words in one of the languages do not count as changes. Both texts come without placeholders and URLs.

    Args:
        source: the text.
        answer: its translation.
        languages: of source and translation.
    """
    if _OTHER_SCALE.search(source) or _OTHER_SCALE.search(answer):
        return [], []
    if not ("24/7" in source and "24/7" in answer):
        source, answer = source.replace("24/7", " "), answer.replace("24/7", " ")
    readings = [[*_readings(text, language)] for text, language in zip((source, answer), languages, strict=True)]
    before, after = (Counter(_choose(*pair)) for pair in ((readings[0], readings[1]), (readings[1], readings[0])))
    lost, made_up = before - after, after - before
    for value in _romans(answer):
        lost -= Counter({value: 1})
    for value in _romans(source):
        made_up -= Counter({value: 1})
    for value in _round_words(source):
        made_up -= Counter({value: 1})
    years = _BUDDHIST_ERA if "th" in {language.base for language in languages} else 0
    for one, other in [*_same_in_other_words(lost, made_up, source, answer, years=years)]:
        if lost[one] and made_up[other]:
            lost -= Counter({one: 1})
            made_up -= Counter({other: 1})
    if not _is_small(made_up, 31) or (lost and made_up) or not _is_small(lost, 12):
        return sorted(lost.elements()), sorted(made_up.elements())
    return [], []


def _same_in_other_words(
    lost: Counter[str], made_up: Counter[str], source: str, answer: str, *, years: int
) -> Iterator[tuple[str, str]]:
    """Pairs of a lost and an invented number that may mean the same."""
    is_large = _LARGE.search(source) and _LARGE.search(answer)
    has_daytime = _DAYTIME.search(answer) is not None
    for one in lost:
        if one.isdecimal() and len(one) <= 2:
            if 1 <= int(one) <= 11:
                yield one, str(int(one) + 12)
            if int(one) in (0, 12):
                yield one, str(12 - int(one))  # 12:30 am
            if 13 <= int(one) <= 23 and has_daytime:
                yield one, str(int(one) - 12)
        if one.isdecimal() and len(one) == 4 and one.endswith("0"):
            yield one, one[2:]  # the 1990s are the nineties
        if one.isdecimal() and len(one) == 4 and years:
            yield from ((one, str(int(one) + years)), (one, str(int(one) - years)))
        if is_large:
            yield from ((one, other) for other in made_up if _same_digits(one) == _same_digits(other))


def _round_words(text: str) -> list[str]:
    return [digits for digits, words in _ROUND_WORDS.items() if words.search(text)]


def _same_digits(value: str) -> str:
    return value.replace(".", "").strip("0")


def _is_small(values: Counter[str], limit: int) -> bool:
    return all(
        value in _SMALL_FRACTIONS or (value.isdecimal() and len(value) <= 2 and int(value) <= limit) for value in values
    )


def _choose(readings: Collection[list[Reading]], others: Collection[list[Reading]]) -> Iterator[str]:
    """The numbers of a text: for each piece the reading that the other text shares, else the first."""
    known = {value for piece in others for reading in piece for value in reading}
    known |= {str(int(hour) + 12) for hour in known if hour.isdecimal() and int(hour) < 12}
    known |= {str(int(hour) - 12) for hour in known if hour.isdecimal() and 12 <= int(hour) < 24}
    for piece in readings:
        yield from next((reading for reading in piece if known.issuperset(reading)), piece[0])


def _readings(text: str, language: Language) -> Iterator[list[Reading]]:
    for match in _DATE.finditer(text):
        yield [tuple(_integer(part) for part in match.group(1, 3, 4))]
    text = _DATE.sub(" ", text)
    for match in _NUMBER.finditer(text):
        found = [*_read(_in_ascii(match[0]), language)]
        day, _, month = match[0].partition(".")
        if text[match.end() : match.end() + 1] == "." and _is_at_most(day, 31) and _is_at_most(month, 12):
            # "3.5." is a day; the other language writes its month as a word.
            found.append((_integer(day),))
        yield found


def _read(number: str, language: Language) -> Iterator[Reading]:
    """All readings of a number in ASCII digits, likeliest first."""
    parts, separators = _SEPARATOR.split(number), _SEPARATOR.findall(number)
    if not separators:
        yield (_integer(number),)
        return
    last, whole = separators[-1], "".join(parts[:-1])
    can_be_integer = last != "\u066b" and _is_grouped(parts) and len(set(separators)) == 1
    can_be_decimal = last not in _GROUPING and separators.count(last) == 1 and _is_grouped(parts[:-1])
    integer, decimal = (_integer("".join(parts)),), (_decimal(whole, parts[-1]),)
    if can_be_integer and can_be_decimal:
        is_decimal = last == _decimal_separator(language)
        yield decimal if is_decimal else integer
        if _is_mixed(language):
            yield integer if is_decimal else decimal
    elif can_be_integer or can_be_decimal:
        yield integer if can_be_integer else decimal
    if not can_be_integer and not can_be_decimal:
        yield tuple(map(_integer, parts))  # a list or a version
    elif last in " \u00a0":
        yield tuple(map(_integer, parts))  # "2 500 g packs"
    elif len(parts) == 2 and _is_at_most(parts[0], 24) and len(parts[1]) == 2 and _is_at_most(parts[1], 59):
        yield tuple(map(_integer, parts))  # a time: 19.30


def _is_grouped(parts: Collection[str]) -> bool:
    """Whether these are the digit groups of one number: `1 000 000`, or `10 00 000` in India."""
    first, *others = parts
    if not others:
        return True
    return (
        len(first) <= 3
        and not first.startswith("0")
        and len(others[-1]) == 3
        and all(len(part) in (2, 3) for part in others)
    )


def _is_at_most(part: str, limit: int) -> bool:
    return 1 <= len(part) <= 2 and part.isdecimal() and int(part) <= limit


@functools.lru_cache(maxsize=1024)
def _decimal_separator(language: Language) -> str:
    try:
        symbols = babel.Locale.parse(language.tag, sep="-").number_symbols
    except (babel.UnknownLocaleError, ValueError):
        return "."
    return str(symbols.get("latn", {}).get("decimal", "."))


def _is_mixed(language: Language) -> bool:
    """Whether both separators are in use, whatever CLDR says: in Spanish, and in English outside the mainstream."""
    return language.base == "es" or (language.base == "en" and _decimal_separator(language) != ".")


def _integer(digits: str) -> str:
    plain = _in_ascii(digits)
    # Longer numbers with a leading zero are codes.
    return plain.lstrip("0") or "0" if len(plain) <= 2 else plain


def _decimal(whole: str, fraction: str) -> str:
    return f"{whole.lstrip('0') or '0'}.{fraction}".rstrip("0").rstrip(".")


def _in_ascii(number: str) -> str:
    return "".join(str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in number)


def _romans(text: str) -> list[str]:
    return [str(_roman(match[0])) for match in _ROMAN.finditer(text)]


def _roman(numeral: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))
