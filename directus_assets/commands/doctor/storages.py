"""Checks that files can be written, read back and removed in every storage: derivatives, exports, memory, disk."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from directus_assets.commands.doctor.findings import Checkup, Finding, Status, failed, ok, warning
from directus_assets.directus.storage import LocalStorage, Storage, unsupported
from directus_assets.directus.storage.variables import DRIVERS
from directus_assets.errors import DirectusAssetsError

_LITTLE_BYTES = 1024**3


def check_storages(subject: Checkup) -> Iterator[Finding]:
    """Write to, read from and clean up every storage."""
    project = subject.project
    for location, storage in project.storages.items():
        yield try_out(f"storage {location}", storage)
    variables = project.settings.environment.storage
    for location, driver in unsupported(variables, folder=project.settings.config_folder).items():
        yield warning(
            f"storage {location}",
            f"STORAGE_{location.upper()}_DRIVER is {repr(driver) if driver else 'not set'}, which is not supported. "
            "Directus renders the pictures stored there (delivery `warm`).",
            f"No action is needed if that is acceptable; delivery `storage` supports {' and '.join(sorted(DRIVERS))}.",
        )
    if not variables.get("STORAGE_LOCATIONS"):
        yield ok("storage", "not accessible from here (STORAGE_LOCATIONS is not set), so Directus renders")
    if any(project.delivery_of(preset.key) == "export" for preset in subject.directus_settings.presets):
        yield try_out("exports", project.export, is_updated=True)


def check_translation_records(subject: Checkup) -> Iterator[Finding]:
    """Check that translation records can be stored."""
    settings = subject.project.settings
    has_place = settings.config.engine.records.location or settings.environment.state_folder.is_dir()
    if subject.project.translates and has_place:
        yield try_out("translation records", subject.project.records.storage, is_updated=True)


def check_disk(subject: Checkup) -> Iterator[Finding]:
    """Check the free space where Dagster keeps its history, and in storages that are folders."""
    home = subject.project.settings.environment.state_folder
    roots = [storage.root for storage in subject.project.storages.values() if isinstance(storage, LocalStorage)]
    seen: set[int] = set()
    for folder in (home, *roots):
        if folder.is_dir() and (device := folder.stat().st_dev) not in seen:
            seen.add(device)
            yield _examine_disk(folder)


def try_out(what: str, storage: Storage, *, is_updated: bool = False) -> Finding:
    """Check that a storage supports the operations it needs.

    Args:
        what: the data kept in the storage.
        storage: the storage to try.
        is_updated: several runs may update the same file; in a bucket, only conditional writes keep them apart.
    """
    try:
        found = _write_and_read(what, storage)
        is_shared = is_updated and found.status is Status.OK and not isinstance(storage, LocalStorage)
        return _update(what, storage) if is_shared else found
    except DirectusAssetsError as error:
        return failed(what, error.message, error.remedy)


def _write_and_read(what: str, storage: Storage) -> Finding:
    name, content = f"directus-assets-doctor-{secrets.token_hex(8)}", secrets.token_bytes(1024)
    storage.write(name, content, content_type="application/octet-stream")
    try:
        is_same = storage.read(name) == content
        is_listed = any(found == name for found, _ in storage.names(name))
    finally:
        storage.delete(name)
    if is_same and is_listed and storage.size(name) is None:
        return ok(what, f"{storage.describe()}: write, read, list and delete work")
    return failed(
        what,
        f"{storage.describe()} does not return what was written to it.",
        "Use a storage with strong read-after-write consistency.",
    )


def _update(what: str, storage: Storage) -> Finding:
    """Update a file while someone else creates or changes it: the storage has to refuse our write each time."""
    name = f"directus-assets-doctor-{secrets.token_hex(8)}"
    seen: list[bytes | None] = []

    def change(current: bytes | None) -> bytes:
        seen.append(current)
        if len(seen) < 3:
            storage.write(name, f"another's {len(seen)}".encode(), content_type="text/plain")
        return b"ours"

    try:
        storage.update(name, change, content_type="text/plain")
    finally:
        storage.delete(name)
    if seen == [None, b"another's 1", b"another's 2"]:
        return ok(what, f"{storage.describe()}: write, read, list, delete and conditional update work")
    ignored = "If-None-Match" if len(seen) == 1 else "If-Match"
    return failed(
        what,
        f"{storage.describe()} ignores conditional writes ({ignored}), so when two runs write at the same moment, one "
        "of them loses its data.",
        "Use a service that supports conditional writes, such as Amazon S3, or a local folder that all runs share.",
    )


def _examine_disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GiB free on the disk of {folder}"
    if free < _LITTLE_BYTES:
        return warning("disk", text, "Free some space: work stops when the disk is full.")
    return ok("disk", text)
