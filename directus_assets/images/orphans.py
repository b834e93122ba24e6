"""Which derivatives nobody needs any more, and what proves it. Pure; nothing is read here.

Names alone prove nothing: what visitors ask for with parameters of their own, and what the Studio asks for with
Directus' built-in presets, is named in the same way. So there are two proofs, and what has neither is left alone.

- *The file is deleted*: the derivative is named by the id of a file of which Directus has no row (which counts only
  where the token is known to see all rows) and the storage no original (Directus deletes it with the row); and either
  the last thing that the activity log says of that id is its deletion, or Dagster recorded that we made this very
  derivative. Nobody can ask for a derivative of a file that is gone, whoever made it.
- *It was replaced*: Dagster recorded that we made it for a file that is still there, and no preset asks for it now: the
  preset was changed or removed, or the file's focal point, size or type was; or Directus knows no sizes of the file,
  and what was made is the picture in full size. Where a visitor happens to ask for the same with parameters of their
  own, Directus makes it again: originals are never touched, so nothing is lost.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from directus_assets.directus.models import Preset
from directus_assets.images.inventory import Inventory, Unclaimed
from directus_assets.images.plan import code_version

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What Directus calls originals by, unless somebody gives `filename_disk` another value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Making:
    """What was recorded when a derivative was made: the preset, and its parameters' digest."""

    preset: str
    code_version: str


@dataclass(frozen=True, kw_only=True)
class OrphanEvidence:
    """What is known beyond names."""

    made: Mapping[tuple[str, str], Making] = field(default_factory=dict)
    """(file id, stored or exported name) to how we made it last, of all that we ever made."""
    deleted: Set[str] = frozenset()
    """Ids of which the activity log says last that they were deleted."""


def questions(unclaimed: Iterable[Unclaimed]) -> tuple[set[str], set[str]]:
    """What the evidence has to be about: ids of files that may be deleted, and ids of files that are there."""
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
    """Those of the unclaimed that are proven orphans, each with the reason.

    Args:
        inventory: of all files, read by a token that is known to see all of them.
        unclaimed: what it does not claim.
        evidence: what Directus' activity log and Dagster remember.
    """
    presets = {preset.key: preset for preset in inventory.presets}
    for each in unclaimed:
        if reason := _deleted(inventory, each, evidence) or _replaced(inventory, each, evidence, presets):
            yield each, reason


def is_deleted(inventory: Inventory, file_id: str, name: str, evidence: OrphanEvidence) -> bool:
    """Whether a file of this id existed in this project, and does no more."""
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
