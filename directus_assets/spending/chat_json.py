"""Finds the JSON object in an answer, wherever it is: after thinking, in prose, in a fence, or in another object.

The object that fits the schema best is the answer; of equally good ones the last, since models draft first.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from directus_assets.json_text import is_too_deep, read_json, well_formed_json
from directus_assets.spending.server_words import NOT_A_CHARACTER

_MOST_STARTS: Final = 500
"""The maximum number of braces tried as the start of an object; prose has a handful."""

_MOST_OBJECTS: Final = 5000
_THOUGHT: Final = re.compile(
    r"<(think|thinking|thought|reasoning)>.*?</\1>|^.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE
)
_OPEN_THOUGHT: Final = re.compile(r"<(?:think|thinking|thought|reasoning)>(?!.*</)", re.DOTALL | re.IGNORECASE)
_WORDINGS: Final = ("translation", "translated_text", "translated", "target", "text", "value", "content")
"""Names that models use for the text in answers that mirror the form of the question, the surest first."""
_NAMES: Final = ("name", "key", "id", "segment")
_PAIR: Final = re.compile(r'("(?:[^"\\]|\\.)*+")\s*+:\s*+("(?:[^"\\]|\\.)*+")\s*+(?=[,}])', re.DOTALL)
_TRAILING_COMMA: Final = re.compile(r",(?=\s*+[}\]])")
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def read_object(content: str, schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The JSON object in an answer that fits `schema` best; None if there is no usable one.

    Args:
        content: everything the model wrote.
        schema: the JSON schema of the answer, an object with `properties`.
    """
    said = without_thoughts(content)
    best = _best(said, schema)
    if (best is None or not best.fit) and said != content:
        # Some models think, and write nothing after it.
        best = _best(content, schema) or best
    if best is None or is_too_deep(best.value):
        return None
    return well_formed_json(best.value, half=NOT_A_CHARACTER)


def read_cut(content: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The complete part of an object that was cut off: texts with their closing quotation mark."""
    found: dict[str, Any] = {}
    names = {name for name, own in _properties(schema).items() if own.get("type") == "string"}
    for match in _PAIR.finditer(without_thoughts(content)):
        try:
            name, text = json.loads(match[1], strict=False), json.loads(match[2], strict=False)
        except ValueError:
            continue
        if name in names:
            found[name] = text
    return well_formed_json(found, half=NOT_A_CHARACTER)


def without_thoughts(content: str) -> str:
    """An answer without the model's preceding thoughts."""
    said = _THOUGHT.sub("", content)
    thought = _OPEN_THOUGHT.search(said)
    return said[: thought.start()] if thought else said


@dataclass(frozen=True, slots=True)
class _Candidate:
    value: dict[str, Any]
    fit: int
    """How many of the schema's properties it has; those with the right type count twice."""


def _best(content: str, schema: Mapping[str, Any]) -> _Candidate | None:
    best: _Candidate | None = None
    for whole in _wholes(content):
        # An outer object precedes its own, and the last one precedes earlier drafts.
        own = max((each for value in _nested(whole) for each in _readings(value, schema)), key=_fit, default=None)
        if own is not None and (best is None or own.fit >= max(best.fit, 1)):
            best = own
    return best


def _fit(candidate: _Candidate) -> int:
    return candidate.fit


def _wholes(content: str) -> Iterator[object]:
    """The top-level JSON values in a text."""
    try:
        whole = read_json(content)
    except ValueError:
        found = [*_scanned(content)]
        # What people write by hand, models do as well; only where nothing else is readable.
        yield from found or _scanned(_TRAILING_COMMA.sub("", content))
        return
    # Some servers encode an answer twice.
    yield from _wholes(whole) if isinstance(whole, str) else [whole]


def _scanned(content: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder(strict=False)
    position = 0
    for _ in range(_MOST_STARTS):
        position = content.find("{", position)
        if position < 0:
            return
        try:
            value, position = decoder.raw_decode(content, position)
        except (ValueError, RecursionError):
            position += 1
        else:
            yield value


def _nested(value: object) -> Iterator[dict[str, Any]]:
    """All objects in a value, outer ones before their own."""
    waiting = [value]
    for _ in range(_MOST_OBJECTS):
        if not waiting:
            return
        value = waiting.pop(0)
        if isinstance(value, dict):
            yield value
            waiting += [own for own in value.values() if isinstance(own, (dict, list))]
        elif isinstance(value, list):
            if named := _named(value):
                yield named
            waiting += [own for own in value if isinstance(own, (dict, list))]


def _named(rows: list[Any]) -> dict[str, Any]:
    """Convert a list of objects with names to one object."""
    found: dict[str, Any] = {}
    for row in rows:
        name = (
            next((row[key] for key in _NAMES if isinstance(row.get(key), str)), None) if isinstance(row, dict) else None
        )
        if name is not None:
            found[name] = row
    return found


def _readings(value: dict[str, Any], schema: Mapping[str, Any]) -> Iterator[_Candidate]:
    properties = _properties(schema)
    found = {name: own for name in properties if (own := value.get(name)) is not None or name in value}
    right = {name for name, own in found.items() if _is_of(own, properties[name])}
    if right:
        yield _Candidate(value, 2 * len(right))
    mirrored = {
        name: text
        for name, own in found.items()
        if name not in right and properties[name].get("type") == "string" and (text := _wording(own)) is not None
    }
    if mirrored:
        yield _Candidate({**value, **mirrored}, 2 * len(right) + len(mirrored))
    if not right and not mirrored:
        yield _Candidate(value, 0)


def _wording(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    return next((value[name] for name in _WORDINGS if isinstance(value.get(name), str)), None)


def _is_of(value: object, schema: Mapping[str, Any]) -> bool:
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, bool):
        return "boolean" in kinds or not kinds
    return not kinds or any(isinstance(value, _TYPES.get(kind, ())) for kind in kinds)


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return schema.get("properties") or {}
