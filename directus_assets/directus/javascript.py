"""JavaScript's interpretation of JSON values, for values whose meaning Directus leaves to JavaScript."""

import math
import re
from collections.abc import Mapping, Sequence

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_OTHER_BASE = re.compile(r"0(?:x[0-9a-f]+|o[0-7]+|b[01]+)", re.IGNORECASE | re.ASCII)
_BLANK = " \t\n\r\v\f\xa0\ufeff\u2028\u2029"


def is_truthy(value: object) -> bool:
    """Whether `value` is truthy in JavaScript: unlike in Python, empty lists and objects are."""
    return (isinstance(value, Mapping | Sequence) and not isinstance(value, str)) or bool(value)


def as_number(value: object) -> float:
    """`Number(value)`; NaN if it is not a number.

    >>> as_number(" 0x10 "), as_number([60]), as_number(True), as_number("wide")
    (16, 60, 1, nan)
    """
    match value:
        case None:
            return 0
        case bool() | int() | float():
            return _float(value)
        case str():
            return _read(value.strip(_BLANK))
        case [] | [None]:
            return 0
        case [str() | int() | float() as only] if not isinstance(only, bool):
            return as_number(only)
    return math.nan


def _read(text: str) -> float:
    if not text:
        return 0
    if _OTHER_BASE.fullmatch(text):
        return _float(int(text, 0))
    return _float(text) if _DECIMAL.fullmatch(text) else math.nan


def _float(value: float | str) -> float:
    """Convert to float; a number that is too large becomes infinite."""
    try:
        number = float(value)
    except OverflowError:  # a Python integer, which may have any number of digits
        return math.copysign(math.inf, float(value > 0) - 0.5)  # type: ignore[operator]  # texts never overflow
    return int(number) if number.is_integer() else number
