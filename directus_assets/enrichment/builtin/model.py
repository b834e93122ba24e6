"""What a built-in enrichment is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from directus_assets.directus.models import JsonValue
from directus_assets.settings import EnrichmentOptions

Values: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class Builtin:
    """A declaration with defaults.

    Attributes:
        defaults: as it would stand in the YAML file.
        expects: fields that it takes as input where the YAML file names none and the collection has them.
        derive: makes the values that are written from those of the checked answer and the options; pure. Its names can
            be used in `targets`, besides those of the result.
        derives: the names that `derive` adds, with the type of each, as `result` has it.
    """

    defaults: EnrichmentOptions
    expects: tuple[str, ...] = ()
    derive: Callable[[Values, EnrichmentOptions], Values] | None = None
    derives: Mapping[str, str] | None = None
