"""The collections of a project with their fields and relations, as needed to validate declarations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.field_kinds import hidden_members, holds_text
from directus_assets.directus.field_rows import FieldRow, FieldRows
from directus_assets.directus.schema import TranslatedCollection, alone, read_translated_collections
from directus_assets.directus.validation import spelled
from directus_assets.errors import PermanentError


@dataclass(frozen=True, kw_only=True)
class FieldSchema:
    """One field that holds a value; alias fields hold none."""

    name: str
    type: str
    """Directus' type name, such as `string`, `text`, `json`, `csv`, `float` or `uuid`."""
    is_key: bool = False
    related: str | None = None
    """The collection that it references."""
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    """The choices that the Studio offers for it."""
    is_text: bool | None = None
    """Whether it holds human-readable text; None if that was not examined."""
    is_filterable: bool = field(default=False, compare=False)
    """Whether rows can be filtered by its value."""
    is_secret: bool = False
    """Whether it is hidden from people."""
    hidden_members: tuple[str, ...] = ()
    """The members of a repeater that are hidden from people, such as `rows.note`."""
    rule: str = field(default="", compare=False)
    """The field's validation rule, as JSON."""
    is_unique: bool = field(default=False, compare=False)
    """Whether no two rows may have the same value."""

    @property
    def longest(self) -> int | None:
        """The maximum number of characters; None if unlimited."""
        return self.max_length


@dataclass(frozen=True, kw_only=True)
class CollectionSchema:
    """One collection."""

    name: str
    fields: tuple[FieldSchema, ...]
    is_singleton: bool = False
    is_versioned: bool = False

    @property
    def key_field(self) -> str:
        """The field of the primary key."""
        return next((field.name for field in self.fields if field.is_key), "id")

    def field(self, name: str) -> FieldSchema | None:
        """The field with this name."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True)
class ProjectSchema:
    """All collections that the token sees, including the translated ones."""

    collections: tuple[CollectionSchema, ...] = ()
    translated: tuple[TranslatedCollection, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, CollectionSchema]:
        """The collections by name."""
        return {each.name: each for each in self.collections}

    def translations_of(self, collection: str) -> TranslatedCollection | None:
        """The translations of a collection, if it has any."""
        return next((each for each in self.translated if each.collection == collection), None)


def read_project_schema(client: DirectusClient, *, faults: dict[str, PermanentError] | None = None) -> ProjectSchema:
    """Read the schema, as far as the token sees it.

    Args:
        client: Directus.
        faults: receives the collections that cannot be described, with the errors; if not given, the first error is
            raised.

    Raises:
        DirectusAssetsError: it cannot be read.
    """
    related = {
        (row["collection"], row["field"]): row.get("related_collection")
        for row in client.schema_rows("/relations")
        if row.get("related_collection")
    }
    answered = client.schema_rows("/fields")
    described = FieldRows(answered)
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in answered:
        rows.setdefault(row["collection"], []).append(row)
    metas = {
        row["collection"]: row.get("meta") or {} for row in client.schema_rows("/collections") if row.get("schema")
    }
    collections = []
    for name, meta in sorted(metas.items()):
        with alone(name, faults):
            pairs = zip(rows.get(name, ()), described[name], strict=True)
            fields = [_field(row, field, related) for row, field in pairs if field.holds_value]
            collections.append(
                CollectionSchema(
                    name=name,
                    fields=tuple(sorted(fields, key=lambda field: field.name)),
                    is_singleton=bool(meta.get("singleton")),
                    is_versioned=bool(meta.get("versioning")),
                )
            )
    translated = read_translated_collections(client, with_system=True, faults=faults)
    return ProjectSchema(tuple(collections), translated)


def _field(row: Mapping[str, Any], field: FieldRow, related: Mapping[tuple[str, str], str]) -> FieldSchema:
    column = row.get("schema") or {}
    return FieldSchema(
        name=row["field"],
        type=row["type"],
        is_key=bool(column.get("is_primary_key")),
        related=related.get((row["collection"], row["field"])),
        max_length=column.get("max_length") if row["type"] == "string" else None,
        choices=_choices((row.get("meta") or {}).get("options") or {}),
        is_text=_is_content(row) and holds_text(field),
        is_filterable=field.is_filterable,
        is_secret=field.is_secret,
        hidden_members=hidden_members(field),
        rule=spelled(field.validation),
        is_unique=field.is_unique,
    )


def _is_content(row: Mapping[str, Any]) -> bool:
    """Of Directus' own content, such as file names, only two fields are written by people for people."""
    is_system = bool((row.get("meta") or {}).get("system"))
    return not is_system or (row["collection"] == "directus_files" and row["field"] in ("title", "description"))


def _choices(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The choices of an interface: `choices` of a dropdown or of checkboxes, `presets` of tags."""
    offered = options.get("choices") or options.get("presets") or ()
    values = (choice.get("value") if isinstance(choice, dict) else choice for choice in offered)
    return tuple(value for value in values if isinstance(value, str))
