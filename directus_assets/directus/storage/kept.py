"""A file that this project keeps for itself, and what becomes of it where it cannot be read.

Disks break, backups are cut off, people try things out. What cannot be read is moved to a name beside its own, where
people can look at it, and reported; from then on everything goes on as if it had been lost.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from directus_assets.directus.storage.interface import Storage, Unusable
from directus_assets.errors import BadInput, DirectusAssetsError, NotFound, as_error

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class KeptFile(Generic[T]):
    """One file.

    Every method raises what its storage raises: a storage that cannot be read is never taken for an empty one.

    Args:
        storage: where it is.
        name: of the file.
        what: it is, for people.
        loss: what it means that it is lost, as a sentence.
        parse: its content. Whatever this raises that is no error of ours says that nobody can read it.
    """

    storage: Storage
    name: str
    what: str
    loss: str
    parse: Callable[[bytes], T]
    content_type: str = "application/json"

    def read(self) -> T | None:
        """What is kept; None where there is nothing, or nothing any more.

        Raises:
            BadInput: a later version of this package has written it.
        """
        try:
            return self._parsed(self.storage.read(self.name))
        except NotFound:
            return None
        except Unusable as error:
            # Another run may have put it right meanwhile.
            return None if self._set_aside(error) else self.read()

    def write(self, content: bytes) -> None:
        """Puts `content` in the place of whatever is there."""
        try:
            self.storage.write(self.name, content, content_type=self.content_type)
        except Unusable as error:
            self._set_aside(error)
            self.storage.write(self.name, content, content_type=self.content_type)

    def update(self, change: Callable[[T | None], bytes]) -> None:
        """Puts `change` of what is kept (None: nothing) in its place; no update by anybody else is lost.

        Raises:
            BadInput: a later version of this package has written it.
        """
        try:
            self._update(change)
        except Unusable as error:
            self._set_aside(error)
            self._update(change)

    def _update(self, change: Callable[[T | None], bytes]) -> None:
        def changed(content: bytes | None) -> bytes:
            return change(None if content is None else self._parsed(content))

        self.storage.update(self.name, changed, content_type=self.content_type)

    def _parsed(self, content: bytes) -> T:
        try:
            return self.parse(content)
        except DirectusAssetsError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is one file that nobody can read
            if _is_of_a_later_version(content):
                place = f"{self.name} in {self.storage.describe()}"
                raise BadInput(
                    f"The {self.what} ({place}) was written by a newer version of this package.",
                    remedy="Install that version again.",
                ) from None
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else as_error(error).message
            raise Unusable(f"The {self.what} cannot be read: {reason.rstrip('.')}.") from None

    def _set_aside(self, fault: Unusable) -> bool:
        moved = self.storage.set_aside(self.name, unless=self._is_readable)
        if moved:
            logger.warning(
                "%s %s A copy is kept as %s in %s.", fault.message, self.loss, moved, self.storage.describe()
            )
        return moved is not None

    def _is_readable(self, content: bytes) -> bool:
        try:
            self._parsed(content)
        except Unusable:
            return False
        except BadInput:
            return True
        return True


def _is_of_a_later_version(content: bytes) -> bool:
    """Whoever goes back to an earlier version of this package keeps what the later one has remembered."""
    try:
        version = json.loads(content.partition(b"\n")[0])["version"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
    return isinstance(version, int) and version > 1
