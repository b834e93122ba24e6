"""Dagster's folder, `DAGSTER_HOME`: made once, held by one `dev` at a time, and found by all commands."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from dotenv import dotenv_values, set_key

from directus_assets.errors import ConfigurationError

INSTANCE_FILE = Path(__file__).parents[1] / "orchestration" / "dagster.yaml"
"""The `dagster.yaml` written into a new Dagster instance."""

_LOCK = "dev.lock"


def make_home(home: Path) -> Path:
    """Create Dagster's folder, readable by its owner only, with our `dagster.yaml`; leave an existing folder unchanged.

    Raises:
        ConfigurationError: the folder cannot be created.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            shutil.copyfile(INSTANCE_FILE, home / "dagster.yaml")
    except OSError as error:
        raise ConfigurationError(
            f"Could not create DAGSTER_HOME {home}: {error.strerror}.", remedy="Choose a folder that you can write to."
        ) from None
    return home.resolve()


@contextlib.contextmanager
def held(home: Path, ui: str) -> Iterator[None]:
    """Lock a home for the duration of the block, and note in it who holds it and where the UI is.

    The lock is released when the process dies.

    Raises:
        ConfigurationError: another process holds the lock. Two daemons on one history would start everything twice.
    """
    with (home / _LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigurationError(
                f"A pipeline is already running in {home}{_holder(lock)}.",
                remedy="Stop that one first, or set DAGSTER_HOME to another folder.",
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()} {ui}")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    process, _, _ = lock.read().partition(" ")
    return f" (process {process})" if process.isdigit() else ""


def running_ui(home: Path) -> str:
    """The address of the UI that `dev` is running with this home; empty if it is not running."""
    try:
        process, _, ui = (home / _LOCK).read_text("utf-8").partition(" ")
        # A process that was killed leaves its note behind.
        os.kill(int(process), 0)
    except (OSError, ValueError):
        return ""
    return ui


def name_home(env_file: Path, values: Mapping[str, str]) -> None:
    """Make a plain `dagster dev` use the same home as our commands, unless the file already names one.

    Args:
        env_file: the `.env` file that Dagster reads, in the project's folder. Dagster prefers it to the environment.
        values: the environment variables.
    """
    if not dotenv_values(env_file).get("DAGSTER_HOME"):
        home = make_home(env_file.resolve().parent / (values.get("DAGSTER_HOME") or ".dagster"))
        set_key(env_file, "DAGSTER_HOME", str(home), quote_mode="auto")
