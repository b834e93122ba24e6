"""Proposals: where a human correction would replace a text of ours. Partitions show them, and `status` counts them.

Finding them takes reading all items and their records. This is done only after somebody has corrected or imported a
translation, or edited an item with a proposal.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import dagster as dg
from pydantic import BaseModel

from directus_assets.directus.feed import FeedPosition, begin_feed, foreign_changes, read_feed
from directus_assets.directus.models import Activity
from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.isolation import noted, readable
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.propagation import Propagation, Proposal
from directus_assets.orchestration.runs.report import proposal_metadata
from directus_assets.orchestration.runs.storable import storable
from directus_assets.ownership.field_records import digest
from directus_assets.translation.items import read_items

APPLY: Final = "directus-assets memory apply"
"""The command that applies proposals."""

_PROPOSED: Final = "People have corrected the same segments elsewhere."
_NOTHING_LEFT: Final = "People's corrections elsewhere no longer propose anything here."

_MOST_ENTRIES: Final = 5000
"""The most entries of the change feed that are examined. If there are more, everything is compared."""


class _Kept(BaseModel):
    """The state of the last comparison."""

    feed: FeedPosition | None = None
    people: str = ""
    """The value of `Memory.newest_by_people`."""
    places: dict[str, dict[str, str]] = {}
    """For each asset, the items with proposals and a digest of those."""


def count_proposals(storage: Storage) -> int:
    """The number of translations with proposals, as of the last comparison."""
    kept = _file(storage).read()
    return sum(map(len, kept.places.values())) if kept else 0


@dataclass(frozen=True)
class Proposals:
    """The proposals of one project.

    Args:
        project: provides Directus, the memory and the state.
        instance: the Dagster instance that shows them.
    """

    project: Project
    instance: dg.DagsterInstance

    def look(self, subjects: Iterable[Items]) -> list[str]:
        """Find and show proposals if they may have changed; return what could not be read.

        Raises:
            DirectusAssetsError: Directus or the memory cannot be read.
        """
        shared = [each for each in subjects if each.scope.shares_memory]
        if not shared:
            return []
        kept, problems = _file(self.project.memory).read(), list[str]()
        feed, entries = self._read_feed(kept.feed if kept else None, shared)
        people = self.project.segments.newest_by_people()
        if kept is None or entries is None or people != kept.people or self._is_news(kept, shared, entries):
            propagation = Propagation(shared, shared)
            self.tell(propagation.proposals(), about=propagation.assets)
            problems = propagation.problems
        if kept is None or (feed, people) != (kept.feed, kept.people):
            self._change(lambda known: known.model_copy(update={"feed": feed, "people": people}))
        return problems

    def tell(self, proposals: Sequence[Proposal], *, about: Collection[dg.AssetKey]) -> None:
        """Show proposals on their partitions, unless they are shown there already.

        Args:
            proposals: all proposals for `about`.
            about: the assets.
        """
        found: dict[str, dict[str, Proposal]] = {key.to_user_string(): {} for key in about}
        for each in proposals:
            found[each.asset.to_user_string()][each.item] = each
        now = {
            asset: {
                item: digest([[c.source, c.ours, c.theirs] for c in each.corrections]) for item, each in own.items()
            }
            for asset, own in found.items()
        }
        kept = _file(self.project.memory).read() or _Kept()
        for asset, own in now.items():
            before = kept.places.get(asset, {})
            for item in dict.fromkeys((*own, *before)):
                if own.get(item) != before.get(item):
                    self._observe(dg.AssetKey.from_user_string(asset), item, found[asset].get(item))
        if any(own != kept.places.get(asset, {}) for asset, own in now.items()):
            self._change(lambda known: known.model_copy(update={"places": _without_empty({**known.places, **now})}))

    def _observe(self, asset: dg.AssetKey, item: str, proposal: Proposal | None) -> None:
        corrections = proposal.corrections if proposal else ()
        self.instance.report_runless_asset_event(
            dg.AssetObservation(
                asset,
                description=_PROPOSED if corrections else _NOTHING_LEFT,
                partition=item,
                metadata=storable(proposal_metadata(corrections, remedy=APPLY)),
            )
        )

    def _read_feed(
        self, position: FeedPosition | None, subjects: Sequence[Items]
    ) -> tuple[FeedPosition, list[Activity] | None]:
        """The new position, and the changes by people since the last one; None if these are unknown or too many."""
        client = self.project.directus
        collections = list(dict.fromkeys(name for each in subjects for name in each.feed_collections))
        if position is None:
            return begin_feed(client), None
        page = read_feed(client, position, collections=collections, limit=_MOST_ENTRIES)
        if len(page.entries) >= _MOST_ENTRIES:
            return begin_feed(client), None
        changes = foreign_changes(page.entries, own_user_id=client.own_user_id)
        return page.position, None if page.starts_over else changes

    def _is_news(self, kept: _Kept, subjects: Sequence[Items], entries: Sequence[Activity]) -> bool:
        """Whether an item that people edited has a proposal, or a correction that the memory does not have yet."""
        for items in subjects if entries else ():
            keys = items.touched(entries)
            proposed = {key for asset in items.assets.values() for key in kept.places.get(asset.to_user_string(), ())}
            if not proposed.isdisjoint(keys) or _is_corrected(items, keys):
                return True
        return False

    def _change(self, change: Callable[[_Kept], _Kept]) -> None:
        _file(self.project.memory).update(lambda known: change(known or _Kept()).model_dump_json().encode())


def _is_corrected(items: Items, keys: Sequence[str]) -> bool:
    corrector = items.corrector()
    for page in readable([keys], lambda some: read_items(items.project.directus, items.scope, some), []):
        for item in page:
            for target in items.languages.values():
                with noted([]):
                    if item.source_language != target.code and corrector.lessons(item, target):
                        return True
    return False


def _without_empty(places: Mapping[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {asset: items for asset, items in places.items() if items}


def _file(storage: Storage) -> KeptFile[_Kept]:
    return KeptFile(
        storage=storage,
        name="proposals.json",
        what="list of what people's corrections propose",
        loss="They are looked for again.",
        parse=_Kept.model_validate_json,
    )
