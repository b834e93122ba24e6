"""A state file of this project, with recovery if it becomes unreadable.

Disks break, backups are truncated, people experiment. An unreadable file is moved to a name beside its own, where
people can inspect it, and reported; from then on it counts as lost.
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
    """A state file.

    Every method raises its storage's errors: a storage that cannot be read is never mistaken for an empty one.

    Args:
        storage: contains the file.
        name: of the file.
        what: a description of the file for people.
        loss: the consequence of losing it, as a sentence.
        parse: parses the content. Any exception other than our own errors means that it is unreadable.
    """

    storage: Storage
    name: str
    what: str
    loss: str
    parse: Callable[[bytes], T]
    content_type: str = "application/json"

    def read(self) -> T | None:
        """The parsed content; None if there is no file, or none that is readable.

        Raises:
            BadInput: it was written by a later version of this package.
        """
        try:
            return self._parsed(self.storage.read(self.name))
        except NotFound:
            return None
        except Unusable as error:
            # Another run may have repaired it in the meantime.
            return None if self._set_aside(error) else self.read()

    def write(self, content: bytes) -> None:
        """Replace the file by `content`."""
        try:
            self.storage.write(self.name, content, content_type=self.content_type)
        except Unusable as error:
            self._set_aside(error)
            self.storage.write(self.name, content, content_type=self.content_type)

    def update(self, change: Callable[[T | None], bytes]) -> None:
        """Replace the file by `change` of its parsed content (None: no file) without losing concurrent updates.

        Raises:
            BadInput: it was written by a later version of this package.
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
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is one unreadable file
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
    """Whether a later version wrote it: after a downgrade, the later version's state is kept."""
    try:
        version = json.loads(content.partition(b"\n")[0])["version"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
    return isinstance(version, int) and version > 1
