"""Chooses which derivatives to verify by asking Directus; those vouch for the others of their kind."""

import re
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath

from directus_assets.directus.models import File
from directus_assets.images.transforms import Derivative

_EVERY = 10

Kind = tuple[str, ...]


class Sample:
    """For each kind: all until Directus has served one, and from then on every tenth.

    Directus serves a derivative if it looks for it in the expected place under the expected name. Both follow from the
    same rules for all derivatives of a kind, so one that is served vouches for the next, and a storage keeps what it
    has accepted. A check costs Directus about a tenth of rendering the derivative.
    """

    def __init__(self) -> None:
        self._served: Counter[Kind] = Counter()
        self._lock = threading.Lock()

    def includes(self, file: File, derivative: Derivative) -> bool:
        """Whether to verify this one."""
        # A custom name may hold anything, and so may a folder.
        if file.filename_disk != file.id + PurePosixPath(file.filename_disk).suffix:
            return True
        kind = _kind(file, derivative)
        with self._lock:
            if self._served[kind]:
                self._served[kind] += 1
            return self._served[kind] % _EVERY == 0

    def learn(self, file: File, derivative: Derivative, *, is_served: bool) -> None:
        """Record a check; after a failed one, all derivatives of the kind are checked again."""
        kind = _kind(file, derivative)
        with self._lock:
            self._served[kind] = max(1, self._served[kind]) if is_served else 0


def _kind(file: File, derivative: Derivative) -> Kind:
    """Everything that determines location and name, except for the file's id and numbers."""
    # Whether a number is an integer stays visible: names are digests of how numbers are written.
    operations = re.sub(r"\d+", "0", repr(derivative.transforms))
    suffix = PurePosixPath(file.filename_disk).suffix
    limit = "at its size" if _is_limited(file, derivative) else ""
    return file.storage, derivative.preset_key, derivative.mime_type, str(file.type), suffix, operations, limit


def _is_limited(file: File, derivative: Derivative) -> bool:
    """Whether a picture must not be enlarged and is too small for its preset."""
    for name, *arguments in derivative.transforms:
        options = arguments[0] if name == "resize" and arguments else None
        if isinstance(options, Mapping) and options.get("withoutEnlargement") is True:
            sizes = ((options.get("width"), file.width), (options.get("height"), file.height))
            return any(isinstance(wanted, int | float) and own and wanted >= own for wanted, own in sizes)
    return False
