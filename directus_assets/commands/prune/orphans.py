"""Gathers the evidence for orphans: Directus' files, its storage, its activity log and Dagster's records."""

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
    """Orphaned pictures, and files that only look like orphans."""

    proven: tuple[Orphan, ...]
    others: tuple[Unclaimed, ...]
    """Named like derivatives, but of no preset: someone else may have requested them."""


def take_inventory(project: Project, instance: dg.DagsterInstance) -> Inventory:
    """Compare all files in Directus with the storage locations that we can reach.

    Raises:
        DirectusAssetsError: Directus or a storage cannot be read; a partial inventory is never returned.
    """
    # The storage is listed first: files uploaded or made in the meantime are then missing from the listing, which
    # proves nothing.
    listings = {
        location: {entry.name: entry for entry in storage.entries()} for location, storage in project.storages.items()
    }
    inventory = Inventory(presets=project.directus.project_settings().presets, listings=listings)
    rows = (File.parse(row) for row in project.directus.rows("/files", fields=File.FIELDS, sort="id"))
    while page := list(islice(rows, _PAGE)):
        recorded = _recorded(project, instance, inventory, page)
        # Another project's files claim their names too, but do not count as missing here.
        ours = project.files_by_id(file.id for file in page) if project.settings.config.images.filter else None
        for file in page:
            is_wanted = ours is None or file.id in ours
            inventory.count(file, recorded.get(file.id, {}), is_wanted=is_wanted)
    return inventory


def _is_recorded_only(project: Project, inventory: Inventory, file: File, preset: Preset) -> bool:
    """Whether only Dagster's records show that a derivative exists: we cannot reach the storage, or it was exported."""
    return file.storage not in inventory.listings or project.delivery_of(preset.key) == "export"


def find_orphans(project: Project, instance: dg.DagsterInstance, inventory: Inventory) -> FoundOrphans:
    """Find pictures that are proven to be orphans.

    Raises:
        Forbidden: the token does not see all files, so nothing can be proven.
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
    """The storages that can hold orphaned pictures, by the name that orphans use."""
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
    """Dagster's records of files and presets that no storage listing covers, by file id."""
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
    """Everything we ever made of these files, through past and present presets.

    Records made for another address are ignored: this instance may have served another project.
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
