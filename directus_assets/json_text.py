"""JSON as other people write it: half of an emoji in a text, thousands of brackets, numbers that are none.

JavaScript cuts texts between the halves of a character, JSON keeps a half as `\\ud83d`, and no encoder of Python takes
it. So there are two rules. What goes back to Directus is what came from there, halves included (`as_json`). What is
compared, remembered, or shown to an engine or to people has U+FFFD in the place of a half (`well_formed`), as databases
write it; otherwise a half that a database has replaced would look like an edit.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from directus_assets.errors import BadInput

DEEPEST: Final = 100
"""Levels of nesting of a value that is worked on; editors make a handful."""

_DEEPEST_READ: Final = 2 * DEEPEST
"""Levels of nesting that are kept of an answer: more than `DEEPEST`, so that whoever looks for it finds it too deep."""

_LONGEST_INTEGER: Final = 308
"""Digits. JavaScript reads a longer number as infinite, no float of Python holds it, and it refuses one of thousands of
digits."""

_HALF: Final = re.compile(r"[\ud800-\udfff]")
_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)

T = TypeVar("T")


def well_formed(text: str, *, half: str = "\ufffd") -> str:
    """`text` with another character in the place of each half of one."""
    return text if text.isascii() else _HALF.sub(half, text)


def well_formed_json(value: T, *, half: str = "\ufffd") -> T:
    """A JSON value with `well_formed` texts and keys; the value itself where they are."""
    text = json.dumps(value, ensure_ascii=False)
    mended: T = value if _HALF.search(text) is None else json.loads(_HALF.sub(half, text))
    return mended


def as_json(value: object) -> bytes:
    """`value` as UTF-8 JSON, in which a half of a character is the escape that it came as.

    Raises:
        BadInput: it holds what JSON cannot: an infinite number, or one that is none.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"A value cannot be converted to JSON: {error}.", remedy="Correct it in Directus.") from None
    # Halves are all that UTF-8 does not take; Python's notation of them is that of JSON.
    return text.encode("utf-8", "backslashreplace")


def read_json(content: bytes | str) -> Any:
    """The value of a JSON text, however deep it is nested and however long its numbers are.

    What is nested over 200 levels deep is left out; so it stays too deep for all work on it (`is_too_deep`).

    Raises:
        ValueError: it is no JSON.
    """
    text = content if isinstance(content, str) else content.decode(json.detect_encoding(content), "surrogatepass")
    try:
        value = json.loads(text, parse_int=_number)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        return json.loads(_without_depths(text), parse_int=_number)
    # What Python's parser takes depends on how deep the caller stands.
    return json.loads(_without_depths(text), parse_int=_number) if _is_deeper(value, _DEEPEST_READ) else value


def is_too_deep(value: object) -> bool:
    """Whether a value is nested over `DEEPEST` levels deep."""
    return _is_deeper(value, DEEPEST)


def shallow(value: object) -> Any:
    """A copy without what is nested over 200 levels deep, and with numbers and keys that JSON can hold."""
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
    """The JSON text with null in the place of what is nested too deeply for Python's parser."""
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
