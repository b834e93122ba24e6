"""Infers translated collections that the token cannot see from what it can see.

Directus shows a relation only to users who can read both of its ends. One missing right can therefore make a whole
collection look untranslated, but the remaining rights and fields still give it away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from directus_assets.commands.setup.rights import Right
from directus_assets.directus.schema import TranslatedCollection


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """The hidden parts of the schema."""

    rights: tuple[Right, ...] = ()
    """Rights that would reveal them."""
    unexplained: tuple[str, ...] = ()
    """Collections with a translations interface that leads nowhere the token can see."""


def find_hidden(
    found: Iterable[TranslatedCollection], *, fields: Sequence[Mapping[str, Any]], held: Sequence[Right]
) -> Hidden:
    """Find the missing rights that keep translated collections from being discovered.

    Args:
        found: the collections that were discovered.
        fields: the answer of `GET /fields`.
        held: the token's rights.
    """
    found = list(found)
    readable = {right.collection for right in held if right.action == "read"}
    written = {right.collection for right in held if right.action in ("create", "update")}
    written = {name for name in written if not name.startswith("directus_")} - {each.translations for each in found}
    parents = {row["collection"] for row in fields if _is_translations_field(row)} - {each.collection for each in found}
    parents = {name for name in parents if not name.startswith("directus_")}
    ends = {_target(row) for row in fields if row["collection"] in written} - readable
    rights = [Right(collection=name, action="read") for name in sorted(written - readable) if parents]
    rights += [Right(collection=end, action="read") for end in sorted(ends) if end and not end.startswith("directus_")]
    return Hidden(rights=tuple(rights), unexplained=() if rights else tuple(sorted(parents)))


def _is_translations_field(row: Mapping[str, Any]) -> bool:
    return "translations" in ((row.get("meta") or {}).get("special") or ())


def _target(row: Mapping[str, Any]) -> str:
    return (row.get("schema") or {}).get("foreign_key_table") or ""
