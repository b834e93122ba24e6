"""Checks that a translation kept the numbers of its source, by value, however each language writes them.

Separators are those of CLDR: `1.500` is one and a half in English, and one thousand five hundred in German.
"""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple, TypeAlias

import babel

from directus_assets.translation.languages import Language
from directus_assets.translation.number_words import (
    clock_words,
    han_numbers,
    has_scale_word,
    romans,
    round_words,
    scale_after,
)

Reading: TypeAlias = tuple[str, ...]
"""One way to read a piece of text: its numbers, with a decimal point and no other separators."""

# Separators within a number: point, comma, apostrophes, Arabic ones; spaces only before groups of three.
_NUMBER = re.compile(r"\d+(?:[.,'\u2019\u066b\u066c]\d+|(?<!\d{4})[ \u00a0\u202f\u2009]\d{3}(?!\d))*")
_FRACTION = re.compile(
    r"(?<![\d/.,])(?:(?P<whole>\d+)[ \u00a0\u202f]?)??"
    r"(?:(?<!\d)(?P<above>\d{1,2})[/\u2044](?P<below>\d{1,2})(?![\d/])|(?P<sign>[\u00bc-\u00be\u2150-\u215e]))"
)
_CLOCK = re.compile(r"\d\s?[:.h\u70b9\u6642\uc2dc]\s?(?:15|30|45)(?!\d)")
_SEPARATOR = re.compile(r"[^\d]")
_DATE = re.compile(r"(?<!\d)(\d{1,4})([./-])[ ]?(\d{1,2})\2[ ]?(\d{1,4})(?!\d)")
_DAYTIME = re.compile(
    r"(?i)\d\s*[ap]\.?\s?m\b|午前|午後|上午|下午|晚上|오전|오후|\b(?:tarde|noche|matin|soir|nachmittags|abends)\b"
)
_BUDDHIST_ERA: Final = 543
_GROUPING: Final = frozenset("'\u2019\u066c \u00a0\u202f\u2009")
_SMALL_FRACTIONS: Final = frozenset({"0.5", "1.5"})
"""Fractions for which many languages have words."""


class _Piece(NamedTuple):
    """One number of a text: the readings of its digits, and the factors of the words after it.

    `wholes`: its readings together with the preceding number, likeliest first.
    """

    readings: list[Reading]
    factor: int = 1
    wholes: tuple[Reading, ...] = ()

    def followed_by(self, other: "_Piece") -> "_Piece":
        """Both as one number."""
        one, more = (_scaled(piece.readings[0], piece.factor) for piece in (self, other))
        one = self.wholes[0] if self.wholes else one
        is_one = len(one) == len(more) == 1 and Decimal(more[0]) < self.factor
        wholes = ((_plain(Decimal(one[0]) + Decimal(more[0])),),) if is_one else ()
        return _Piece([(*one, *more)], 1, wholes)


def changed_numbers(source: str, answer: str, *, languages: tuple[Language, Language]) -> tuple[list[str], list[str]]:
    """The numbers that `answer` lost and those that it invented; both empty if there is no defect.

    Separators, digits of other scripts, the order of dates, 12- and 24-hour clocks, Roman numerals, and small numbers
    written as words in one of the languages do not count as changes. Both texts come without placeholders and URLs.

    Args:
        source: the text.
        answer: its translation.
        languages: of source and translation.
    """
    if not ("24/7" in source and "24/7" in answer):
        source, answer = source.replace("24/7", " "), answer.replace("24/7", " ")
    pieces = [[*_pieces(text, language)] for text, language in zip((source, answer), languages, strict=True)]
    readings = [
        _readings(*pair, is_in_words=has_scale_word(text))
        for pair, text in zip((pieces, reversed(pieces)), (answer, source), strict=True)
    ]
    before, after = (Counter(_choose(*pair)) for pair in ((readings[0], readings[1]), (readings[1], readings[0])))
    lost, made_up = before - after, after - before
    lost -= Counter(dict.fromkeys(_in_words(answer, source), 1))
    made_up -= Counter(dict.fromkeys(_in_words(source, answer), 1))
    years = _BUDDHIST_ERA if "th" in {language.base for language in languages} else 0
    for one, other in [*_same_in_other_words(lost, answer, years=years)]:
        if lost[one] and made_up[other]:
            lost -= Counter({one: 1})
            made_up -= Counter({other: 1})
    numerals, others = (Counter(romans(text, shortest=2)) for text in (source, answer))
    if (gone := numerals - others - after) and (new := others - numerals - before):
        lost, made_up = lost + gone, made_up + new
    if not _is_small(made_up, 31) or (lost and made_up) or not _is_small(lost, 12):
        return sorted(lost.elements()), sorted(made_up.elements())
    return [], []


def _in_words(text: str, other: str) -> set[str]:
    """The numbers that `text` may contain as words or numerals."""
    return {*romans(text), *round_words(text), *han_numbers(text), *(clock_words(text) if _CLOCK.search(other) else ())}


def _same_in_other_words(lost: Counter[str], answer: str, *, years: int) -> Iterator[tuple[str, str]]:
    """Pairs of a lost number and one in the answer that may mean the same."""
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


def _is_small(values: Counter[str], limit: int) -> bool:
    return all(
        value in _SMALL_FRACTIONS or all(_is_at_most(part, limit) for part in value.split("/")) for value in values
    )


def _choose(readings: Collection[list[Reading]], others: Collection[list[Reading]]) -> Iterator[str]:
    """The numbers of a text: for each piece the reading that the other text shares, else the first."""
    known = {value for piece in others for reading in piece for value in reading}
    known |= {str(int(hour) + 12) for hour in known if hour.isdecimal() and int(hour) < 12}
    known |= {str(int(hour) - 12) for hour in known if hour.isdecimal() and 12 <= int(hour) < 24}
    for piece in readings:
        yield from next((reading for reading in piece if known.issuperset(reading)), piece[0])


def _readings(own: Iterable[_Piece], other: Iterable[_Piece], *, is_in_words: bool) -> list[list[Reading]]:
    """All readings of each piece, given the other text."""
    own = [*own]
    factors = {piece.factor for piece in own if piece.factor > 1}
    is_other_scaled = any(piece.factor > 1 for piece in other)
    found = []
    for piece in own:
        readings = [_scaled(reading, piece.factor) for reading in piece.readings]
        if piece.factor > 1 and not is_other_scaled:
            # "2 million" and "two million", or an unknown word; "200万" and "two million".
            readings = [*piece.readings, *readings, *([()] if is_in_words else [])]
        elif piece.factor == 1:
            readings += [_scaled(reading, by) for reading in piece.readings for by in factors]  # "2 to 3 million"
        found.append([*piece.wholes, *readings])
    return found


def _scaled(reading: Reading, factor: int) -> Reading:
    if factor == 1:
        return reading
    return tuple(_plain(Decimal(value) * factor) if "/" not in value else value for value in reading)


def _pieces(text: str, language: Language) -> Iterator[_Piece]:
    for match in _DATE.finditer(text):
        yield _Piece([tuple(_integer(part) for part in match.group(1, 3, 4))])
    text = _DATE.sub(" ", text)
    for match in _FRACTION.finditer(text):
        yield _Piece(_fraction(match))
    text = _FRACTION.sub(" ", text)
    before, end = None, -1
    for match in _NUMBER.finditer(text):
        found = [*_read(_in_ascii(match[0]), language)]
        day, _, month = match[0].partition(".")
        if text[match.end() : match.end() + 1] == "." and _is_at_most(day, 31) and _is_at_most(month, 12):
            # "3.5." is a day, whose month may be a word in the other language.
            found += [(_integer(day), _integer(month)), (_integer(day),)]
        factor, after = scale_after(text, match.end(), language)
        piece = _Piece(found, factor)
        if before and text[end : match.start()] in ("", " "):
            # 1万2000 and 5 लाख 20 हज़ार are one number.
            piece = before.followed_by(piece)
        elif before:
            yield before
        before, end = (piece, after) if factor > 1 else (None, -1)
        if before is None:
            yield piece
    if before:
        yield before


def _fraction(match: re.Match[str]) -> list[Reading]:
    """The readings of `½`, `1 ½` and `1/2`."""
    above, below = (
        map(_in_ascii, match.group("above", "below"))
        if match["above"]
        else str(Fraction(unicodedata.numeric(match["sign"])).limit_denominator(10)).split("/")
    )
    if not int(below):
        return [(_integer(above), _integer(below))]
    whole = (_integer(match["whole"]),) if match["whole"] else ()
    value = Decimal(int(above)) / int(below) + int(whole[0] if whole else 0)
    parts: Reading = (*whole, _integer(above), _integer(below))
    signs: Reading = (*whole, f"{int(above)}/{int(below)}")
    decimal: Reading = (_plain(value),)
    # A number with a slash may be a day and a month.
    return [decimal, signs, parts] if whole else [signs, decimal, parts]


def _plain(value: Decimal) -> str:
    digits = f"{value:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


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
