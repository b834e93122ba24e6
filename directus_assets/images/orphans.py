"""Decides which derivatives are orphans, and on what proof. Pure; nothing is read here.

Names alone prove nothing: derivatives that visitors request with parameters of their own, or the Studio with Directus'
built-in presets, are named the same way. So there are two proofs, and derivatives without either are left alone.

- *The file is deleted*: the derivative carries the id of a file that has no row in Directus (which counts only if the
  token is known to see all rows) and no original in the storage (Directus deletes it with the row); in addition, either
  the activity log's last entry for that id is its deletion, or Dagster recorded that we made this very derivative.
  Nobody can request a derivative of a deleted file, whoever made it.
- *It was replaced*: Dagster recorded that we made it for a file that still exists, and no preset produces it now: the
  preset was changed or removed, or the file's focal point, size or type was; or Directus has no size for the file, and
  the derivative is the picture in full size. If a visitor requests the same with parameters of their own, Directus
  makes it again: originals are never touched, so nothing is lost.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from directus_assets.directus.models import Preset
from directus_assets.images.inventory import Inventory, Unclaimed
from directus_assets.images.plan import code_version

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Directus' names for originals, unless someone sets another `filename_disk`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Making:
    """The record of a derivative: its preset, and the digest of the preset's parameters."""

    preset: str
    code_version: str


@dataclass(frozen=True, kw_only=True)
class OrphanEvidence:
    """The evidence beyond names."""

    made: Mapping[tuple[str, str], Making] = field(default_factory=dict)
    """The latest record of every derivative that we made, by (file id, stored or exported name)."""
    deleted: Set[str] = frozenset()
    """Ids whose last entry in the activity log is a deletion."""


def questions(unclaimed: Iterable[Unclaimed]) -> tuple[set[str], set[str]]:
    """The ids that evidence is needed for: of files that may be deleted, and of files that exist."""
    gone: set[str] = set()
    present: set[str] = set()
    for each in unclaimed:
        present.update(each.files)
        if not each.files and _ID.fullmatch(each.stem):
            gone.add(each.stem)
    return gone, present


def prove(
    inventory: Inventory, unclaimed: Iterable[Unclaimed], evidence: OrphanEvidence
) -> Iterator[tuple[Unclaimed, str]]:
    """The unclaimed files that are proven orphans, each with the reason.

    Args:
        inventory: of all files, read with a token that is known to see all of them.
        unclaimed: the files that it does not claim.
        evidence: from Directus' activity log and Dagster's records.
    """
    presets = {preset.key: preset for preset in inventory.presets}
    for each in unclaimed:
        if reason := _deleted(inventory, each, evidence) or _replaced(inventory, each, evidence, presets):
            yield each, reason


def is_deleted(inventory: Inventory, file_id: str, name: str, evidence: OrphanEvidence) -> bool:
    """Whether a file with this id existed in this project and no longer does."""
    return file_id not in inventory.files and (file_id in evidence.deleted or (file_id, name) in evidence.made)


def _deleted(inventory: Inventory, each: Unclaimed, evidence: OrphanEvidence) -> str:
    if each.files or inventory.has_original(each.location, each.stem):
        return ""
    return "file deleted" if is_deleted(inventory, each.stem, each.entry.name, evidence) else ""


def _replaced(inventory: Inventory, each: Unclaimed, evidence: OrphanEvidence, presets: Mapping[str, Preset]) -> str:
    if not inventory.unresolved.isdisjoint(each.files):
        return ""
    makings = [
        evidence.made[file_id, each.entry.name] for file_id in each.files if (file_id, each.entry.name) in evidence.made
    ]
    if not makings:
        return ""
    making = makings[0]
    if making.preset not in presets:
        return f"preset '{making.preset}' removed"
    if making.code_version != code_version(presets[making.preset]):
        return f"preset '{making.preset}' changed"
    preset = presets[making.preset]
    if (preset.width or preset.height) and not inventory.unsized.isdisjoint(each.files):
        return f"preset '{making.preset}' sets a size, but Directus has no size for the file"
    return "file changed"
