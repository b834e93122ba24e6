"""Directus' own file storage, accessed with Directus' own STORAGE_* variables (local disk and S3-compatible).

Every write is atomic. On disk, a file is written under a temporary name that starts with the final one (so that
Directus cleans it up with the file if it is left behind) and then renamed; on S3, an object appears whole or not at
all.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from directus_assets.directus.storage.interface import Entry, Storage, StorageFull, safe_name
from directus_assets.directus.storage.kept import KeptFile
from directus_assets.directus.storage.local import LocalStorage
from directus_assets.directus.storage.s3 import S3Storage
from directus_assets.directus.storage.variables import read_locations, seconds, unsupported
from directus_assets.errors import ConfigurationError

__all__ = [
    "Entry",
    "KeptFile",
    "LocalStorage",
    "S3Storage",
    "Storage",
    "StorageFull",
    "open_storages",
    "safe_name",
    "unsupported",
]

logger = logging.getLogger(__name__)


def open_storages(variables: Mapping[str, str], *, folder: Path = Path()) -> dict[str, Storage]:
    """The storage locations configured by Directus' own variables, by name; empty if none is set.

    Args:
        variables: `STORAGE_LOCATIONS` and `STORAGE_<LOCATION>_…`, with Directus' meaning.
        folder: the base of a relative `_ROOT`.

    Raises:
        ConfigurationError: a variable is missing. A location with an unsupported driver is skipped with a warning; its
            files are delivered by `warm`.
    """
    locations = read_locations(variables, folder=folder)
    opened = {location: _open(f"STORAGE_{location.upper()}_", own, folder) for location, own in locations.items()}
    return {location: storage for location, storage in opened.items() if storage}


def _open(prefix: str, own: Mapping[str, str], folder: Path) -> Storage | None:
    match own.get("driver", ""):
        case "local":
            return LocalStorage(folder / _required(own, "root", prefix))
        case "s3":
            return _open_s3(prefix, own)
        case driver:
            logger.warning(
                "%sDRIVER is %s, but delivery `storage` only supports `local` and `s3`; files there are delivered by "
                "`warm`.",
                prefix,
                f"'{driver}'" if driver else "not set",
            )
            return None


def _open_s3(prefix: str, own: Mapping[str, str]) -> S3Storage:
    for name, other in (("key", "secret"), ("secret", "key")):
        if own.get(name):
            _required(own, other, prefix)
    return S3Storage(
        bucket=_required(own, "bucket", prefix),
        root=own.get("root", ""),
        key=own.get("key"),
        secret=own.get("secret"),
        region=own.get("region"),
        endpoint=_with_scheme(own.get("endpoint")),
        force_path_style=own.get("force_path_style", "").lower() in ("true", "1"),
        acl=own.get("acl"),
        encryption=own.get("server_side_encryption"),
        kms_key_id=own.get("server_side_encryption_kms_key_id"),
        connect_seconds=seconds(own.get("connection_timeout"), S3Storage.connect_seconds),
        read_seconds=seconds(own.get("socket_timeout"), S3Storage.read_seconds),
    )


def _required(own: Mapping[str, str], name: str, prefix: str) -> str:
    if not own.get(name):
        raise ConfigurationError(
            f"{prefix}{name.upper()} is not set.", remedy="Give this project the same STORAGE_* variables as Directus."
        )
    return own[name]


def _with_scheme(endpoint: str | None) -> str | None:
    """Directus accepts an endpoint without a scheme and assumes https."""
    return endpoint if not endpoint or "://" in endpoint else f"https://{endpoint}"
