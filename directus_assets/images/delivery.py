"""The three deliveries of derivatives: `warm`, `storage` and `export`."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File
from directus_assets.directus.storage import Storage
from directus_assets.errors import NotFound, PermanentError, TransientError
from directus_assets.images.export_names import MANIFEST, export_name
from directus_assets.images.manifest import (
    NO_PRESETS,
    ManifestEntry,
    Texts,
    kept,
    merged,
    paths_of,
    read_manifest,
    without,
    written,
)
from directus_assets.images.outcomes import Made
from directus_assets.images.proof import marked
from directus_assets.images.render import Rendered
from directus_assets.images.sample import Sample
from directus_assets.images.transforms import Derivative

__all__ = [
    "MANIFEST",
    "Exported",
    "ManifestEntry",
    "NotServed",
    "Stored",
    "Warm",
    "digest",
]


class NotServed(PermanentError):
    """Directus does not serve what we stored: something about its name or location is unexpected."""


@dataclass(frozen=True)
class Warm:
    """Directus renders and stores the derivative. Needs only an address and a token.

    Args:
        client: Directus.
        is_read: whether to download the derivative to determine its digest; otherwise no bytes are transferred.
    """

    client: DirectusClient
    is_read: bool = False

    def deliver(self, file: File, derivative: Derivative) -> Made:
        """Request the derivative from Directus.

        Raises:
            TransientError: Directus is busy, or serves an empty derivative: it opens the target before it renders, so a
                second request in the meantime gets nothing (Directus 12).
            DirectusAssetsError: Directus refuses.
        """
        head = self.client.head_asset(file.id, preset=derivative.preset_key, accept=derivative.accept)
        if head.content_length == 0:
            raise TransientError(
                f"Directus serves an empty derivative '{derivative.label}' of {file.name}.",
                remedy=(
                    f"If this persists, delete {derivative.stored_name} from Directus' storage '{file.storage}', "
                    "or use delivery `storage`, which overwrites it."
                ),
            )
        return Made(
            label=derivative.label,
            name=derivative.stored_name,
            mime_type=head.content_type,
            bytes=head.content_length,
            digest=self._digest(file, derivative) if self.is_read else "",
        )

    def _digest(self, file: File, derivative: Derivative) -> str:
        return digest(self.client.download(file.id, accept=derivative.accept, key=derivative.preset_key))


def served_bytes(
    client: DirectusClient, storage: Storage, file: File, derivative: Derivative, content: bytes
) -> int | None:
    """The size of what Directus serves if that differs from the file in the storage; None if it serves that file.

    Directus may itself make a derivative of the same length, or even with the same bytes. So the stored file is marked;
    the mark stays until the derivative is written anew.
    """
    marking = marked(content)
    storage.write(derivative.stored_name, marking, content_type=derivative.mime_type)
    head = client.head_asset(file.id, preset=derivative.preset_key, accept=derivative.accept)
    return None if head.content_length == len(marking) else head.content_length


@dataclass(frozen=True)
class Stored:
    """The derivative is stored in Directus' own storage under the name that Directus looks for, and Directus serves
    it.
    """

    client: DirectusClient
    storages: Mapping[str, Storage]
    sample: Sample = field(default_factory=Sample)

    def deliver(self, file: File, derivative: Derivative, rendered: Rendered, preview: str | None) -> Made:
        """Store the derivative, and verify with a HEAD request that Directus serves it, or another of its kind.

        Raises:
            NotServed: Directus serves something else; the stored file has been removed again.
        """
        storage = self.storages[file.storage]
        if self.sample.includes(file, derivative):
            self._prove(file, derivative, rendered)
        storage.write(derivative.stored_name, rendered.content, content_type=rendered.mime_type)
        return _made(derivative.stored_name, derivative, rendered, preview)

    def _prove(self, file: File, derivative: Derivative, rendered: Rendered) -> None:
        storage = self.storages[file.storage]
        served = served_bytes(self.client, storage, file, derivative, rendered.content)
        self.sample.learn(file, derivative, is_served=served is None)
        if served is not None:
            storage.delete(derivative.stored_name)
            raise NotServed(
                f"Directus does not serve the derivative '{derivative.label}' of {file.name} that we stored in "
                f"{storage.describe()}: it returns {served} bytes of its own instead.",
                remedy="Check that the STORAGE_* variables are the same as in Directus.",
            )

    def withdraw(self, file: File, derivatives: Sequence[Derivative]) -> None:
        """Remove derivatives of a file that was deleted while they were being made."""
        for derivative in derivatives:
            self.storages[file.storage].delete(derivative.stored_name)


@dataclass(frozen=True)
class Exported:
    """The derivative goes to a folder or bucket for static builds; the manifest changes last, and atomically."""

    target: Storage

    def deliver(self, derivative: Derivative, rendered: Rendered, preview: str | None, *, look: str = "") -> Made:
        """Write the derivative as `<preset>/<file id><extension>`; `look` is described in `look_of`."""
        name = export_name(derivative.preset_key, derivative.file_id, rendered.mime_type)
        self.target.write(name, rendered.content, content_type=rendered.mime_type)
        return replace(_made(name, derivative, rendered, preview), look=look)

    def publish(
        self, entries: Mapping[str, ManifestEntry | None], *, dropped: Mapping[str, Set[str]] = NO_PRESETS
    ) -> None:
        """Update the manifest, then delete files that entries no longer list.

        Args:
            entries: entries by file id, or None for a deleted file, whose exported pictures stay.
            dropped: keys of presets that a file no longer has, by file id.
        """
        touched = {*(file_id for file_id, entry in entries.items() if entry), *dropped}

        def change(files: dict[str, Any]) -> dict[str, Any]:
            return without(merged(files, entries), dropped)

        self._change(change, touched)

    def keep(self, wanted: Mapping[str, Texts], presets: Set[str], *, among: Iterable[str] | None = None) -> None:
        """Reduce the export to what belongs there, and update its texts.

        Args:
            wanted: files that belong there, by id, with their current texts.
            presets: keys of all exported presets.
            among: the files to check; all if None.

        Raises:
            BadInput: the existing manifest is not ours.
        """
        files = self.files()
        if files is None:
            return
        ids = set(files if among is None else among)
        if kept(files, wanted, presets, ids) != files:
            self._change(lambda now: kept(now, wanted, presets, ids), ids)

    def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]], touched: Set[str]) -> None:
        """Change the manifest's files, then delete what the touched ones no longer list."""
        gone: set[str] = set()

        def rewrite(current: bytes | None) -> bytes:
            manifest = read_manifest(current)
            before = paths_of(manifest["files"], touched)
            files = change(manifest["files"])
            gone.clear()
            gone.update(before - paths_of(files, touched))
            return written({**manifest, "files": files})

        self.target.update(MANIFEST, rewrite, content_type="application/json")
        for path in sorted(gone):
            self.target.delete(path)

    def files(self) -> dict[str, Any] | None:
        """The manifest's files, by id; None if nothing has been exported.

        Raises:
            BadInput: the existing manifest is not ours.
        """
        try:
            files: dict[str, Any] = read_manifest(self.target.read(MANIFEST))["files"]
        except NotFound:
            return None
        return files

    def put_back(self, file_id: str, row: Mapping[str, Any]) -> None:
        """Restore a file that was removed from the manifest, unless it is there."""

        def change(current: bytes | None) -> bytes:
            manifest = read_manifest(current)
            manifest["files"].setdefault(file_id, row)
            return written(manifest)

        self.target.update(MANIFEST, change, content_type="application/json")

    def withdraw(self, file_id: str) -> None:
        """Remove a deleted file from the manifest, then delete its exported pictures."""
        if file_id in (self.files() or {}):
            self._change(lambda files: {each: row for each, row in files.items() if each != file_id}, {file_id})


def digest(content: bytes) -> str:
    """The SHA-256 in the form used in manifests."""
    return hashlib.sha256(content).hexdigest()


def _made(name: str, derivative: Derivative, rendered: Rendered, preview: str | None) -> Made:
    return Made(
        label=derivative.label,
        name=name,
        mime_type=rendered.mime_type,
        bytes=len(rendered.content),
        digest=digest(rendered.content),
        width=rendered.width,
        height=rendered.height,
        preview=preview,
    )
