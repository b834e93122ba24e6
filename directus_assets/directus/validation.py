"""Validation rules of fields, in Directus' filter format: checks whether a text passes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import regex

_CONDITION: Final = re.compile(r'"(_(?!(?:and|or)")\w+)": ("(?:[^"\\]|\\.)*"|true|false|null|-?[\d.]+|\[[^\[\]]*\])')
_PATIENCE_SECONDS: Final = 0.2
"""A pattern can be arbitrary, including one that takes forever on some texts."""


@dataclass(frozen=True)
class Rule:
    """The validation rule of one field, or that part of a larger rule.

    Args:
        field: the field it applies to.
        spelled: the rule, as JSON.
    """

    field: str
    spelled: str

    def accepts(self, text: str) -> bool:
        """Whether a text passes; see `accepts`."""
        return accepts(json.loads(self.spelled), self.field, text)

    def __str__(self) -> str:
        """The requirement in short, such as `_regex: ^[a-z-]+$`."""
        found = _CONDITION.findall(self.spelled)
        return ", ".join(f"{operator}: {json.loads(value)}" for operator, value in found)


def accepts(rule: Mapping[str, Any], field: str, text: str) -> bool:
    """Whether `text` as the value of `field` passes `rule`; a part that cannot be decided from this text alone counts
    as passed.

    Args:
        rule: such as `{"_and": [{"permalink": {"_regex": "^/"}}]}`; parts about other fields are ignored.
        field: the field that the rule belongs to.
        text: its value.
    """
    for name, condition in rule.items():
        if name in ("_and", "_or") and isinstance(condition, list):
            parts = [accepts(part, field, text) for part in condition if isinstance(part, dict)]
            if parts and not (all(parts) if name == "_and" else any(parts)):
                return False
        elif name == field and isinstance(condition, dict) and not _meets(condition, field, text):
            return False
    return True


def spelled(rule: Mapping[str, Any] | None) -> str:
    """The rule as JSON; empty if there is none."""
    return json.dumps(rule, sort_keys=True) if rule else ""


def _meets(condition: Mapping[str, Any], field: str, text: str) -> bool:
    for operator, value in condition.items():
        if operator in ("_and", "_or") and isinstance(value, list):
            if not accepts({operator: [{field: part} for part in value]}, field, text):
                return False
        elif not _passes(operator, value, text):
            return False
    return True


def _passes(operator: str, value: Any, text: str) -> bool:  # noqa: PLR0911 - one line for each operator
    negated = {"_neq": "_eq", "_nin": "_in", "_ncontains": "_contains", "_nstarts_with": "_starts_with"}
    negated |= {"_nicontains": "_icontains", "_nistarts_with": "_istarts_with", "_niends_with": "_iends_with"}
    negated |= {"_nends_with": "_ends_with"}
    if operator in negated:
        return not _passes(negated[operator], value, text)
    if operator.startswith("_i") and operator[2:] in ("contains", "starts_with", "ends_with"):
        return _passes(f"_{operator[2:]}", str(value).lower(), text.lower())
    match operator:
        case "_eq":
            return bool(text == str(value))
        case "_in":
            return not isinstance(value, list) or text in map(str, value)
        case "_contains":
            return str(value) in text
        case "_starts_with":
            return text.startswith(str(value))
        case "_ends_with":
            return text.endswith(str(value))
        case "_regex":
            return _matches(str(value), text)
        case _:
            return True


def _matches(pattern: str, text: str) -> bool:
    """Match like Directus: a search, with or without JavaScript's delimiters around the pattern."""
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        pattern = pattern[1:-1]
    try:
        return regex.search(pattern, text, timeout=_PATIENCE_SECONDS) is not None
    except (regex.error, TimeoutError):
        return True
