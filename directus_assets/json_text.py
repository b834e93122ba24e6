"""Robust JSON: handles lone surrogates, thousands of brackets, and invalid numbers in other people's data.

JavaScript cuts texts between the halves of a surrogate pair, JSON represents a half as `\\ud83d`, and no Python encoder
accepts it. So there are two rules. What goes back to Directus is exactly what came from there, including lone
surrogates (`as_json`). What is compared, stored, or shown to an engine or to people has U+FFFD instead (`well_formed`),
as databases write it; otherwise a surrogate replaced by a database would look like an edit.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from directus_assets.errors import BadInput

DEEPEST: Final = 100
"""Maximum nesting of a value that is processed; editors produce a handful of levels."""

_DEEPEST_READ: Final = 2 * DEEPEST
"""Nesting that is kept of a response: more than `DEEPEST`, so that checks for it still find the value too deep."""

_LONGEST_INTEGER: Final = 308
"""Digits. JavaScript reads a longer number as infinite, no Python float holds it, and Python refuses thousands of
digits.
"""

_HALF: Final = re.compile(r"[\ud800-\udfff]")
_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)

T = TypeVar("T")


def well_formed(text: str, *, half: str = "\ufffd") -> str:
    """Replace each lone surrogate in `text`."""
    return text if text.isascii() else _HALF.sub(half, text)


def well_formed_json(value: T, *, half: str = "\ufffd") -> T:
    """A JSON value with `well_formed` texts and keys; the same object if nothing changes."""
    text = json.dumps(value, ensure_ascii=False)
    mended: T = value if _HALF.search(text) is None else json.loads(_HALF.sub(half, text))
    return mended


def as_json(value: object) -> bytes:
    """`value` as UTF-8 JSON, with lone surrogates as the escapes that they came as.

    Raises:
        BadInput: it contains what JSON cannot represent: NaN or an infinite number.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"A value cannot be converted to JSON: {error}.", remedy="Correct it in Directus.") from None
    # Lone surrogates are all that UTF-8 rejects; Python's escapes for them are the same as JSON's.
    return text.encode("utf-8", "backslashreplace")


def read_json(content: bytes | str) -> Any:
    """Parse a JSON text, however deeply nested it is and however long its numbers are.

    Parts nested over 200 levels deep are dropped; the value stays too deep for all processing (`is_too_deep`).

    Raises:
        ValueError: it is not JSON.
    """
    text = content if isinstance(content, str) else content.decode(json.detect_encoding(content), "surrogatepass")
    try:
        value = json.loads(text, parse_int=_number)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError):  # thousands of digits or brackets
        return json.loads(_without_depths(text), parse_int=_number)
    # The depth that Python's parser accepts depends on the caller's stack.
    return json.loads(_without_depths(text), parse_int=_number) if _is_deeper(value, _DEEPEST_READ) else value


def is_too_deep(value: object) -> bool:
    """Whether a value is nested over `DEEPEST` levels deep."""
    return _is_deeper(value, DEEPEST)


def shallow(value: object) -> Any:
    """A copy without parts nested over 200 levels deep, and with numbers and keys that JSON can represent."""
    copy = [value]
    parents: list[Any] = [copy]
    for _ in range(_DEEPEST_READ):
        children = []
        for parent in parents:
            for key, own in list(parent.items() if isinstance(parent, dict) else enumerate(parent)):
                parent[key] = child = _copied(own)
                if isinstance(child, (dict, list)):
                    children.append(child)
        parents = children
    for parent in parents:
        parent.clear()
    return copy[0]


def _copied(value: object) -> object:
    match value:
        case Mapping():
            return {str(key): own for key, own in value.items()}
        case list() | tuple():
            return list(value)
        case int() if abs(value) >= 10**_LONGEST_INTEGER:
            return float("inf") if value > 0 else float("-inf")
    return value


def _is_deeper(value: object, levels: int) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(levels):
        if not level:
            return False
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, (dict, list))
        ]
    return bool(level)


def _without_depths(text: str) -> str:
    """The JSON text with null in place of parts nested too deeply for Python's parser."""
    parts: list[str] = []
    depth = start = 0
    for match in _BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth == _DEEPEST_READ + 2:
                parts += [text[start : match.start()], "null"]
        elif match[0] in "]}":
            if depth == _DEEPEST_READ + 2:
                start = match.end()
            depth -= 1
    parts.append(text[start:] if depth <= _DEEPEST_READ + 1 else "")
    return "".join(parts)


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
