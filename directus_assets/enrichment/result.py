"""Typed results: the JSON schema for an engine, and the check of its answers.

No endpoint is trusted to follow a schema, and a schema cannot express all rules (strict mode has no lengths). So every
answer is checked here before anything is written.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from directus_assets.directus.models import JsonValue
from directus_assets.live_text import LiveKind, foreign_parts
from directus_assets.settings import ResultOptions

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """An answer with its defects, as sentences; the values may only be used if there are none."""

    values: Mapping[str, JsonValue]
    defects: tuple[str, ...] = ()


def answer_schema(result: Mapping[str, ResultOptions]) -> dict[str, Any]:
    """The JSON schema of an answer, limited to what strict mode accepts; limits are stated in descriptions.

    Args:
        result: the fields of the result, with explicit choices instead of a source of them.
    """
    return {
        "type": "object",
        "properties": {name: _schema(field) for name, field in result.items()},
        "required": list(result),
        "additionalProperties": False,
    }


def check_answer(result: Mapping[str, ResultOptions], answer: object, *, source: str = "") -> Checked:
    """Check an answer against the declared result. Undeclared members are dropped.

    Args:
        result: the fields of the result.
        answer: the engine's answer, parsed from JSON; None if it is not JSON.
        source: all text that the engine was given: an address that is not in it is invented, or an injection.
    """
    if not isinstance(answer, dict):
        return Checked(values={}, defects=("The answer was not one JSON object.",))
    check = _Check(source)
    values = {name: check.value(answer.get(name), field, f"`{name}`") for name, field in result.items()}
    return Checked(values=values, defects=tuple(dict.fromkeys(check.defects)))


def longest_answer(result: Mapping[str, ResultOptions]) -> int:
    """The approximate maximum length of an answer in characters, if its texts and lists are limited."""
    return sum(len(name) + 8 + _longest(field) for name, field in result.items())


class _Check:
    """Traverses one answer and collects its defects."""

    def __init__(self, source: str) -> None:
        self.defects: list[str] = []
        self._source = source

    def value(self, value: object, field: ResultOptions, where: str) -> JsonValue:
        if value is None:
            if not field.optional:
                self.defects.append(f"{where} is missing.")
            return None
        check = {
            "text": self._text,
            "number": self._number,
            "integer": self._number,
            "boolean": self._boolean,
            "choice": self._choice,
            "list": self._list,
            "object": self._object,
        }[field.type]
        return check(value, field, where)

    def _text(self, value: object, field: ResultOptions, where: str) -> JsonValue:
        if not isinstance(value, str):
            return self._wrong(where, "is not a text")
        text = value.strip()
        # An empty text is not a result unless the declaration allows it.
        least = 1 if field.min_length is None and not field.optional else field.min_length or 0
        if len(text) < least:
            self.defects.append(f"{where} has {len(text)} characters, but at least {least} are needed.")
        if field.max_length is not None and len(text) > field.max_length:
            self.defects.append(f"{where} has {len(text)} characters, but at most {field.max_length} are allowed.")
        if _CONTROL.search(text):
            self.defects.append(f"{where} contains control characters.")
        for part in foreign_parts(self._source, text):
            if part.kind is LiveKind.MARKUP:
                self.defects.append(f"{where} contains markup; it must be plain text.")
            else:
                self.defects.append(f"{where} contains {part.kind} that is not in the input: {part.text[:80]}")
        return text

    def _number(self, value: object, field: ResultOptions, where: str) -> JsonValue:
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            return self._wrong(where, "is not a number")
        if field.type == "integer" and value != int(value):
            return self._wrong(where, "is not a whole number")
        if (field.min is not None and value < field.min) or (field.max is not None and value > field.max):
            self.defects.append(f"{where} is {value}; it must be {_range(field)}.")
        return int(value) if field.type == "integer" else value

    def _boolean(self, value: object, field: ResultOptions, where: str) -> JsonValue:
        return value if isinstance(value, bool) else self._wrong(where, f"is not a {field.type} (true or false)")

    def _choice(self, value: object, field: ResultOptions, where: str) -> JsonValue:
        allowed = _choices(field)
        same = [
            choice for choice in allowed if isinstance(value, str) and choice.casefold() == value.strip().casefold()
        ]
        if same:
            return value if value in same else same[0]
        return self._wrong(where, f"is {str(value)[:80]!r}, which is not one of the allowed values")

    def _list(self, value: object, field: ResultOptions, where: str) -> JsonValue:
        if not isinstance(value, list) or field.of is None:
            return self._wrong(where, "is not a list")
        found: list[JsonValue] = []
        for index, element in enumerate(value):
            each = self.value(element, field.of, f"{where}, element {index + 1}")
            if each not in found:
                found.append(each)
        if len(found) < (field.min_items or 0):
            self.defects.append(
                f"{where} has {len(found)} different elements, but at least {field.min_items} are needed."
            )
        if field.max_items is not None and len(found) > field.max_items:
            self.defects.append(f"{where} has {len(found)} elements, but at most {field.max_items} are allowed.")
        return found

    def _object(self, value: object, field: ResultOptions, where: str) -> JsonValue:
        if not isinstance(value, dict):
            return self._wrong(where, "is not an object")
        return {name: self.value(value.get(name), own, f"{where}, `{name}`") for name, own in field.fields.items()}

    def _wrong(self, where: str, what: str) -> JsonValue:
        self.defects.append(f"{where} {what}.")
        return None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer with hundreds of digits
        return False


def _schema(field: ResultOptions) -> dict[str, Any]:
    kind = {"text": "string", "choice": "string", "list": "array"}.get(field.type, field.type)
    schema: dict[str, Any] = {"type": [kind, "null"] if field.optional else kind}
    if about := " ".join(_about(field)):
        schema["description"] = about
    match field.type:
        case "choice":
            schema["enum"] = [*_choices(field), *([None] if field.optional else [])]
        case "list" if field.of:
            schema["items"] = _schema(field.of)
        case "object":
            schema |= answer_schema(field.fields) | {"type": schema["type"]}
    return schema


def _about(field: ResultOptions) -> Iterator[str]:
    if field.description:
        yield field.description
    if field.type == "text" and (field.min_length or field.max_length):
        yield f"{_between(field.min_length, field.max_length)} characters."
    if field.type in ("number", "integer") and not (field.min is None and field.max is None):
        yield f"{_range(field)[0].upper()}{_range(field)[1:]}."
    if field.type == "list" and (field.min_items or field.max_items):
        yield f"{_between(field.min_items, field.max_items)} elements, without duplicates."


def _range(field: ResultOptions) -> str:
    if field.min is None:
        return f"at most {field.max:g}"
    return f"at least {field.min:g}" if field.max is None else f"from {field.min:g} to {field.max:g}"


def _between(least: int | None, most: int | None) -> str:
    if not least:
        return f"At most {most}"
    return f"At least {least}" if most is None else f"From {least} to {most}"


def _choices(field: ResultOptions) -> tuple[str, ...]:
    if not isinstance(field.choices, tuple):
        raise TypeError("The choices of this result have not been read yet.")
    return field.choices


def _longest(field: ResultOptions) -> int:
    match field.type:
        case "text":
            return field.max_length or 2000
        case "choice":
            return max(map(len, _choices(field)), default=0)
        case "list" if field.of:
            return (field.max_items or 20) * (4 + _longest(field.of))
        case "object":
            return longest_answer(field.fields)
    return 24


def walk(result: Mapping[str, ResultOptions]) -> Iterable[tuple[str, ResultOptions]]:
    """All fields of a result with their paths, such as `entities`, `entities[]` and `entities[].name`."""
    for name, field in result.items():
        yield from _walk(name, field)


def _walk(path: str, field: ResultOptions) -> Iterator[tuple[str, ResultOptions]]:
    yield path, field
    if field.of:
        yield from _walk(f"{path}[]", field.of)
    for name, own in field.fields.items():
        yield from _walk(f"{path}.{name}", own)
