"""The model of a built-in enrichment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from directus_assets.directus.models import JsonValue
from directus_assets.directus.project_schema import CollectionSchema
from directus_assets.enrichment.text_statistics import plain
from directus_assets.images.inspection import Facts
from directus_assets.settings import EnrichmentOptions, ResultOptions

Values: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class Material:
    """The input of the engine `local`."""

    inputs: Values
    """The input fields, by name."""
    result: Mapping[str, ResultOptions]
    """The requested result, with all choices."""
    picture: bytes | None = None

    @property
    def text(self) -> str:
        """All input texts without markup, one per line."""
        texts = (plain(value) for value in self.inputs.values() if isinstance(value, str))
        return "\n".join(text for text in texts if text)


@dataclass(frozen=True, kw_only=True)
class ModerationNotice:
    """A notification to people with a role when a result is written."""

    role: str
    """The name or the id of the role."""
    subject: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Builtin:
    """A declaration with defaults. All its functions are pure.

    Attributes:
        defaults: as in the YAML file. Targets that the collection lacks are ignored.
        expects: default input fields, if the collection has all of them. Otherwise a built-in without a picture uses
            all existing texts.
        expand: completes the declaration from the YAML file's `options` and the collection.
        derive: computes additional values from those of the checked answer, the input and the options. `targets` may
            use their names, besides those of the result.
        derives: the names that `derive` adds, each with its type, in the form of `result`.
        neutral: values of targets, by result name, that belong to nobody, such as database defaults.
        follows_content: whether a human value applies only to the content it was given for: for later content it is
            overwritten, whereas other enrichments would keep it for review.
        overrules: result names whose non-empty values override a human value, once for each content.
        notice: the notification when these values were written; None for none.
        local: computes the answer of the engine `local` from statistics.
        measure: computes the values from the picture and its header; no engine is called, whatever is configured.
    """

    defaults: EnrichmentOptions
    expects: tuple[str, ...] = ()
    expand: Callable[[EnrichmentOptions, CollectionSchema], EnrichmentOptions] | None = None
    derive: Callable[[Values, Values, EnrichmentOptions], Values] | None = None
    derives: Mapping[str, str] | None = None
    neutral: Mapping[str, tuple[JsonValue, ...]] = field(default_factory=dict)
    follows_content: bool = False
    overrules: frozenset[str] = frozenset()
    notice: Callable[[Values, EnrichmentOptions], ModerationNotice | None] | None = None
    local: Callable[[Material], Values] | None = None
    measure: Callable[[bytes, Facts], Values] | None = None


def whole_number(value: JsonValue) -> int | None:
    """An integer, also if given as text; None for anything else."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
