"""Takes stock of derivatives by names and sizes alone: present, missing, empty, and unclaimed.

Pure: file rows, presets and a listing of each storage location go in; nothing is read or rendered here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TypeAlias

from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import Entry
from directus_assets.errors import PermanentError
from directus_assets.images.transforms import Derivative, SizesUnknown, derivatives

_DERIVATIVE = re.compile(r"(?P<stem>[^/]+)__[0-9a-f]{40}(?:\.[^/.]*)?")
"""Directus' names for derivatives (`cache_name`), at the top level of the storage.

Temporary names have an additional suffix.
"""

Recorded: TypeAlias = Mapping[str, Sequence[int] | None]
"""By preset: the sizes in bytes of the current derivatives; None if there are none."""


@dataclass
class Stock:
    """The derivatives of one preset: their number, and the bytes of those that exist."""

    wanted: int = 0
    present: int = 0
    missing: int = 0
    empty: int = 0
    bytes: int = 0
    files_to_make: int = 0
    """Files with a missing or empty derivative."""

    def count(self, sizes: Sequence[int | None]) -> None:
        """Count one file, given the sizes of its derivatives; None for a missing one."""
        self.wanted += len(sizes)
        self.present += sum(1 for size in sizes if size)
        self.missing += sizes.count(None)
        self.empty += sizes.count(0)
        self.bytes += sum(size or 0 for size in sizes)
        self.files_to_make += not all(sizes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unclaimed:
    """A file named like a derivative that no current file and preset claim."""

    location: str
    entry: Entry
    stem: str
    """The original's name without its extension; if Directus chose it, the id of the file."""
    files: tuple[str, ...]
    """Ids of current files whose derivatives would have this prefix."""


@dataclass
class Inventory:
    """Files are counted one by one; whatever they do not claim is left over.

    Args:
        presets: *all* presets in Directus. Visitors still use one that is disabled here.
        listings: the contents of each reachable storage location, by name.
    """

    presets: Sequence[Preset]
    listings: Mapping[str, Mapping[str, Entry]]
    stocks: dict[str, Stock] = field(init=False)
    files: dict[str, File] = field(default_factory=dict)
    """All files, by id."""
    unresolved: set[str] = field(default_factory=set)
    """Ids of files for which the derivatives of some preset cannot be determined."""
    unsized: set[str] = field(default_factory=set)
    """Ids of files without a size in Directus, for which presets with a size produce nothing."""
    _claimed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _stems: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.stocks = {preset.key: Stock() for preset in self.presets}

    def count(self, file: File, recorded: Recorded, *, is_wanted: bool = True) -> None:
        """Count one file.

        Args:
            file: the row, of any type, since files that are not pictures claim their names, too.
            recorded: replaces a listing if there is none.
            is_wanted: whether its derivatives are made here; otherwise it only claims their names.
        """
        self.files[file.id] = file
        self._stems[file.storage, PurePosixPath(file.filename_disk).stem].append(file.id)
        # Someone may have uploaded another system's derivative: an original never counts as a derivative.
        self._claimed[file.storage].add(file.filename_disk)
        for preset in self.presets:
            try:
                wanted = derivatives(preset, file)
            except SizesUnknown:
                self.unsized.add(file.id)
                continue
            except PermanentError:
                self.unresolved.add(file.id)
                continue
            if not wanted:
                continue
            self._claimed[file.storage].update(name for each in wanted for name in (each.stored_name, each.other_name))
            if is_wanted:
                self.stocks[preset.key].count(self._sizes(file, preset, wanted, recorded))

    def unclaimed(self) -> Iterator[Unclaimed]:
        """Files that are named like derivatives and not claimed by any file counted so far."""
        for location, listing in self.listings.items():
            for name, entry in listing.items():
                match = _DERIVATIVE.fullmatch(name)
                if match and name not in self._claimed[location]:
                    files = tuple(self._stems.get((location, match["stem"]), ()))
                    yield Unclaimed(location=location, entry=entry, stem=match["stem"], files=files)

    def has_original(self, location: str, stem: str) -> bool:
        """Whether the storage contains a file called `<stem>` or `<stem>.<extension>`."""
        return stem in self._originals[location]

    @cached_property
    def _originals(self) -> dict[str, set[str]]:
        return {
            location: {PurePosixPath(name).stem for name in listing if not _DERIVATIVE.fullmatch(name)}
            for location, listing in self.listings.items()
        }

    def _sizes(self, file: File, preset: Preset, wanted: Sequence[Derivative], recorded: Recorded) -> list[int | None]:
        if preset.key in recorded:
            made = recorded[preset.key]
            return [None] * len(wanted) if made is None else list(made)
        listing = self.listings.get(file.storage, {})
        entries = [listing.get(each.stored_name) or listing.get(each.other_name) for each in wanted]
        return [entry.size if entry else None for entry in entries]
