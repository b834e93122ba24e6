"""A PostgreSQL server for the tests that need one."""

from collections.abc import Iterator
from contextlib import contextmanager

from directus_assets.local import postgres
from tests.machine import lacking


@contextmanager
def running_postgres() -> Iterator[str]:
    """Starts an empty server, and gives the address of its database. Where there is none: see `machine.lacking`."""
    if postgres.find_programs() is None:
        lacking("a PostgreSQL server (Debian: apt-get install postgresql)")
    with postgres.running_postgres(fsync=False) as url:
        yield url
