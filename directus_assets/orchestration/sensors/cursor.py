"""Where the sensor of a collection stands, from one tick to the next."""

import logging
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from directus_assets.directus.feed import FeedPosition
from directus_assets.directus.uploads import UploadPosition

C = TypeVar("C", bound=BaseModel)

_SHOWN = 1000
"""Characters of a cursor that nobody can read."""


class Scan(BaseModel):
    """A walk over all partitions that starts what is stale of some outputs."""

    id: str
    """Keeps the runs of one scan apart from those of an earlier one."""
    outputs: tuple[str, ...]
    complete: tuple[str, ...]
    """Those of the outputs that every partition gets; of the others only what has been made, or tried, before."""
    position: int = 0


class Cursor(BaseModel):
    """Where a sensor stands."""

    feed: FeedPosition
    uploads: UploadPosition | None = None
    """Of a sensor that follows files; None to begin."""
    registered_pages: int | None = None
    """Pages of existing rows that have become partitions; None when all have."""
    code_versions: dict[str, str] = {}
    """Output to the code version that all partitions have been looked at for."""
    revision: str = ""
    """The revision that all partitions have been looked at for."""
    kept: str = ""
    """The state of what has to be kept true that all partitions have been looked at for."""
    untold: bool = False
    """Whether a cache has not been told yet of all that is gone."""
    scan: Scan | None = None
    leaving: tuple[str, ...] = ()
    """Partitions to remove as soon as no unfinished run has them as an end of its range."""
    unready: tuple[str, ...] = ()
    """Keys to look at again, since their rows were still being written."""
    pushed: tuple[str, ...] = ()
    """Keys to look at again, since a run that Directus itself had started was at work on them."""


def read_cursor(kind: type[C], text: str | None, log: logging.Logger) -> C | None:
    """What a tick has left for the next one; None where there is none.

    One that cannot be read, since people can set it in Dagster's UI, is reported and counts as lost: the sensor follows
    from now on, and the reconcile finds what it has missed.
    """
    try:
        return kind.model_validate_json(text) if text else None
    except ValidationError as error:
        reason, shown = error.errors()[0]["msg"], (text or "")[:_SHOWN]
        log.warning("The cursor could not be read, so the sensor starts over. %s: %s", reason, shown)
        return None
