"""What a project translates: the schema combined with the YAML file."""

import hashlib
import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.schema import LanguageRow, TranslatedCollection
from directus_assets.settings import CollectionOptions, TranslationOptions
from directus_assets.settings.known import require_known

_VERSION = 1
"""Part of every code version: increment it when the same text has to be segmented or written differently than
before.
"""

_OF_SOURCE = "source"
"""The value of the setting `status` that copies the source's status."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One collection, with the fields and languages to translate."""

    schema: TranslatedCollection
    source: LanguageRow
    """The language of items that name none."""
    targets: tuple[LanguageRow, ...]
    filter: dict[str, Any]
    source_field: str | None = None
    """The item's field with its own language; None if all items have the same language."""
    carried: tuple[str, ...] = ()
    """The fields without text that a new row copies from the source."""
    status: str | None = None
    """The `status` of a new row; None for the field's default, or if it is copied."""
    shares_memory: bool = True
    """Whether its segments are shared with other items and collections through the memory."""
    told: tuple[TextField, ...] = ()
    """The fields of `schema` including the withheld ones, in Directus' order."""

    @property
    def collection(self) -> str:
        """The name of the collection."""
        return self.schema.collection

    @property
    def name(self) -> str:
        """Identifies the scope; a collection can have several."""
        return self.schema.name

    @property
    def source_on_item(self) -> bool:
        """Whether the source language is on the item itself, instead of in a row of the translations collection.

        Only if the item has every translated field: a title that an item keeps for editors does not make it the
        original of everything else.
        """
        return all(field.name in self.schema.item_fields for field in self._known_first or self.schema.fields)

    @property
    def withheld(self) -> list[str]:
        """The fields that are not read now, but that the first version read."""
        read = {field.name for field in self.schema.fields}
        return [field.name for field in self._known_first if field.name not in read]

    @property
    def _known_first(self) -> list[TextField]:
        """The fields that the first version recognised; its results must not be remade because more fields are
        recognised now.
        """
        return [field for field in self.told or self.schema.fields if field.kind != "auto"]

    @property
    def code_version(self) -> str:
        """A digest of how this collection is read, apart from its languages."""
        fields = [(field.name, field.kind, field.first_members) for field in self._known_first]
        parts = [fields, self.source.code, self.source_on_item, _VERSION]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def plan_scopes(
    found: Sequence[TranslatedCollection], options: TranslationOptions, *, default_language: str | None
) -> list[Scope]:
    """The scopes of a project, by collection and translations field.

    The YAML settings of a collection apply to all of its translations fields that are not named themselves
    (`posts.seo`), except for settings about the fields of rows, which are specific to each.

    Args:
        found: the collections of the project.
        options: the section `translations` of the YAML file.
        default_language: the project's default language in Directus' settings.

    Raises:
        ConfigurationError: the YAML file names a collection, field or language that does not exist.
    """
    # A disabled collection need not be visible: its rights can be revoked, too.
    named = [name for name, own in options.collections.items() if own.enabled]
    languages = list(dict.fromkeys(row.code for each in found for row in each.languages))
    if languages:
        _require("translations.styles", list(options.styles), languages)
    _require("translations.collections", named, [each.name for each in found])
    scopes = []
    for schema in found:
        own = _own_options(schema, options)
        if options.enabled and own.enabled and schema.languages:
            scopes.append(_scope(schema, own, options, default_language))
    return [scope for scope in scopes if scope.targets and scope.schema.fields]


def _own_options(schema: TranslatedCollection, options: TranslationOptions) -> CollectionOptions:
    common = options.collections.get(schema.collection, CollectionOptions())
    if schema.is_first:
        return common
    return options.collections.get(schema.name) or common.model_copy(
        update={"fields": None, "exclude": (), "kinds": {}}
    )


def _scope(
    schema: TranslatedCollection, own: CollectionOptions, options: TranslationOptions, default_language: str | None
) -> Scope:
    where = f"translations.collections.{schema.name}"
    codes = [row.code for row in schema.languages]
    by_code = {row.code: row for row in schema.languages}
    configured = own.source_language or options.source_language
    if configured:
        _require(f"{where if own.source_language else 'translations'}.source_language", [configured], codes)
    source_field = _source_field(schema, own, where)
    told = _told(schema, own, where)
    status = own.status if own.status is not None else options.status
    preferences = (configured, schema.default_language, default_language, codes[0])
    source = next(code for code in preferences if code in by_code)
    wanted = own.languages if own.languages is not None else options.languages
    if wanted is not None:
        _require(f"{where if own.languages else 'translations'}.languages", wanted, codes)
    chosen = codes if wanted is None else wanted
    # If items can be written in other languages, they are translated into this one as well.
    targets = tuple(by_code[code] for code in chosen if code != source or (source_field and len(codes) > 1))
    scope = Scope(
        schema=schema,
        source=by_code[source],
        targets=targets,
        filter=own.filter,
        source_field=source_field,
        status=status if status != _OF_SOURCE and "status" in schema.carried else None,
        told=told,
        shares_memory=options.memory.enabled and own.memory,
    )
    fields = _fields(scope, own)
    return replace(scope, schema=replace(schema, fields=fields), carried=_carried(schema, fields, own, status))


def _carried(
    schema: TranslatedCollection, texts: Sequence[TextField], own: CollectionOptions, status: str | None
) -> tuple[str, ...]:
    left = {*own.exclude, *(field.name for field in texts), *(() if status == _OF_SOURCE else ("status",))}
    return tuple(name for name in schema.carried if name not in left)


def _source_field(schema: TranslatedCollection, own: CollectionOptions, where: str) -> str | None:
    """The field with an item's own language; none if there are several candidates, since none is likelier than the
    others.
    """
    pointing = schema.source_language_fields
    if own.source_language_field is None:
        return pointing[0] if len(pointing) == 1 else None
    if own.source_language_field is False:
        return None
    known = [*pointing, *schema.code_fields]
    _require(f"{where}.source_language_field", [own.source_language_field], known)
    return own.source_language_field


def _fields(scope: Scope, own: CollectionOptions) -> tuple[TextField, ...]:
    """The fields to read: without withheld ones unless named, and without those that the item, as the source, does not
    have.
    """
    withheld = {field.name for field in scope.schema.withheld} - {*(own.fields or ()), *own.kinds}
    on_item = scope.source_on_item
    return tuple(
        field
        for field in scope.told
        if field.name not in withheld and not (on_item and field.name not in scope.schema.item_fields)
    )


def _told(schema: TranslatedCollection, own: CollectionOptions, where: str) -> tuple[TextField, ...]:
    """The chosen fields including withheld ones, parsed as configured in the YAML file."""
    order = {name: index for index, (name, _) in enumerate(schema.reasons)}
    fields = sorted((*schema.fields, *schema.withheld), key=lambda field: order.get(field.name, len(order)))
    known = [field.name for field in fields]
    known += [f"{field.name}.{member}" for field in fields for member in field.hidden]
    _require(f"{where}.fields", [name for name in own.fields or () if name not in own.kinds], known)
    _require(f"{where}.exclude", own.exclude, [*known, *schema.carried])
    named = {*(own.fields or ()), *own.kinds}
    fields += [TextField(name=name, kind="plain") for name in own.kinds if "." not in name and name not in known]
    chosen = {name.partition(".")[0] for name in own.fields} if own.fields is not None else None
    return tuple(
        _as_told(field, own, named)
        for field in fields
        if (chosen is None or field.name in chosen) and field.name not in own.exclude
    )


def _as_told(field: TextField, own: CollectionOptions, named: AbstractSet[str]) -> TextField:
    """A field, parsed as configured in the YAML file."""
    shown = [member for member in field.hidden if f"{field.name}.{member}" in named]
    field = field.showing({member: own.kinds.get(f"{field.name}.{member}", "plain") for member in shown})
    kind = own.kinds.get(field.name)
    if kind is None or kind == field.kind:
        return field
    if kind == "copy":
        return replace(field, kind="plain", copied="always")
    if kind == "translate":
        return replace(field, kind="path" if field.is_copied else field.kind, copied="addresses")
    return replace(field, kind=kind, copied="addresses")


def _require(where: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        require_known(where, name, known)
