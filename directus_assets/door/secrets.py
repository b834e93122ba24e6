"""The secrets that the door opens to: Directus' flows hold them, and here only their digests are kept."""

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
    """A secret that nobody can guess, and that no text of ours shows."""
    made = secrets.token_urlsafe(32)
    hide(made)
    return made


def is_known(storage: Storage, secret: str) -> bool:
    """Whether the door opens to this secret, and to no other."""
    return (_file(storage).read() or _Kept()).digests == (digest_of(secret),)


def admit(storage: Storage, secret: str) -> None:
    """Has the door open to this secret as well, until `admit_only` is called: flows are changed one after the other."""
    digest = digest_of(secret)
    _file(storage).update(lambda kept: _dump(dict.fromkeys([*(kept or _Kept()).digests, digest])))


def admit_only(storage: Storage, secret: str | None) -> None:
    """Has the door open to this secret and to no other; to nobody where there is none."""
    _file(storage).update(lambda _: _dump([digest_of(secret)] if secret else []))


@dataclass
class KnownSecrets:
    """The digests, as they are now or were a moment ago."""

    storage: Storage
    clock: Callable[[], float] = time.monotonic
    _digests: tuple[str, ...] = ()
    _read_at: float = field(default=float("-inf"))

    def digests(self, given: str) -> Collection[str]:
        """What the digest of the secret that was given is compared with.

        Raises:
            DirectusAssetsError: they cannot be read.
        """
        age = self.clock() - self._read_at
        # One that was made a moment ago is not known yet; whoever guesses does not have the file read each time.
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
