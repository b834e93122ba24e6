"""What a sensor keeps up to date, seen from outside: files and items are followed in the same way, for whatever is
derived from them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
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
    """What is made by runs, and has to be kept true between them."""

    @property
    def state(self) -> str:
        """Where this changes, all of it is looked at; empty where there is nothing to keep."""
        ...

    def keep(self, ids: Iterable[str] | None = None) -> None:
        """Brings what there is of these partitions, or of all, up to date. Raises DirectusAssetsError."""
        ...

    def missing(self, outputs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of the outputs (name, partition) that were taken out since they were made."""
        ...


class Cache(Protocol):
    """What people may be shown of outputs that are gone."""

    def without_partitions(self, ids: Iterable[str]) -> None:
        """Nothing is made of these partitions any more, or they are back."""
        ...

    def without_outputs(self, instance: dg.DagsterInstance, outputs: Iterable[str], ids: Iterable[str]) -> None:
        """These outputs, of all the partitions that there are, are not made any more. Raises DirectusAssetsError."""
        ...

    def tell(self) -> bool:
        """Has it forgotten; returns whether all of it is. Raises DirectusAssetsError."""
        ...


class Subject(Protocol):
    """The partitions of one Directus collection, and the outputs that are derived from them."""

    @property
    def name(self) -> str:
        """What the reconcile knows it by."""
        ...

    @property
    def job_name(self) -> str | None:
        """The job of its runs; None where it has no outputs."""
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
        """The collections in which a change may touch a partition."""
        ...

    @property
    def assets(self) -> Mapping[str, dg.AssetKey]:
        """The asset of each output."""
        ...

    @property
    def titles(self) -> Mapping[str, str]:
        """What editors know outputs by in the Studio; those that nothing is said of there have none."""
        ...

    @property
    def code_versions(self) -> Mapping[str, str]:
        """The code version of each output: where it changes, the output is made anew."""
        ...

    @property
    def revision(self) -> str:
        """Where this changes, what has been made before is looked at again, and only that."""
        ...

    def is_for_all(self, output: str, *, is_new: bool) -> bool:
        """Whether every partition gets an output that is new, or made in another way.

        Otherwise only those get it where it was made, or tried, before: outputs may cost money.
        """
        ...

    def backfills_on_start(self, output: str) -> bool:
        """Whether what exists when an output first appears gets it at once, or waits for a backfill."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """The names under which it is noted what existed at first."""
        ...

    def note_of(self, output: str) -> str:
        """That of one output, should it be new one day; see `noted_as`."""
        ...

    @property
    def batch_size(self) -> int:
        """Partitions of one run."""
        ...

    @property
    def purse(self) -> Purse | None:
        """What pays for its outputs; None where they cost nothing."""
        ...

    @property
    def upkeep(self) -> Upkeep | None:
        """What has to be kept true of it."""
        ...

    @property
    def cache(self) -> Cache | None:
        """Where outputs are kept by others, who are told of what is gone."""
        ...

    def existing(self, *, page: int, size: int) -> list[str]:
        """Page `page` (from 1) of all keys that Directus has, oldest first; a page shorter than `size` is the last."""
        ...

    def touched(self, entries: Sequence[Activity]) -> list[str]:
        """The keys that these changes touch."""
        ...

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        """What Directus has for these keys."""
        ...


@dataclass(frozen=True)
class Followed:
    """All that is derived from one Directus collection, as its sensor follows it: one look serves every part.

    Args:
        parts: at least one; all with the same partitions, and no name of an output twice.
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
        """The collections in which a change may touch a partition."""
        return list(dict.fromkeys(name for part in self.parts for name in part.feed_collections))

    @cached_property
    def assets(self) -> Mapping[str, dg.AssetKey]:
        """The asset of each output."""
        return {output: asset for part in self.parts for output, asset in part.assets.items()}

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """What editors know outputs by."""
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
        """What has to be kept true of the parts."""
        return [part.upkeep for part in self.parts if part.upkeep]

    @cached_property
    def caches(self) -> Sequence[Cache]:
        """Where outputs of the parts are kept by others."""
        return [part.cache for part in self.parts if part.cache]

    def existing(self, *, page: int, size: int) -> list[str]:
        """Page `page` (from 1) of the keys of all parts.

        Where one part has a full page, the union has as many keys at least; a shorter one is the last of all.
        """
        pages = (part.existing(page=page, size=size) for part in self.parts)
        return list(dict.fromkeys(key for keys in pages for key in keys))

    def touched(self, entries: Sequence[Activity]) -> list[str]:
        """The keys that these changes touch."""
        return list(dict.fromkeys(key for part in self.parts for key in _touched(part, entries)))

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        """What Directus has for these keys. A key that one part has a use for is present, whatever the others say."""
        return merged(
            examine_each(part, keys, [name for name in outputs if name in part.assets]) for part in self.parts
        )


def examine_each(subject: Subject, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
    """As the subject examines them, each key on its own: one that fails has stand-ins for fingerprints.

    Its runs then fail with the reason, for everybody to see, and the reconcile knows a try of the same again.

    Raises:
        DirectusAssetsError: what concerns all keys.
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
        # Whose row of translations, or picture, it is stays unknown: that is for the reconcile to find.
        logger.warning(
            "'%s': could not determine which items %s %s affects: %s", subject.name, entry.collection, entry.item, fault
        )
        keys += [entry.item] if entry.collection == subject.collection else []
    return keys
