"""Validates the names in a declaration against Directus' schema: each one has to exist and to fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from directus_assets.directus.project_schema import CollectionSchema, FieldSchema, ProjectSchema
from directus_assets.directus.schema import LanguageRow, TranslatedCollection
from directus_assets.enrichment.builtin.model import Builtin
from directus_assets.enrichment.declaration import FILES, Declaration, RowTarget, TargetField
from directus_assets.enrichment.result import walk
from directus_assets.errors import ConfigurationError
from directus_assets.settings import ChoiceSource, EnrichmentOptions, ResultOptions
from directus_assets.settings.known import require_known

_TAKEN_BY: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"string", "text"}),
    "choice": frozenset({"string", "text", "integer", "bigInteger", "uuid"}),
    "number": frozenset({"float", "decimal"}),
    "integer": frozenset({"integer", "bigInteger", "float", "decimal"}),
    "boolean": frozenset({"boolean"}),
    "list": frozenset({"json", "csv"}),
    "object": frozenset({"json"}),
}
"""The Directus field types that can hold each type of result."""

_TITLES: Final = frozenset({"title", "name", "headline"})


@dataclass(frozen=True)
class Resolver:
    """Validates one enrichment, and resolves its names.

    Args:
        where: the setting that declares it.
        name: its name.
        options: the YAML file's options, completed by the built-in's.
        builtin: the built-in, if it is one.
        schema: of the project.
        collection_name: the enriched collection.
        default_language: the project's default language in Directus' settings.
        written: the fields that this collection's enrichments write: none of them is a default input.
    """

    where: str
    name: str
    options: EnrichmentOptions
    builtin: Builtin | None
    schema: ProjectSchema
    collection_name: str
    default_language: str | None
    written: frozenset[str] = frozenset()

    def declaration(self) -> Declaration:
        """The validated declaration.

        Raises:
            ConfigurationError: what is declared does not fit the schema; names the setting and the fix.
        """
        inputs, targets, rows = self._inputs(), self._targets(), self._rows()
        languages = self._languages(targets)
        translated = self.translated
        vocabularies = dict(self._vocabularies())
        return Declaration(
            name=self.name,
            options=self.options,
            builtin=self.builtin,
            collection=self.collection,
            translated=translated,
            source=self._source(translated),
            inputs=inputs,
            not_read=tuple(each.name for each in self._texts() if each not in inputs),
            result={name: _limited(name, own, targets.get(name), rows) for name, own in self.options.result.items()},
            targets=targets,
            rows=rows,
            languages=languages,
            vocabularies=vocabularies,
            vocabulary_keys={
                path: self.schema.by_name[each.collection].key_field for path, each in vocabularies.items()
            },
        )

    @property
    def collection(self) -> CollectionSchema:
        return self.schema.by_name[self.collection_name]

    @property
    def translated(self) -> TranslatedCollection | None:
        return self.schema.translations_of(self.collection_name)

    def _source(self, translated: TranslatedCollection | None) -> LanguageRow | None:
        if translated is None or not translated.languages:
            return None
        by_code = {row.code: row for row in translated.languages}
        preferences = (translated.default_language, self.default_language)
        return next((by_code[code] for code in preferences if code in by_code), translated.languages[0])

    def _inputs(self) -> tuple[TargetField, ...]:
        places = self._named_inputs()
        if not places and self.builtin:
            places = self._default_inputs(self.builtin)
        if self.options.picture is not None:
            self._check_picture(self.options.picture)
        elif not places:
            raise ConfigurationError(
                f"`{self.where}` in the YAML file has neither `input` nor `picture`.",
                remedy=f"List the fields of {self.collection_name} that the engine should receive.",
            )
        return places

    def _named_inputs(self) -> tuple[TargetField, ...]:
        """The inputs named in the YAML file: fields, and hidden members of repeaters, such as `links.note`."""
        places: dict[str, TargetField] = {}
        for name in self.options.input:
            base, _, member = name.partition(".")
            found = places.get(base) or self._find(base)
            if found and member in found.field.hidden_members:
                hidden = tuple(each for each in found.field.hidden_members if each != member)
                places[base] = replace(found, field=replace(found.field, hidden_members=hidden))
            elif name not in places:
                places[name] = self._place(f"{self.where}.input", name)
        return tuple(places.values())

    def _default_inputs(self, builtin: Builtin) -> tuple[TargetField, ...]:
        """The fields that a built-in expects, if all exist; otherwise all texts, or those of them that exist."""
        expected = tuple(place for name in builtin.expects if (place := self._find(name)) and not place.field.is_secret)
        if len(expected) == len(builtin.expects) or builtin.defaults.picture is not None:
            return expected
        return self._texts() or expected

    def _texts(self) -> tuple[TargetField, ...]:
        """The texts of an item, except those that enrichments write: title first, then by name.

        The order is independent of the Studio, where people move fields around.
        """
        own = {field.name: TargetField(field=field) for field in self.collection.fields if field.is_text}
        rows = self.schema.by_name.get(self.translated.translations) if self.translated else None
        of_rows = (
            {field.name: TargetField(field=field, is_translated=True) for field in rows.fields if field.is_text}
            if rows
            else {}
        )
        found = (
            place for name, place in {**of_rows, **own}.items() if name not in self.written and not place.field.related
        )
        return tuple(sorted(found, key=lambda place: (place.name not in _TITLES, place.name)))

    def _check_picture(self, name: str) -> None:
        place = self._place(f"{self.where}.picture", name, translations=False)
        is_file = place.field.is_key if self.collection_name == FILES else place.field.related == FILES
        if not is_file:
            raise ConfigurationError(
                f"`{self.where}.picture` in the YAML file names '{name}', which is not a file field.",
                remedy="For directus_files, use `id`; for other collections, a field that refers to a file.",
            )

    def _targets(self) -> dict[str, TargetField]:
        named = self._named_targets()
        if self.options.target is not None:
            if len(self.options.result) != 1:
                raise ConfigurationError(
                    f"`{self.where}.target` in the YAML file only works for results with one field; this one has "
                    f"{', '.join(self.options.result) or 'none'}.",
                    remedy="Use `targets`: one line for each, `<result>: <field>`.",
                )
            named = {next(iter(self.options.result)): self.options.target}
        kinds = self._kinds()
        places = {}
        for result, name in named.items():
            where = f"{self.where}.targets"
            require_known(where, result, list(kinds), owner="the result")
            in_rows = True if self.options.languages and self.translated else None
            place = self._place(f"{where}.{result}", name, translations=in_rows)
            self._fits(f"{where}.{result}", kinds[result], result, place.field)
            places[result] = place
        fields = [place.name for place in places.values()]
        if doubled := next((name for name in fields if fields.count(name) > 1), None):
            raise ConfigurationError(
                f"`{self.where}.targets` in the YAML file names '{doubled}' twice.",
                remedy="Give each result its own field.",
            )
        read_and_written = {place.name for place in self._inputs()}.intersection(fields)
        if read_and_written:
            raise ConfigurationError(
                f"`{self.where}` in the YAML file has '{min(read_and_written)}' as input and as target.",
                remedy="An enrichment cannot write to a field that it reads.",
            )
        return places

    def _named_targets(self) -> dict[str, str]:
        """The named targets; of those that only the built-in names, the existing ones, if there are any."""
        named = dict(self.options.targets)
        defaults = self.builtin.defaults.targets.items() if self.builtin else ()
        absent = [result for result, name in defaults if named.get(result) == name and not self._find(name)]
        there = {result: name for result, name in named.items() if result not in absent}
        return there or named

    def _kinds(self) -> dict[str, str]:
        """The type of each named value in the result."""
        derived = (self.builtin.derives or {}) if self.builtin else {}
        return {**{name: own.type for name, own in self.options.result.items()}, **derived}

    def _rows(self) -> RowTarget | None:
        rows = self.options.rows
        if rows is None:
            return None
        where = f"{self.where}.rows"
        require_known(f"{where}.collection", rows.collection, list(self.schema.by_name))
        if rows.collection == self.collection_name and not self.options.filter:
            raise ConfigurationError(
                f"`{where}.collection` in the YAML file is {rows.collection} itself, so each new row would create "
                "more rows without end.",
                remedy="Choose another collection, or give the enrichment a `filter` that excludes those rows.",
            )
        target = self.schema.by_name[rows.collection]
        names = [own.name for own in target.fields]
        require_known(f"{where}.item_field", rows.item_field, names, owner=rows.collection)
        related = next(own.related for own in target.fields if own.name == rows.item_field)
        if related not in (None, self.collection_name):
            raise ConfigurationError(
                f"`{where}.item_field` in the YAML file is '{rows.item_field}', which refers to {related}.",
                remedy=f"Use the field of {rows.collection} that refers to {self.collection_name}.",
            )
        kinds = self._element_kinds(where, rows.each)
        for member, name in rows.fields.items():
            require_known(f"{where}.fields", member, list(kinds), owner="the result")
            require_known(f"{where}.fields.{member}", name, names, owner=rows.collection)
            own = target.field(name)
            if own is not None:
                self._fits(f"{where}.fields.{member}", kinds[member], member, own)
        fields = {member: own for member, name in rows.fields.items() if (own := target.field(name))}
        return RowTarget(collection=target, item_field=rows.item_field, each=rows.each, fields=fields)

    def _element_kinds(self, where: str, each: str | None) -> dict[str, str]:
        if each is None:
            return self._kinds()
        lists = {name: own for name, own in self.options.result.items() if own.type == "list"}
        require_known(f"{where}.each", each, list(lists), owner="the lists of the result")
        element = lists[each].of
        if element is None or element.type != "object":
            return {"value": element.type if element else "text"}
        return {name: own.type for name, own in element.fields.items()}

    def _languages(self, targets: Mapping[str, TargetField]) -> tuple[LanguageRow, ...]:
        wanted = self.options.languages
        if not wanted:
            return ()
        if self.translated is None:
            raise ConfigurationError(
                f"`{self.where}.languages` in the YAML file: {self.collection_name} has no translations.",
                remedy="Leave it out.",
            )
        if not targets or self.options.rows:
            raise ConfigurationError(
                f"`{self.where}.languages` in the YAML file only applies to `targets` in the translations.",
                remedy="Remove it, or use only targets in the translations.",
            )
        rows = {row.code: row for row in self.translated.languages}
        if wanted == ("all",):
            return tuple(rows.values())
        for code in wanted:
            require_known(f"{self.where}.languages", code, list(rows))
        return tuple(rows[code] for code in wanted)

    def _vocabularies(self) -> Iterator[tuple[str, ChoiceSource]]:
        for path, own in walk(self.options.result):
            if isinstance(own.choices, ChoiceSource):
                where = f"{self.where}.result.{path}.choices"
                require_known(
                    f"{where}.collection", own.choices.collection, list(self.schema.by_name), owner="Directus"
                )
                there = self.schema.by_name[own.choices.collection]
                require_known(
                    f"{where}.field", own.choices.field, [each.name for each in there.fields], owner=there.name
                )
                yield path, own.choices

    def _find(self, name: str, *, translations: bool | None = None) -> TargetField | None:
        """The field with this name: the item's own takes precedence over that of its translations, unless one is
        requested.
        """
        own = self.collection.field(name)
        if own is not None and not translations:
            return TargetField(field=own)
        rows = self.schema.by_name.get(self.translated.translations) if self.translated else None
        of_rows = rows.field(name) if rows and translations is not False else None
        return TargetField(field=of_rows, is_translated=True) if of_rows else None

    def _place(self, where: str, name: str, *, translations: bool | None = None) -> TargetField:
        place = self._find(name, translations=translations)
        if place is None:
            rows = self.schema.by_name.get(self.translated.translations) if self.translated else None
            known = [
                *(own.name for own in self.collection.fields if not translations),
                *(own.name for own in (rows.fields if rows and translations is not False else ())),
            ]
            owner = self.translated.translations if translations and self.translated else self.collection_name
            require_known(where, name, list(dict.fromkeys(known)), owner=owner)
            raise AssertionError(name)
        return place

    def _fits(self, where: str, kind: str, result: str, target: FieldSchema) -> None:
        if target.type not in _TAKEN_BY[kind]:
            raise ConfigurationError(
                f"`{where}` in the YAML file: '{result}' is of the type {kind}, but the field '{target.name}' has the "
                f"type {target.type} in Directus.",
                remedy=f"Choose a field with one of the types {', '.join(sorted(_TAKEN_BY[kind]))}.",
            )
        if target.is_key:
            raise ConfigurationError(
                f"`{where}` in the YAML file writes to the primary key '{target.name}'.", remedy="Choose another field."
            )


def _limited(name: str, result: ResultOptions, target: TargetField | None, rows: RowTarget | None) -> ResultOptions:
    """A result whose texts are limited to the length of their target fields."""
    result = _shortened(result, target.field if target else None)
    if rows and rows.each is None:
        return _shortened(result, rows.fields.get(name))
    if rows and rows.each == name and result.of:
        members = {member: _shortened(own, rows.fields.get(member)) for member, own in result.of.fields.items()}
        element = _shortened(result.of.model_copy(update={"fields": members}), rows.fields.get("value"))
        return result.model_copy(update={"of": element})
    return result


def _shortened(result: ResultOptions, field: FieldSchema | None) -> ResultOptions:
    if result.type != "text" or field is None or field.max_length is None:
        return result
    return result.model_copy(update={"max_length": min(field.max_length, result.max_length or field.max_length)})
