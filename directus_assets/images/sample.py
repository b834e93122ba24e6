"""Which derivatives are proved by asking Directus whether it serves them, and which are vouched for by those."""

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
    """Of each kind: all until Directus has served one, and from then on each tenth.

    Directus serves a derivative if it looks for it in the place and under the name that we think. Place and name
    follow from the same rules for all derivatives of a kind, so one that is served vouches for the next, and what a
    storage has taken it holds. A proof costs Directus about a tenth of what rendering the derivative would.
    """

    def __init__(self) -> None:
        self._served: Counter[Kind] = Counter()
        self._lock = threading.Lock()

    def includes(self, file: File, derivative: Derivative) -> bool:
        """Whether this one is to be proved."""
        # A name that somebody chose may hold anything, and so may a folder.
        if file.filename_disk != file.id + PurePosixPath(file.filename_disk).suffix:
            return True
        kind = _kind(file, derivative)
        with self._lock:
            if self._served[kind]:
                self._served[kind] += 1
            return self._served[kind] % _EVERY == 0

    def learn(self, file: File, derivative: Derivative, *, is_served: bool) -> None:
        """How a proof ended; after one that failed, all of the kind are proved again."""
        kind = _kind(file, derivative)
        with self._lock:
            self._served[kind] = max(1, self._served[kind]) if is_served else 0


def _kind(file: File, derivative: Derivative) -> Kind:
    """All that place and name follow from, but for the file's id and for numbers."""
    # Whether a number is a whole one stays: names are digests of how numbers are spelt.
    operations = re.sub(r"\d+", "0", repr(derivative.transforms))
    suffix = PurePosixPath(file.filename_disk).suffix
    limit = "at its size" if _is_limited(file, derivative) else ""
    return file.storage, derivative.preset_key, derivative.mime_type, str(file.type), suffix, operations, limit


def _is_limited(file: File, derivative: Derivative) -> bool:
    """Whether a picture is not to be enlarged, and too small for what its preset asks for."""
    for name, *arguments in derivative.transforms:
        options = arguments[0] if name == "resize" and arguments else None
        if isinstance(options, Mapping) and options.get("withoutEnlargement") is True:
            sizes = ((options.get("width"), file.width), (options.get("height"), file.height))
            return any(isinstance(wanted, int | float) and own and wanted >= own for wanted, own in sizes)
    return False
