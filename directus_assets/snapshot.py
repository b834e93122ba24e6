"""What definitions are built from: the presets as last read from Directus, kept in a file beside Dagster's storage.

At load the snapshot is refreshed with a short time-out. A Directus that is down means the last snapshot and a warning,
never a code location that does not load.
"""

import json
import logging
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import ProjectSettings
from directus_assets.errors import DirectusAssetsError, PermanentError
from directus_assets.settings import Environment

_FILE = "directus_snapshot.json"
_LOAD_TIMEOUT_SECONDS = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The part of a Directus project that decides which assets there are."""

    url: str = ""
    """The project it was read from; a snapshot of another project is not used."""
    rows: dict[str, Any] = field(default_factory=lambda: {"storage_asset_presets": []})
    """`GET /settings` as answered; parsed by `settings`."""

    @property
    def settings(self) -> ProjectSettings:
        """The settings, typed."""
        return ProjectSettings.parse(self.rows)


def take_snapshot(client: DirectusClient) -> Snapshot:
    """The snapshot of the project as it is now.

    Raises:
        DirectusAssetsError: Directus cannot be read.
    """
    rows = client.get("/settings", fields=ProjectSettings.FIELDS)
    ProjectSettings.parse(rows)
    return Snapshot(url=client.url, rows=rows)


def load_snapshot(environment: Environment) -> Snapshot:
    """The snapshot to build definitions from: fresh where Directus answers at once, else the kept one, else empty."""
    kept = read_snapshot(environment.state_folder, url=environment.directus_url)
    if not environment.is_complete:
        logger.warning(
            "%s not set: nothing to do. Copy .env.example to .env and fill it in.", " and ".join(environment.missing())
        )
        return kept
    try:
        with DirectusClient.from_environment(environment, timeout_seconds=_LOAD_TIMEOUT_SECONDS) as client:
            fresh = take_snapshot(client)
    except DirectusAssetsError as error:
        logger.warning("Using the last snapshot of Directus (%d presets): %s", len(kept.settings.presets), error)
        return kept
    if fresh != kept:
        write_snapshot(fresh, environment.state_folder)
    return fresh


def read_snapshot(folder: Path, *, url: str) -> Snapshot:
    """The snapshot kept in `folder`; empty where there is none of this project."""
    path = folder / _FILE
    if not path.is_file():
        return Snapshot(url=url)
    try:
        kept = json.loads(path.read_text("utf-8"))
        snapshot = Snapshot(url=kept["url"], rows=kept["rows"])
        ProjectSettings.parse(snapshot.rows)
    except (ValueError, KeyError, TypeError, PermanentError):
        logger.warning("%s cannot be read and is ignored; it is made anew as soon as Directus answers.", path)
        return Snapshot(url=url)
    return snapshot if snapshot.url == url or not url else Snapshot(url=url)


def write_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Keeps the snapshot in `folder`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _FILE
    temporary = path.with_name(f"{_FILE}.{secrets.token_hex(4)}.tmp")
    temporary.write_text(json.dumps({"url": snapshot.url, "rows": snapshot.rows}, indent=1), "utf-8")
    temporary.replace(path)
