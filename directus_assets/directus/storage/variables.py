"""Parses Directus' own STORAGE_* variables the way Directus does (`@directus/env`, and its storage drivers)."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from directus_assets.errors import ConfigurationError
from directus_assets.redaction import hide

DRIVERS: Final = frozenset({"local", "s3"})
"""The Directus drivers that we support."""

_DEFAULTS: Final = {"STORAGE_LOCAL_DRIVER": "local", "STORAGE_LOCAL_ROOT": "./uploads"}

_CASTS: Final = ("string", "number", "boolean", "array", "json", "regex")
"""Type prefixes of a value, as in `string:0123`."""

_DURATION: Final = re.compile(
    r"([\d.]+) *(ms|milli\w*|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)?", re.IGNORECASE
)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def read_locations(variables: Mapping[str, str], *, folder: Path) -> dict[str, dict[str, str]]:
    """The settings of each storage location: by its name, the values by the part of the variable after
    `STORAGE_<LOCATION>_`, in lower case.

    Args:
        variables: `STORAGE_LOCATIONS` and `STORAGE_<LOCATION>_…`; Directus accepts the latter in any case. A variable
            that ends in `_FILE` names a file that holds the value.
        folder: the base of a relative path to such a file.

    Raises:
        ConfigurationError: such a file cannot be read.
    """
    given = {name.upper(): value for name, value in variables.items()}
    names = [name.strip() for name in _plain(given.get("STORAGE_LOCATIONS", "")).split(",") if name.strip()]
    values = dict(_values({**_DEFAULTS, **{name: value for name, value in given.items() if value}}, folder))
    found = {}
    for location in names:
        prefix = f"STORAGE_{location.upper()}_"
        found[location] = {
            name.removeprefix(prefix).lower(): value for name, value in values.items() if name.startswith(prefix)
        }
    return found


def unsupported(variables: Mapping[str, str], *, folder: Path = Path()) -> dict[str, str]:
    """Locations with an unsupported driver, with that driver."""
    drivers = {location: own.get("driver", "") for location, own in read_locations(variables, folder=folder).items()}
    return {location: driver for location, driver in drivers.items() if driver not in DRIVERS}


def seconds(text: str | None, default: float) -> float:
    """Parse a duration like the npm package `ms`: `500`, `500ms`, `5s`, `2 minutes`; the default if it is invalid."""
    match = _DURATION.fullmatch(text.strip()) if text else None
    if not match:
        return default
    unit = (match[2] or "ms").lower()
    factor = _SECONDS["ms" if unit.startswith(("ms", "milli")) else unit[0]]
    try:
        return float(match[1]) * factor or default
    except ValueError:
        return default


def key_prefix(root: str) -> str:
    """The prefix of object keys for a `_ROOT` such as `media`, `./media/` or `/` (driver `s3`)."""
    path = re.sub(r"[/\\]+", "/", root)
    if path == "/":
        return path
    path = posixpath.normpath(path.removeprefix("/")) if path.removeprefix("/") else "."
    return "" if path == "." else f"{path}/"


def _values(given: Mapping[str, str], folder: Path) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        if not name.endswith("_FILE"):
            yield name, _plain(value)
    for name, value in given.items():
        plain = name.removesuffix("_FILE")
        if plain == name or (plain in given and plain not in _DEFAULTS):
            continue
        try:
            # Directus keeps a trailing line break as part of the value, which then matches nothing.
            content = _plain((folder / _plain(value)).read_text("utf-8").rstrip("\r\n"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ConfigurationError(
                f"{name} refers to the file '{value}', which could not be read: {reason}.",
                remedy=f"Correct {name}, or make the file readable to this process.",
            ) from None
        if plain.endswith(("_SECRET", "_KEY")):
            hide(content)
        yield plain, content


def _plain(value: str) -> str:
    """A value without what Directus strips: a type prefix, or the quotes of a JSON string."""
    cast, colon, rest = value.partition(":")
    if colon and cast in _CASTS:
        return rest
    if value.startswith('"') and value.endswith('"'):
        try:
            return str(json.loads(value))
        except ValueError:
            return value
    return value
