"""Values that Directus refused, which are never sent again; shared by translations and enrichments."""

from typing import Protocol

from directus_assets.directus.models import JsonValue
from directus_assets.ownership.field_records import digest


class Ruled(Protocol):
    """The part of a field's definition that determines which values Directus accepts."""

    @property
    def rule(self) -> str:
        """Its validation rule, as JSON; empty if there is none."""

    @property
    def longest(self) -> int | None:
        """The maximum number of characters; None if unlimited."""

    @property
    def is_unique(self) -> bool:
        """Whether values have to be unique."""


def refusal_key(field: Ruled, value: JsonValue) -> str:
    """The key under which a refused value of a field is stored, valid while the field's definition stays the same."""
    return digest([digest(value), field.rule, field.longest, field.is_unique])
