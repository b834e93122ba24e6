"""What people have corrected, looked for in all items and brought to all others where we wrote the same segment."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from directus_assets.directus.schema import LanguageRow
from directus_assets.isolation import noted, readable
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.translation.corrections import Correction, Corrector, Lessons
from directus_assets.translation.items import Item, read_items


@dataclass(frozen=True, kw_only=True)
class _Place:
    """An item in one language, and who works on it."""

    corrector: Corrector
    item: Item
    target: LanguageRow


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What is to be replaced in one item and language."""

    collection: str
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
    """One look at everything, and what follows from it.

    Args:
        subjects: the collections that are learnt from; those that do not share in the memory are left out.
        chosen: those of them that something is brought to.
        languages: only these target languages; all where empty.
        problems: what could not be read or written, in sentences.
        lessons: what people have corrected and nobody had learnt.
    """

    subjects: Sequence[Items]
    chosen: Sequence[Items]
    languages: Collection[str] = ()
    problems: list[str] = field(default_factory=list)
    lessons: Lessons = field(default_factory=Lessons)
    _teachers: list[_Place] = field(default_factory=list, repr=False)

    def proposals(self) -> list[Proposal]:
        """What there is to be replaced; nothing is written or learnt.

        Raises:
            DirectusAssetsError: Directus or what is remembered cannot be read.
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
        for collection, place in self._places(self.chosen):
            with noted(problems):
                if found := place.corrector.proposals(place.item, place.target, self.lessons):
                    proposals.append(Proposal(collection=collection, place=place, corrections=found))
        self.problems += [each for each in problems if each not in self.problems]
        return proposals

    def carry_out(self, proposals: Sequence[Proposal]) -> Iterator[tuple[Proposal, bool]]:
        """Learns, and brings everything where it was proposed; says of each whether it was written."""
        for place in self._teachers:
            with noted(self.problems):
                place.corrector.learn(place.item, place.target, self.lessons)
        for each in proposals:
            is_written = False
            with noted(self.problems):
                result = each.place.corrector.bring(each.place.item, each.place.target, self.lessons)
                is_written = bool(result and result.written)
            yield each, is_written

    def _places(self, subjects: Iterable[Items]) -> Iterator[tuple[str, _Place]]:
        for items in subjects:
            if not items.scope.shares_memory:
                continue
            corrector = items.corrector()
            targets = [row for row in items.languages.values() if not self.languages or row.code in self.languages]
            read = partial(read_items, items.project.directus, items.scope)
            for page in readable(items.pages(), read, self.problems):
                for item in page:
                    for target in targets:
                        if item.source_language != target.code:
                            yield items.name, _Place(corrector=corrector, item=item, target=target)
