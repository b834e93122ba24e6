"""What a sensor keeps up to date, seen from outside: files and items are followed in the same way."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import dagster as dg

from directus_assets.directus.models import Activity
from directus_assets.planning import Examination


class Subject(Protocol):
    """The partitions of one Directus collection, and the outputs that are derived from them."""

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
    def code_versions(self) -> Mapping[str, str]:
        """The code version of each output: where it changes, the output is made anew."""
        ...

    @property
    def revision(self) -> str:
        """Where this changes, what has been made before is looked at again, and only that."""
        ...

    @property
    def is_costly(self) -> bool:
        """Whether outputs cost money: one that is made in another way is then made anew only where it was before."""
        ...

    @property
    def batch_size(self) -> int:
        """Partitions of one run."""
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
