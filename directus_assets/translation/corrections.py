"""Propagates human corrections: what people made of a segment replaces our translation of it elsewhere.

Human texts stay as they are, no engine is called, and a reverted correction is not applied again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from directus_assets.directus.schema import LanguageRow
from directus_assets.errors import TransientError
from directus_assets.ownership.protection import FieldAction, is_empty
from directus_assets.spending.usage import Usage
from directus_assets.translation.glossary import digest_of_terms
from directus_assets.translation.items import Item
from directus_assets.translation.memory import MemoryEntry, is_memorable, pair_of
from directus_assets.translation.order import NO_ORDER
from directus_assets.translation.records import Remembered, TranslationRecord
from directus_assets.translation.results import Translated
from directus_assets.translation.segments.model import Document, Segment, segment_key
from directus_assets.translation.translate import TranslationOutcome, outstanding, splice
from directus_assets.translation.work import Translator

_ROUNDS = 3

Key = tuple[str, str]
"""A language pair and a segment's key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """A segment of ours that a person has worded differently elsewhere."""

    source: str
    ours: str
    theirs: str


class Lessons:
    """New human corrections from any item.

    A segment with conflicting corrections is neither learnt nor applied.
    """

    def __init__(self) -> None:
        self._by_key: dict[Key, dict[str, MemoryEntry]] = {}

    def add(self, entry: MemoryEntry) -> None:
        """Add a correction."""
        self._by_key.setdefault((entry.pair, entry.key), {})[entry.text] = entry

    def of(self, pair: str, key: str) -> MemoryEntry | None:
        """The correction of a segment to learn, if any."""
        found = self._by_key.get((pair, key), {})
        return next(iter(found.values())) if len(found) == 1 else None

    def is_disputed(self, pair: str, key: str) -> bool:
        """Whether there are conflicting versions of a segment."""
        return len(self._by_key.get((pair, key), {})) > 1

    @property
    def disputes(self) -> list[list[MemoryEntry]]:
        """The conflicting versions of each such segment."""
        return [list(found.values()) for found in self._by_key.values() if len(found) > 1]

    def __len__(self) -> int:
        return sum(len(found) == 1 for found in self._by_key.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """The plan for an item in one language."""

    outcome: TranslationOutcome
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, kw_only=True)
class Corrector(Translator):
    """Applies human versions of segments where we wrote different ones."""

    def lessons(self, item: Item, target: LanguageRow) -> list[MemoryEntry]:
        """New human corrections in an item."""
        if target.code not in item.rows or target.code in item.duplicates:
            return []
        record = self.record_of(item, target)
        shares = [self.share(record, item, target, name, NO_ORDER) for name in item.source]
        return self.recall(self.assignment(item, target)).lessons(record, shares)

    def learn(self, item: Item, target: LanguageRow, lessons: Lessons) -> None:
        """Learn the undisputed corrections in an item."""
        found = [each for each in self.lessons(item, target) if lessons.of(each.pair, each.key) == each]
        if found and self.memory is not None:
            self.memory.remember(found)
            self._remember(item, target, lambda known: known.having_seen({each.key: each.text for each in found}))

    def proposals(self, item: Item, target: LanguageRow, lessons: Lessons) -> tuple[Correction, ...]:
        """The replacements that `bring` would make. Nothing is written or learnt."""
        plan = self._plan(item, target, lessons)
        return plan.corrections if plan else ()

    def bring(self, item: Item, target: LanguageRow, lessons: Lessons) -> Translated | None:
        """Replace our versions by human ones; None if there is nothing left to replace.

        Raises:
            DirectusAssetsError: the item cannot be written; the old texts stay.
        """
        for _ in range(_ROUNDS):
            fresh = self._present.get(item.key)
            plan = self._plan(fresh, target, lessons) if fresh else None
            if fresh is None or plan is None:
                return None
            if written := self._write(fresh, target, plan.outcome, NO_ORDER):
                return written
        raise TransientError(f"Item {item.key} of {self.scope.collection} kept being edited while it was corrected.")

    def _plan(self, item: Item, target: LanguageRow, lessons: Lessons) -> _Plan | None:
        if target.code not in item.rows or target.code in item.duplicates:
            return None
        record, ours = self._prepare(item, target, NO_ORDER)
        remembered = self._remembered(record, item, target, ours, NO_ORDER)
        segments = {segment_key(each): each for document in ours.values() for each in document.segments}
        corrections = self._versions(record, item, target, segments=segments, remembered=remembered, lessons=lessons)
        if not corrections and not record.corrected:
            return None
        documents = {
            name: document
            for name, document in ours.items()
            if self._is_as_it_should_be(record, item, target, name=name, document=document, remembered=remembered)
        }
        values, unfit = splice(documents, {**remembered, **corrections}, self.assignment(item, target).target.tag)
        corrections = {key: text for key, text in corrections.items() if key not in unfit}
        # Write what a killed run has recorded but may not have written.
        unfinished = {key: text for key, text in record.corrected.items() if key in remembered}
        found: dict[str, Correction] = {}
        before: dict[str, Remembered] = {}
        written = []
        for name, document in documents.items():
            share = self.share(record, item, target, name, NO_ORDER)
            keys = [key for key in map(segment_key, document.segments) if not share.settled.get(key)]
            replaced = {key: remembered[key] for key in keys if key in corrections}
            replaced |= {key: unfinished[key] for key in keys if key in unfinished}
            if replaced and share.decide(values[name]).action is FieldAction.WRITE:
                written.append(name)
                theirs = {**remembered, **corrections}
                found |= {
                    key: Correction(source=segments[key].text, ours=old.text, theirs=theirs[key].text)
                    for key, old in replaced.items()
                }
                before |= replaced
        if not written:
            return None
        outcome = TranslationOutcome(
            values={name: values[name] for name in written},
            segments={**record.segments, **{key: text for key, text in corrections.items() if key in found}},
            usage=Usage(),
            reused=len(found),
            sent=0,
            held=frozenset(item.source) - set(written),
            corrected=before,
        )
        return _Plan(outcome=outcome, corrections=tuple(found[key] for key in segments if key in found))

    def _is_as_it_should_be(
        self,
        record: TranslationRecord,
        item: Item,
        target: LanguageRow,
        *,
        name: str,
        document: Document,
        remembered: Mapping[str, Remembered],
    ) -> bool:
        """Whether a field's translation exists, is ours at least in part, and is not about to be remade."""
        if is_empty(item.rows[target.code].values.get(name)):
            return False
        assignment = self.assignment(item, target)
        if record.answers or outstanding({name: document}, remembered, assignment=assignment, engine=self.engine):
            return False
        values, unfit = splice({name: document}, remembered, assignment.target.tag)
        share = self.share(record, item, target, name, NO_ORDER)
        is_unfinished = any(segment_key(each) in record.corrected for each in document.segments)
        return not unfit and (is_unfinished or share.decide(values[name]).action is not FieldAction.WRITE)

    def _versions(
        self,
        record: TranslationRecord,
        item: Item,
        target: LanguageRow,
        *,
        segments: Mapping[str, Segment],
        remembered: Mapping[str, Remembered],
        lessons: Lessons,
    ) -> dict[str, Remembered]:
        """Human versions of segments that differ from ours."""
        if self.memory is None:
            return {}
        assignment = self.assignment(item, target)
        pair = pair_of(assignment.source.code, assignment.target.code)
        sources = {key: each.text for key, each in segments.items() if key in remembered and is_memorable(each)}
        known = self.memory.find(pair, sources, sources=sources)
        found = {}
        for key in sources:
            entry = lessons.of(pair, key) or known.get(key)
            if entry is None or not entry.human or lessons.is_disputed(pair, key):
                continue
            if entry.text != remembered[key].text and record.is_news(key, entry.text):
                terms = digest_of_terms(assignment.terms_in(segments[key]))
                found[key] = replace(entry.remembered, glossary=terms, engine=self.engine.name)
        return found
