"""Directus' own file storage, reached with Directus' own STORAGE_* variables (local disk and S3-compatible).

Every write is atomic: on disk under a temporary name that starts with the final one (Directus then cleans it up with
the file, should it ever be left behind) and renamed; on S3 an object appears whole or not at all.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from directus_assets.directus.storage.interface import Entry, Storage, StorageFull, safe_name
from directus_assets.directus.storage.kept import KeptFile
from directus_assets.directus.storage.local import LocalStorage
from directus_assets.directus.storage.s3 import S3Storage
from directus_assets.errors import ConfigurationError

__all__ = ["Entry", "KeptFile", "LocalStorage", "S3Storage", "Storage", "StorageFull", "open_storages", "safe_name"]

logger = logging.getLogger(__name__)


def open_storages(variables: Mapping[str, str], *, folder: Path = Path()) -> dict[str, Storage]:
    """The storage locations that Directus' own variables name, by location; empty where none is set.

    Args:
        variables: `STORAGE_LOCATIONS` and `STORAGE_<LOCATION>_…`, with Directus' meaning.
        folder: what a relative `_ROOT` starts from.

    Raises:
        ConfigurationError: a variable is missing. A location with a driver that we cannot write to is left out, with a
            warning; its files are delivered by `warm`.
    """
    locations = [name.strip() for name in variables.get("STORAGE_LOCATIONS", "").split(",") if name.strip()]
    opened = {location: _open(location, variables, folder) for location in locations}
    return {location: storage for location, storage in opened.items() if storage}


def _open(location: str, variables: Mapping[str, str], folder: Path) -> Storage | None:
    prefix = f"STORAGE_{location.upper()}_"
    own = {name.removeprefix(prefix).lower(): value for name, value in variables.items() if name.startswith(prefix)}
    # Directus' own default for the location of this name.
    driver = own.get("driver") or ("local" if location == "local" else "")
    if driver == "local":
        return LocalStorage(folder / _required(own, "root", prefix))
    if driver == "s3":
        return S3Storage(
            bucket=_required(own, "bucket", prefix),
            root=own.get("root", ""),
            key=own.get("key"),
            secret=own.get("secret"),
            region=own.get("region"),
            endpoint=_with_scheme(own.get("endpoint")),
            force_path_style=own.get("force_path_style", "").lower() == "true",
        )
    logger.warning(
        "%sDRIVER is %s; delivery `storage` writes to `local` and `s3`, so files there are delivered by `warm`.",
        prefix,
        f"'{driver}'" if driver else "not set",
    )
    return None


def _required(own: Mapping[str, str], name: str, prefix: str) -> str:
    if not own.get(name):
        raise ConfigurationError(
            f"{prefix}{name.upper()} is not set.", remedy="Give this project the same STORAGE_* variables as Directus."
        )
    return own[name]


def _with_scheme(endpoint: str | None) -> str | None:
    """Directus accepts an endpoint without a scheme and takes https."""
    return endpoint if not endpoint or "://" in endpoint else f"https://{endpoint}"
