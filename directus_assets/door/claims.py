"""Claims on items that the door is about to process: sensors that see the same change leave them alone.

Between a push and its run, nothing in Dagster shows that the run is coming. Claims expire, so that a sensor finds
whatever a killed door had accepted.
"""

import time
from collections.abc import Collection

from pydantic import BaseModel, ConfigDict

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.door.gathering import Changes

SECONDS = 8.0
"""The lifetime of a claim. A batch is gathered for up to a second and started within another one."""

_FILE = "pushes.json"


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: int = 1
    until: dict[str, dict[str, float]] = {}
    """The expiry of claims in seconds since 1970, by collection and key."""


def claim(storage: Storage, changes: Changes, *, now: float | None = None) -> None:
    """Claim these items; remove expired claims.

    Raises:
        DirectusAssetsError: the claims cannot be stored.
    """
    moment = time.time() if now is None else now

    def changed(kept: _Kept | None) -> bytes:
        until = {name: _open(own, moment) for name, own in (kept.until if kept else {}).items()}
        for name, keys in changes.items():
            until.setdefault(name, {}).update(dict.fromkeys(keys, moment + SECONDS))
        return _Kept(until={name: own for name, own in until.items() if own}).model_dump_json().encode()

    _file(storage).update(changed)


def claimed(storage: Storage, collection: str, keys: Collection[str], *, now: float | None = None) -> set[str]:
    """The claimed items among these.

    Raises:
        DirectusAssetsError: the claims cannot be read.
    """
    kept = _file(storage).read()
    own = kept.until.get(collection, {}) if kept else {}
    return _open(own, time.time() if now is None else now).keys() & set(keys)


def _open(until: dict[str, float], now: float) -> dict[str, float]:
    # Limits claims in case a clock was set back.
    return {key: end for key, end in until.items() if now < end <= now + 2 * SECONDS}


def _file(storage: Storage) -> KeptFile[_Kept]:
    return KeptFile(
        storage=storage,
        name=_FILE,
        what="list of items that the door is handling",
        loss="A sensor may repeat work that was pushed a moment ago.",
        parse=_Kept.model_validate_json,
    )
