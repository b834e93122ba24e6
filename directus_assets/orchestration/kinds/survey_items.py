"""The reconcile's view of items and their translations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from directus_assets.directus.feed import read_deletions
from directus_assets.directus.sight import find_deleted, sees_all_rows
from directus_assets.fast.latest import Latest
from directus_assets.orchestration.kinds.by_item import adopt
from directus_assets.orchestration.kinds.survey import NoMoney
from directus_assets.orchestration.runs.report import OutputRecord
from directus_assets.ownership.protection import is_empty
from directus_assets.planning.changes import Examination
from directus_assets.translation.items import Item, existing_keys, read_items

if TYPE_CHECKING:
    from directus_assets.orchestration.kinds.translations import Items, TranslationWork


@dataclass
class ItemSurveyor:
    """Surveys the items of one collection."""

    subject: "Items"

    def look(self, keys: Sequence[str]) -> "ItemPage":
        items, client, scope = self.subject, self.subject.project.directus, self.subject.scope
        rows = {item.key: item for item in read_items(client, scope, keys)}
        # An item that the filter excludes keeps its partition: it may be published again.
        unseen = [key for key in keys if key not in rows]
        deleted = find_deleted(client, scope.collection, unseen, partial(existing_keys, client, scope))
        return ItemPage(
            items=items,
            rows=rows,
            examination=items.examine_items(rows, keys, items.assets),
            gone=[key for key in unseen if key in deleted],
            work=lambda: self._work,
            sees_all_rows=lambda: self._sees_all_rows,
        )

    @cached_property
    def _sees_all_rows(self) -> bool:
        """Whether no translation row is hidden; checked only if a row is missing."""
        return sees_all_rows(self.subject.project.directus, self.subject.scope.schema.translations)

    @cached_property
    def _work(self) -> "TranslationWork":
        """Work that never calls the engine: what is already correct costs nothing."""
        work = self.subject.work()
        return replace(work, translator=replace(work.translator, payer=NoMoney()))


@dataclass(frozen=True, kw_only=True)
class ItemPage:
    """Some items."""

    items: "Items"
    rows: Mapping[str, Item]
    examination: Examination
    gone: Sequence[str]
    work: Callable[[], "TranslationWork"]
    sees_all_rows: Callable[[], bool]

    def is_lost(self, output: str, key: str, record: Latest) -> bool:  # noqa: ARG002 (texts have no size)
        if self.is_there(output, key):
            return False
        code = self.items.languages[output].code
        known = self.items.project.records.load(self.items.name, key, code)
        if known.waits:
            return False
        if code in self.rows[key].rows or self.sees_all_rows():
            return True
        client, translations = self.items.project.directus, self.items.scope.schema.translations
        return bool(known.row and read_deletions(client, translations, [known.row]))

    def is_remembered(self, output: str, key: str) -> bool:
        return self.items.project.records.is_known(self.items.name, key, self.items.languages[output].code)

    def is_there(self, output: str, key: str) -> bool:
        """Whether every source text has a counterpart in the target language; there is a source."""
        item, code = self.rows[key], self.items.languages[output].code
        row = item.rows.get(code)
        return item.source_language == code or all(
            is_empty(text) or (row is not None and not is_empty(row.values.get(name)))
            for name, text in item.source.items()
        )

    def adopt(self, output: str, key: str) -> OutputRecord | None:
        """The record tells whether the texts are correct; texts without a record count as human."""
        return adopt(self.work(), self.rows[key], output)
