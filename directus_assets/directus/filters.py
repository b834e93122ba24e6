"""Validates filters against the schema: finds what Directus refuses with a misleading message about rights, or silently
ignores.

For an invalid date, or for `true` compared with a text, Directus returns no rows and no error.
"""

import datetime as dt
import difflib
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from directus_assets.directus.client import DirectusClient

_NAMES = (
    "eq neq lt lte gt gte in nin null nnull empty nempty between nbetween contains ncontains icontains nicontains "
    "starts_with nstarts_with istarts_with nistarts_with ends_with nends_with iends_with niends_with json regex "
    "intersects nintersects intersects_bbox nintersects_bbox"
)
OPERATORS = frozenset(f"_{name}" for name in _NAMES.split())
"""The operators after a field name (https://directus.io/docs/guides/connect/filter-rules)."""

_YES_OR_NO = frozenset({"_null", "_nnull", "_empty", "_nempty"})
_LISTS = frozenset({"_in", "_nin", "_between", "_nbetween"})
_VALUES = frozenset({"_eq", "_neq", "_lt", "_lte", "_gt", "_gte"})
_RELATIONAL = frozenset({"_some", "_none"})
_LOGICAL = frozenset({"_and", "_or"})
_FUNCTION = re.compile(r"(\w+)\(([^()]+)\)")
_FUNCTIONS = ("year", "month", "week", "day", "weekday", "hour", "minute", "second", "count", "json")


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A mistake in a filter."""

    text: str
    remedy: str


@dataclass(frozen=True)
class FilterSchema:
    """The schema against which filters are validated.

    Args:
        types: the types of the fields, by collection and name.
        related: the target collection of a field, by collection and field; on both sides of a relation. Empty if it may
            lead to several.
        keys: the fields of the primary keys, by collection.
    """

    types: Mapping[str, Mapping[str, str]]
    related: Mapping[tuple[str, str], str]
    keys: Mapping[str, str]

    @classmethod
    def read(cls, client: DirectusClient) -> Self:
        """Read the schema, as far as the token sees it.

        Raises:
            DirectusAssetsError: it cannot be read.
        """
        types: dict[str, dict[str, str]] = {}
        keys: dict[str, str] = {}
        for row in client.get("/fields"):
            types.setdefault(row["collection"], {})[row["field"]] = row["type"]
            if (row.get("schema") or {}).get("is_primary_key"):
                keys[row["collection"]] = row["field"]
        related: dict[tuple[str, str], str] = {}
        for row in client.get("/relations"):
            other, back = row.get("related_collection"), (row.get("meta") or {}).get("one_field")
            related[row["collection"], row["field"]] = other or ""
            if other and back:
                related[other, back] = row["collection"]
        return cls(types, related, keys)

    def mistakes(self, condition: Mapping[str, Any], collection: str) -> Iterator[Mistake]:
        """The mistakes in a filter for items of `collection`; only those that can be detected."""
        known = self.types.get(collection)
        if known is None:
            return
        for name, value in condition.items():
            if name in _LOGICAL:
                yield from self._all_of(name, value, collection)
            elif name in _RELATIONAL:
                yield from self.mistakes(value if isinstance(value, Mapping) else {}, collection)
            elif name.startswith("_"):
                yield Mistake(
                    text=f"Found '{name}' where a field is expected.",
                    remedy=_meant(name, sorted(_LOGICAL))
                    or "Write {field: {operator: value}}; _and and _or take lists.",
                )
            elif not name.startswith("$"):
                yield from self._of_field(name, value, collection, known)

    def _all_of(self, name: str, value: Any, collection: str) -> Iterator[Mistake]:
        if not isinstance(value, list | tuple) or not all(isinstance(part, Mapping) for part in value):
            yield Mistake(text=f"'{name}' needs a list of conditions.", remedy=f"Write {name}: [{{…}}, {{…}}].")
            return
        for part in value:
            yield from self.mistakes(part, collection)

    def _of_field(self, spelled: str, value: Any, collection: str, known: Mapping[str, str]) -> Iterator[Mistake]:
        function = _FUNCTION.fullmatch(spelled)
        if function and function[1] not in _FUNCTIONS:
            remedy = _meant(function[1], _FUNCTIONS) or f"Available: {', '.join(_FUNCTIONS)}."
            yield Mistake(text=f"'{spelled}' is not a Directus function.", remedy=remedy)
            return
        # `item:posts` selects posts for a field that may lead to several collections.
        name, _, chosen = (function[2].partition(",")[0].strip() if function else spelled).partition(":")
        if name not in known:
            remedy = _meant(name, list(known)) or f"The token can see {', '.join(sorted(known))}."
            yield Mistake(
                text=f"The token cannot see a field '{name}' in '{collection}'.",
                remedy=f"{remedy} If it exists, run `directus-assets setup`, which grants permission to read it.",
            )
            return
        other = chosen or self.related.get((collection, name))
        conditions = value if isinstance(value, Mapping) else {"_eq": value}
        if other is not None and not any(each in OPERATORS for each in conditions):
            yield from self.mistakes(conditions, other)
            return
        is_number = function is not None and function[1] != "json"
        type_ = "integer" if is_number else "" if other is not None or function else known[name]
        for operator, operand in conditions.items():
            if operator in _LOGICAL:
                for part in operand if isinstance(operand, list | tuple) else ():
                    yield from self._of_field(spelled, part, collection, known)
            elif operator not in OPERATORS:
                remedy = _meant(operator, sorted(OPERATORS)) or f"Available: {', '.join(sorted(OPERATORS))}."
                yield Mistake(text=f"'{operator}' on '{name}' is not a Directus operator.", remedy=remedy)
            else:
                yield from _of_operand(name, type_, operator, operand)


def _of_operand(name: str, type_: str, operator: str, operand: Any) -> Iterator[Mistake]:
    if operator in _YES_OR_NO:
        if not _is_yes_or_no(operand):
            yield Mistake(text=f"'{operator}' on '{name}' has the value {operand!r}.", remedy="It needs true or false.")
        return
    if operator not in _LISTS | _VALUES:
        return
    listed = operand.split(",") if isinstance(operand, str) and operator in _LISTS else operand
    if operator in _LISTS and not isinstance(listed, list | tuple):
        listed = [listed]
    if operator in _LISTS and (not listed or ("between" in operator and len(listed) != 2)):
        yield Mistake(
            text=f"'{operator}' on '{name}' has {len(listed)} values.",
            remedy="It needs two." if "between" in operator else "It needs at least one.",
        )
    for value in listed if operator in _LISTS else [operand]:
        if wanted := _wanted(type_, value):
            yield Mistake(text=f"'{name}' is compared with {_shown(value)}.", remedy=f"It holds {wanted}.")


def _wanted(type_: str, value: Any) -> str:
    """The values that a field of this type holds, if `value` is not one of them; else empty."""
    if value is None or (isinstance(value, str) and value.strip().startswith("$")):
        return ""  # `$NOW` and similar
    takes, wanted = _VALUES_OF.get(type_, (None, ""))
    return "" if takes is None or takes(value) else wanted


def _reads(parse: Any, value: Any) -> bool:
    try:
        parse(value.strip() if isinstance(value, str) else str(value))
    except ValueError:
        return False
    return not isinstance(value, bool)


def _is_moment(value: Any) -> bool:
    if isinstance(value, dt.date):
        return True
    try:
        dt.datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _is_yes_or_no(value: Any) -> bool:
    return value in (True, False, "true", "false", "0", "1", "")


_MOMENTS = (_is_moment, "moments such as 2026-01-31T12:00:00")
_VALUES_OF: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "integer": (partial(_reads, int), "whole numbers"),
    "bigInteger": (partial(_reads, int), "whole numbers"),
    "float": (partial(_reads, float), "numbers"),
    "decimal": (partial(_reads, float), "numbers"),
    "boolean": (_is_yes_or_no, "true or false"),
    "uuid": (partial(_reads, uuid.UUID), "UUIDs"),
    "date": _MOMENTS,
    "dateTime": _MOMENTS,
    "timestamp": _MOMENTS,
    "string": (lambda value: not isinstance(value, bool), "texts: put quotes around it"),
    "text": (lambda value: not isinstance(value, bool), "texts: put quotes around it"),
}
"""A predicate for the values of each type, and a name for them."""


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _meant(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6) or [each for each in known if each == f"_{name}"]
    return f"Did you mean '{near[0]}'?" if near else ""
