"""Taking back what we have written over translations: by Directus' log, which has every write with what it has set.

What somebody has changed since stays, and so does what was written anew. Nothing is known of what the log has lost.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.compare_and_set import CompareAndSet
from directus_assets.directus.feed import is_own
from directus_assets.directus.models import Activity, JsonValue
from directus_assets.errors import BadInput, ChangedMeanwhile
from directus_assets.ownership.field_records import FieldRecord, TranslationRecord, canonical, digest
from directus_assets.ownership.record_store import RecordStore
from directus_assets.translation.cut_fields import cut_field
from directus_assets.translation.languages import language
from directus_assets.translation.scope import Scope
from directus_assets.translation.segments.model import BadAnswer, segment_key

BY_A_PERSON = "somebody has edited it since"
ANEW = "it has been written again since"
LOST = "Directus' activity log no longer has the earlier text"
MEANWHILE = "somebody edited it at the same moment"


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """One write to a row, as Directus' log has it."""

    is_ours: bool
    """Whether we have written it, and nobody else."""
    is_meant: bool
    """Whether it is one of those that are to be taken back."""
    is_first: bool
    """Whether it has made the row."""
    values: Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True, slots=True)
class Back:
    """What a field gets back."""

    bad: JsonValue
    earlier: JsonValue
    was_ours: bool
    """Whether nobody else had written any of it."""
    is_last_write: bool = field(default=True, compare=False)
    """Whether it is one write that is taken back, and not several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OverwrittenRow:
    """One row, and what is to be done with it."""

    key: str
    item: str
    language: str
    back: Mapping[str, Back]
    kept: Mapping[str, str]
    """Fields that stay as they are, with the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Our writes of this time, by Directus' clock; of all items and languages unless some are named."""

    start: dt.datetime
    end: dt.datetime | None = None
    only: Collection[tuple[str, str]] | None = None
    """Items with languages."""

    def holds(self, moment: dt.datetime) -> bool:
        """Whether something happened in it."""
        return self.start <= moment and (self.end is None or moment <= self.end)


def plan_row(writes: Sequence[Write], present: Mapping[str, JsonValue]) -> tuple[dict[str, Back], dict[str, str]]:
    """What of a row is put back, and what stays, with the reason; pure.

    Args:
        writes: all that is known, in their order.
        present: the present values of the fields that we write.
    """
    back: dict[str, Back] = {}
    kept: dict[str, str] = {}
    for name, value in present.items():
        history = [write for write in writes if name in write.values]
        meant = [index for index, write in enumerate(history) if write.is_meant]
        if not meant:
            continue
        last = history[-1]
        if not last.is_meant or canonical(last.values[name]) != canonical(value):
            kept[name] = ANEW if last.is_ours and not last.is_meant else BY_A_PERSON
            continue
        first = len(history)
        while first and history[first - 1].is_meant:
            first -= 1
        if history[first].is_first:
            continue  # We have made the row: there was nothing before.
        if not first and not (writes and writes[0].is_first):
            kept[name] = LOST
            continue
        earlier = history[first - 1].values[name] if first else None
        if canonical(earlier) != canonical(value):
            # What we have written after somebody may hold sentences of theirs.
            was_ours = bool(first) and all(write.is_ours for write in history[:first])
            is_last_write = first == len(history) - 1
            back[name] = Back(bad=value, earlier=earlier, was_ours=was_ours, is_last_write=is_last_write)
    return back, kept


@dataclass(frozen=True)
class Revert:
    """Takes back our writes to the translations of one collection.

    Args:
        client: Directus.
        scope: of which collection.
        records: what is remembered of translations.
    """

    client: DirectusClient
    scope: Scope
    records: RecordStore

    def plan(self, period: Period, *, languages: Collection[str] = ()) -> list[OverwrittenRow]:
        """What there is to be taken back, and what stays.

        Raises:
            DirectusAssetsError: Directus refuses (the token needs to read its log with revisions) or does not answer.
        """
        schema = self.scope.schema
        names = [each.name for each in schema.fields]
        codes = {row.key: row.code for row in schema.languages if not languages or row.code in languages}
        key, item, language = schema.translations_key_field, schema.item_field, schema.language_field
        rows = self.client.rows_with(
            f"/items/{schema.translations}",
            key,
            self._written_in(period),
            fields=[key, item, language, *names],
            sort=key,
        )
        there = {str(row[key]): row for row in rows if row[item] is not None and str(row[language]) in codes}
        writes = self._writes(list(there), period)
        found = []
        for row_key, row in there.items():
            code = codes[str(row[language])]
            if period.only is None or (str(row[item]), code) in period.only:
                back, kept = plan_row(writes.get(row_key, ()), {name: row.get(name) for name in names})
                found.append(OverwrittenRow(key=row_key, item=str(row[item]), language=code, back=back, kept=kept))
        return [row for row in found if row.back or row.kept]

    def carry_out(self, rows: Sequence[OverwrittenRow]) -> Iterator[tuple[OverwrittenRow, bool]]:
        """Puts everything back, row by row; says of each whether it was, or has been changed at this moment.

        Raises:
            DirectusAssetsError: Directus refuses or does not answer; what was put back until then stays so.
        """
        schema = self.scope.schema
        filterable = [field.name for field in schema.fields if field.is_filterable]
        table = CompareAndSet(self.client, schema.translations, schema.translations_key_field, filterable)
        for row in rows:
            if not row.back:
                continue
            # First what is about to be written, then the write: what was ours is then known as ours again.
            self._remember(row, partial(self._intending, row=row))
            old = {name: each.bad for name, each in row.back.items()}
            try:
                table.replace(row.key, old, {name: each.earlier for name, each in row.back.items()})
            except ChangedMeanwhile:
                yield row, False
                continue
            self._remember(row, TranslationRecord.confirmed)
            yield row, True

    def _remember(self, row: OverwrittenRow, change: Callable[[TranslationRecord], TranslationRecord]) -> None:
        if self.records.load(self.scope.name, row.item, row.language) is not None:
            self.records.update(self.scope.name, row.item, row.language, change)

    def _written_in(self, period: Period) -> list[str]:
        """The keys of the rows that we have written to."""
        conditions: list[dict[str, object]] = [
            {"collection": {"_eq": self.scope.schema.translations}},
            {"user": {"_eq": self.client.own_user_id}},
            {"timestamp": {"_gte": period.start.isoformat()}},
        ]
        if period.end is not None:
            conditions.append({"timestamp": {"_lte": period.end.isoformat()}})
        rows = self.client.rows("/activity", fields=["item"], filter={"_and": conditions}, sort="id")
        return list(dict.fromkeys(str(row["item"]) for row in rows))

    def _writes(self, keys: Sequence[str], period: Period) -> dict[str, list[Write]]:
        condition = {"collection": {"_eq": self.scope.schema.translations}, "action": {"_in": ["create", "update"]}}
        fields = [*Activity.FIELDS, "revisions.item", "revisions.delta"]
        found: dict[str, list[Write]] = {}
        for entry in self.client.rows_with("/activity", "item", keys, matching=condition, fields=fields, sort="id"):
            activity = Activity.parse(entry)
            is_ours = is_own(activity, self.client.own_user_id)
            for revision in entry.get("revisions") or ():
                if str(revision["item"]) == activity.item:
                    write = Write(
                        is_ours=is_ours,
                        is_meant=is_ours and period.holds(activity.timestamp),
                        is_first=activity.action == "create",
                        values=revision["delta"] or {},
                    )
                    found.setdefault(activity.item, []).append(write)
        return found

    def _intending(self, known: TranslationRecord, row: OverwrittenRow) -> TranslationRecord:
        """With what is put back; and without translations that have turned out to be bad.

        Where people's versions of segments are taken back that came from elsewhere, those before them are as good as
        they were, and the others are not brought here again.
        """
        back = {name: each for name, each in row.back.items() if name in known.fields}
        if not known.corrected or not all(each.is_last_write for each in row.back.values()):
            fields = {name: _of_earlier(known.fields[name], each) for name, each in back.items()}
            return replace(known.with_fields(fields), segments={}, answers=())
        taken_back = {key: known.segments[key].text for key in known.corrected if key in known.segments}
        before = replace(known.having_seen(taken_back), segments={**known.segments, **known.corrected}, corrected={})
        fields = {
            name: _of_earlier(known.fields[name], each, ours=self._ours(before, name, row.language))
            for name, each in back.items()
        }
        return before.with_fields(fields)

    def _ours(self, record: TranslationRecord, name: str, code: str) -> str:
        """Our translation of a field, from what is remembered; empty where it cannot be told."""
        text_field = next(each for each in self.scope.schema.fields if each.name == name)
        try:
            document = cut_field(text_field, record.fields[name].source)
            texts = {each.id: record.segments[segment_key(each)].text for each in document.segments}
            return canonical(document.splice(texts, language=language(code).tag))
        except (BadAnswer, BadInput, KeyError):
            return ""


def _of_earlier(known: FieldRecord, back: Back, *, ours: str = "") -> FieldRecord:
    if back.was_ours:
        return replace(known, intended=digest(back.earlier), ours=canonical(back.earlier), before=None, waiting={})
    if ours:
        # Sentences of others are in it, which are told by what differs.
        return replace(known, written=digest(ours), intended="", ours=ours, before=None)
    return replace(known, ours="", before=None, waiting={})
