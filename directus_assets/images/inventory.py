"""Which derivatives are there, told by names and sizes alone: present, missing, empty, and claimed by nobody.

Pure: rows of files, presets and a listing of each storage location go in; nothing is read here and nothing rendered.
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
"""What Directus calls derivatives (`cache_name`), at the top of the storage. Temporary names have one more ending."""

Recorded: TypeAlias = Mapping[str, Sequence[int] | None]
"""By preset: the bytes of each derivative that was made and is up to date; None where nothing is."""


@dataclass
class Stock:
    """The derivatives of one preset: how many, and the bytes of those that are there."""

    wanted: int = 0
    present: int = 0
    missing: int = 0
    empty: int = 0
    bytes: int = 0
    files_to_make: int = 0
    """Files with a derivative that is missing or empty."""

    def count(self, sizes: Sequence[int | None]) -> None:
        """One file, with the sizes of its derivatives; None where there is none."""
        self.wanted += len(sizes)
        self.present += sum(1 for size in sizes if size)
        self.missing += sizes.count(None)
        self.empty += sizes.count(0)
        self.bytes += sum(size or 0 for size in sizes)
        self.files_to_make += not all(sizes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unclaimed:
    """What is named like a derivative, and what no present file and preset ask for."""

    location: str
    entry: Entry
    stem: str
    """The name of the original without its extension; where Directus chose it, the id of the file."""
    files: tuple[str, ...]
    """Ids of present files whose derivatives would be named like this."""


@dataclass
class Inventory:
    """Files are counted one after the other; then what is left over is what nobody claims.

    Args:
        presets: *all* presets that Directus has. One that is switched off here is still used by visitors.
        listings: what each storage location holds, by name; only the locations that are reached.
    """

    presets: Sequence[Preset]
    listings: Mapping[str, Mapping[str, Entry]]
    stocks: dict[str, Stock] = field(init=False)
    files: dict[str, File] = field(default_factory=dict)
    """All files, by id."""
    unresolved: set[str] = field(default_factory=set)
    """Ids of files for which it cannot be told what some preset asks for."""
    unsized: set[str] = field(default_factory=set)
    """Ids of files of which Directus knows no sizes, so that presets with a size ask for nothing."""
    _claimed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _stems: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.stocks = {preset.key: Stock() for preset in self.presets}

    def count(self, file: File, recorded: Recorded, *, is_wanted: bool = True) -> None:
        """Counts one file.

        Args:
            file: the row; of any type, since what is no picture claims its name, too.
            recorded: stands in for a listing, where there is none.
            is_wanted: whether its derivatives are made here; else it only claims their names.
        """
        self.files[file.id] = file
        self._stems[file.storage, PurePosixPath(file.filename_disk).stem].append(file.id)
        # Somebody may have uploaded what was a derivative elsewhere: an original is never a derivative.
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
        """What is named like a derivative and was claimed by no file counted so far."""
        for location, listing in self.listings.items():
            for name, entry in listing.items():
                match = _DERIVATIVE.fullmatch(name)
                if match and name not in self._claimed[location]:
                    files = tuple(self._stems.get((location, match["stem"]), ()))
                    yield Unclaimed(location=location, entry=entry, stem=match["stem"], files=files)

    def has_original(self, location: str, stem: str) -> bool:
        """Whether the storage holds something called `<stem>` or `<stem>.<extension>`."""
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
