"""Checks that texts can be translated: collections, languages, tracking, engine, money."""

from collections.abc import Iterator

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok, warning
from directus_assets.directus.field_kinds import Fate, TextField
from directus_assets.errors import BadInput, DirectusAssetsError
from directus_assets.settings import TranslationOptions
from directus_assets.translation.cut_fields import uncut
from directus_assets.translation.discovered import discovered, is_copied
from directus_assets.translation.items import item_keys, read_items
from directus_assets.translation.languages import doubt, language
from directus_assets.translation.scope import Scope

_JSON_KINDS = frozenset({"blocks", "tags", "repeater", "auto"})
_ITEMS_LOOKED_AT = 100


def check_collections(subject: Checkup) -> Iterator[Finding]:
    """Report each translated collection: languages, layout, fields and how each field is read."""
    if not subject.project.translates:
        return
    for scope in subject.scopes:
        yield _describe(scope)
        yield from _check_uncut(subject, scope)
        yield from _check_source_field(scope, subject.project.settings.config.translations)
        yield from _check_languages(scope)
        if subject.project.settings.config.translations.review == "version" and not scope.schema.is_versioned:
            yield failed(
                f"collection {scope.name}",
                f"`translations.review` is `version`, but Content Versioning is off for {scope.schema.translations}.",
                "Turn on Content Versioning in its settings in Directus, or set `translations.review: metadata`.",
            )
    translated = {scope.name for scope in subject.scopes}
    for schema in subject.collections:
        if not schema.languages:
            yield warning(
                f"collection {schema.name}",
                f"It is not translated, because '{schema.languages_collection}' has no language codes.",
                "Give each language there its BCP 47 code, such as de-DE, in a field `code`. If it is not a "
                "collection of languages, ignore this.",
            )
        elif schema.name not in translated:
            yield ok(f"collection {schema.name}", "not translated: disabled, or no languages or fields to translate")
    for collection, fault in subject.faults.items():
        yield failed(f"collection {collection}", f"Its schema could not be read: {fault.message}", fault.remedy)


def check_tracking(subject: Checkup) -> Iterator[Finding]:
    """Check that Directus logs changes to all collections that are followed."""
    schemas = [scope.schema for scope in subject.scopes]
    followed = dict.fromkeys(
        name for each in schemas for name in (each.collection, each.translations, each.languages_collection)
    )
    followed |= dict.fromkeys(declaration.collection.name for declaration in subject.declarations)
    if not followed:
        return
    rows = {row["collection"]: row.get("meta") or {} for row in subject.project.directus.get("/collections")}
    silent = [name for name in followed if not rows.get(name, {}).get("accountability")]
    for name in silent:
        yield warning(
            f"tracking {name}",
            f"Directus does not track activity for '{name}', so changes are found by the reconcile instead of "
            "immediately.",
            f"In Directus, turn on Activity & Revision Tracking for '{name}'.",
        )
    if followed and not silent:
        yield ok("tracking", "on for all collections in use")


def check_engine(subject: Checkup) -> Iterator[Finding]:
    """Check that the translation engine answers and accepts the key."""
    engine = subject.project.engine
    if not subject.project.settings.config.translations.enabled:
        yield ok("engine", "not needed: translations are disabled in the YAML file")
    elif engine is None:
        yield ok(
            "engine",
            ("none, so nothing is translated: neither OPENAI_API_KEY, DEEPL_API_KEY nor TRANSLATION_ENGINE is set"),
        )
    elif trouble := engine.check():
        yield warning(
            "engine",
            f"{engine.name}: {trouble}",
            "Check TRANSLATION_ENGINE and the variables of the engine you want to use.",
        )
    else:
        yield ok("engine", f"{engine.name} responds and accepts the key")


def check_spending(subject: Checkup) -> Iterator[Finding]:
    """Check that there is a spending limit if money is spent, and a price to calculate with."""
    if not subject.project.translates or subject.project.settings.environment.translation_engine == "pseudo":
        return
    purse = subject.project.purse
    if purse.price is None:
        yield warning(
            "spending",
            f"No price is set for '{purse.model}', so costs are neither counted nor limited.",
            "Add it to `engine.prices` in the YAML file, and set `engine.spending_limit_per_day`.",
        )
    elif purse.limit is None:
        yield warning(
            "spending", "There is no spending limit.", "Set `engine.spending_limit_per_day` in the YAML file."
        )
    else:
        yield ok("spending", f"at most {purse.limit} per day")


def _check_uncut(subject: Checkup, scope: Scope) -> Iterator[Finding]:
    """Check whether the first items hold text that cannot be segmented; it would stay untranslated and look like our
    output.
    """
    if not any(field.kind in _JSON_KINDS for field in scope.schema.fields):
        return
    keys = item_keys(subject.project.directus, scope, page=1, size=_ITEMS_LOOKED_AT)
    found: dict[str, str] = {}
    for item in read_items(subject.project.directus, scope, keys):
        try:
            places = uncut(scope, item)
        except BadInput:
            continue  # its partition reports it
        for place in places:
            found.setdefault(place, item.key)
    if found:
        places = tuple(f"{place} (item {key})" for place, key in found.items())
        yield warning(
            f"collection {scope.name}",
            "This text is in a form that we cannot translate, so it stays as it is in every language: "
            f"{', '.join(places)}.",
            "Use another kind of block, translate it by hand, or exclude the field in the YAML file.",
        )


def _describe(scope: Scope) -> Finding:
    translated = ", ".join(f"{field.name} ({_how(field)})" for field in scope.schema.fields)
    left: dict[str, list[str]] = {}
    for each in discovered(scope):
        if each.fate is Fate.LEFT:
            left.setdefault(each.why, []).append(each.field)
    others = "; ".join(f"{', '.join(names)} ({why.replace('; ', ', and ')})" for why, names in left.items())
    fields = translated + (f". Left: {others}" if others else "")
    targets = ", ".join(row.code for row in scope.targets)
    place = "on the item" if scope.source_on_item else f"a row of {scope.schema.translations}"
    source = f"{scope.source.code} ({place})"
    if scope.source_field:
        source = f"the language in '{scope.source_field}', or {scope.source.code} if empty ({place}),"
    return ok(f"collection {scope.name}", f"{source} into {targets}: {fields}")


def _how(field: TextField) -> str:
    if is_copied(field):
        return "copied"
    return f"{field.kind}, without {', '.join(field.hidden)}" if field.hidden else field.kind


def _check_source_field(scope: Scope, options: TranslationOptions) -> Iterator[Finding]:
    fields = scope.schema.source_language_fields
    own = options.collections.get(scope.name)
    if len(fields) > 1 and (own is None or own.source_language_field is None):
        yield warning(
            f"collection {scope.name}",
            f"More than one field refers to a language ({', '.join(fields)}), so we assume that every item is written "
            f"in {scope.source.code}.",
            f"Specify which field holds the item's source language: `translations.collections.{scope.name}."
            f"source_language_field: {fields[0]}` in the YAML file, or `false` for none.",
        )


def _check_languages(scope: Scope) -> Iterator[Finding]:
    for row in (scope.source, *scope.targets):
        try:
            language(row.code)
        except DirectusAssetsError as error:
            yield failed(f"language {row.code}", error.message, error.remedy)
            continue
        others = (each.code for each in scope.schema.languages if each.code != row.code)
        if found := doubt(row.code, others):
            yield warning(
                f"language {row.code}",
                found,
                f"If you meant the latter, correct the code in '{scope.schema.languages_collection}' in Directus.",
            )
