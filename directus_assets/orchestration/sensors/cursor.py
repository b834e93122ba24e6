"""The cursor of a collection's sensor."""

import logging
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from directus_assets.directus.feed import FeedPosition
from directus_assets.directus.uploads import UploadPosition

C = TypeVar("C", bound=BaseModel)

_SHOWN = 1000
"""Characters shown of a cursor that cannot be parsed."""


class Scan(BaseModel):
    """A scan over all partitions that requests the stale outputs among some."""

    id: str
    """Distinguishes the runs of one scan from those of an earlier one."""
    outputs: tuple[str, ...]
    complete: tuple[str, ...]
    """The outputs that every partition gets; the others are remade only if they were made, or tried, before."""
    position: int = 0


class Cursor(BaseModel):
    """The position and state of a sensor."""

    feed: FeedPosition
    uploads: UploadPosition | None = None
    """For a sensor that follows files; None at the start."""
    registered_pages: int | None = None
    """Pages of existing rows that have become partitions; None once all have."""
    code_versions: dict[str, str] = {}
    """By output, the code version for which all partitions have been checked."""
    revision: str = ""
    """The revision for which all partitions have been checked."""
    kept: str = ""
    """The upkeep state for which all partitions have been checked."""
    untold: bool = False
    """Whether purges of removed content are pending."""
    scan: Scan | None = None
    leaving: tuple[str, ...] = ()
    """Partitions to remove as soon as no unfinished run has them as an end of its range."""
    unready: tuple[str, ...] = ()
    """Keys to check again, since their rows were still being written."""
    pushed: tuple[str, ...] = ()
    """Keys to check again, since a run that Directus itself had started was processing them."""


def read_cursor(kind: type[C], text: str | None, log: logging.Logger) -> C | None:
    """Parse the cursor of the previous tick; None if there is none.

    A cursor that cannot be parsed, since people can set it in Dagster's UI, is reported and treated as missing: the
    sensor follows from now on, and the reconcile finds what it has missed.
    """
    try:
        return kind.model_validate_json(text) if text else None
    except ValidationError as error:
        reason, shown = error.errors()[0]["msg"], (text or "")[:_SHOWN]
        log.warning("The cursor could not be read, so the sensor starts over. %s: %s", reason, shown)
        return None
