"""What definitions are built from: presets, glossary and translated collections as last read from Directus.

The snapshot is a file beside Dagster's storage. At load it is refreshed with a short time-out: a Directus that is down
means the last snapshot and a warning, never a code location that does not load. Where machines share a bucket it is
kept there, too.
"""

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.feed import read_deletions
from directus_assets.directus.models import ProjectSettings
from directus_assets.directus.project_schema import ProjectSchema, read_project_schema
from directus_assets.directus.schema import TranslatedCollection, read_translated_collections
from directus_assets.directus.storage import KeptFile, LocalStorage, Storage
from directus_assets.errors import DirectusAssetsError, Forbidden, PermanentError, as_error
from directus_assets.settings import Environment

SCHEMA_COLLECTIONS = ("directus_collections", "directus_fields", "directus_relations", "directus_settings")
"""Where a change may give another snapshot; the collections of languages come on top."""

_FILE = "directus_snapshot.json"
_LOAD_TIMEOUT_SECONDS = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The part of a Directus project that decides which assets there are."""

    url: str = ""
    """The project it was read from; a snapshot of another project is not used."""
    rows: dict[str, Any] = field(default_factory=lambda: {"storage_asset_presets": []})
    """`GET /settings` as answered, since presets are hashed as stored; parsed by `settings`."""
    collections: tuple[TranslatedCollection, ...] = ()
    """The collections that have translations; empty where nothing is translated."""
    schema: ProjectSchema | None = None
    """All collections, where enrichments are declared."""

    @property
    def settings(self) -> ProjectSettings:
        """The settings, typed."""
        return ProjectSettings.parse(self.rows)

    @property
    def is_taken(self) -> bool:
        """Whether Directus has ever been seen; otherwise it stands in for one."""
        return self != Snapshot(url=self.url)

    @property
    def watched_collections(self) -> Sequence[str]:
        """The collections in which a change may give another snapshot."""
        translated = (*self.collections, *(self.schema.translated if self.schema else ()))
        return sorted({*SCHEMA_COLLECTIONS, *(each.languages_collection for each in translated)})

    @property
    def digest(self) -> str:
        """What tells this snapshot from another."""
        return hashlib.sha256(_SNAPSHOT.dump_json(self)).hexdigest()[:16]


_SNAPSHOT = TypeAdapter(Snapshot)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What of a project a snapshot is to hold, besides its settings: what nobody needs is not read."""

    translations: bool = False
    """Whether to look for translated collections."""
    schema: bool = False
    """Whether to read all collections with their fields."""
    enriched: frozenset[str] = frozenset()
    """The collections that enrichments have to do with."""


def take_snapshot(
    client: DirectusClient,
    wanted: Wanted,
    *,
    known: Snapshot | None = None,
    faults: dict[str, PermanentError] | None = None,
) -> Snapshot:
    """The snapshot of the project as it is now.

    Where `faults` takes them, a collection that cannot be described stays as it is known, and one that nobody knows is
    left out; both with a warning.

    Args:
        client: Directus.
        wanted: what it is to hold.
        known: the last snapshot: what it has, and nobody has deleted, must be seen.
        faults: takes the collections that cannot be described, and why; otherwise the first of them is raised.

    Raises:
        Forbidden: a collection is not seen any more, although it is there.
        DirectusAssetsError: Directus cannot be read.
    """
    rows = client.settings_row()
    ProjectSettings.parse(rows)
    collections = read_translated_collections(client, faults=faults) if wanted.translations else ()
    schema = read_project_schema(client, faults=faults) if wanted.schema else None
    if faults:
        before = known or Snapshot()
        _report(faults, before)
        collections = _completed(collections, before.collections, faults)
        schema = schema and replace(
            schema, translated=_completed(schema.translated, before.schema.translated if before.schema else (), faults)
        )
    if known and wanted.translations:
        _refuse_to_lose_sight(client, _tables_lost(known.collections, collections))
    if known and known.schema and schema:
        _refuse_to_lose_sight(client, wanted.enriched & known.schema.by_name.keys() - schema.by_name.keys())
    return Snapshot(url=client.url, rows=rows, collections=collections, schema=schema)


def _report(faults: Mapping[str, PermanentError], known: Snapshot) -> None:
    """Warns of what cannot be described.

    Raises:
        Forbidden: the token has lost a right that it had.
    """
    for collection, fault in faults.items():
        if isinstance(fault, Forbidden) and collection in {each.collection for each in known.collections}:
            raise fault
        logger.warning("The schema of '%s' could not be read and stays as it was: %s", collection, fault)


def _completed(
    found: Iterable[TranslatedCollection], known: Iterable[TranslatedCollection], faults: Collection[str]
) -> tuple[TranslatedCollection, ...]:
    """What was found, and what is known of that which cannot be described just now."""
    kept = (each for each in known if each.collection in faults)
    return tuple(sorted((*found, *kept), key=lambda each: each.name))


def _tables_lost(known: Iterable[TranslatedCollection], seen: Iterable[TranslatedCollection]) -> set[str]:
    there = {(each.collection, each.translations) for each in seen}
    return {
        table
        for each in known
        if (each.collection, each.translations) not in there
        for table in (each.collection, each.translations, each.languages_collection)
    }


def _refuse_to_lose_sight(client: DirectusClient, tables: AbstractSet[str]) -> None:
    """Directus shows of its schema what the token may read, so that a lost right looks like a deleted collection."""
    if not tables:
        return
    unseen = tables - {row["collection"] for row in client.get("/collections")}
    hidden = sorted(unseen - read_deletions(client, "directus_collections", unseen))
    if hidden:
        raise Forbidden(
            f"Directus no longer shows {', '.join(hidden)}, but its activity log has no deletion.",
            remedy="Give the token's policy "
            + " and ".join(f"the permission 'read on {table}'" for table in hidden)
            + f". If it was really deleted, delete {_FILE} in DAGSTER_HOME.",
        )


def load_snapshot(environment: Environment, wanted: Wanted, *, shared: Callable[[], Storage] | None = None) -> Snapshot:
    """The snapshot to build definitions from: fresh where Directus answers at once, else the kept one, else empty.

    Args:
        environment: which Directus, and the folder that a snapshot is kept in.
        wanted: what it is to hold.
        shared: a storage that all machines reach, where there is one. A run that starts on a new disk finds the
            snapshot there while Directus is down.
    """
    kept = read_snapshot(environment.state_folder, url=environment.directus_url)
    if not environment.is_complete:
        logger.warning(
            "%s not set, so there is nothing to do. Copy .env.example to .env and fill it in.",
            " and ".join(environment.missing()),
        )
        return kept
    try:
        with DirectusClient.from_environment(environment, timeout_seconds=_LOAD_TIMEOUT_SECONDS) as client:
            known = kept if kept.collections else _read_shared(shared, url=environment.directus_url) or kept
            fresh = take_snapshot(client, wanted, known=known, faults={})
    except Exception as error:  # noqa: BLE001 - whatever Directus answers, definitions have to load
        kept = _read_shared(shared, url=environment.directus_url) or kept
        logger.warning(
            "Using the last snapshot of Directus (%d presets): %s", len(kept.settings.presets), as_error(error)
        )
        return kept
    if fresh != kept:
        try:
            write_snapshot(fresh, environment.state_folder)
            if shared:
                _file_in(shared()).write(_SNAPSHOT.dump_json(fresh, indent=1))
        except (OSError, DirectusAssetsError) as error:
            logger.warning("Could not save the snapshot of Directus for use when Directus is down: %s", error)
    return fresh


def _read_shared(shared: Callable[[], Storage] | None, *, url: str) -> Snapshot | None:
    if shared is None:
        return None
    try:
        return _read(shared(), url=url)
    except DirectusAssetsError:
        return None


def read_snapshot(folder: Path, *, url: str) -> Snapshot:
    """The snapshot kept in `folder`; empty where there is none of this project."""
    try:
        return _read(LocalStorage(folder), url=url) or Snapshot(url=url)
    except DirectusAssetsError as error:
        if folder.is_dir():
            logger.warning("Could not read the last snapshot of Directus: %s", error)
        return Snapshot(url=url)


def _read(storage: Storage, *, url: str) -> Snapshot | None:
    """The snapshot of this project; None where it is one of another project, or none."""
    snapshot = _file_in(storage).read()
    return snapshot if snapshot and (snapshot.url == url or not url) else None


def write_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Keeps the snapshot in `folder`, whole or not at all.

    Raises:
        DirectusAssetsError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _file_in(LocalStorage(folder)).write(_SNAPSHOT.dump_json(snapshot, indent=1))


def _file_in(storage: Storage) -> KeptFile[Snapshot]:
    return KeptFile(
        storage=storage,
        name=_FILE,
        what="last snapshot of Directus",
        loss="It will be recreated as soon as Directus responds.",
        parse=_parsed,
    )


def _parsed(content: bytes) -> Snapshot:
    snapshot = _SNAPSHOT.validate_json(content)
    try:
        ProjectSettings.parse(snapshot.rows)
    except PermanentError as error:
        raise ValueError(error.message) from None
    return snapshot
