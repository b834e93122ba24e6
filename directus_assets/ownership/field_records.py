"""What is recorded about a target field, so that our text in it is told from a person's; and digests of values.

The records of translations and enrichments contain these records of their fields.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from directus_assets.directus.models import JsonValue
from directus_assets.json_text import shallow, well_formed

Refused: TypeAlias = Mapping[str, Mapping[str, str]]
"""For each field, the values that Directus refused (see `refusals.refusal_key`) with its reasons."""

_MOST_REFUSED: Final = 60
"""The number of refused values stored per field: more than the numbers an address can get."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """A source value and our translation of it, both as text."""

    source: str
    ours: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldRecord:
    """The record of one target field.

    Attributes:
        source: the source value (see `canonical`) for which the target was last known to be correct.
        written: digest of our last write; empty if there was none.
        intended: digest of the value about to be written; empty if no write is in progress. It is stored before the
            write, so that text from a killed run is recognised as ours.
        seen_source: digest of the source when the target was last found to be human.
        seen_target: digest of that human text.
        ours: our translation of `source`, as text, even if a human has changed parts of it since; empty if unknown, in
            which case the field has a single owner.
        before: `source` and `ours` from before the write in progress, which a killed run may not have completed.
        waiting: the segments that wait for a human: see `merge.Merged.waiting`.
    """

    source: str
    written: str = ""
    intended: str = ""
    seen_source: str = ""
    seen_target: str = ""
    ours: str = ""
    before: Base | None = None
    waiting: Mapping[str, str] = field(default_factory=dict)

    def confirmed(self) -> "FieldRecord":
        """The record after its intended write has succeeded."""
        return replace(self, written=self.intended or self.written, intended="", before=None)


def with_refused(known: Refused, more: Refused) -> Refused:
    """The refused values with additional ones; the oldest are dropped if there are too many."""
    latest = {
        name: dict([*{**known.get(name, {}), **values}.items()][-_MOST_REFUSED:]) for name, values in more.items()
    }
    return {**known, **latest}


def canonical(value: JsonValue) -> str:
    """A field's value as text: equal for equal values, however the database orders an object's keys."""
    if value is None:
        return ""
    return well_formed(value if isinstance(value, str) else _sorted_json(value))


def digest(value: JsonValue) -> str:
    """A digest of a field's value."""
    return _sha256(canonical(value))[:32]


def _sorted_json(value: JsonValue) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError):  # not JSON, or nested too deeply
        return json.dumps(shallow(value), ensure_ascii=False, sort_keys=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
