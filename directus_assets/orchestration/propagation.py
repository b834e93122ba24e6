"""Propagates human corrections: finds them in all items and applies them wherever we wrote the same segment."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import dagster as dg

from directus_assets.directus.schema import LanguageRow
from directus_assets.isolation import noted, readable
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.translation.corrections import Correction, Corrector, Lessons
from directus_assets.translation.items import Item, read_items


@dataclass(frozen=True, kw_only=True)
class _Place:
    """An item in one language, with its corrector."""

    corrector: Corrector
    item: Item
    target: LanguageRow


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The proposed replacements in one item and language."""

    collection: str
    asset: dg.AssetKey
    place: _Place
    corrections: tuple[Correction, ...]

    @property
    def item(self) -> str:
        """The item's key."""
        return self.place.item.key

    @property
    def language(self) -> str:
        """The language's code."""
        return self.place.target.code


@dataclass
class Propagation:
    """One pass over everything, and the resulting proposals.

    Args:
        subjects: the collections to learn from; those that opt out of the memory are skipped.
        chosen: the collections that may be changed.
        languages: limits the pass to these target languages; all if empty.
        problems: sentences about what could not be read or written.
        lessons: human corrections that had not been learnt yet.
    """

    subjects: Sequence[Items]
    chosen: Sequence[Items]
    languages: Collection[str] = ()
    problems: list[str] = field(default_factory=list)
    lessons: Lessons = field(default_factory=Lessons)
    _teachers: list[_Place] = field(default_factory=list, repr=False)

    def proposals(self) -> list[Proposal]:
        """The proposed replacements; nothing is written or learnt.

        Raises:
            DirectusAssetsError: Directus or our records cannot be read.
        """
        self.problems.clear()
        self.lessons, self._teachers = Lessons(), []
        for _, place in self._places(self.subjects):
            with noted(self.problems):
                if lessons := place.corrector.lessons(place.item, place.target):
                    self._teachers.append(place)
                for lesson in lessons:
                    self.lessons.add(lesson)
        proposals = []
        problems: list[str] = []
        for items, place in self._places(self.chosen):
            with noted(problems):
                if found := place.corrector.proposals(place.item, place.target, self.lessons):
                    asset = items.asset_of(place.target)
                    proposals.append(Proposal(collection=items.name, asset=asset, place=place, corrections=found))
        self.problems += [each for each in problems if each not in self.problems]
        return proposals

    def carry_out(self, proposals: Sequence[Proposal]) -> Iterator[tuple[Proposal, bool]]:
        """Learn the corrections and apply each proposal; yield it with whether it was written."""
        for place in self._teachers:
            with noted(self.problems):
                place.corrector.learn(place.item, place.target, self.lessons)
        for each in proposals:
            is_written = False
            with noted(self.problems):
                result = each.place.corrector.bring(each.place.item, each.place.target, self.lessons)
                is_written = bool(result and result.written)
            yield each, is_written

    @property
    def assets(self) -> list[dg.AssetKey]:
        """The assets that corrections are applied to."""
        return [items.asset_of(row) for items in self.chosen for row in self._targets(items)]

    def _targets(self, items: Items) -> list[LanguageRow]:
        return [row for row in items.languages.values() if not self.languages or row.code in self.languages]

    def _places(self, subjects: Iterable[Items]) -> Iterator[tuple[Items, _Place]]:
        for items in subjects:
            if not items.scope.shares_memory:
                continue
            corrector = items.corrector()
            targets = self._targets(items)
            read = partial(read_items, items.project.directus, items.scope)
            for page in readable(items.pages(), read, self.problems):
                for item in page:
                    for target in targets:
                        if item.source_language != target.code:
                            yield items, _Place(corrector=corrector, item=item, target=target)
