"""Runs one enrichment of one item, from reading Directus to writing it."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from directus_assets.directus.models import JsonValue
from directus_assets.enrichment.answering import Answerer
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.items import EnrichedItem, ItemReader
from directus_assets.enrichment.pictures import Measure, measured, shown
from directus_assets.enrichment.questions import Questioner, fingerprint, picture_of, source_code, source_of
from directus_assets.enrichment.records import EnrichmentRecord, KeptAnswer
from directus_assets.enrichment.targets import Targets, Values, Written
from directus_assets.enrichment.vocabularies import Vocabularies
from directus_assets.errors import DirectusAssetsError, TransientError
from directus_assets.images.originals import Originals
from directus_assets.notify import tell_role
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.refusals import FieldsRefused
from directus_assets.spending.payer import Counting
from directus_assets.spending.usage import Usage

ROUNDS = 6
"""How often an item that keeps being edited is processed anew before that counts as a failure."""

_SOME_PICTURE = "data:"
"""Replaces a picture where only the price of looking at one matters."""

_NOTHING = "There is no input."
_LEFT_ALONE = "Kept: this value was written by a person."


@dataclass(frozen=True, kw_only=True)
class Enriched:
    """The result for one item."""

    item: str
    fingerprint: str
    """Empty if the item was deleted."""
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    """The derived values; by language if there are several."""
    outcome: Written = field(default_factory=Written)
    usage: Usage = field(default_factory=Usage)
    left_out: int = 0
    """Characters of the input beyond `max_characters`."""
    seconds: float = 0.0
    note: str = ""


class Enricher(Protocol):
    """Runs one enrichment; `DeclaredEnricher` does so by asking an engine."""

    @property
    def engine_name(self) -> str:
        """The name of the engine."""

    @property
    def model(self) -> str:
        """The model's name in the price table."""

    def prepare(self, items: Sequence[EnrichedItem]) -> None:
        """Do in a batch what is cheaper that way; `enrich` follows for each item, whether this succeeds or not.

        Raises:
            DirectusAssetsError: as for `enrich`.
        """

    def enrich(self, item: EnrichedItem, *, anew: bool = False) -> Enriched:
        """Bring one item up to date.

        Args:
            item: the item.
            anew: ask even if there is an answer that was written before.

        Raises:
            DirectusAssetsError: the values cannot be derived or written; the old ones stay.
        """

    def forecast(self, item: EnrichedItem, *, anew: bool = False) -> Usage:
        """The estimated usage of `enrich`, without repairs. Nothing is sent or written."""


@dataclass(frozen=True, kw_only=True)
class DeclaredEnricher:
    """Enriches items of one collection.

    Args:
        reader: reads and writes the items.
        declaration: the enrichment.
        answerer: asks the engine.
        records: the enrichment records.
        originals: reads pictures.
        sleep: waits for seconds.
    """

    reader: ItemReader
    declaration: Declaration
    answerer: Answerer
    records: RecordStore[EnrichmentRecord]
    originals: Originals
    sleep: Callable[[float], None] = time.sleep

    @property
    def engine_name(self) -> str:
        return self.answerer.engine.name

    @property
    def model(self) -> str:
        return self.answerer.engine.model

    def prepare(self, items: Sequence[EnrichedItem]) -> None:
        """Do nothing: each question is about a single item."""

    def enrich(self, item: EnrichedItem, *, anew: bool = False) -> Enriched:
        started = time.monotonic()
        # The usage of a killed attempt has not been attributed to a partition yet.
        spent = sum((answer.usage for answer in self._targets.record(item).answers.values()), Usage())
        payer = Counting(self.answerer.payer, spent)
        answerer = replace(self.answerer, payer=payer)
        if anew and self._targets.record(item).refused:
            self._targets.remember(item, lambda known: replace(known, refused={}))
        is_refused = False
        for attempt in range(ROUNDS):
            try:
                result = self._round(item, answerer, anew=anew and attempt == 0)
            except FieldsRefused:
                # The next round sends Directus' reason to the engine, once.
                if is_refused or self._measure or not answerer.engine.can_repair:
                    raise
                is_refused = True
            else:
                if result is not None:
                    return replace(result, usage=payer.usage, seconds=time.monotonic() - started)
                # Jitter separates runs that obstruct each other.
                self.sleep(random.uniform(0, 0.2 * 2**attempt))  # noqa: S311 - jitter, nothing secret
            fresh = self.reader.present.get(item.key)
            if fresh is None:
                return Enriched(item=item.key, fingerprint="")
            item = fresh
        raise TransientError(f"Item {item.key} of {self.reader.collection} kept being edited while we enriched it.")

    def forecast(self, item: EnrichedItem, *, anew: bool = False) -> Usage:
        if self._measure:
            return Usage()
        picture = _SOME_PICTURE if picture_of(self.declaration, item) else None
        answers = self._targets.record(item).answers
        questions = [
            self._questioner.question(item, code, picture=picture)
            for code in self._asked(item)
            if code not in answers
            or answers[code].question != self._questioner.digest(item, code)
            or (anew and answers[code].is_used)
        ]
        return sum(map(self.answerer.engine.estimate, questions), Usage())

    def _round(self, item: EnrichedItem, answerer: Answerer, *, anew: bool) -> Enriched | None:
        """One attempt; None if the item was edited in the meantime and has to be read again."""
        source = source_of(self.declaration, item)
        made = Enriched(
            item=item.key,
            fingerprint=fingerprint(self.declaration, item),
            left_out=self._questioner.left_out(item),
        )
        if not source:
            return replace(made, note=_NOTHING)
        answers = self._answers(item, answerer, anew=anew)
        fresh = self.reader.present.get(item.key)
        if fresh is None:
            return Enriched(item=item.key, fingerprint="")
        if source_of(self.declaration, fresh) != source:
            return None
        outcome = self._targets.write(fresh, source, answers)
        if outcome is None:
            return None
        values = answers.get("", {code: dict(each) for code, each in answers.items()})
        note = "" if answers else _LEFT_ALONE
        if outcome.written and "" in answers:
            note = self._told(fresh, answers[""])
        return replace(made, values=values, outcome=outcome, note=note)

    def _asked(self, item: EnrichedItem) -> list[str]:
        """The languages for which an answer is useful."""
        source = source_of(self.declaration, item)
        record = self._targets.record(item)
        return [code for code in self._targets.codes if source and self._targets.wants(record, item, code, source)]

    def _answers(self, item: EnrichedItem, answerer: Answerer, *, anew: bool) -> dict[str, Values]:
        asked = self._asked(item)
        picture = picture_of(self.declaration, item) if asked else None
        if picture and self._measure:
            return dict.fromkeys(asked, measured(self.originals, picture, self._measure))
        sight = shown(self.originals, picture) if picture else None
        kept = self._targets.record(item).answers
        answers = {}
        for code in asked:
            known = kept.get(code)
            values = answerer.answer(
                self._questioner.question(item, code, picture=sight),
                self._questioner.digest(item, code),
                kept=None if known and known.is_used and anew else known,
                keep=lambda answer, code=code: self._keep(item, code, answer),  # type: ignore[misc]
                refused=lambda found, code=code: self._targets.refusals(  # type: ignore[misc]
                    item, code, self._derived(item, found)
                ),
            )
            answers[code] = self._derived(item, values)
        return answers

    @property
    def _measure(self) -> Measure | None:
        return self.declaration.builtin.measure if self.declaration.builtin else None

    def _keep(self, item: EnrichedItem, code: str, answer: KeptAnswer) -> None:
        self._targets.remember(item, lambda known: known.with_answer(code, answer))

    def _derived(self, item: EnrichedItem, values: Values) -> Values:
        builtin = self.declaration.builtin
        if builtin is None or builtin.derive is None:
            return values
        code = source_code(self.declaration)
        inputs = {place.name: item.value(place, code) for place in self.declaration.inputs}
        return builtin.derive(values, inputs, self.declaration.options)

    def _told(self, item: EnrichedItem, values: Values) -> str:
        """Notify people of what was written; return what prevented that, if anything."""
        builtin = self.declaration.builtin
        notice = builtin.notice(values, self.declaration.options) if builtin and builtin.notice else None
        if notice is None:
            return ""
        try:
            tell_role(
                self.reader.client,
                notice.role,
                subject=notice.subject,
                message=notice.message,
                collection=self.reader.collection,
                item=item.key,
            )
        except DirectusAssetsError as error:
            return f"The result is saved, but we could not notify the role '{notice.role}': {error}"
        return ""

    @cached_property
    def _vocabularies(self) -> Vocabularies:
        return Vocabularies(self.reader.client, self.declaration)

    @cached_property
    def _questioner(self) -> Questioner:
        return Questioner(self.declaration, self._vocabularies)

    @cached_property
    def _targets(self) -> Targets:
        return Targets(
            reader=self.reader,
            declaration=self.declaration,
            records=self.records,
            vocabularies=self._vocabularies,
        )
