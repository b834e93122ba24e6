"""A declared enrichment ready to run: the YAML file and a built-in's defaults, validated against Directus' schema."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from directus_assets.directus.models import JsonValue
from directus_assets.directus.project_schema import CollectionSchema, FieldSchema
from directus_assets.directus.schema import LanguageRow, TranslatedCollection
from directus_assets.enrichment.builtin.model import Builtin
from directus_assets.ownership.field_records import digest
from directus_assets.ownership.refusals import refusal_key
from directus_assets.settings import ChoiceSource, EnrichmentOptions, ResultOptions

FILES: Final = "directus_files"

_VERSION: Final = 1
"""Part of every code version: increment it when the same declaration has to produce different results than before."""


@dataclass(frozen=True, kw_only=True)
class TargetField:
    """A field of an item, or of its translations."""

    field: FieldSchema
    is_translated: bool = False
    """Whether it is a field of the item's translations rather than of the item itself."""

    @property
    def name(self) -> str:
        """The name of the field."""
        return self.field.name


@dataclass(frozen=True, kw_only=True)
class RowTarget:
    """Another collection in which results become rows."""

    collection: CollectionSchema
    item_field: str
    each: str | None
    fields: Mapping[str, FieldSchema]
    """Maps members of the element (or of the result) to fields."""

    @property
    def name(self) -> str:
        """Its name in the record, which no field shares."""
        return f"{self.collection.name}[]"

    def refusal_key(self, values: Mapping[str, JsonValue]) -> str:
        """The key under which a refused row is stored (see `refusals.refusal_key`)."""
        return digest([refusal_key(field, values.get(field.name)) for field in self.fields.values()])

    @property
    def about(self) -> str | None:
        """The field that references the subject of a row, if rows name other items: there is one row for each of
        them.
        """
        named = self.fields.get("item")
        return named.name if named else None


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One enrichment of one collection."""

    name: str
    options: EnrichmentOptions
    """The YAML file's options, completed by the built-in's."""
    builtin: Builtin | None
    collection: CollectionSchema
    translated: TranslatedCollection | None
    source: LanguageRow | None
    """The language of the input, if the collection is translated."""
    inputs: tuple[TargetField, ...]
    result: Mapping[str, ResultOptions]
    targets: Mapping[str, TargetField]
    """Maps names of results to their target fields."""
    not_read: tuple[str, ...] = ()
    """Texts of the item that are neither input nor a target of any enrichment."""
    rows: RowTarget | None = None
    languages: tuple[LanguageRow, ...] = ()
    """The languages to ask for; empty to ask once."""
    vocabularies: Mapping[str, ChoiceSource] = field(default_factory=dict)
    """The sources of choices, by the path of the result."""
    vocabulary_keys: Mapping[str, str] = field(default_factory=dict)
    """The primary key field of each of these collections, by the same path."""

    @property
    def code_version(self) -> str:
        """A digest of everything that the YAML file determines."""
        said = self.options.model_dump(mode="json", exclude={"enabled", "backfill_on_start", "review"})
        languages = [row.code for row in self.languages]
        parts = [said, self._named_inputs, languages, _VERSION]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def _named_inputs(self) -> list[str]:
        """Inputs that matter by name.

        If all existing texts are input, only their contents matter: a new, empty field is no reason to ask again.
        """
        expected = self.builtin.expects if self.builtin and not self.options.input else None
        return [place.name for place in self.inputs if expected is None or place.name in expected]

    @property
    def reads(self) -> list[str]:
        """The sources of an enrichment, in words."""
        picture = self.options.picture
        return [*(place.name for place in self.inputs), *([f"the picture in {picture}"] if picture else [])]

    @property
    def writes(self) -> list[str]:
        """The targets of results, in words; empty if they are only shown on the partition."""
        rows = [f"rows of {self.rows.collection.name}"] if self.rows else []
        return [*(place.name for place in self.targets.values()), *rows]

    @property
    def needs_rows(self) -> bool:
        """Whether it uses the items' translations."""
        return any(place.is_translated for place in (*self.inputs, *self.targets.values()))


def with_choices(
    result: Mapping[str, ResultOptions], choices: Mapping[str, Sequence[str]], path: str = ""
) -> dict[str, ResultOptions]:
    """The result with the current choices, by path (see `walk`)."""

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
