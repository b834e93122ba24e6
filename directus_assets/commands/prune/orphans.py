"""Reads what orphans are told and proven from: Directus' files, its storage, its activity log and Dagster's records."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import dagster as dg

from directus_assets.commands.prune.exports import Exports
from directus_assets.commands.prune.undo import EXPORT, Orphan, location_place
from directus_assets.directus.feed import read_deletions
from directus_assets.directus.models import File, Preset
from directus_assets.directus.sight import require_full_sight
from directus_assets.directus.storage import Storage
from directus_assets.fast.latest import latest_of
from directus_assets.images.inventory import Inventory, Recorded, Unclaimed
from directus_assets.images.orphans import Making, OrphanEvidence, prove, questions
from directus_assets.images.plan import fingerprint
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import (
    CODE_VERSION_TAG,
    all_materializations,
    data_version,
    latest_records,
)
from directus_assets.orchestration.runs.report import stored_sizes

_PAGE = 500


@dataclass(frozen=True, kw_only=True)
class FoundOrphans:
    """Orphans of pictures, and what only looks like some."""

    proven: tuple[Orphan, ...]
    others: tuple[Unclaimed, ...]
    """Named like derivatives and asked for by no preset, but by somebody else, for all that is known."""


def take_inventory(project: Project, instance: dg.DagsterInstance) -> Inventory:
    """All files of Directus against the storage locations that are reached from here.

    Raises:
        DirectusAssetsError: Directus or a storage cannot be read; an inventory never stands for a part.
    """
    # The storage first: what is uploaded or made in the meantime then misses from it, which proves nothing.
    listings = {
        location: {entry.name: entry for entry in storage.entries()} for location, storage in project.storages.items()
    }
    inventory = Inventory(presets=project.directus.project_settings().presets, listings=listings)
    rows = (File.parse(row) for row in project.directus.rows("/files", fields=File.FIELDS, sort="id"))
    while page := list(islice(rows, _PAGE)):
        recorded = _recorded(project, instance, inventory, page)
        # What another project takes care of claims its names, too, but nothing of it is missing here.
        ours = project.files_by_id(file.id for file in page) if project.settings.config.images.filter else None
        for file in page:
            is_wanted = ours is None or file.id in ours
            inventory.count(file, recorded.get(file.id, {}), is_wanted=is_wanted)
    return inventory


def _is_recorded_only(project: Project, inventory: Inventory, file: File, preset: Preset) -> bool:
    """Whether only Dagster knows if a derivative is there: the storage is not reached, or it went to the export."""
    return file.storage not in inventory.listings or project.delivery_of(preset.key) == "export"


def find_orphans(project: Project, instance: dg.DagsterInstance, inventory: Inventory) -> FoundOrphans:
    """What of pictures is proven to be an orphan.

    Raises:
        Forbidden: the token does not see all files, so that nothing can be proven.
        DirectusAssetsError: Directus or a storage cannot be read.
    """
    require_full_sight(project.directus, {"directus_files": File.FIELDS})
    unclaimed = list(inventory.unclaimed())
    gone, present = questions(unclaimed)
    exports = Exports.read(project.export, inventory.presets) if _exports(project) else Exports()
    evidence = _gather(project, instance, inventory, gone | exports.gone(inventory), present | exports.unlisted_ids())
    proven = dict(prove(inventory, unclaimed, evidence))
    orphans = [
        Orphan(
            place=location_place(each.location),
            name=each.entry.name,
            size=each.entry.size,
            reason=reason,
            file_id=each.files[0] if each.files else each.stem,
        )
        for each, reason in proven.items()
    ]
    return FoundOrphans(
        proven=(*orphans, *exports.orphans(inventory, evidence)),
        others=tuple(each for each in unclaimed if each not in proven),
    )


def places(project: Project) -> dict[str, Storage]:
    """Where orphans of pictures can be, by the names that they carry."""
    found: dict[str, Storage] = {location_place(name): storage for name, storage in project.storages.items()}
    if _exports(project):
        found[EXPORT] = project.export
    return found


def _exports(project: Project) -> bool:
    presets = project.directus.project_settings().presets
    return any(project.delivery_of(preset.key) == "export" for preset in presets)


def _recorded(
    project: Project, instance: dg.DagsterInstance, inventory: Inventory, files: Sequence[File]
) -> dict[str, Recorded]:
    """What Dagster knows of files and presets that only it knows of, by file id."""
    blind: dict[str, dict[str, Sequence[int] | None]] = {}
    for preset in inventory.presets:
        rows = {file.id: file for file in files if _is_recorded_only(project, inventory, file, preset)}
        if not rows:
            continue
        known = latest_records(instance, {preset.key: project.names.preset(preset.key)}, rows)
        for file_id, file in rows.items():
            record = known.get((preset.key, file_id))
            is_right = record and data_version(record) == fingerprint(file, preset)
            blind.setdefault(file_id, {})[preset.key] = (
                list(stored_sizes(record.metadata).values()) if record and is_right else None
            )
    return dict(blind)


def _gather(
    project: Project, instance: dg.DagsterInstance, inventory: Inventory, gone: set[str], present: set[str]
) -> OrphanEvidence:
    return OrphanEvidence(
        made=_makings(project, instance, inventory, sorted(gone | present)),
        deleted=read_deletions(project.directus, "directus_files", gone),
    )


def _makings(
    project: Project, instance: dg.DagsterInstance, inventory: Inventory, file_ids: Sequence[str]
) -> dict[tuple[str, str], Making]:
    """All that we ever made of these files, through presets of then and now.

    What was made for another address tells nothing: this instance may have worked for another project.
    """
    names = {project.names.preset(preset.key): preset.key for preset in inventory.presets}
    addresses = tuple(f"{url}/assets/" for url in (project.public_url, project.directus.url))
    found: dict[tuple[str, str], Making] = {}
    for asset_key in instance.get_asset_keys(prefix=project.names.presets.path) if file_ids else ():
        for record in all_materializations(instance, asset_key, file_ids):
            event = record.asset_materialization
            link = event.metadata.get("link") if event else None
            if not event or not event.partition or not link or not str(link.value).startswith(addresses):
                continue
            making = Making(
                preset=names.get(asset_key, asset_key.path[-1]),
                code_version=(event.tags or {}).get(CODE_VERSION_TAG, ""),
            )
            for name in stored_sizes(latest_of(event, record.timestamp).metadata):
                found.setdefault((event.partition, name), making)
    return found
