"""Collections as in other people's projects, created like the Studio does."""

from collections.abc import Sequence
from typing import Any

from directus_assets.directus.client import DirectusClient
from directus_assets.local import schema


def serial() -> dict[str, Any]:
    return schema._field("id", "integer", hidden=True, schema=schema._SERIAL)


def text(name: str = "title", kind: str = "string", interface: str = "input", **meta: Any) -> dict[str, Any]:
    return schema._field(name, kind, interface=interface, **meta)


def create(studio: DirectusClient, name: str, fields: Sequence[dict[str, Any]] = ()) -> None:
    """A collection with a serial key and these fields."""
    schema._create(studio, name, [serial(), *fields])


def point_to_language(studio: DirectusClient, collection: str, field: str, *, default: str | None = None) -> None:
    """Adds a many-to-one field to the collection of languages."""
    column = {"default_value": default} if default else {}
    pointing = schema._field(field, "string", interface="select-dropdown-m2o", special=["m2o"], schema=column)
    studio.post(f"/fields/{collection}", pointing)
    schema._relate(studio, collection, field, "languages")


def translate(
    studio: DirectusClient,
    collection: str,
    texts: Sequence[dict[str, Any]],
    *,
    alias: str = "translations",
    rows: str = "",
    item: str = "item",
    language: str = "language",
    languages: str = "languages",
) -> None:
    """Adds a field of translations to a collection, and the collection of its rows."""
    rows = rows or f"{collection}_{alias}"
    kind = next(f["type"] for f in studio.get(f"/fields/{languages}") if (f["schema"] or {}).get("is_primary_key"))
    keys = [schema._field(item, "integer", hidden=True), schema._field(language, kind, hidden=True)]
    schema._create(studio, rows, [serial(), *keys, *texts])
    field = schema._field(alias, "alias", interface="translations", special=["translations"])
    studio.post(f"/fields/{collection}", {**field, "schema": None})
    schema._relate(studio, rows, item, collection, one_field=alias, junction_field=language, on_delete="CASCADE")
    schema._relate(studio, rows, language, languages, one_field=None, junction_field=item)
