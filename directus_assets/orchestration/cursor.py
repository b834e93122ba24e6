"""Where the sensor of a collection stands, from one tick to the next."""

from pydantic import BaseModel

from directus_assets.directus.feed import FeedPosition


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
    registered_pages: int | None = None
    """Pages of existing rows that have become partitions; None when all have."""
    code_versions: dict[str, str] = {}
    """Output to the code version that all partitions have been looked at for."""
    revision: str = ""
    """The revision that all partitions have been looked at for."""
    scan: Scan | None = None
    leaving: tuple[str, ...] = ()
    """Partitions to remove as soon as no unfinished run has them as an end of its range."""
    unready: tuple[str, ...] = ()
    """Keys to look at again, since their rows were still being written."""
    pushed: tuple[str, ...] = ()
    """Keys to look at again, since a run that Directus itself had started was at work on them."""
