"""The three ways a derivative gets to its users: `warm`, `storage` and `export`."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File
from directus_assets.directus.storage import Storage
from directus_assets.errors import NotFound, PermanentError, TransientError
from directus_assets.images.export_names import export_name
from directus_assets.images.manifest import (
    MANIFEST,
    NO_PRESETS,
    ManifestEntry,
    Texts,
    kept,
    merge_manifest,
    merged,
    paths_of,
    read_manifest,
    without,
    written,
)
from directus_assets.images.outcomes import Made
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
    "merge_manifest",
]

_MARK = b"\0\0\0\x08free"
"""What may follow any picture: for AVIF it is an empty box, for the others it is past their end."""


class NotServed(PermanentError):
    """Directus does not serve what was put into its storage: something about its name or place is not as expected."""


@dataclass(frozen=True)
class Warm:
    """Directus renders and keeps the derivative. Needs nothing but address and token.

    Args:
        client: Directus.
        is_read: whether to know the digest of what Directus has made; otherwise no bytes are sent.
    """

    client: DirectusClient
    is_read: bool = False

    def deliver(self, file: File, derivative: Derivative) -> Made:
        """Asks Directus for the derivative.

        Raises:
            TransientError: Directus is busy, or serves an empty derivative: it opens the target before it renders,
                so that a second request meanwhile gets nothing (Directus 12).
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
    """How many bytes Directus serves that are not those in the storage; None where it serves those.

    Directus itself may make a derivative of the same length, even of the same bytes. So what it is shown is marked, by
    bytes that no decoder looks at; they stay until the derivative is written anew.
    """
    marked = content + _MARK
    storage.write(derivative.stored_name, marked, content_type=derivative.mime_type)
    head = client.head_asset(file.id, preset=derivative.preset_key, accept=derivative.accept)
    return None if head.content_length == len(marked) else head.content_length


@dataclass(frozen=True)
class Stored:
    """The derivative goes into Directus' own storage under the name that Directus looks for, and Directus serves it."""

    client: DirectusClient
    storages: Mapping[str, Storage]
    sample: Sample = field(default_factory=Sample)

    def deliver(self, file: File, derivative: Derivative, rendered: Rendered, preview: str | None) -> Made:
        """Stores the derivative, and proves by a HEAD that Directus serves it, or another of its kind.

        Raises:
            NotServed: Directus serves something else; what was stored is removed again.
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
        """Removes derivatives of a file that was deleted while they were made."""
        for derivative in derivatives:
            self.storages[file.storage].delete(derivative.stored_name)


@dataclass(frozen=True)
class Exported:
    """The derivative goes to a folder or bucket for static builds; the manifest changes last, and atomically."""

    target: Storage

    def deliver(self, derivative: Derivative, rendered: Rendered, preview: str | None, *, look: str = "") -> Made:
        """Writes the derivative as `<preset>/<file id><extension>`; see `look_of` for how it looks."""
        name = export_name(derivative.preset_key, derivative.file_id, rendered.mime_type)
        self.target.write(name, rendered.content, content_type=rendered.mime_type)
        return replace(_made(name, derivative, rendered, preview), look=look)

    def publish(
        self, entries: Mapping[str, ManifestEntry | None], *, dropped: Mapping[str, Set[str]] = NO_PRESETS
    ) -> None:
        """Brings the manifest up to date, then removes what entries had before and have no more.

        Args:
            entries: file id to its entry, or None for a file that is gone; what was exported of that stays.
            dropped: file id to keys of presets of which it has nothing any more.
        """
        touched = {*(file_id for file_id, entry in entries.items() if entry), *dropped}

        def change(files: dict[str, Any]) -> dict[str, Any]:
            return without(merged(files, entries), dropped)

        self._change(change, touched)

    def keep(self, wanted: Mapping[str, Texts], presets: Set[str], *, among: Iterable[str] | None = None) -> None:
        """Has the export hold only what belongs there, under the texts that it has now.

        Args:
            wanted: files that belong there, by id.
            presets: keys of all presets that are exported.
            among: the files to look at; all where it is None.

        Raises:
            BadInput: what is there is no manifest of ours.
        """
        files = self.files()
        if files is None:
            return
        ids = set(files if among is None else among)
        if kept(files, wanted, presets, ids) != files:
            self._change(lambda now: kept(now, wanted, presets, ids), ids)

    def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]], touched: Set[str]) -> None:
        """Changes the manifest's files, then removes what those that are touched had before and have no more."""
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
        """The manifest's files, by id; None where nothing has been exported.

        Raises:
            BadInput: what is there is no manifest of ours.
        """
        try:
            files: dict[str, Any] = read_manifest(self.target.read(MANIFEST))["files"]
        except NotFound:
            return None
        return files

    def put_back(self, file_id: str, row: Mapping[str, Any]) -> None:
        """Puts a file that was taken out of the manifest in again, unless it is there."""

        def change(current: bytes | None) -> bytes:
            manifest = read_manifest(current)
            manifest["files"].setdefault(file_id, row)
            return written(manifest)

        self.target.update(MANIFEST, change, content_type="application/json")

    def withdraw(self, file_id: str) -> None:
        """Takes a deleted file out of the manifest, then removes what was exported of it."""
        if file_id in (self.files() or {}):
            self._change(lambda files: {each: row for each, row in files.items() if each != file_id}, {file_id})


def digest(content: bytes) -> str:
    """SHA-256, as manifests carry it."""
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
