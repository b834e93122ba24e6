"""What the token cannot see of translated collections, told from what it can.

Directus shows a relation only to those who may read both of its ends. So where one right lacks, a whole collection
seems not to be translated; but the rights and fields that are left still tell of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from directus_assets.commands.setup.rights import Right
from directus_assets.directus.schema import TranslatedCollection


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """What is not seen."""

    rights: tuple[Right, ...] = ()
    """Rights that would show it."""
    unexplained: tuple[str, ...] = ()
    """Collections whose interface for translations leads nowhere that the token sees."""


def find_hidden(
    found: Iterable[TranslatedCollection], *, fields: Sequence[Mapping[str, Any]], held: Sequence[Right]
) -> Hidden:
    """What lacks, so that collections with translations are not found.

    Args:
        found: the collections that are found.
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
