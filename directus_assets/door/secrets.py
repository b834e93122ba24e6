"""The door's secrets: Directus' flows hold them, and only their digests are stored here."""

import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.door.requests import digest_of
from directus_assets.redaction import hide

_FILE = "door.json"
_FRESH_SECONDS = 5.0
_LEAST_SECONDS = 1.0


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: int = 1
    digests: tuple[str, ...] = ()


def new_secret() -> str:
    """Generate an unguessable secret, which none of our texts shows."""
    made = secrets.token_urlsafe(32)
    hide(made)
    return made


def is_known(storage: Storage, secret: str) -> bool:
    """Whether this secret, and no other, opens the door."""
    return (_file(storage).read() or _Kept()).digests == (digest_of(secret),)


def admit(storage: Storage, secret: str) -> None:
    """Also accept this secret until `admit_only` is called: flows are changed one by one."""
    digest = digest_of(secret)
    _file(storage).update(lambda kept: _dump(dict.fromkeys([*(kept or _Kept()).digests, digest])))


def admit_only(storage: Storage, secret: str | None) -> None:
    """Accept only this secret; none at all if it is None."""
    _file(storage).update(lambda _: _dump([digest_of(secret)] if secret else []))


@dataclass
class KnownSecrets:
    """The accepted digests, cached for a moment."""

    storage: Storage
    clock: Callable[[], float] = time.monotonic
    _digests: tuple[str, ...] = ()
    _read_at: float = field(default=float("-inf"))

    def digests(self, given: str) -> Collection[str]:
        """The digests to compare with that of the given secret.

        Raises:
            DirectusAssetsError: they cannot be read.
        """
        age = self.clock() - self._read_at
        # An unknown secret may be new; the file is still not read anew for each guess.
        if age > _FRESH_SECONDS or (age > _LEAST_SECONDS and digest_of(given) not in self._digests):
            self._digests = (_file(self.storage).read() or _Kept()).digests
            self._read_at = self.clock()
        return self._digests


def _dump(digests: Collection[str]) -> bytes:
    return _Kept(digests=tuple(digests)).model_dump_json().encode()


def _file(storage: Storage) -> KeptFile[_Kept]:
    return KeptFile(
        storage=storage,
        name=_FILE,
        what="list of the door's secrets",
        loss="The door rejects everything until you run `directus-assets setup --flows --new-secret`.",
        parse=_Kept.model_validate_json,
    )
