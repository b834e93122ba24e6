"""Computes recommendations for audience segments and writes them as rows; human rows stay."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from directus_assets.directus.client import DirectusClient, items_path
from directus_assets.directus.compare_and_set import Values
from directus_assets.directus.models import JsonValue
from directus_assets.enrichment.interest import Candidate, Interaction, Phrases, Recommendation, Taste, recommend
from directus_assets.enrichment.neighbours import Vector
from directus_assets.enrichment.recommendation_plan import NAME, RecommendationPlan
from directus_assets.enrichment.records import EnrichmentRecord
from directus_assets.enrichment.rows import ResultRowWriter, comparable, plan_rows
from directus_assets.enrichment.work import ROUNDS
from directus_assets.errors import BadInput, TransientError
from directus_assets.json_text import well_formed
from directus_assets.ownership.field_records import digest
from directus_assets.ownership.record_store import RecordStore

_WHOLE: Final = frozenset({"integer", "bigInteger"})


@dataclass(frozen=True, kw_only=True)
class Recomputed:
    """The result of one computation."""

    segments: int
    interactions: int
    recommendations: tuple[Recommendation, ...]
    made: int
    changed: int
    removed: int


@dataclass(frozen=True, kw_only=True)
class Recommender:
    """Recomputes the recommendations of one collection.

    Args:
        client: Directus.
        plan: the source and target of the recommendations.
        records: the records of the rows that we made.
        vectors: of the items, by key.
    """

    client: DirectusClient
    plan: RecommendationPlan
    records: RecordStore[EnrichmentRecord]
    vectors: Mapping[str, Vector]

    def recompute(self, *, now: dt.datetime) -> Recomputed:
        """Recompute and write the rows of all segments; human rows stay, and represent their item.

        Raises:
            DirectusAssetsError: Directus or the storage of records fails. Everything written before that is correct.
        """
        interactions = list(self._interactions(now))
        found = recommend(interactions, self._candidates(), taste=self._taste(), now=now)
        by_segment: dict[str, list[Recommendation]] = {each.segment: [] for each in interactions}
        for each in found:
            by_segment[each.segment].append(each)
        for segment in self._segments_with_rows():
            by_segment.setdefault(segment, [])
        counts = [self._write(segment, own) for segment, own in sorted(by_segment.items())]
        made, changed, removed = (sum(count[at] for count in counts) for at in range(3))
        return Recomputed(
            segments=len(by_segment),
            interactions=len(interactions),
            recommendations=tuple(found),
            made=made,
            changed=changed,
            removed=removed,
        )

    def _taste(self) -> Taste:
        options = self.plan.options
        return Taste(
            count=options.count,
            half_life_days=options.half_life_days,
            # Without any vector, tags are all there is.
            tag_share=options.tag_share if self.vectors else 1.0,
            least=options.least,
            phrases=Phrases(**options.phrases.model_dump()),
        )

    def _interactions(self, now: dt.datetime) -> Iterable[Interaction]:
        given = self.plan.options.interactions
        since = (now - dt.timedelta(days=given.since_days)).isoformat()
        key = self.plan.interactions.key_field
        names = [key, given.item, given.segment, given.at, given.kind, given.weight]
        rows = self.client.rows(
            items_path(given.collection),
            fields=[name for name in names if name],
            filter={given.at: {"_gte": since}},
            sort=key,
        )
        for row in rows:
            at, item = _moment(row.get(given.at)), row.get(given.item)
            kind = str(row.get(given.kind)) if given.kind else ""
            weight = self._weight(row)
            for segment in texts_at(row, given.segment):
                if at is not None and item is not None:
                    counted = weight * given.kinds.get(kind, 1.0)
                    yield Interaction(segment=segment, item=str(item), at=at, weight=counted)

    def _weight(self, row: Mapping[str, JsonValue]) -> float:
        given = self.plan.options.interactions
        if given.weight is None:
            return 1.0
        value = row.get(given.weight)
        try:
            weight = float(value or 0)  # type: ignore[arg-type]
        except (ValueError, TypeError, OverflowError):
            weight = math.nan
        if not math.isfinite(weight):
            raise BadInput(
                f"The interaction {row[self.plan.interactions.key_field]} of {given.collection} has '{value}' in "
                f"'{given.weight}', which is not a number.",
                remedy="Correct it in Directus, or choose another `weight` field in the YAML file.",
            )
        return weight

    def _candidates(self) -> Iterable[Candidate]:
        options, key = self.plan.options, self.plan.collection.key_field
        names = [key, options.title, options.tags]
        rows = self.client.rows(
            items_path(self.plan.collection.name),
            fields=[name for name in names if name],
            filter=dict(self.plan.filter),
            sort=key,
        )
        for row in rows:
            yield Candidate(
                key=str(row[key]),
                title=next(iter(texts_at(row, options.title)), ""),
                tags=tuple(dict.fromkeys(texts_at(row, options.tags))) if options.tags else (),
                vector=self.vectors.get(str(row[key])),
            )

    def _segments_with_rows(self) -> set[str]:
        field, key = self.plan.target.item_field, self.plan.target.collection.key_field
        rows = self.client.rows(items_path(self.plan.target.collection.name), fields=[key, field], sort=key)
        return {str(row[field]) for row in rows if row.get(field) is not None}

    def _write(self, segment: str, wanted: Sequence[Recommendation]) -> tuple[int, int, int]:
        """Write the rows of one segment; return how many were created, changed and removed."""
        for _ in range(ROUNDS):
            done = self._try_to_write(segment, [self._row(each) for each in wanted])
            if done is not None:
                return done
        target = self.plan.target.collection.name
        raise TransientError(f"Rows of {target} for '{segment}' kept changing while we wrote them.")

    def _try_to_write(self, segment: str, wanted: Sequence[Values]) -> tuple[int, int, int] | None:
        writer = ResultRowWriter(self.client, self.plan.target)
        record = self.records.load(self.plan.collection.name, segment, NAME)
        plan = plan_rows(
            wanted,
            writer.read(segment),
            known=record.rows,
            intended=record.intended_rows,
            is_one=False,
            about=self.plan.target.about,
        )
        new = [*plan.changed.values(), *plan.made]
        if not new and not plan.removed and set(plan.remembered) == set(record.rows):
            return 0, 0, 0
        # Record the intention first, then write: rows from a killed run are then recognised as ours.
        intended = tuple(digest(dict(values)) for values in new)
        self.records.save(record.intending({}, intended, removed=plan.removed))
        made = writer.carry_out(segment, plan)
        if made is None:
            return None
        self.records.save(replace(record, rows=(*plan.remembered, *made)).done())
        return len(plan.made), len(plan.changed), len(plan.removed)

    def _row(self, each: Recommendation) -> dict[str, JsonValue]:
        values: dict[str, JsonValue] = {
            "item": int(each.item) if self.plan.target.fields["item"].type in _WHOLE else each.item,
            "rank": each.rank,
            "score": each.score,
            "reason": each.reason,
        }
        fields = self.plan.target.fields.items()
        return {field.name: comparable(values[setting], field) for setting, field in fields}


def texts_at(row: object, path: str) -> list[str]:
    """All non-empty values at a dotted path, as text: through related items and lists."""
    found: list[object] = [row]
    for part in path.split("."):
        found = [each.get(part) for each in _flat(found) if isinstance(each, dict)]
    return [
        well_formed(str(value)) for value in _flat(found) if value not in (None, "") and not isinstance(value, dict)
    ]


def _flat(values: Iterable[object]) -> list[object]:
    return [each for value in values for each in (_flat(value) if isinstance(value, list) else [value])]


def _moment(value: object) -> dt.datetime | None:
    """Parse a date from Directus; one without a zone is in UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
