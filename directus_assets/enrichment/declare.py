"""Combines the YAML file's declarations with the built-ins' defaults and validates them."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from directus_assets.directus.project_schema import CollectionSchema, ProjectSchema
from directus_assets.enrichment.builtin import BUILTINS
from directus_assets.enrichment.builtin.model import Builtin
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.recommendation_plan import is_recommendation
from directus_assets.enrichment.resolve import Resolver
from directus_assets.errors import ConfigurationError
from directus_assets.settings import EnrichmentOptions
from directus_assets.settings.known import require_known

_SEEN: Final = "Directus, as visible to the token,"


def declare(
    declared: Mapping[str, Mapping[str, EnrichmentOptions]],
    schema: ProjectSchema,
    *,
    default_language: str | None,
    builtins: Mapping[str, Builtin] = BUILTINS,
) -> list[Declaration]:
    """The enabled enrichments, except `recommendations`, which has no items of its own.

    Args:
        declared: the section `enrichments` of the YAML file.
        schema: of the project.
        default_language: the project's default language in Directus' settings.
        builtins: the available built-ins.

    Raises:
        ConfigurationError: a declaration does not fit the schema; names the setting and the fix.
    """
    found = []
    for collection, by_name in declared.items():
        written = frozenset(_written(by_name, builtins))
        for name, own in by_name.items():
            if own.enabled and not is_recommendation(name, own):
                where = f"enrichments.{collection}.{name}"
                require_known("enrichments", collection, list(schema.by_name), owner=_SEEN)
                builtin = _builtin(where, name, own, builtins)
                options = _expanded(where, _merged(where, own, builtin), builtin, schema.by_name[collection])
                resolver = Resolver(where, name, options, builtin, schema, collection, default_language, written)
                found.append(resolver.declaration())
    return found


def _written(by_name: Mapping[str, EnrichmentOptions], builtins: Mapping[str, Builtin]) -> Iterator[str]:
    """The fields that these enrichments write, or wrote before they were disabled."""
    for name, own in by_name.items():
        builtin = builtins.get(own.builtin or name)
        yield from {**(builtin.defaults.targets if builtin else {}), **own.targets}.values()
        if own.target is not None:
            yield own.target


def _builtin(where: str, name: str, own: EnrichmentOptions, builtins: Mapping[str, Builtin]) -> Builtin | None:
    if own.builtin is not None:
        require_known(f"{where}.builtin", own.builtin, list(builtins), owner="this version")
        return builtins[own.builtin]
    if name in builtins:
        return builtins[name]
    if not own.prompt or not own.result:
        near = difflib.get_close_matches(name, builtins, n=1)
        meant = f"Did you mean the built-in '{near[0]}'?" if near else f"Built in are: {', '.join(sorted(builtins))}."
        raise ConfigurationError(
            f"`{where}` in the YAML file has no `{'result' if own.prompt else 'prompt'}`, and is not built in.",
            remedy=meant,
        )
    return None


def _merged(where: str, own: EnrichmentOptions, builtin: Builtin | None) -> EnrichmentOptions:
    """Merge the YAML file into the built-in's defaults; mappings are merged by name, results even by setting."""
    values = builtin.defaults.model_dump(exclude_unset=True) if builtin else {}
    for name, value in own.model_dump(exclude_unset=True).items():
        values[name] = _over(values.get(name), value, depth=2 if name == "result" else 1)
    if own.rows is not None and builtin and not own.targets and not own.target:
        values.pop("targets", None)
    try:
        return EnrichmentOptions.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"`{where}.{place}` in the YAML file: {first['msg'].removeprefix('Value error, ')}.",
            remedy="Correct it, or leave it to the built-in.",
        ) from None


def _expanded(
    where: str, options: EnrichmentOptions, builtin: Builtin | None, collection: CollectionSchema
) -> EnrichmentOptions:
    if builtin is None or builtin.expand is None:
        return options
    try:
        return builtin.expand(options, collection)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("options", *first["loc"]))
        fault = first["msg"].removeprefix("Value error, ")
    except ValueError as error:
        place, fault = "options", str(error)
    raise ConfigurationError(f"`{where}.{place}` in the YAML file: {fault}.", remedy="Correct it there.")


def _over(below: Any, above: Any, *, depth: int) -> Any:
    if depth and isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{name: _over(below.get(name), value, depth=depth - 1) for name, value in above.items()}}
    return above
