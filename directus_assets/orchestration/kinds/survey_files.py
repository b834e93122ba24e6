"""The reconcile's view of files and their derivatives."""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from directus_assets.directus.models import File, Preset
from directus_assets.directus.sight import find_deleted
from directus_assets.directus.storage import Entry
from directus_assets.errors import DirectusAssetsError, PermanentError
from directus_assets.fast.latest import Latest
from directus_assets.images.names_on_disk import is_chosen, require_own, sharers
from directus_assets.images.outcomes import Delivered
from directus_assets.images.plan import examine_files
from directus_assets.images.proof import adopted, are_lost, look_up
from directus_assets.images.transforms import Derivative, derivatives
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.report import OutputRecord, derivative_record, stored_sizes
from directus_assets.planning.changes import Examination

if TYPE_CHECKING:
    from directus_assets.orchestration.kinds.files import Files


def find_stored(project: Project, file: File, preset: Preset) -> Delivered | None:
    """The correct derivatives of a file in Directus' storage; None if they are not there."""
    wanted = _stored_derivatives(project, file, preset)
    found = adopted(file, preset, wanted, look_up(project.storages[file.storage], wanted)) if wanted else None
    return found if found and _is_own(project, file, preset, wanted) else None


def _is_own(project: Project, file: File, preset: Preset, wanted: Sequence[Derivative]) -> bool:
    """Whether the stored derivatives cannot belong to another picture."""
    try:
        require_own(file, preset, wanted, sharers(project.directus, file) if is_chosen(file) else ())
    except PermanentError:
        return False
    return True


def _stored_derivatives(project: Project, file: File, preset: Preset) -> tuple[Derivative, ...]:
    """The derivatives that the storage should hold, if we can reach it and Directus serves from it."""
    if file.storage not in project.storages or project.delivery_of(preset.key) == "export":
        return ()
    try:
        wanted = derivatives(preset, file)
    except PermanentError:
        return ()
    return () if any(derivative.other_name for derivative in wanted) else wanted


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The contents of one storage location, or of one folder of the export."""

    taken_at: float
    """Seconds since 1970; files made later may be missing."""
    entries: Mapping[str, Entry]


@dataclass
class FileSurveyor:
    """Surveys files, with one listing of each storage location and exported folder for all pages."""

    subject: "Files"
    _listings: dict[str, Listing] = field(default_factory=dict)

    def look(self, keys: Sequence[str]) -> "FilePage":
        rows = self.subject.project.files_by_id(keys)
        examination = examine_files([rows[key] for key in keys if key in rows], self.subject.presets)
        # A file that the filter excludes keeps its partition: it may come back.
        unseen = [key for key in keys if key not in rows]
        directus = self.subject.project.directus
        deleted = find_deleted(directus, self.subject.collection, unseen, directus.existing_files)
        return FilePage(
            project=self.subject.project,
            rows=rows,
            presets={preset.key: preset for preset in self.subject.presets},
            examination=examination,
            gone=(*(key for key in unseen if key in deleted), *examination.unfit),
            listing=self._listing,
            exported=self._exported,
            missing=cache(lambda: self.subject.upkeep.missing(examination.wanted)),
        )

    def _listing(self, location: str) -> Listing:
        # The name of every stored derivative contains `__`; originals are skipped to keep this small.
        entries = self.subject.project.storages[location].entries
        return self._listed(location, lambda: (entry for entry in entries() if "__" in entry.name))

    def _exported(self, folder: str) -> Listing:
        def entries() -> list[Entry]:
            with contextlib.suppress(DirectusAssetsError):
                return list(self.subject.project.export.entries(f"{folder}/"))
            return []

        # No storage location has a slash in its name.
        return self._listed(f"{folder}/", entries)

    def _listed(self, name: str, entries: Callable[[], Iterable[Entry]]) -> Listing:
        if name not in self._listings:
            taken_at = time.time()
            found = {entry.name: entry for entry in entries()}
            self._listings[name] = Listing(taken_at=taken_at, entries=found)
        return self._listings[name]


@dataclass(frozen=True, kw_only=True)
class FilePage:
    """Some files."""

    project: Project
    rows: Mapping[str, File]
    presets: Mapping[str, Preset]
    examination: Examination
    gone: Sequence[str]
    listing: Callable[[str], Listing]
    exported: Callable[[str], Listing]
    missing: Callable[[], Set[tuple[str, str]]]
    """Outputs made for an export and missing from it."""

    def is_lost(self, output: str, key: str, record: Latest) -> bool:
        if self.project.delivery_of(output) == "export":
            return (output, key) in self.missing() or self._is_overwritten(record)
        file = self.rows[key]
        wanted = _stored_derivatives(self.project, file, self.presets[output])
        if not wanted:
            return False
        listing = self.listing(file.storage)
        return record.timestamp < listing.taken_at and are_lost(wanted, listing.entries, stored_sizes(record.metadata))

    def _is_overwritten(self, record: Latest) -> bool:
        """Whether exported pictures do not have their recorded sizes: a run wrote others and ended before it published
        them. An export that cannot be read or is empty counts as complete: a volume may not be mounted.
        """
        for name, size in stored_sizes(record.metadata).items():
            listing = self.exported(str(PurePosixPath(name).parent))
            entry = listing.entries.get(name)
            if listing.entries and record.timestamp < listing.taken_at and (entry is None or entry.size != size):
                return True
        return False

    def is_remembered(self, output: str, key: str) -> bool:  # noqa: ARG002 (only Dagster records derivatives)
        return False

    def is_there(self, output: str, key: str) -> bool:
        return self._adopted(output, key) is not None

    def adopt(self, output: str, key: str) -> OutputRecord | None:
        outcome = self._adopted(output, key)
        if outcome is None:
            return None
        return derivative_record(outcome, public_url=self.project.public_url).as_adopted()

    def _adopted(self, output: str, key: str) -> Delivered | None:
        file, preset = self.rows[key], self.presets[output]
        wanted = _stored_derivatives(self.project, file, preset)
        found = adopted(file, preset, wanted, self.listing(file.storage).entries) if wanted else None
        return found if found and _is_own(self.project, file, preset, wanted) else None
