"""A PostgreSQL server for the tests that need one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from directus_assets.local import postgres


@contextmanager
def running_postgres() -> Iterator[str]:
    """Starts an empty server, and gives the address of its database; skips the test where there is no server."""
    if postgres.find_programs() is None:
        pytest.skip("There is no PostgreSQL server on this machine (Debian: apt-get install postgresql).")
    with postgres.running_postgres(fsync=False) as url:
        yield url
