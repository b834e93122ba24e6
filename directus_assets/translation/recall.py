"""Connects one translation to the translation memory: what it takes from it, and what it adds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from directus_assets.translation.conversation import FEW, Assignment, is_usable
from directus_assets.translation.engines.protocol import Engine, Wording
from directus_assets.translation.glossary import digest_of_terms
from directus_assets.translation.memory import Memory, MemoryEntry, is_memorable, pair_of
from directus_assets.translation.records import Remembered, TranslationRecord
from directus_assets.translation.segments.model import Document, Segment, segment_key
from directus_assets.translation.shares import Share
from directus_assets.translation.translate import NO_OTHERS, Others, outstanding


@dataclass(frozen=True)
class Recall:
    """The translation memory as one translation uses it.

    Args:
        memory: how segments were translated in all items; None if each item stands alone.
        engine: the engine that translates everything else.
        assignment: languages, terms and style.
    """

    memory: Memory | None
    engine: Engine
    assignment: Assignment

    @property
    def _pair(self) -> str:
        return pair_of(self.assignment.source.code, self.assignment.target.code)

    def free(self, asked: Mapping[str, Segment], counted: set[tuple[str, str]] | None = None) -> set[str]:
        """The keys of those segments that cost nothing.

        Args:
            asked: the segments that would be requested, by key.
            counted: language pairs and keys of segments that earlier items request; the new requests are added.
        """
        if self.memory is None:
            return set()
        shared = {key: segment for key, segment in asked.items() if is_memorable(segment)}
        free = set(self._known(self.memory, shared))
        if counted is not None:
            free |= {key for key in shared if (self._pair, key) in counted}
            counted.update((self._pair, key) for key in shared)
        return free

    @contextmanager
    def asking(
        self,
        documents: Mapping[str, Document],
        record: TranslationRecord,
        remembered: Mapping[str, Remembered],
        *,
        anew: bool,
    ) -> Iterator[tuple[Mapping[str, Remembered], Assignment, Others]]:
        """What other items know about the segments that would be requested.

        While the context is open, other items wait for the segments that this one requests. It waits for theirs only
        once it has its own, which cost as much time.

        Args:
            documents: the translated fields by name.
            record: the item's record; answers that have arrived for it are not requested.
            remembered: the item's own translations.
            anew: whether a person wants translations other than the engine's earlier ones.

        Yields:
            Translations by segment key, the assignment with examples that resemble the remaining segments, and those
            segments that other items are requesting.
        """
        if self.memory is None:
            yield {}, self.assignment, NO_OTHERS
            return
        arrived = {key for answer in record.answers for key in answer.texts}
        asked = outstanding(documents, remembered, assignment=self.assignment, engine=self.engine)
        wanted = {key: each for key, each in asked.items() if key not in arrived and is_memorable(each)}
        known = self._known(self.memory, wanted, anew=anew)
        if anew:
            yield known, self.assignment, NO_OTHERS
            return
        left = [key for key in wanted if key not in known]
        ask = partial(self.memory.asking, self._pair, sources=_sources(wanted))
        with ExitStack() as asking:
            answered, elsewhere = asking.enter_context(ask(left, is_patient=False))
            known |= self._usable(answered, wanted)

            def wait(accepted: Mapping[str, Remembered]) -> Mapping[str, Remembered]:
                self.keep(documents, accepted)
                asking.close()
                answered, _ = asking.enter_context(ask([*wanted.keys() - known.keys() - accepted.keys()]))
                return self._usable(answered, wanted)

            own = [key for key in left[:FEW] if key not in known and key not in elsewhere]
            similar = {key: self.memory.similar(self._pair, wanted[key].text) for key in own}
            examples = {
                key: tuple(Wording(source=each.source, translation=each.text) for each in found)
                for key, found in similar.items()
            }
            yield known, self.assignment.with_examples(examples), Others(keys=elsewhere, wait=wait)

    def keep(self, documents: Mapping[str, Document], translations: Mapping[str, Remembered]) -> None:
        """Store the engine's translations in the memory.

        Args:
            documents: the translated fields by name.
            translations: by segment key.
        """
        if self.memory is None:
            return
        segments = {segment_key(each): each for document in documents.values() for each in document.segments}
        self.memory.remember(
            [
                MemoryEntry(
                    pair=self._pair,
                    key=key,
                    source=segment.text,
                    text=known.text,
                    glossary=known.glossary,
                    engine=known.engine,
                    kind=segment.context,
                )
                for key, segment in segments.items()
                if (known := translations.get(key)) and is_memorable(segment)
            ]
        )

    def lessons(self, record: TranslationRecord, shares: Iterable[Share]) -> list[MemoryEntry]:
        """New human corrections in an item; none if there is no memory.

        Args:
            record: the item's record.
            shares: its fields.
        """
        if self.memory is None:
            return []
        return [
            self._persons(segment, text)
            for share in shares
            for segment, text in share.corrections.items()
            if is_memorable(segment) and record.is_news(segment_key(segment), text)
        ]

    def learn(self, lessons: Sequence[MemoryEntry]) -> None:
        """Store human corrections in the memory."""
        if self.memory is not None:
            self.memory.remember(lessons)

    def learn_texts(self, texts: Mapping[Segment, str]) -> None:
        """Store human translations in the memory."""
        self.learn([self._persons(segment, text) for segment, text in texts.items() if is_memorable(segment)])

    def _persons(self, segment: Segment, text: str) -> MemoryEntry:
        return MemoryEntry(
            pair=self._pair,
            key=segment_key(segment),
            source=segment.text,
            text=text,
            human=True,
            kind=segment.context,
        )

    def _known(self, memory: Memory, wanted: Mapping[str, Segment], *, anew: bool = False) -> dict[str, Remembered]:
        return self._usable(memory.find(self._pair, wanted, sources=_sources(wanted)), wanted, anew=anew)

    def _usable(
        self, found: Mapping[str, MemoryEntry], wanted: Mapping[str, Segment], *, anew: bool = False
    ) -> dict[str, Remembered]:
        """The usable entries: human ones in any case, an engine's if it knew the same terms."""
        terms = {key: digest_of_terms(self.assignment.terms_in(wanted[key])) for key in found}
        return {
            key: replace(each.remembered, glossary=terms[key], engine=each.engine or self.engine.name)
            for key, each in found.items()
            if each.human or (not anew and each.glossary == terms[key] and is_usable(each.engine, self.engine))
        }


def _sources(wanted: Mapping[str, Segment]) -> dict[str, str]:
    return {key: segment.text for key, segment in wanted.items()}
