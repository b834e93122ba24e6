"""The section `enrichments`: the values to derive from items and pictures, and their targets.

By collection, then by name. The name of a built-in enrichment needs nothing more than `{}`; any settings override the
built-in's own declaration.
"""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from directus_assets.settings.section import Filter, Section, Texts

ResultType = Literal["text", "number", "integer", "boolean", "choice", "list", "object"]


class ChoiceSource(Section):
    """Choices from rows of one of the project's collections."""

    collection: str
    field: str = "name"
    """The field that names a row in the answer."""
    filter: Filter = Field(default_factory=dict)


class ResultOptions(Section):
    """One field of a result. Short forms: `text` is `{type: text}`, and `[yes, no]` is a choice of these two."""

    type: ResultType = "text"
    description: str = ""
    """A description for the engine."""
    optional: bool = False
    """Whether the engine may omit it (null)."""
    min_length: int | None = Field(default=None, ge=0)
    max_length: int | None = Field(default=None, ge=1)
    """Maximum characters of a text."""
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] | ChoiceSource | None = None
    of: "ResultOptions | None" = None
    """The type of a list's elements."""
    min_items: int | None = Field(default=None, ge=0)
    max_items: int | None = Field(default=None, ge=1)
    fields: dict[str, "ResultOptions"] = Field(default_factory=dict)
    """The fields of an object."""

    TAKES: ClassVar[dict[str, frozenset[str]]] = {
        "text": frozenset({"min_length", "max_length"}),
        "number": frozenset({"min", "max"}),
        "integer": frozenset({"min", "max"}),
        "boolean": frozenset(),
        "choice": frozenset({"choices"}),
        "list": frozenset({"of", "min_items", "max_items"}),
        "object": frozenset({"fields"}),
    }

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"type": value}
        return {"type": "choice", "choices": value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if "type" not in self.model_fields_set:
            return self  # It may override a part of a built-in's result; the combination is checked later.
        takes = self.TAKES[self.type]
        for other in sorted(frozenset().union(*self.TAKES.values()) - takes):
            if getattr(self, other):
                raise ValueError(f"`{other}` does not apply to a result of the type `{self.type}`")
        needed = {"choice": "choices", "list": "of", "object": "fields"}.get(self.type)
        if needed and not getattr(self, needed):
            raise ValueError(f"a result of the type `{self.type}` needs `{needed}`")
        for low, high in (("min_length", "max_length"), ("min", "max"), ("min_items", "max_items")):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise ValueError(f"`{low}` is above `{high}`")
        return self


class RowOptions(Section):
    """Results that become rows of another collection."""

    collection: str
    item_field: str
    """The field of that collection that references the item."""
    each: str | None = None
    """The list in the result whose elements become one row each; unset: the whole result is one row."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Maps members of the element (or of the result) to fields; `value` for an element that is not an object."""


class EnrichmentOptions(Section):
    """One declared enrichment."""

    enabled: bool = True
    builtin: str | None = None
    """The built-in that it is based on; unset: the one with the same name, if it exists."""
    prompt: str = ""
    """The instructions for the engine."""
    input: Texts = ()
    """The input fields; in the source language if they are translated."""
    picture: str | None = None
    """The field with a picture to look at; `id` for `directus_files`, whose items are the pictures."""
    filter: Filter = Field(default_factory=dict)
    """Only items that match this Directus filter."""
    result: dict[str, ResultOptions] = Field(default_factory=dict)
    target: str | None = None
    """The target field, if the result has a single field."""
    targets: dict[str, str] = Field(default_factory=dict)
    """Maps results to their target fields. Results without a target are only recorded on the partition."""
    rows: RowOptions | None = None
    languages: Texts | None = None
    """For targets in the item's translations: these languages (or `all`), each requested in its own language.

    Unset: requested once, and translated targets are those of the source language.
    """
    when: Literal["always", "empty"] = "always"
    """`empty`: items with a human value in a target are skipped, at no cost."""
    engine: str = "auto"
    """`auto` and `openai`: the endpoint of OPENAI_API_KEY; other engines are chosen by name."""
    model: str | None = None
    """Unset: OPENAI_MODEL."""
    review: Literal["metadata", "version"] = "metadata"
    """Where to save a proposal that would overwrite a human value: on the partition's page only, or also in a content
    version.
    """
    max_characters: int = Field(default=20_000, ge=100, le=1_000_000)
    """Maximum characters of the input for the engine."""
    when_longer: Literal["cut", "fail"] = "cut"
    backfill_on_start: bool = False
    """Whether items that exist when it is first declared are enriched at once, or wait for a backfill."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Additional options of a built-in."""

    @field_validator("languages", "input", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value
