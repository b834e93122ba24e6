"""The interface of what a sensor follows: files and items work the same way, whatever is derived from them."""

import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import dagster as dg

from directus_assets.directus.models import Activity
from directus_assets.isolation import isolate, stand_in
from directus_assets.planning.changes import Examination, merged
from directus_assets.spending.budget import Purse

logger = logging.getLogger(__name__)


class Upkeep(Protocol):
    """Made by runs, and kept up to date between them."""

    @property
    def state(self) -> str:
        """A change of this state triggers a check of everything; empty if there is nothing to maintain."""
        ...

    def keep(self, ids: Iterable[str] | None = None) -> None:
        """Bring these partitions, or all, up to date. Raises DirectusAssetsError."""
        ...

    def missing(self, outputs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """The outputs (name, partition) among these that have been removed since they were made."""
        ...


class Cache(Protocol):
    """A cache that may still serve outputs that are gone."""

    def without_partitions(self, ids: Iterable[str]) -> None:
        """These partitions no longer have outputs, or are back.

        Raises:
            DirectusAssetsError: Directus does not answer.
        """
        ...

    def files_changed(self, entries: Iterable[Activity], made: Set[tuple[str, str]]) -> None:
        """Check the changed files themselves; runs check those from which outputs (output, key) are `made`.

        Raises:
            DirectusAssetsError: Directus does not answer.
        """
        ...

    def without_outputs(self, instance: dg.DagsterInstance, outputs: Iterable[str], ids: Iterable[str]) -> None:
        """These outputs are no longer made for any partition. Raises DirectusAssetsError."""
        ...

    def tell(self) -> bool:
        """Purge the cache; return whether everything is purged. Raises DirectusAssetsError."""
        ...


class Subject(Protocol):
    """The partitions of one Directus collection, and the outputs that are derived from them."""

    @property
    def name(self) -> str:
        """Its name in the reconcile."""
        ...

    @property
    def job_name(self) -> str | None:
        """The job of its runs; None if it has no outputs."""
        ...

    @property
    def partitions_name(self) -> str:
        """The name of the dynamic partitions."""
        ...

    @property
    def collection(self) -> str:
        """The Directus collection whose items are the partitions."""
        ...

    @property
    def feed_collections(self) -> Sequence[str]:
        """The collections in which a change may affect a partition."""
        ...

    @property
    def assets(self) -> Mapping[str, dg.AssetKey]:
        """The asset of each output."""
        ...

    @property
    def titles(self) -> Mapping[str, str]:
        """The names of outputs for editors in the Studio; outputs that get no comments there have none."""
        return {}

    @property
    def code_versions(self) -> Mapping[str, str]:
        """The code version of each output; a changed one causes the output to be remade."""
        ...

    @property
    def revision(self) -> str:
        """A changed revision triggers a check of what has been made before, and only of that."""
        ...

    def is_for_all(self, output: str, *, is_new: bool) -> bool:
        """Whether every partition gets an output that is new, or whose code version changed.

        Otherwise only partitions that already had it, or an attempt at it, get it: outputs may cost money.
        """
        return is_new and self.backfills_on_start(output)

    def backfills_on_start(self, output: str) -> bool:
        """Whether existing items get a new output at once, or wait for a backfill."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """The names of the notes on what existed at first."""
        ...

    def note_of(self, output: str) -> str:
        """The name of the note for one output, should it be new one day; see `noted_as`."""
        ...

    @property
    def batch_size(self) -> int:
        """The number of partitions per run."""
        ...

    @property
    def purse(self) -> Purse | None:
        """The budget that pays for its outputs; None if they cost nothing."""
        return None

    @property
    def upkeep(self) -> Upkeep | None:
        """The maintenance that it needs between runs."""
        return None

    @property
    def cache(self) -> Cache | None:
        """A cache that holds its outputs and needs to be purged."""
        return None

    def existing(self, *, page: int, size: int) -> list[str]:
        """Page `page` (from 1) of all keys that Directus has, oldest first; a page shorter than `size` is the last."""
        ...

    def touched(self, entries: Sequence[Activity]) -> list[str]:
        """The keys that these changes affect."""
        ...

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        """Read what Directus has for these keys."""
        ...


@dataclass(frozen=True)
class Followed:
    """Everything derived from one Directus collection, as its sensor follows it: one read serves every part.

    Args:
        parts: at least one; all with the same partitions and with distinct output names.
    """

    parts: Sequence[Subject]

    @property
    def partitions_name(self) -> str:
        """The name of the dynamic partitions."""
        return self.parts[0].partitions_name

    @property
    def collection(self) -> str:
        """The Directus collection whose items are the partitions."""
        return self.parts[0].collection

    @cached_property
    def feed_collections(self) -> Sequence[str]:
        """The collections in which a change may affect a partition."""
        return list(dict.fromkeys(name for part in self.parts for name in part.feed_collections))

    @cached_property
    def assets(self) -> Mapping[str, dg.AssetKey]:
        """The asset of each output."""
        return {output: asset for part in self.parts for output, asset in part.assets.items()}

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """The names of outputs for editors."""
        return {output: title for part in self.parts for output, title in part.titles.items()}

    @cached_property
    def code_versions(self) -> Mapping[str, str]:
        """The code version of each output."""
        return {output: version for part in self.parts for output, version in part.code_versions.items()}

    @property
    def revision(self) -> str:
        """The revisions of all parts."""
        return "|".join(filter(None, (part.revision for part in self.parts)))

    def part_of(self, output: str) -> Subject:
        """The part that an output belongs to."""
        return next(part for part in self.parts if output in part.assets)

    @cached_property
    def upkeeps(self) -> Sequence[Upkeep]:
        """The maintenance that the parts need."""
        return [part.upkeep for part in self.parts if part.upkeep]

    @cached_property
    def caches(self) -> Sequence[Cache]:
        """The caches that hold outputs of the parts."""
        return [part.cache for part in self.parts if part.cache]

    def existing(self, *, page: int, size: int) -> list[str]:
        """Page `page` (from 1) of the keys of all parts.

        If one part has a full page, the union has at least as many keys; a shorter union is the last page for all
        parts.
        """
        pages = (part.existing(page=page, size=size) for part in self.parts)
        return list(dict.fromkeys(key for keys in pages for key in keys))

    def touched(self, entries: Sequence[Activity]) -> list[str]:
        """The keys that these changes affect."""
        return list(dict.fromkeys(key for part in self.parts for key in _touched(part, entries)))

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        """Read what Directus has for these keys. A key that one part uses is present, whatever the other parts say."""
        return merged(
            examine_each(part, keys, [name for name in outputs if name in part.assets]) for part in self.parts
        )


def examine_each(subject: Subject, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
    """Examine each key on its own if examining all fails: a failing key gets stand-ins for fingerprints.

    Its runs then fail with the reason, visible to everyone, and the reconcile recognises the same attempt.

    Raises:
        DirectusAssetsError: an error that concerns all keys.
    """
    found = isolate(keys, lambda some: subject.examine(some, outputs))
    unread = Examination(
        present=tuple(found.culprits),
        wanted={(output, key): stand_in(fault) for key, fault in found.culprits.items() for output in outputs},
    )
    return merged([*found.results, unread])


def _touched(subject: Subject, entries: Sequence[Activity]) -> list[str]:
    own = [entry for entry in entries if entry.collection in subject.feed_collections]
    found = isolate(own, subject.touched)
    keys = [key for keys in found.results for key in keys]
    for entry, fault in found.culprits.items():
        # The owner of this translation row or picture stays unknown; the reconcile will find it.
        logger.warning(
            "'%s': could not determine which items %s %s affects: %s", subject.name, entry.collection, entry.item, fault
        )
        keys += [entry.item] if entry.collection == subject.collection else []
    return keys
