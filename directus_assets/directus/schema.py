"""Discovers the translated collections of a project from its schema.

The pattern is the one that the Studio creates for an interface of the type *translations*: an alias field with the
special `translations` on the parent, a relation from the translations collection to the parent (`meta.one_field` is the
alias, `meta.junction_field` the language's field), and its twin from that field to the languages collection.
"""

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import langcodes

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.field_kinds import Fate, FieldTreatment, TextField, classify, is_told_by_values
from directus_assets.directus.field_rows import FieldRow, FieldRows
from directus_assets.errors import Forbidden, PermanentError, as_error
from directus_assets.json_text import well_formed

_ROWS_THAT_TELL = 50
_PLAIN_SPECIALS = frozenset({"cast-json", "cast-csv", "cast-boolean", "cast-timestamp", "cast-datetime", "m2o", "file"})
"""Specials that neither generate nor hide a field's values."""
_CODE_FIELDS = ("code", "language_code", "locale", "iso", "iso_code", "key", "id")
_OTHER_CODE_FIELDS = ("tag", "culture", "lang", "language", "short_code", "deepl_code")
_NO_CODE_FIELDS = frozenset(
    {"name", "title", "label", "country", "country_code", "flag", "region", "direction", "icon"}
)
"""Countries share codes with languages, and some languages have short names."""
_COUNTRY = re.compile(r"[A-Za-z]{2}(?:[-_][A-Za-z]{2})?")


@dataclass(frozen=True, kw_only=True)
class LanguageRow:
    """One language of the project: the key of its row, and its code."""

    key: str
    code: str


@dataclass(frozen=True, kw_only=True)
class TranslatedCollection:
    """A collection with translations, and the location of all their parts."""

    collection: str
    key_field: str
    translations: str
    """The collection with one row for each item and language."""
    translations_key_field: str
    item_field: str
    """The field of `translations` that references the item."""
    language_field: str
    """The field of `translations` that references the language."""
    languages: tuple[LanguageRow, ...]
    languages_collection: str
    fields: tuple[TextField, ...]
    reasons: tuple[tuple[str, str], ...] = ()
    """The treatment of each field of the translations, with the reason."""
    withheld: tuple[TextField, ...] = ()
    """Fields translated only if the YAML file names them: hidden ones, and those that cannot be copied."""
    item_fields: tuple[str, ...] = ()
    """Those of the fields that the item itself also has."""
    carried: tuple[str, ...] = ()
    """Fields of `translations` without text, which a new row copies from the source."""
    carried_on_item: tuple[str, ...] = ()
    """Those of them that the item itself also has."""
    alias_field: str = "translations"
    """The field of the item that represents its translations; it has no column."""
    default_language: str | None = None
    """The language that the Studio's interface shows first."""
    is_singleton: bool = False
    is_versioned: bool = False
    """Whether Directus keeps content versions of `translations`."""
    source_language_fields: tuple[str, ...] = ()
    """The fields of the item that reference a language."""
    code_fields: tuple[str, ...] = ()
    """The fields of the item that may hold a language code."""
    is_first: bool = True
    """Whether it uses the name of the collection, as its oldest translations field does."""

    @property
    def name(self) -> str:
        """Identifies these translations: the collection, followed by the field's name if it is not the first."""
        return self.collection if self.is_first else f"{self.collection}.{self.alias_field}"

    def language(self, code: str) -> LanguageRow | None:
        """The language with this code; None if Directus does not have it."""
        return next((row for row in self.languages if row.code == code), None)


def read_translated_collections(
    client: DirectusClient, *, with_system: bool = False, faults: dict[str, PermanentError] | None = None
) -> tuple[TranslatedCollection, ...]:
    """All collections of a project that have translations, as far as the token sees them.

    Args:
        client: Directus.
        with_system: include Directus' own collections, such as its files. They are not translated: their items are not
            at `/items`, and their changes have a different form.
        faults: receives the collections that cannot be described, with the errors; if not given, the first error is
            raised.

    Raises:
        DirectusAssetsError: the schema cannot be read.
    """
    relations = client.schema_rows("/relations")
    fields = FieldRows(client.schema_rows("/fields"))
    collections = {row["collection"]: row.get("meta") or {} for row in client.schema_rows("/collections")}
    found = []
    for relation in relations:
        parent = relation.get("related_collection") or ""
        if with_system or not parent.startswith("directus_"):
            with alone(parent, faults):
                if twin := _twin(relation, relations, fields):
                    collection = _describe(client, relation, twin, fields, collections)
                    pointing = _pointing(collection, relations, fields)
                    found.append(replace(collection, source_language_fields=pointing))
    # Which of a collection's translations fields is the first cannot be determined while one of them is faulty.
    whole = [each for each in found if each.fields and each.collection not in (faults or ())]
    return tuple(_named_apart(whole, fields))


def read_unlinked(client: DirectusClient) -> list[str]:
    """The translations fields, as `collection.field`, whose rows reference no languages collection.

    The Studio does not create such fields, but leaves them behind if someone deletes the languages collection.

    Raises:
        DirectusAssetsError: the schema cannot be read.
    """
    relations, fields = client.schema_rows("/relations"), FieldRows(client.schema_rows("/fields"))
    aliases = {
        (relation.get("related_collection") or "", (relation.get("meta") or {}).get("one_field")): relation
        for relation in relations
    }
    found = [
        f"{parent}.{alias}"
        for (parent, alias), relation in aliases.items()
        if not parent.startswith("directus_")
        and (field := _named(fields[parent], alias))
        and "translations" in field.special
        and not _twin(relation, relations, fields)
    ]
    return sorted(found)


@contextmanager
def alone(collection: str, faults: dict[str, PermanentError] | None) -> Iterator[None]:
    """Record any error that makes it impossible to describe a collection as its fault.

    Raises:
        DirectusAssetsError: no faults are collected, or Directus has a problem.
    """
    try:
        yield
    except Exception as error:
        fault = as_error(error)
        if faults is None or not isinstance(fault, PermanentError):
            raise
        faults[collection] = fault


def _named_apart(found: Iterable[TranslatedCollection], fields: FieldRows) -> Iterator[TranslatedCollection]:
    """Sort by name. A translations field added later does not change the name of the first one."""

    def age(each: TranslatedCollection) -> tuple[str, float, bool, str]:
        alias = _named(fields[each.collection], each.alias_field)
        number = alias.number if alias else math.inf
        return each.collection, number, each.alias_field != "translations", each.alias_field

    for _, own in itertools.groupby(sorted(found, key=age), key=lambda each: each.collection):
        first, *others = own
        yield first
        yield from (replace(each, is_first=False) for each in others)


def _twin(
    relation: Mapping[str, Any], relations: Sequence[Mapping[str, Any]], fields: FieldRows
) -> Mapping[str, Any] | None:
    """The relation to the languages, given a translations collection's relation to its parent."""
    meta = relation.get("meta") or {}
    parent = relation.get("related_collection") or ""
    alias = _named(fields[parent], meta.get("one_field"))
    if alias is None or "translations" not in alias.special or not meta.get("junction_field"):
        return None
    wanted = (relation["collection"], meta["junction_field"])
    return next((r for r in relations if (r["collection"], r["field"]) == wanted and r.get("related_collection")), None)


def _describe(
    client: DirectusClient,
    relation: Mapping[str, Any],
    twin: Mapping[str, Any],
    fields: FieldRows,
    collections: Mapping[str, Mapping[str, Any]],
) -> TranslatedCollection:
    parent, rows = relation["related_collection"], relation["collection"]
    alias = _named(fields[parent], relation["meta"]["one_field"])
    treatments = _treatments(client, relation, twin, fields)
    texts = [each.text for each in treatments.values() if each.text and each.fate is not Fate.LEFT]
    own = {f.name for f in fields[parent] if classify(f).text and not (f.is_secret and not _is_withheld(treatments, f))}
    carried = [
        field for field in fields[rows] if field.name in treatments and _is_carried(field, treatments[field.name])
    ]
    on_item = {(field.name, field.type) for field in fields[parent] if field.special <= _PLAIN_SPECIALS}
    return TranslatedCollection(
        collection=parent,
        key_field=_key(fields[parent]),
        translations=rows,
        translations_key_field=_key(fields[rows]),
        item_field=relation["field"],
        language_field=twin["field"],
        languages=_languages(client, twin["related_collection"], fields),
        languages_collection=twin["related_collection"],
        fields=tuple(texts),
        withheld=tuple(each.text for each in treatments.values() if each.text and each.fate is Fate.LEFT),
        reasons=tuple((name, f"{each.fate}: {each.why}") for name, each in treatments.items()),
        item_fields=tuple(name for name, each in treatments.items() if each.text and name in own),
        carried=tuple(field.name for field in carried),
        carried_on_item=tuple(field.name for field in carried if (field.name, field.type) in on_item),
        alias_field=relation["meta"]["one_field"],
        default_language=(alias.options.get("defaultLanguage") if alias else None) or None,
        is_singleton=bool(collections.get(parent, {}).get("singleton")),
        is_versioned=bool(collections.get(rows, {}).get("versioning")),
        code_fields=tuple(f.name for f in fields[parent] if f.type == "string" and not f.is_key and not f.is_reference),
    )


def _treatments(
    client: DirectusClient, relation: Mapping[str, Any], twin: Mapping[str, Any], fields: FieldRows
) -> dict[str, FieldTreatment]:
    """Classify each field of a translations collection; for some fields this needs their values."""
    rows = relation["collection"]
    own = [field for field in fields[rows] if field.name not in (relation["field"], twin["field"])]
    doubtful = [field.name for field in own if is_told_by_values(field)]
    found = _some_rows(client, rows, doubtful, _key(fields[rows])) if doubtful else []
    treatments = {field.name: classify(field, [row.get(field.name) for row in found]) for field in own}
    return _without_hidden_sources(treatments, fields[relation["related_collection"]])


def _some_rows(client: DirectusClient, collection: str, names: Sequence[str], key: str) -> Sequence[Mapping[str, Any]]:
    try:
        return list(client.rows(f"/items/{collection}", most=_ROWS_THAT_TELL, fields=[key, *names], sort=key))
    except Forbidden:
        return ()  # `doctor` explains what that right is needed for


def _without_hidden_sources(
    treatments: Mapping[str, FieldTreatment], item: Iterable[FieldRow]
) -> dict[str, FieldTreatment]:
    """Treat a field that is hidden on the item as hidden in its translations, if other fields of the item are
    translated.

    If all of them are hidden, they predate the translations, and are not their source.
    """
    translated = {name for name, treatment in treatments.items() if treatment.fate is not Fate.LEFT}
    twins = [field for field in item if field.name in translated and field.holds_value]
    hidden = {field.name for field in twins if field.is_secret}
    if len(hidden) == len(twins):
        return dict(treatments)
    return {
        name: treatment.withheld("hidden on the item") if name in hidden else treatment
        for name, treatment in treatments.items()
    }


def _is_withheld(treatments: Mapping[str, FieldTreatment], field: FieldRow) -> bool:
    return field.name in treatments and treatments[field.name].is_withheld


def _is_carried(field: FieldRow, treatment: FieldTreatment) -> bool:
    """Whether another row may share the value of a field without text: not if it identifies the row."""
    has_value = field.holds_value and field.type != "hash" and field.special <= _PLAIN_SPECIALS
    is_own = field.is_key or field.is_unique or field.is_generated
    return has_value and not is_own and treatment.fate is Fate.LEFT and not treatment.is_withheld


def _pointing(
    collection: TranslatedCollection, relations: Iterable[Mapping[str, Any]], fields: FieldRows
) -> tuple[str, ...]:
    """The fields of the item that reference one of its languages; a language that references another one does not
    count.
    """
    parent, languages = collection.collection, collection.languages_collection
    if parent == languages:
        return ()
    pointing = {r["field"] for r in relations if (r["collection"], r.get("related_collection")) == (parent, languages)}
    return tuple(field.name for field in fields[parent] if field.name in pointing)


def _languages(client: DirectusClient, collection: str, fields: FieldRows) -> tuple[LanguageRow, ...]:
    key = _key(fields[collection])
    rows = list(client.rows(f"/items/{collection}", fields=["*"], sort=key))
    code = _code_field(rows, key)
    if code is None:
        return ()
    found: dict[str, LanguageRow] = {}
    for row in rows:
        if row.get(code):
            # If two rows have the same code, the first one counts.
            name = well_formed(str(row[code]))
            found.setdefault(name, LanguageRow(key=well_formed(str(row[key])), code=name))
    return tuple(found.values())


def _code_field(rows: Sequence[Mapping[str, Any]], key: str) -> str | None:
    """Find the field with language codes: the usual name with the most codes in it; the key takes precedence.

    If none of them holds any, try other fields; if no field does, use country codes mistaken for language codes. None
    if there are rows, but neither kind of code in them.
    """
    usual = (key, *_CODE_FIELDS)
    others = [*_OTHER_CODE_FIELDS, *(name for name in (rows[0] if rows else ()) if name not in _NO_CODE_FIELDS)]

    def texts(name: str) -> set[str]:
        return {row[name] for row in rows if isinstance(row.get(name), str) and row[name]}

    def codes(name: str) -> int:
        return sum(isinstance(row.get(name), str) and langcodes.tag_is_valid(row[name]) for row in rows)

    def distinct(name: str) -> int:
        found = [langcodes.tag_is_valid(text) for text in texts(name)]
        is_theirs = name in _OTHER_CODE_FIELDS or (all(found) and len(found) == len(rows))
        return sum(found) if is_theirs else 0

    def countries(name: str) -> int:
        return sum(bool(_COUNTRY.fullmatch(text)) for text in texts(name))

    for fields, count in ((usual, codes), (others, distinct), ((*usual, *_OTHER_CODE_FIELDS), countries)):
        best = max(fields, key=count)
        if count(best) or not rows:
            return best
    return None


def _named(fields: Iterable[FieldRow], name: str | None) -> FieldRow | None:
    return next((field for field in fields if field.name == name), None)


def _key(fields: Iterable[FieldRow]) -> str:
    return next((field.name for field in fields if field.is_key), "id")
