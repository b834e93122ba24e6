"""Items that the door is about to see to: a sensor that hears of the same change leaves them to it.

Between a push and its run lies a moment in which nothing in Dagster says that it will come. Claims end by themselves,
so that whatever a door that was killed had taken is found by the sensor.
"""

import time
from collections.abc import Collection

from pydantic import BaseModel, ConfigDict

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.door.gathering import Changes

SECONDS = 8.0
"""How long a claim lasts. A batch is gathered for a second and started in another one."""

_FILE = "pushes.json"


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: int = 1
    until: dict[str, dict[str, float]] = {}
    """Collection and key to when the claim ends, in seconds since 1970."""


def claim(storage: Storage, changes: Changes, *, now: float | None = None) -> None:
    """Claims these items; what has ended is forgotten.

    Raises:
        DirectusAssetsError: that cannot be kept.
    """
    moment = time.time() if now is None else now

    def changed(kept: _Kept | None) -> bytes:
        until = {name: _open(own, moment) for name, own in (kept.until if kept else {}).items()}
        for name, keys in changes.items():
            until.setdefault(name, {}).update(dict.fromkeys(keys, moment + SECONDS))
        return _Kept(until={name: own for name, own in until.items() if own}).model_dump_json().encode()

    _file(storage).update(changed)


def claimed(storage: Storage, collection: str, keys: Collection[str], *, now: float | None = None) -> set[str]:
    """Those of the items that are claimed.

    Raises:
        DirectusAssetsError: that cannot be read.
    """
    kept = _file(storage).read()
    own = kept.until.get(collection, {}) if kept else {}
    return _open(own, time.time() if now is None else now).keys() & set(keys)


def _open(until: dict[str, float], now: float) -> dict[str, float]:
    # A clock that was set back makes no claim that lasts.
    return {key: end for key, end in until.items() if now < end <= now + 2 * SECONDS}


def _file(storage: Storage) -> KeptFile[_Kept]:
    return KeptFile(
        storage=storage,
        name=_FILE,
        what="list of items that the door is handling",
        loss="A sensor may repeat work that was pushed a moment ago.",
        parse=_Kept.model_validate_json,
    )
