"""Plans results as rows of another collection: which to create, change and remove. People win here, too.

A row is ours as long as it holds what we wrote. A row that a human has created, changed or removed is never touched,
and not created again. A row about another item represents that item, whatever its rank or score.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from directus_assets.directus.client import DirectusClient, items_path
from directus_assets.directus.compare_and_set import CompareAndSet, Values
from directus_assets.directus.models import JsonValue
from directus_assets.directus.project_schema import CollectionSchema, FieldSchema
from directus_assets.enrichment.declaration import RowTarget
from directus_assets.enrichment.records import MadeRow
from directus_assets.errors import ChangedMeanwhile, Rejected, Unreadable
from directus_assets.ownership.field_records import canonical, digest
from directus_assets.ownership.refusals import reason_for_row


@dataclass(frozen=True, kw_only=True, slots=True)
class PresentRow:
    """An existing row."""

    key: str
    values: Values


@dataclass(frozen=True, kw_only=True)
class RowPlan:
    """The planned changes."""

    changed: Mapping[str, Values]
    """New values of our rows, by key."""
    made: Sequence[Values]
    removed: Sequence[str]
    before: Mapping[str, Values]
    """The current values of the rows to change or remove."""
    remembered: tuple[MadeRow, ...]
    """The records of rows that stay as they are."""
    is_kept: bool
    """Whether a human row stays in place of what we would have written."""


def plan_rows(
    wanted: Sequence[Values],
    present: Sequence[PresentRow],
    *,
    known: Sequence[MadeRow],
    intended: Sequence[str],
    is_one: bool,
    about: str | None = None,
) -> RowPlan:
    """Plan the changes that produce the wanted rows of one item. Pure.

    Args:
        wanted: the values of the wanted rows.
        present: the existing rows.
        known: the rows that we made, as we made them.
        intended: digests of rows that an earlier attempt was about to make.
        is_one: whether there is one row per item, so that a human row replaces ours.
        about: the field that references the subject of a row (see `RowTarget`).
    """
    digests = {row.key: digest(dict(row.values)) for row in present}
    remembered = {row.key: row.digest for row in known}
    ours = {key: own for key, own in digests.items() if remembered.get(key) == own or own in intended}
    humans = [row for row in present if row.key not in ours]
    lost = [row for row in known if row.key not in ours]
    # Duplicates are written once.
    wanted_by_digest = {digest(dict(values)): values for values in wanted}
    subjects = {_subject(values, about) for values in wanted} - {""}
    staying = {key: own for key, own in ours.items() if own in wanted_by_digest}
    going = [key for key in ours if key not in staying]
    taken = {*staying.values(), *(digests[row.key] for row in humans), *(row.digest for row in lost)}
    decided = {*(_subject(row.values, about) for row in humans), *(row.about for row in lost)} - {""}
    new = [
        values
        for own, values in wanted_by_digest.items()
        if own not in taken and _subject(values, about) not in decided
    ]
    is_kept = bool(new and is_one and (humans or lost))
    if is_kept:
        new = []
    changed = dict(zip(going, new, strict=False))
    return RowPlan(
        changed=changed,
        made=new[len(changed) :],
        removed=[key for key in going if key not in changed],
        before={row.key: row.values for row in present if row.key in going},
        remembered=(
            *(
                MadeRow(key=key, digest=own, about=_subject(wanted_by_digest[own], about))
                for key, own in staying.items()
            ),
            *(row for row in lost if row.digest in wanted_by_digest or row.about in subjects or is_one),
        ),
        is_kept=is_kept,
    )


def _subject(values: Values, about: str | None) -> str:
    """The subject of a row; empty if it has none besides its values."""
    return canonical(values.get(about)) if about else ""


@dataclass(frozen=True)
class ResultRowWriter:
    """Reads and writes the rows of one target collection."""

    client: DirectusClient
    target: RowTarget

    def read(self, item: str) -> list[PresentRow]:
        """The rows that belong to an item."""
        fields = list(self.target.fields.values())
        key = self.target.collection.key_field
        rows = self.client.rows(
            self._path,
            fields=[key, *(field.name for field in fields)],
            filter={self.target.item_field: {"_eq": item}},
            sort=key,
        )
        return [
            PresentRow(
                key=str(row[key]), values={field.name: comparable(row.get(field.name), field) for field in fields}
            )
            for row in rows
        ]

    def carry_out(
        self,
        item: JsonValue,
        plan: RowPlan,
        *,
        is_refused: Callable[[Values], bool] = lambda _: False,
        refuse: Callable[[Values, str], None] | None = None,
    ) -> list[MadeRow] | None:
        """Apply the plan.

        Args:
            item: the item that the rows belong to.
            plan: the changes.
            is_refused: whether Directus has refused a row before: it is not sent again.
            refuse: called with each row that Directus refuses, and its reason; the others are written. Without it, a
                refusal is an error.

        Returns:
            The rows that were created or changed; None if someone has changed one of them in the meantime: read again,
            and plan anew.

        Raises:
            DirectusAssetsError: Directus refuses or does not answer.
        """
        found = []
        changes = [
            *((partial(self._change, row, plan.before[row]), values) for row, values in plan.changed.items()),
            *((partial(self._make, item), values) for values in plan.made),
        ]
        for change, values in changes:
            try:
                if not is_refused(values):
                    found.append(self._made(change(values), values))
            except ChangedMeanwhile:
                return None
            except Unreadable:
                raise
            except Rejected as error:
                reason = reason_for_row(error, values)
                if refuse is None or not reason:
                    raise
                refuse(values, reason)
        for row in plan.removed:
            self._rows.remove(row, plan.before[row])
        return found

    def _change(self, key: str, before: Values, values: Values) -> str:
        self._rows.replace(key, before, values)
        return key

    def _make(self, item: JsonValue, values: Values) -> str:
        made = self.client.post(self._path, {**values, self.target.item_field: item})
        return str(made[self.target.collection.key_field]) if made else ""

    @cached_property
    def _rows(self) -> CompareAndSet:
        return compare_and_set(self.client, self.target.collection)

    def _made(self, key: str, values: Values) -> MadeRow:
        return MadeRow(key=key, digest=digest(dict(values)), about=_subject(values, self.target.about))

    @property
    def _path(self) -> str:
        return items_path(self.target.collection.name)


def compare_and_set(client: DirectusClient, collection: CollectionSchema) -> CompareAndSet:
    """Compare-and-set writes to the items of a collection."""

    def as_compared(name: str, value: JsonValue) -> JsonValue:
        field = collection.field(name)
        return comparable(value, field) if field else value

    return CompareAndSet(
        client,
        collection.name,
        collection.key_field,
        [field.name for field in collection.fields if field.is_filterable],
        is_singleton=collection.is_singleton,
        comparable=as_compared,
    )


def comparable(value: JsonValue, field: FieldSchema) -> JsonValue:
    """A value in comparable form: databases return some numbers as text, and booleans as numbers."""
    if value is None:
        return None
    if field.type == "boolean":
        return bool(value)
    if field.type in ("integer", "bigInteger", "float", "decimal") and isinstance(value, str | int | float):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return value  # Directus will refuse it with a message.
        return int(number) if number.is_integer() else number
    if field.type == "csv" and isinstance(value, str):
        return [part for part in value.split(",") if part]
    return value
