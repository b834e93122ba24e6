"""What a built-in enrichment is made of."""

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
    """What the engine `local` answers from."""

    inputs: Values
    """The input fields, by name."""
    result: Mapping[str, ResultOptions]
    """What is wanted, with all choices."""
    picture: bytes | None = None

    @property
    def text(self) -> str:
        """All texts of the input, without markup, each on a line."""
        texts = (plain(value) for value in self.inputs.values() if isinstance(value, str))
        return "\n".join(text for text in texts if text)


@dataclass(frozen=True, kw_only=True)
class ModerationNotice:
    """What people of a role are told when a result is written."""

    role: str
    """The name or the id of the role."""
    subject: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Builtin:
    """A declaration with defaults. All its functions are pure.

    Attributes:
        defaults: as it would stand in the YAML file. Of its targets those count that the collection has.
        expects: fields that it takes as input where the YAML file names none and the collection has them. Unless it
            has all of them, a built-in that looks at no picture takes all texts that there are.
        expand: completes the declaration from what the YAML file has below `options`, and from the collection.
        derive: makes the values that are written from those of the checked answer, from the input and the options. Its
            names can be used in `targets`, besides those of the result.
        derives: the names that `derive` adds, with the type of each, as `result` has it.
        neutral: values of targets, by name of the result, that are nobody's: what a database fills in by itself.
        follows_content: whether a human's value stands for the content that it was given to only, and not for later
            content: then it is overwritten, where another's would be kept for review.
        overrules: names of the result whose values are put over a human's, once for each content, where there is one.
        notice: what people are told when these values were written; None for nothing.
        local: the answer of the engine `local`, from statistics.
        measure: the values, from the picture itself and what its header says: then no engine is asked, whatever it is.
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
    """A whole number, also where it is given as text; None for anything else."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
