"""Field descriptions: the parts of a `GET /fields` row that indicate what the field holds."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

HIDING_SPECIALS: Final = frozenset({"conceal", "hash", "encrypt"})
_FILTERABLE_TYPES: Final = frozenset({"string", "text", "csv", "integer", "boolean", "uuid"})
"""Databases cannot compare JSON for equality, and floats only approximately."""
_UNFILTERABLE_COLUMNS: Final = frozenset({"clob", "nclob", "ntext"})
_HIDING_INTERFACES: Final = frozenset({"input-hash", "system-input-password", "system-token", "system-mfa-setup"})


@dataclass(frozen=True, kw_only=True)
class FieldRow:
    """The description of one field."""

    name: str
    type: str
    interface: str | None
    special: frozenset[str]
    options: Mapping[str, Any]
    is_key: bool = False
    is_reference: bool = False
    is_unique: bool = False
    is_generated: bool = False
    """Whether the database computes it."""
    is_hidden: bool = False
    """Hidden in the Studio, directly or with its group."""
    validation: Mapping[str, Any] | None = None
    is_filterable: bool = False
    """Whether rows can be filtered by its value."""
    note: str = ""
    """The note shown with it in the Studio."""
    longest: int | None = None
    """The maximum length of its column in characters."""
    number: float = math.inf
    """The older a field, the lower its number."""

    @property
    def holds_value(self) -> bool:
        """Whether rows hold a value for it; groups, dividers and the reverse side of relations have none."""
        return self.type != "alias"

    @property
    def is_secret(self) -> bool:
        """Whether it is hidden from people: hidden, masked or concealed."""
        return self.is_hidden or bool(hides(self.type, self.interface, self.special, self.options))


def _is_filterable(row: Mapping[str, Any]) -> bool:
    """Whether Directus and its database can filter rows by the exact value of a field."""
    meta, column = row.get("meta") or {}, row.get("schema") or {}
    return (
        row["type"] in _FILTERABLE_TYPES
        and str(column.get("data_type")).lower() not in _UNFILTERABLE_COLUMNS
        and HIDING_SPECIALS.isdisjoint(meta.get("special") or ())
    )


class FieldRows:
    """The fields by collection, each parsed on demand, so that an anomaly in one affects no other."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Parse the response of `GET /fields`."""
        self._rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            self._rows[row["collection"]].append(row)

    def __getitem__(self, collection: str) -> list[FieldRow]:
        rows = self._rows.get(collection, ())
        metas = {row["field"]: row.get("meta") or {} for row in rows}
        return [_field(row, metas) for row in rows]


def _field(row: Mapping[str, Any], metas: Mapping[str, Mapping[str, Any]]) -> FieldRow:
    meta, schema = row.get("meta") or {}, row.get("schema") or {}
    return FieldRow(
        name=row["field"],
        type=row["type"],
        interface=meta.get("interface"),
        special=frozenset(meta.get("special") or ()),
        options=meta.get("options") or {},
        is_key=bool(schema.get("is_primary_key")),
        is_reference=bool(schema.get("foreign_key_table")),
        is_unique=bool(schema.get("is_unique")),
        is_generated=bool(schema.get("is_generated")),
        is_hidden=_is_hidden(row["field"], metas),
        validation=meta.get("validation"),
        is_filterable=_is_filterable(row),
        note=" ".join(str(meta.get("note") or "").split()),
        longest=schema.get("max_length") if row["type"] == "string" else None,
        number=meta.get("id") or math.inf,
    )


def _is_hidden(name: str, metas: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a field is hidden in the Studio, directly or with a group around it."""
    seen: set[str] = set()
    at: str | None = name
    while at and at not in seen:
        seen.add(at)
        meta = metas.get(at, {})
        if always_hidden(meta):
            return True
        at = meta.get("group")
    return False


def always_hidden(meta: Mapping[str, Any]) -> bool:
    """Whether a field is hidden and none of its conditions ever shows it."""
    conditions = meta.get("conditions") or ()
    return bool(meta.get("hidden")) and not any(condition.get("hidden") is False for condition in conditions)


def hides(type_: str, interface: str | None, special: Iterable[str], options: Mapping[str, Any]) -> bool:
    """Whether a field shows people asterisks instead of its value."""
    return (
        type_ == "hash"
        or interface in _HIDING_INTERFACES
        or not HIDING_SPECIALS.isdisjoint(special)
        or bool(options.get("masked"))
    )
