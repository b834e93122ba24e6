"""Which collections of a project are translated, found in its schema.

The pattern is the one that the Studio makes for an interface of the type *translations*: an alias field with the
special `translations` on the parent, a relation from the translations collection to the parent (`meta.one_field` is
the alias, `meta.junction_field` the language's field), and its twin from that field to the collection of languages.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import langcodes

from directus_assets.directus.client import DirectusClient
from directus_assets.errors import PermanentError, as_error
from directus_assets.json_text import well_formed

_KIND_OF_INTERFACE: dict[str | None, str] = {
    "input": "plain",
    "input-multiline": "plain",
    "textarea": "plain",
    "input-rich-text-html": "html",
    "wysiwyg": "html",
    "input-rich-text-md": "markdown",
    "markdown": "markdown",
    "input-block-editor": "blocks",
    "tags": "tags",
    "list": "repeater",
    None: "plain",
}
_TEXT_TYPES = frozenset({"string", "text"})
_STRUCTURED_KINDS = frozenset({"blocks", "tags", "repeater"})
_FILTERABLE_TYPES = frozenset({"string", "text", "csv", "integer", "boolean", "uuid"})
"""Databases have no equality of JSON, and of floats only an approximate one."""
_UNFILTERABLE_COLUMNS = frozenset({"clob", "nclob", "ntext"})
_MASKED = frozenset({"conceal", "hash", "encrypt"})
_CODE_FIELDS = ("code", "language_code", "locale", "iso", "iso_code", "key", "id")


@dataclass(frozen=True, kw_only=True)
class TextField:
    """A field that holds text to translate."""

    name: str
    kind: str
    """How its value is read: `plain`, `html`, `markdown`, `blocks`, `slug`, `tags` or `repeater`."""
    members: tuple[str, ...] | None = None
    """Repeaters: the members that hold text; None to tell by name and value."""
    is_filterable: bool = field(default=False, compare=False)
    """Whether rows can be selected by its value."""


@dataclass(frozen=True, kw_only=True)
class LanguageRow:
    """One language of the project: the key of its row, and its code."""

    key: str
    code: str


@dataclass(frozen=True, kw_only=True)
class TranslatedCollection:
    """A collection with translations, and where everything about them is."""

    collection: str
    key_field: str
    translations: str
    """The collection that holds one row for each item and language."""
    translations_key_field: str
    item_field: str
    """The field of `translations` that points to the item."""
    language_field: str
    """The field of `translations` that points to the language."""
    languages: tuple[LanguageRow, ...]
    languages_collection: str
    fields: tuple[TextField, ...]
    item_fields: tuple[str, ...] = ()
    """Those of the fields that the item itself has, too."""
    alias_field: str = "translations"
    """The field of the item that stands for its translations; it has no column."""
    default_language: str | None = None
    """What the interface in the Studio shows first."""
    is_singleton: bool = False
    is_versioned: bool = False
    """Whether Directus keeps content versions of `translations`."""
    source_language_fields: tuple[str, ...] = ()
    """The fields of the item that point to a language."""
    code_fields: tuple[str, ...] = ()
    """The fields of the item that could hold the code of a language."""
    is_first: bool = True
    """Whether it goes by the name of the collection: the oldest of its fields of translations does."""

    @property
    def name(self) -> str:
        """What tells these translations from all others: the collection, with a second field's name behind it."""
        return self.collection if self.is_first else f"{self.collection}.{self.alias_field}"

    def language(self, code: str) -> LanguageRow | None:
        """The language of this code; None where Directus has no such language."""
        return next((row for row in self.languages if row.code == code), None)

    def language_key(self, code: str) -> str | None:
        """The key of the row of a language; None where Directus has no such language."""
        row = self.language(code)
        return row.key if row else None


@dataclass(frozen=True, kw_only=True)
class _Field:
    name: str
    type: str
    interface: str | None
    special: frozenset[str]
    options: Mapping[str, Any]
    is_key: bool
    is_reference: bool
    is_filterable: bool
    number: float = math.inf
    """The older a field is, the lower is its number."""


def is_filterable(row: Mapping[str, Any]) -> bool:
    """Whether Directus and its database select rows by the very value of a field (a row of `GET /fields`)."""
    meta, column = row.get("meta") or {}, row.get("schema") or {}
    return (
        row["type"] in _FILTERABLE_TYPES
        and str(column.get("data_type")).lower() not in _UNFILTERABLE_COLUMNS
        and _MASKED.isdisjoint(meta.get("special") or ())
    )


def read_translated_collections(
    client: DirectusClient, *, with_system: bool = False, faults: dict[str, PermanentError] | None = None
) -> tuple[TranslatedCollection, ...]:
    """All collections of a project that have translations, as far as the token sees them.

    Args:
        client: Directus.
        with_system: those of Directus itself, too, such as its files. They are not translated: their items are not at
            `/items`, and their changes have another form.
        faults: takes the collections that cannot be described, and why; otherwise the first of them is raised.

    Raises:
        DirectusAssetsError: the schema cannot be read.
    """
    relations = client.get("/relations")
    fields = _Fields(client.get("/fields"))
    collections = {row["collection"]: row.get("meta") or {} for row in client.get("/collections")}
    found = []
    for relation in relations:
        parent = relation.get("related_collection") or ""
        if with_system or not parent.startswith("directus_"):
            with alone(parent, faults):
                if twin := _twin(relation, relations, fields):
                    languages = _languages(client, twin["related_collection"], fields)
                    collection = _describe(relation, twin, fields, collections, languages)
                    pointing = _pointing(collection, relations, fields)
                    found.append(replace(collection, source_language_fields=pointing))
    # Which of a collection's fields of translations is the first one cannot be told while one of them is at fault.
    whole = [each for each in found if each.fields and each.collection not in (faults or ())]
    return tuple(_named_apart(whole, fields))


@contextmanager
def alone(collection: str, faults: dict[str, PermanentError] | None) -> Iterator[None]:
    """Whatever makes it impossible to describe a collection becomes its fault.

    Raises:
        DirectusAssetsError: where nobody takes faults; or Directus is in trouble.
    """
    try:
        yield
    except Exception as error:
        fault = as_error(error)
        if faults is None or not isinstance(fault, PermanentError):
            raise
        faults[collection] = fault


class _Fields:
    """The fields by collection; made of what Directus answers when they are asked for."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            self._rows[row["collection"]].append(row)

    def __getitem__(self, collection: str) -> list[_Field]:
        return [_field(row) for row in self._rows.get(collection, ())]


def _field(row: Mapping[str, Any]) -> _Field:
    meta, schema = row.get("meta") or {}, row.get("schema") or {}
    return _Field(
        name=row["field"],
        type=row["type"],
        interface=meta.get("interface"),
        special=frozenset(meta.get("special") or ()),
        options=meta.get("options") or {},
        is_key=bool(schema.get("is_primary_key")),
        is_reference=bool(schema.get("foreign_key_table")),
        number=meta.get("id") or math.inf,
        is_filterable=is_filterable(row),
    )


def _named_apart(found: Iterable[TranslatedCollection], fields: _Fields) -> Iterator[TranslatedCollection]:
    """Sorted by name. A field of translations that is added to a collection leaves what the first one is known by."""

    def age(each: TranslatedCollection) -> tuple[str, float, bool, str]:
        alias = _named(fields[each.collection], each.alias_field)
        number = alias.number if alias else math.inf
        return each.collection, number, each.alias_field != "translations", each.alias_field

    for _, own in itertools.groupby(sorted(found, key=age), key=lambda each: each.collection):
        first, *others = own
        yield first
        yield from (replace(each, is_first=False) for each in others)


def _twin(
    relation: Mapping[str, Any], relations: Sequence[Mapping[str, Any]], fields: _Fields
) -> Mapping[str, Any] | None:
    """The relation to the languages, where `relation` is that of a translations collection to its parent."""
    meta = relation.get("meta") or {}
    parent = relation.get("related_collection") or ""
    alias = _named(fields[parent], meta.get("one_field"))
    if alias is None or "translations" not in alias.special or not meta.get("junction_field"):
        return None
    wanted = (relation["collection"], meta["junction_field"])
    return next((r for r in relations if (r["collection"], r["field"]) == wanted and r.get("related_collection")), None)


def _describe(
    relation: Mapping[str, Any],
    twin: Mapping[str, Any],
    fields: _Fields,
    collections: Mapping[str, Mapping[str, Any]],
    languages: tuple[LanguageRow, ...],
) -> TranslatedCollection:
    parent, rows = relation["related_collection"], relation["collection"]
    alias = _named(fields[parent], relation["meta"]["one_field"])
    own = {field.name for field in _text_fields(fields[parent])}
    texts = [f for f in _text_fields(fields[rows]) if f.name not in (relation["field"], twin["field"])]
    return TranslatedCollection(
        collection=parent,
        key_field=_key(fields[parent]),
        translations=rows,
        translations_key_field=_key(fields[rows]),
        item_field=relation["field"],
        language_field=twin["field"],
        languages=languages,
        languages_collection=twin["related_collection"],
        fields=tuple(texts),
        item_fields=tuple(field.name for field in texts if field.name in own),
        alias_field=relation["meta"]["one_field"],
        default_language=(alias.options.get("defaultLanguage") if alias else None) or None,
        is_singleton=bool(collections.get(parent, {}).get("singleton")),
        is_versioned=bool(collections.get(rows, {}).get("versioning")),
        code_fields=tuple(f.name for f in fields[parent] if f.type == "string" and not f.is_key and not f.is_reference),
    )


def _pointing(
    collection: TranslatedCollection, relations: Iterable[Mapping[str, Any]], fields: _Fields
) -> tuple[str, ...]:
    """The fields of the item that point to one of its languages; a language that points to another is no such item."""
    parent, languages = collection.collection, collection.languages_collection
    if parent == languages:
        return ()
    pointing = {r["field"] for r in relations if (r["collection"], r.get("related_collection")) == (parent, languages)}
    return tuple(field.name for field in fields[parent] if field.name in pointing)


def _text_fields(fields: Iterable[_Field]) -> list[TextField]:
    """The fields that hold text, by type and interface; keys, references and what Directus fills are none."""
    found = []
    for each in fields:
        if each.is_key or each.is_reference or each.special - {"cast-json", "cast-csv"}:
            continue
        kind, members = _KIND_OF_INTERFACE.get(each.interface), None
        if kind in _STRUCTURED_KINDS and each.type in ("json", "csv"):
            members = _members(each)
        elif kind and kind not in _STRUCTURED_KINDS and each.type in _TEXT_TYPES:
            is_slug = bool(each.options.get("slug")) or each.name == "slug" or each.name.endswith("_slug")
            kind = "slug" if is_slug else kind
        else:
            continue
        found.append(TextField(name=each.name, kind=kind, members=members, is_filterable=each.is_filterable))
    return found


def holds_text(row: Mapping[str, Any]) -> bool:
    """Whether a field, as Directus describes it, holds text that people read; addresses and states are none."""
    return any(field.kind != "slug" and field.name != "status" for field in _text_fields([_field(row)]))


def _members(field: _Field) -> tuple[str, ...] | None:
    """The text members of a repeater, where its interface says what it is made of."""
    declared = field.options.get("fields")
    if field.interface != "list" or not declared:
        return None
    return tuple(
        member["field"]
        for member in declared
        if member.get("type") in (None, *_TEXT_TYPES)
        and _KIND_OF_INTERFACE.get((member.get("meta") or {}).get("interface")) in ("plain", "html", "markdown")
    )


def _languages(client: DirectusClient, collection: str, fields: _Fields) -> tuple[LanguageRow, ...]:
    key = _key(fields[collection])
    rows = list(client.rows(f"/items/{collection}", fields=["*"], sort=key))
    code = _code_field(rows, key)
    found: dict[str, LanguageRow] = {}
    for row in rows:
        if row.get(code):
            # Where two rows have the same code, the first one counts.
            name = well_formed(str(row[code]))
            found.setdefault(name, LanguageRow(key=well_formed(str(row[key])), code=name))
    return tuple(found.values())


def _code_field(rows: Sequence[Mapping[str, Any]], key: str) -> str:
    """The field that holds language codes: that of the usual ones with the most codes in it; the key before others."""

    def codes(name: str) -> int:
        return sum(isinstance(row.get(name), str) and langcodes.tag_is_valid(row[name]) for row in rows)

    return max((key, *_CODE_FIELDS), key=codes)


def _named(fields: Iterable[_Field], name: str | None) -> _Field | None:
    return next((field for field in fields if field.name == name), None)


def _key(fields: Iterable[_Field]) -> str:
    return next((field.name for field in fields if field.is_key), "id")
