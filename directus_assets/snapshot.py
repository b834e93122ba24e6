"""The snapshot that definitions are built from: presets, glossary and translated collections as last read from
Directus.

The snapshot is a file beside Dagster's storage. On load it is refreshed with a short time-out: if Directus is down, the
last snapshot is used with a warning, so that the code location always loads. If machines share a bucket, it is stored
there, too.
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
"""Collections in which a change may affect the snapshot; the languages collections are added."""

_FILE = "directus_snapshot.json"
_LOAD_TIMEOUT_SECONDS = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The part of a Directus project that determines which assets there are."""

    url: str = ""
    """The project it was read from; a snapshot of another project is ignored."""
    rows: dict[str, Any] = field(default_factory=lambda: {"storage_asset_presets": []})
    """`GET /settings` as returned, since presets are hashed as stored; parsed by `settings`."""
    collections: tuple[TranslatedCollection, ...] = ()
    """The collections with translations; empty if nothing is translated."""
    schema: ProjectSchema | None = None
    """All collections, if enrichments are declared."""

    @property
    def settings(self) -> ProjectSettings:
        """The settings, typed."""
        return ProjectSettings.parse(self.rows)

    @property
    def is_taken(self) -> bool:
        """Whether Directus has ever been reached; otherwise this is an empty stand-in."""
        return self != Snapshot(url=self.url)

    @property
    def watched_collections(self) -> Sequence[str]:
        """The collections in which a change may affect the snapshot."""
        translated = (*self.collections, *(self.schema.translated if self.schema else ()))
        return sorted({*SCHEMA_COLLECTIONS, *(each.languages_collection for each in translated)})

    @property
    def digest(self) -> str:
        """Identifies the content of this snapshot."""
        return hashlib.sha256(_SNAPSHOT.dump_json(self)).hexdigest()[:16]


_SNAPSHOT = TypeAdapter(Snapshot)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a snapshot has to contain besides the project's settings: nothing else is read."""

    translations: bool = False
    """Whether to look for translated collections."""
    schema: bool = False
    """Whether to read all collections with their fields."""
    enriched: frozenset[str] = frozenset()
    """The collections that enrichments use."""


def take_snapshot(
    client: DirectusClient,
    wanted: Wanted,
    *,
    known: Snapshot | None = None,
    faults: dict[str, PermanentError] | None = None,
) -> Snapshot:
    """Take a snapshot of the current project.

    If `faults` is given, a collection that cannot be described keeps its last known form, or is omitted if there is
    none; both with a warning.

    Args:
        client: Directus.
        wanted: what it has to contain.
        known: the last snapshot: everything in it that nobody has deleted must still be visible.
        faults: receives the collections that cannot be described, with the errors; if not given, the first error is
            raised.

    Raises:
        Forbidden: a collection is no longer visible, although it exists.
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
    """Warn about what cannot be described.

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
    """The described collections, completed by the last known form of those that currently cannot be described."""
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
    """Directus shows only the part of its schema that the token may read, so a lost right looks like a deleted
    collection.
    """
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
    """The snapshot for building definitions: fresh if Directus answers at once, else the stored one, else empty.

    Args:
        environment: the address of Directus, and the folder that stores the snapshot.
        wanted: what it has to contain.
        shared: a storage that all machines reach, if there is one. A run that starts on a new disk finds the snapshot
            there while Directus is down.
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
    """The snapshot stored in `folder`; empty if there is none for this project."""
    try:
        return _read(LocalStorage(folder), url=url) or Snapshot(url=url)
    except DirectusAssetsError as error:
        if folder.is_dir():
            logger.warning("Could not read the last snapshot of Directus: %s", error)
        return Snapshot(url=url)


def _read(storage: Storage, *, url: str) -> Snapshot | None:
    """The snapshot of this project; None if there is none, or only one of another project."""
    snapshot = _file_in(storage).read()
    return snapshot if snapshot and (snapshot.url == url or not url) else None


def write_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Store the snapshot in `folder`, atomically.

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
