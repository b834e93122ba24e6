"""Values that Directus refused and that are not sent again, for translations and enrichments alike."""

from typing import Protocol

from directus_assets.directus.models import JsonValue
from directus_assets.ownership.field_records import digest


class Ruled(Protocol):
    """A field's definition, as far as it decides which values Directus takes."""

    @property
    def rule(self) -> str:
        """Its validation rule, as JSON; empty for none."""

    @property
    def longest(self) -> int | None:
        """The maximum number of characters; None if unlimited."""

    @property
    def is_unique(self) -> bool:
        """Whether values have to be unique."""


def refusal_key(field: Ruled, value: JsonValue) -> str:
    """The key under which a refused value of a field is stored, valid while the field's definition stays the same."""
    return digest([digest(value), field.rule, field.longest, field.is_unique])
