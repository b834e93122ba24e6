"""What some tests need on this machine, such as a PostgreSQL server or the right to mount, and what they see of it."""

import os
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, NoReturn

import pytest

EVERYTHING_IS_THERE: Final = "TESTS_NEED_EVERYTHING"
"""`.ci/run` sets it: what is lacking there is a failure, so that no test is passed over for months without a word."""


def lacking(what: str) -> NoReturn:
    """Skip a test that cannot run here, or fail it in CI, whose machine has to have everything."""
    if os.environ.get(EVERYTHING_IS_THERE):
        pytest.fail(f"This machine lacks {what}, and {EVERYTHING_IS_THERE} is set.", pytrace=False)
    pytest.skip(f"This machine lacks {what}.")


@cache
def own_mounts() -> tuple[str, ...]:
    """What a command starts with that is to make mounts of its own, which nobody else sees.

    Ends the test where this user may not have any.
    """
    for prefix in (("unshare", "--user", "--map-root-user", "--mount"), ("unshare", "--mount")):
        mount = ("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt")
        if subprocess.run([*prefix, *mount], capture_output=True, check=False).returncode == 0:
            return prefix
    lacking("the right to mount small file systems (`unshare --mount`)")


def open_to_others(folder: Path) -> set[str]:
    """The names of what others may read or change, of this folder and all in it; what goes meanwhile does not count."""
    found = set()
    for path in (folder, *(Path(place, name) for place, *names in os.walk(folder) for each in names for name in each)):
        with suppress(FileNotFoundError):
            if path.stat().st_mode & 0o077:
                found.add(path.name)
    return found
