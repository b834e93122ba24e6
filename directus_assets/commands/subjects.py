"""Selects the translated collections for a command."""

from collections.abc import Collection, Iterable, Sequence

from directus_assets.errors import ConfigurationError
from directus_assets.orchestration.build import translated_items
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.orchestration.project import Project
from directus_assets.snapshot import Wanted, take_snapshot


def chosen_items(project: Project, collections: Sequence[str], languages: Sequence[str]) -> list[Items]:
    """The translated collections with these names in the current schema; all if no name is given.

    Raises:
        ConfigurationError: a collection or language that is not translated.
        DirectusAssetsError: Directus does not answer.
    """
    snapshot = take_snapshot(project.directus, Wanted(translations=True))
    return choose(translated_items(project, snapshot), collections, languages)


def choose(found: Iterable[Items], collections: Sequence[str], languages: Sequence[str]) -> list[Items]:
    """Select by name.

    Args:
        found: all translated collections.
        collections: their own names, or names of one field of translations; all if empty.
        languages: each has to be among the target languages.

    Raises:
        ConfigurationError: a collection or language that is not translated.
    """
    found = list(found)
    names = {name for items in found for name in (items.collection, items.name)}
    known = {row.code for items in found for row in items.languages.values()}
    require_known("collection", collections, names)
    require_known("language", languages, known)
    return [items for items in found if not collections or not {items.collection, items.name}.isdisjoint(collections)]


def require_known(what: str, wanted: Sequence[str], there: Collection[str], *, made: str = "translated") -> None:
    """Raise ConfigurationError if a wanted name does not exist."""
    if unknown := [name for name in wanted if name not in there]:
        raise ConfigurationError(
            f"No {what} '{unknown[0]}' is {made}.", remedy=f"Available: {', '.join(sorted(there)) or 'none'}."
        )
