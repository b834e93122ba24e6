"""The manifest of an export, which tells a static build about the pictures. Pure: contents go in and come out."""

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from directus_assets.directus.models import File
from directus_assets.errors import BadInput
from directus_assets.images.export_names import MANIFEST
from directus_assets.images.outcomes import Made
from directus_assets.images.previews import Placeholder
from directus_assets.images.srcset import srcsets

NO_PRESETS: Final[Mapping[str, Set[str]]] = MappingProxyType({})


Texts: TypeAlias = Mapping[str, str | None]
"""The known texts of a picture: `title`, `description`, and `alt`, which describes what it shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestEntry:
    """One file in the manifest of an export."""

    file: File
    placeholder: Placeholder
    outputs: tuple[tuple[str, Made, str], ...]
    """Preset key, derivative, and its SHA-256."""
    texts: Texts = field(default_factory=dict)


def merged(files: Mapping[str, Any], entries: Mapping[str, ManifestEntry | None]) -> dict[str, Any]:
    """The files of a manifest after adding, replacing and removing these entries."""
    found = {file_id: row for file_id, row in files.items() if file_id not in entries}
    for file_id, entry in entries.items():
        if entry is not None:
            found[file_id] = _row(entry, files.get(file_id, {}))
    return found


def without(files: Mapping[str, Any], dropped: Mapping[str, Set[str]]) -> dict[str, Any]:
    """The files of a manifest without some presets of some files. A file without any preset is removed."""
    found = {}
    for file_id, row in files.items():
        presets = {key: outputs for key, outputs in row["presets"].items() if key not in dropped.get(file_id, ())}
        if len(presets) == len(row["presets"]):
            found[file_id] = row
        elif presets:
            found[file_id] = {**row, "presets": presets, "srcset": srcsets(presets)}
    return found


def kept(files: Mapping[str, Any], wanted: Mapping[str, Texts], presets: Set[str], ids: Set[str]) -> dict[str, Any]:
    """The files of a manifest, reduced among `ids` to the wanted ones with at most these presets, and with their
    current texts.
    """
    rows = {file_id: row for file_id, row in files.items() if file_id not in ids or file_id in wanted}
    rows = without(rows, {file_id: row["presets"].keys() - presets for file_id, row in rows.items() if file_id in ids})
    return {file_id: {**row, **wanted[file_id]} if file_id in ids else row for file_id, row in rows.items()}


def paths_of(files: Mapping[str, Any], ids: Iterable[str]) -> set[str]:
    """The paths of these files' outputs."""
    rows = [files[file_id] for file_id in ids if file_id in files]
    return {output["path"] for row in rows for outputs in row["presets"].values() for output in outputs}


def read_manifest(content: bytes | None) -> dict[str, Any]:
    """Parse the manifest; an empty one if there is none.

    Raises:
        BadInput: the existing manifest is not ours.
    """
    try:
        manifest: dict[str, Any] = json.loads(content) if content else {"version": 1, "files": {}}
        files = dict(manifest["files"])
        for row in files.values():
            row["presets"].items()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInput(
            f"{MANIFEST} in the export folder was not written by this project.",
            remedy="Move it elsewhere, then backfill the presets with delivery `export`.",
        ) from None
    return {**manifest, "files": files}


def written(manifest: Mapping[str, Any]) -> bytes:
    """Serialise the manifest deterministically."""
    return json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False).encode()


def _row(entry: ManifestEntry, before: Mapping[str, Any]) -> dict[str, Any]:
    changed = {preset for preset, _, _ in entry.outputs}
    presets = {preset: outputs for preset, outputs in before.get("presets", {}).items() if preset not in changed}
    for preset, made, sha256 in entry.outputs:
        presets.setdefault(preset, []).append(
            {
                "path": made.name,
                "type": made.mime_type,
                "width": made.width,
                "height": made.height,
                "bytes": made.bytes,
                "sha256": sha256,
                **({"look": made.look} if made.look else {}),
            }
        )
    return {
        **({name: before[name] for name in ("description", "alt") if name in before}),
        "title": entry.file.title,
        **entry.texts,
        "width": entry.file.width,
        "height": entry.file.height,
        "blurhash": entry.placeholder.blurhash,
        "dominant_colour": entry.placeholder.colour,
        "presets": presets,
        "srcset": srcsets(presets),
    }
