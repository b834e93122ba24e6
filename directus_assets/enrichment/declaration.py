"""A declared enrichment as it is carried out: the YAML file and a built-in's defaults, checked by Directus' schema."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from directus_assets.directus.project_schema import CollectionSchema, FieldSchema
from directus_assets.directus.schema import LanguageRow, TranslatedCollection
from directus_assets.enrichment.builtin.model import Builtin
from directus_assets.settings import ChoiceSource, EnrichmentOptions, ResultOptions

FILES: Final = "directus_files"

_VERSION: Final = 1
"""Part of every code version: raise it when the same declaration has to give other results than before."""


@dataclass(frozen=True, kw_only=True)
class TargetField:
    """A field of an item, wherever it is."""

    field: FieldSchema
    is_translated: bool = False
    """Whether it is a field of the translations of the item, and not of the item itself."""

    @property
    def name(self) -> str:
        """The name of the field."""
        return self.field.name


@dataclass(frozen=True, kw_only=True)
class RowTarget:
    """Another collection, where results become rows."""

    collection: CollectionSchema
    item_field: str
    each: str | None
    fields: Mapping[str, FieldSchema]
    """Member of the element (or of the result) to field."""

    @property
    def about(self) -> str | None:
        """The field that says what a row is about, where rows name other items: there is one row for each of them."""
        named = self.fields.get("item")
        return named.name if named else None


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One enrichment of one collection."""

    name: str
    options: EnrichmentOptions
    """The YAML file's, with what the built-in has beside them."""
    builtin: Builtin | None
    collection: CollectionSchema
    translated: TranslatedCollection | None
    source: LanguageRow | None
    """The language that the input is written in, where the collection is translated."""
    inputs: tuple[TargetField, ...]
    result: Mapping[str, ResultOptions]
    targets: Mapping[str, TargetField]
    """Name of a result to the field that it goes to."""
    not_read: tuple[str, ...] = ()
    """Texts of the item that are no input, and no target of any enrichment."""
    rows: RowTarget | None = None
    languages: tuple[LanguageRow, ...] = ()
    """The languages that it is asked for in; empty for once."""
    vocabularies: Mapping[str, ChoiceSource] = field(default_factory=dict)
    """Where choices are read from, by the path of the result."""
    vocabulary_keys: Mapping[str, str] = field(default_factory=dict)
    """The field of the primary key of each of these collections, by the same path."""

    @property
    def code_version(self) -> str:
        """A digest of all that the YAML file decides."""
        said = self.options.model_dump(mode="json", exclude={"enabled", "backfill_on_start", "review"})
        languages = [row.code for row in self.languages]
        parts = [said, self._named_inputs, languages, _VERSION]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def _named_inputs(self) -> list[str]:
        """The inputs that decide on their own. Of all texts that there are, what they hold decides: a new field that is
        empty yet is no reason to ask anew."""
        expected = self.builtin.expects if self.builtin and not self.options.input else None
        return [place.name for place in self.inputs if expected is None or place.name in expected]

    @property
    def reads(self) -> list[str]:
        """What an item is enriched from, in words."""
        picture = self.options.picture
        return [*(place.name for place in self.inputs), *([f"the picture in {picture}"] if picture else [])]

    @property
    def writes(self) -> list[str]:
        """Where results go, in words; empty for the partition alone."""
        rows = [f"rows of {self.rows.collection.name}"] if self.rows else []
        return [*(place.name for place in self.targets.values()), *rows]

    @property
    def needs_rows(self) -> bool:
        """Whether it has to do with the translations of the items."""
        return any(place.is_translated for place in (*self.inputs, *self.targets.values()))


def with_choices(
    result: Mapping[str, ResultOptions], choices: Mapping[str, Sequence[str]], path: str = ""
) -> dict[str, ResultOptions]:
    """The result with the choices that were read, by path (see `walk`)."""

    def filled(own: ResultOptions, at: str) -> ResultOptions:
        update: dict[str, Any] = {}
        if at in choices:
            update["choices"] = tuple(choices[at])
        if own.of:
            update["of"] = filled(own.of, f"{at}[]")
        if own.fields:
            update["fields"] = with_choices(own.fields, choices, f"{at}.")
        return own.model_copy(update=update) if update else own

    return {name: filled(own, f"{path}{name}") for name, own in result.items()}
