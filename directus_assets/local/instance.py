"""The folder of one local Directus: database, uploads, and secrets."""

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from directus_assets.errors import ConfigurationError
from directus_assets.local.installation import ADMIN_EMAIL, Installation

PRIVATE_UMASK = 0o077
"""For the programs that we start: their drafts, files and logs are private."""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """The secrets of one Directus, stored in a file that only its owner can read."""

    key: str
    secret: str
    admin_password: str
    admin_token: str
    bot_token: str

    @classmethod
    def fresh(cls) -> "Secrets":
        """Generate random secrets."""
        return cls(
            key=secrets.token_hex(16),
            secret=secrets.token_hex(32),
            admin_password=secrets.token_hex(12),
            admin_token=secrets.token_hex(32),
            bot_token=secrets.token_hex(32),
        )

    @classmethod
    def read(cls, path: Path) -> "Secrets":
        """Read the secrets from the file.

        Raises:
            ConfigurationError: the file is invalid.
        """
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except (ValueError, TypeError):
            raise ConfigurationError(
                f"{path} does not hold the secrets of a local Directus.",
                remedy=f"Restore the file, or delete the whole folder {path.parent} to start with an empty Directus.",
            ) from None

    def write(self, path: Path) -> None:
        """Write a new file with mode 0600."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file, indent=2)


def prepare_folder(folder: Path, installation: Installation) -> Secrets:
    """Set up a folder for Directus with an empty database, unless that has been done; return its secrets.

    Raises:
        ConfigurationError: the folder belongs to something else, or its secrets are invalid.
    """
    path = folder / "secrets.json"
    if path.is_file():
        private_folder(folder)  # those of earlier versions were world-readable
        return Secrets.read(path)
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigurationError(
            f"The folder {folder} contains something other than a local Directus.",
            remedy="Choose an empty or new folder.",
        )
    private_folder(folder)
    (folder / "uploads").mkdir(mode=0o700)
    (folder / "extensions").mkdir(mode=0o700)
    (folder / "package.json").write_text('{"private": true}\n', "utf-8")
    fresh = Secrets.fresh()
    shutil.copyfile(installation.template, folder / "data.db")
    (folder / "data.db").chmod(0o600)
    with closing(sqlite3.connect(folder / "data.db")) as database, database:
        database.execute(
            "UPDATE directus_users SET token = ?, password = ? WHERE email = ?",
            (fresh.admin_token, _password_hash(fresh.admin_password, installation), ADMIN_EMAIL),
        )
    # Last, since this file marks the folder as complete.
    fresh.write(path)
    return fresh


def private_folder(folder: Path) -> None:
    """Create the folder if it is missing, and restrict it and its files to their owner."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for path in folder.iterdir():
        # Databases come and go with their journals.
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o700)


def _password_hash(password: str, installation: Installation) -> str:
    """The password as Directus stores it: by the npm package argon2 with its defaults."""
    script = "require('argon2').hash(require('fs').readFileSync(0)).then((hash) => process.stdout.write(hash))"
    run = subprocess.run(
        [installation.node, "--eval", script],
        cwd=installation.folder,
        env=installation.environment({}),
        input=password.encode(),
        capture_output=True,
        check=True,
    )
    return run.stdout.decode("ascii")
