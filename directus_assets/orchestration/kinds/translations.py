"""The assets `translations/<collection>/<language>`: one multi-asset for each collection, over its languages.

`directus_assets.translation` decides what is translated, kept and written; this module turns it into Dagster events.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

import dagster as dg

from directus_assets.directus.models import Activity
from directus_assets.directus.schema import LanguageRow
from directus_assets.errors import BadInput
from directus_assets.isolation import planned
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.kinds.by_item import FoundItems, build_by_item
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.kinds.survey_items import ItemSurveyor
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.report import REVIEW_MARK, OutputRecord, as_markdown, translation_metadata
from directus_assets.ownership.field_records import canonical
from directus_assets.planning.changes import Examination
from directus_assets.run_tags import BUTTON_TAG, CLICK_TAG, FIELD_TAG
from directus_assets.spending.budget import Purse
from directus_assets.translation.corrections import Corrector
from directus_assets.translation.engines import pseudo
from directus_assets.translation.engines.protocol import Engine, Voice
from directus_assets.translation.fingerprints import fingerprint
from directus_assets.translation.glossary import Term, digest_of_terms
from directus_assets.translation.items import Item, existing_keys, item_keys, items_of_rows, read_items
from directus_assets.translation.languages import language
from directus_assets.translation.order import NO_ORDER, Order, Reviews
from directus_assets.translation.results import Translated
from directus_assets.translation.scope import Scope
from directus_assets.translation.work import Translator
from directus_assets.waiting import Notice, Passage

_PAGE = 200
_W = TypeVar("_W", bound=Translator)


@dataclass(frozen=True)
class Items(Kind):
    """The items of one collection as a subject: items are partitions, languages are outputs."""

    project: Project
    scope: Scope
    engine: Engine
    glossary: tuple[Term, ...]

    @property
    def name(self) -> str:
        return self.scope.name

    @property
    def job_name(self) -> str:
        return self.project.names.translation_job(self.scope.name)

    button = Button.TRANSLATE

    @property
    def group(self) -> str:
        return self.project.names.translations_group

    @property
    def source(self) -> dg.AssetKey:
        return self.project.names.items(self.collection)

    @property
    def task(self) -> str:
        return f"Translates a range of items of {self.collection}."

    def build(self) -> dg.AssetsDefinition:
        names, engine = self.project.names, self.engine.name.partition(":")[0]
        specs = {
            output: names.spec(
                names.translation_props(self.collection, row.code, second=self._second),
                description=_describe(self.scope, row),
                kinds=frozenset({"directus", engine}),
            )
            for output, row in self.languages.items()
        }
        op = names.translation_op(self.name)
        return build_by_item(self.project, self, specs, op=op, start=lambda context: self.work(context.run.tags))

    def work(self, tags: Mapping[str, str] | None = None) -> "TranslationWork":
        """The work of a run with these tags."""
        return TranslationWork(self, self.translator(), order_of(tags or {}))

    def survey(self) -> ItemSurveyor:
        return ItemSurveyor(self)

    def translator(self) -> Translator:
        """A translator with the current glossary and style guide."""
        return self._worker(Translator)

    def corrector(self) -> Corrector:
        """Like `translator`, for applying human corrections made elsewhere."""
        return self._worker(Corrector)

    def _worker(self, kind: type[_W]) -> _W:
        settings = self.project.directus.project_settings()
        return kind(
            client=self.project.directus,
            scope=self.scope,
            engine=self.engine,
            gate=self.project.gate,
            records=self.project.records,
            glossary=tuple(map(Term.of, settings.glossary)),
            style_guide=settings.style_guide,
            voices=_voices(self.project),
            memory=self.project.segments if self.scope.shares_memory else None,
            payer=self.project.purse,
            propose_in_versions=self.project.settings.config.translations.review == "version",
        )

    def backfills_on_start(self, output: str) -> bool:  # noqa: ARG002 (one setting for all languages)
        return self.project.settings.config.translations.backfill_on_start

    @property
    def notes(self) -> Sequence[str]:
        return (self.name,)

    def note_of(self, output: str) -> str:
        return f"{self.name}/{output}"

    @property
    def partitions_name(self) -> str:
        return str(self.project.names.items_partitions(self.scope.collection).name)

    @property
    def collection(self) -> str:
        return self.scope.collection

    @property
    def purse(self) -> Purse:
        return self.project.purse

    @cached_property
    def titles(self) -> dict[str, str]:
        return {output: f"{_name_of(row.code)} ({output})" for output, row in self.languages.items()}

    @property
    def feed_collections(self) -> Sequence[str]:
        return (self.scope.collection, self.scope.schema.translations)

    @cached_property
    def assets(self) -> dict[str, dg.AssetKey]:
        return {output: self.asset_of(row) for output, row in self.languages.items()}

    def asset_of(self, row: LanguageRow) -> dg.AssetKey:
        """The asset of a language, whether it is a target or not."""
        return self.project.names.translation(self.collection, row.code, second=self._second)

    @cached_property
    def languages(self) -> dict[str, LanguageRow]:
        """The target language of each output."""
        prefix = f"{self._second}." if self._second else ""
        return {f"{prefix}{row.code}": row for row in self.scope.targets}

    @property
    def text_fields(self) -> Sequence[str]:
        return [each.name for each in self.scope.schema.fields]

    @property
    def _second(self) -> str:
        return "" if self.scope.schema.is_first else self.scope.schema.alias_field

    @cached_property
    def code_versions(self) -> dict[str, str]:
        return dict.fromkeys(self.languages, self.scope.code_version)

    @property
    def revision(self) -> str:
        """Changes with the glossary, when a real engine replaces `pseudo`, when there is money again, and with the
        field that names an item's own language.
        """
        is_pseudo = self.engine.name == pseudo.NAME
        field = f":{self.scope.source_field}" if self.scope.source_field else ""
        return f"{digest_of_terms(self.glossary)}:{is_pseudo}:{self.project.purse.resumed_on()}{field}"

    @property
    def batch_size(self) -> int:
        return self.project.settings.config.translations.batch_size

    def existing(self, *, page: int, size: int) -> list[str]:
        return item_keys(self.project.directus, self.scope, page=page, size=size)

    def pages(self) -> Iterator[list[str]]:
        """The keys of all items, page by page."""
        page = 1
        while keys := self.existing(page=page, size=_PAGE):
            yield keys
            page += 1

    def touched(self, entries: Sequence[Activity]) -> list[str]:
        own = [entry.item for entry in entries if entry.collection == self.scope.collection]
        rows = [entry.item for entry in entries if entry.collection == self.scope.schema.translations]
        return list(dict.fromkeys([*own, *items_of_rows(self.project.directus, self.scope, rows)]))

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        items = {item.key: item for item in read_items(self.project.directus, self.scope, keys)}
        return self.examine_items(items, keys, outputs)

    def examine_items(self, items: Mapping[str, Item], keys: Sequence[str], outputs: Iterable[str]) -> Examination:
        """Like `examine`, for items that have been read."""
        present = [key for key in keys if key in items]
        targets = {output: row for output, row in self.languages.items() if output in outputs}
        wanted = {
            (output, key): planned(partial(self._fingerprint, items[key], row))
            for key in present
            for output, row in targets.items()
        }
        return Examination(present=tuple(present), wanted=wanted)

    def _fingerprint(self, item: Item, target: LanguageRow) -> str:
        return fingerprint(self.scope, item, target, self.glossary, is_pseudo=self.engine.name == pseudo.NAME)


def _name_of(code: str) -> str:
    """The English name of the language; an invalid code as it is, which each of its partitions reports as well."""
    try:
        return language(code).name
    except BadInput:
        return code


@dataclass(frozen=True)
class TranslationWork:
    """The work of one run on the items of one collection."""

    items: Items
    translator: Translator
    order: Order = NO_ORDER

    def read(self, outputs: Sequence[str], keys: Sequence[str]) -> FoundItems[Item]:
        client, scope = self.translator.client, self.translator.scope
        found = {item.key: item for item in read_items(client, scope, keys)}
        unread = [key for key in keys if key not in found]
        hidden = existing_keys(client, scope, unread) if scope.filter and unread else ()
        return FoundItems(
            items=[(item, {output: self._fingerprint(item, output) for output in outputs}) for item in found.values()],
            left_out={(output, key) for output in outputs for key in hidden},
        )

    def _fingerprint(self, item: Item, output: str) -> str:
        return planned(partial(self.translator.fingerprint, item, self.items.languages[output]))

    def prepare(self, work: Sequence[tuple[Item, str]]) -> None:
        """Nothing: each text is translated on its own."""

    def make(self, item: Item, output: str) -> Translated:
        return self.translator.translate(item, self.items.languages[output], order=self.order)

    def record_of(self, output: str, result: Translated) -> OutputRecord:
        return OutputRecord(
            data_version=result.fingerprint + (REVIEW_MARK if result.reviews else ""),
            metadata=translation_metadata(
                result,
                scope=self.items.scope,
                engine=self.items.engine,
                cost=self.items.purse.cost(result.usage),
                public_url=self.items.project.public_url,
            ),
            note=_note(result),
            notice=_notice(self.items.titles[output], result),
        )


def order_of(tags: Mapping[str, str]) -> Order:
    """The request of the person who started the run with these tags."""
    if CLICK_TAG not in tags:
        return NO_ORDER
    # Earlier versions had a button for translations only.
    button = Button(tags.get(BUTTON_TAG, Button.TRANSLATE.value))
    return Order(
        anew=button is Button.TRANSLATE,
        reviews={Button.ACCEPT: Reviews.ACCEPT, Button.KEEP: Reviews.KEEP}.get(button, Reviews.WAIT),
        field=tags.get(FIELD_TAG, ""),
    )


def _notice(title: str, result: Translated) -> Notice | None:
    passages = tuple(
        Passage(
            field=each.field,
            human=each.human,
            proposal=canonical(each.proposal),
            old_source=each.old_source,
            new_source=each.new_source,
        )
        for each in result.reviews
    )
    return Notice(title=title, passages=passages) if passages else None


def _note(result: Translated) -> str:
    if result.is_source:
        return "Source: the item is written in this language and translated into the others."
    notes = (
        ["Needs review: a text written by a person was kept although its source has changed."] if result.reviews else []
    )
    if result.has_duplicates:
        notes.append("There is more than one row for this language. Delete all but one in Directus.")
    if result.left:
        notes.append(f"Not translated, because the text is in an unsupported form: {', '.join(result.left)}.")
    return " ".join(notes)


def _voices(project: Project) -> dict[str, Voice]:
    """The style of each language that the YAML file configures."""
    return {
        code: Voice(register=own.register_ or "", tone=own.tone or "", instructions=own.instructions or "")
        for code, own in project.settings.config.translations.styles.items()
    }


def _describe(scope: Scope, target: LanguageRow) -> str:
    fields = ", ".join(field.name for field in scope.schema.fields)
    source = scope.source.code
    if scope.source_field:
        source = f"the language in its field '{scope.source_field}' ({source} if empty)"
    return as_markdown(f"Translates every item of '{scope.collection}' from {source} into {target.code}: {fields}.")
