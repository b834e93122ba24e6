"""The section `enrichments`: what is to be found out about items and pictures, and where it goes.

By collection, then by name. A name that a built-in enrichment has needs nothing more than `{}`; everything that is said
beside it overrules the built-in's own declaration.
"""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from directus_assets.settings.section import Filter, Section, Texts

ResultType = Literal["text", "number", "integer", "boolean", "choice", "list", "object"]


class ChoiceSource(Section):
    """Choices that are rows of a collection of the project."""

    collection: str
    field: str = "name"
    """What names a row in the answer."""
    filter: Filter = Field(default_factory=dict)


class ResultOptions(Section):
    """One field of a result. In short: `text` is `{type: text}`, and `[yes, no]` is a choice of these two."""

    type: ResultType = "text"
    description: str = ""
    """What the engine is told about it."""
    optional: bool = False
    """Whether the engine may leave it out (null)."""
    min_length: int | None = Field(default=None, ge=0)
    max_length: int | None = Field(default=None, ge=1)
    """Characters of a text."""
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] | ChoiceSource | None = None
    of: "ResultOptions | None" = None
    """What a list holds."""
    min_items: int | None = Field(default=None, ge=0)
    max_items: int | None = Field(default=None, ge=1)
    fields: dict[str, "ResultOptions"] = Field(default_factory=dict)
    """What an object holds."""

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
            return self  # It may overrule a part of a built-in's result; what comes of that is checked then.
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
    """The field of that collection that points to the item."""
    each: str | None = None
    """The list of the result whose elements become one row each; unset: the whole result is one row."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Member of the element (or of the result) to field; `value` for an element that is no object."""


class EnrichmentOptions(Section):
    """One declared enrichment."""

    enabled: bool = True
    builtin: str | None = None
    """The built-in that it starts from; unset: the one of the same name, if there is one."""
    prompt: str = ""
    """What the engine has to do."""
    input: Texts = ()
    """The fields that it is given; of the source language where they are translated."""
    picture: str | None = None
    """The field that holds a picture to look at; `id` for `directus_files`, whose items are the pictures."""
    filter: Filter = Field(default_factory=dict)
    """Only items that match this Directus filter."""
    result: dict[str, ResultOptions] = Field(default_factory=dict)
    target: str | None = None
    """The field that the result goes to, where it has one field only."""
    targets: dict[str, str] = Field(default_factory=dict)
    """Result to the field that it goes to. What is not named here is recorded on the partition only."""
    rows: RowOptions | None = None
    languages: Texts | None = None
    """Targets in the translations of the item: these languages (or `all`), each asked for in its own language. Unset:
    once, and targets that are translated are those of the source language."""
    when: Literal["always", "empty"] = "always"
    """`empty`: items that have something of a human's in a target are left alone, and cost nothing."""
    engine: str = "auto"
    """`auto` and `openai`: the endpoint of OPENAI_API_KEY; other engines are asked for by name."""
    model: str | None = None
    """Unset: OPENAI_MODEL."""
    review: Literal["metadata", "version"] = "metadata"
    """Where a proposal goes that would overwrite a human's value: the partition's page, or a content version too."""
    max_characters: int = Field(default=20_000, ge=100, le=1_000_000)
    """How much of the input the engine is given."""
    when_longer: Literal["cut", "fail"] = "cut"
    backfill_on_start: bool = False
    """Whether items that exist when it is first declared are enriched at once, or wait for a backfill."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What a built-in takes beside all this."""

    @field_validator("languages", "input", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value
