"""Sanitises metadata so that any database can store it and Dagster can show it: editors and engines may write
anything.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from directus_assets.errors import printable

_LONGEST_NUMBER_BITS = 63
_LONGEST_NUMBER_SHOWN = 40

_MAKERS: Mapping[type, Callable[[Any], Any]] = {
    dg.TextMetadataValue: dg.MetadataValue.text,
    dg.MarkdownMetadataValue: dg.MetadataValue.md,
    dg.UrlMetadataValue: dg.MetadataValue.url,
    dg.JsonMetadataValue: dg.MetadataValue.json,
    dg.FloatMetadataValue: lambda number: number,
    dg.IntMetadataValue: lambda number: number,
}


def storable(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Remove what makes the webserver answer with an error or what PostgreSQL refuses.

    Lone surrogates and NUL characters are replaced; `NaN`, infinity and numbers beyond 64 bits become text.
    """
    return {printable(name): _value(value) for name, value in metadata.items()}


def _value(value: Any) -> Any:
    if isinstance(value, dg.TableMetadataValue):
        return dg.MetadataValue.table([dg.TableRecord(_plain(row.data)) for row in value.records], schema=value.schema)
    if make := _MAKERS.get(type(value)):
        return make(_plain(value.value))
    return value if isinstance(value, dg.MetadataValue) else _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case str():
            return printable(value)
        case float() if not math.isfinite(value):
            return str(value)
        case int() if value.bit_length() > _LONGEST_NUMBER_BITS:
            # Python itself refuses to format numbers with thousands of digits as decimals.
            return f"{hex(value)[:_LONGEST_NUMBER_SHOWN]}…"
        case Mapping():
            return {printable(str(name)): _plain(own) for name, own in value.items()}
        case list() | tuple():
            return [_plain(own) for own in value]
    return value
