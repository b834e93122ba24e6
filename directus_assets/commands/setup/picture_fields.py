"""Content fields that hold pictures.

Directus shows no buttons in its file library, but does on items and their lists.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_FILES = "directus_files"


def picture_fields(relations: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Map each collection to the paths of its files, from the rows of `GET /relations`.

    A path is a field with one file, such as `cover`, or a list of files behind a junction, such as
    `gallery.directus_files_id`.
    """
    rows = list(relations)
    found: dict[str, list[str]] = {}
    for row in rows:
        collection, field = row["collection"], row["field"]
        if row["related_collection"] != _FILES or collection.startswith("directus_"):
            continue
        lists = [each for each in rows if each["collection"] == collection and _is_list_of(each, field)]
        for each in lists:
            found.setdefault(each["related_collection"], []).append(f"{each['meta']['one_field']}.{field}")
        if not lists:
            found.setdefault(collection, []).append(field)
    return {collection: tuple(sorted(fields)) for collection, fields in sorted(found.items())}


def _is_list_of(relation: Mapping[str, Any], field: str) -> bool:
    """Whether a relation leads from a junction to the collection that shows the target of the junction's `field`."""
    meta = relation["meta"] or {}
    return bool(meta.get("one_field") and meta.get("junction_field") == field and relation["related_collection"])
