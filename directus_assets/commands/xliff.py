"""The commands `xliff export` and `xliff import`: translations by an agency, out and back."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import IO

import dagster as dg
from rich.console import Console
from rich.markup import escape

from directus_assets.commands.subjects import chosen_items
from directus_assets.errors import BadInput, ChangedMeanwhile, ConfigurationError, PermanentError
from directus_assets.isolation import noted, readable
from directus_assets.orchestration.kinds.by_item import adopt
from directus_assets.orchestration.kinds.survey import NoMoney
from directus_assets.orchestration.kinds.translations import Items, TranslationWork
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import data_version, latest_records, record_output
from directus_assets.orchestration.runs.report import REVIEW_MARK
from directus_assets.translation.exchange.files import write_whole
from directus_assets.translation.exchange.hand_out import hand_out
from directus_assets.translation.exchange.judgement import Judgement
from directus_assets.translation.exchange.take_over import TakeOver
from directus_assets.translation.exchange.xliff import XliffDocument, XliffFile, read_xliff, write_xliff
from directus_assets.translation.items import read_items
from directus_assets.translation.languages import language
from directus_assets.translation.work import Translator
from directus_assets.waiting import Notice

_PAGE = 200
_LARGEST = 50_000_000
"""The maximum size of a file in bytes: some million words."""
_PROBLEMS_SHOWN = 200
_IMPORTED = "Translated by people, and imported from XLIFF."


@dataclass(frozen=True, kw_only=True)
class HandOut:
    """The items to export; an empty field does not restrict them."""

    languages: Sequence[str] = ()
    collections: Sequence[str] = ()
    items: Sequence[str] = ()
    """Keys of items, all in one collection."""
    waiting: bool = False
    """Only items that wait for a review."""


def run_export(
    console: Console, project: Project, choice: HandOut, output: Path, *, instance: dg.DagsterInstance | None = None
) -> int:
    """Write the selection as XLIFF 2.1, one file per language pair; return the exit status.

    Args:
        console: where to report.
        project: provides Directus and our records.
        choice: the items to export.
        output: the file; with several language pairs, each file name gets the pair as a suffix.
        instance: the Dagster instance; by default the one in DAGSTER_HOME.

    Raises:
        ConfigurationError: a collection or language that is not translated.
        BadInput: the selection is too large for one file, or the file cannot be written.
        DirectusAssetsError: Directus does not answer.
    """
    if choice.items and len(choice.collections) != 1:
        raise ConfigurationError("Items must belong to one collection.", remedy="Name it with --collection.")
    problems: list[str] = []
    found: dict[tuple[str, str], list[XliffFile]] = {}
    with nullcontext(instance) if instance else dg.DagsterInstance.get() as records:
        for items in chosen_items(project, choice.collections, choice.languages):
            for pair, file in _handed_out(items, choice, records, problems):
                found.setdefault(pair, []).append(file)
    for (source, target), files in found.items():
        path = output if len(found) == 1 else output.with_stem(f"{output.stem}.{source}.{target}")
        data = write_xliff(XliffDocument(source=source, target=target, files=tuple(files)))
        if len(data) > _LARGEST:
            raise BadInput(
                f"{path} would have {len(data)} bytes, but the import accepts at most {_LARGEST}.",
                remedy="Choose fewer items.",
            )
        write_whole(path, partial(_write, data))
        units = [unit for file in files for unit in file.units if not unit.is_context]
        console.print(
            escape(f"{path}: {len(units)} texts of {len(files)} items, from {source} into {target}."), soft_wrap=True
        )
    if not found:
        console.print("There is nothing to hand out.")
    for problem in dict.fromkeys(problems):
        console.print(f"[yellow]Left out:[/] {escape(problem)}", soft_wrap=True)
    return 1 if problems else 0


def _handed_out(
    items: Items, choice: HandOut, instance: dg.DagsterInstance, problems: list[str]
) -> Iterator[tuple[tuple[str, str], XliffFile]]:
    """The selected items of one collection, each with the tags of its two languages."""
    translator = items.translator()
    for name, row in items.languages.items():
        if choice.languages and row.code not in choice.languages:
            continue
        missing = set() if choice.waiting else set(choice.items)
        pages = _pages(items, name, choice, instance)
        for page in readable(pages, partial(read_items, items.project.directus, items.scope), problems):
            missing.difference_update(item.key for item in page)
            for item in page:
                with noted(problems):
                    if file := hand_out(translator, item, row, only_waiting=choice.waiting):
                        yield (language(item.source_language).tag, language(row.code).tag), file
        problems += [f"{items.name} {key}: there is no such item to translate." for key in sorted(missing)]


def run_import(
    console: Console, project: Project, path: Path, *, dry_run: bool, instance: dg.DagsterInstance | None = None
) -> int:
    """Import an agency's file and report what is not imported; return the exit status.

    Args:
        console: where to report.
        project: provides Directus and our records.
        path: the file.
        dry_run: only validate the file.
        instance: the Dagster instance; by default the one in DAGSTER_HOME.

    Raises:
        BadInput: the file is not XLIFF 2, or is too large.
        ConfigurationError: nothing is translated into its language.
        DirectusAssetsError: Directus does not answer; what was imported before that stays.
    """
    if (size := path.stat().st_size) > _LARGEST:
        raise BadInput(
            f"{path} has {size} bytes; the limit is {_LARGEST}.", remedy="Have it exported in several files."
        )
    document = read_xliff(path.read_bytes())
    with nullcontext(instance) if instance else dg.DagsterInstance.get() as records:
        importing = _Importing(project=project, document=document, instance=records, dry_run=dry_run, console=console)
        for file in document.files:
            importing.take(file)
    done = "Could be imported" if dry_run else "Imported"
    console.print(f"{done}: {importing.units} texts of {importing.items} items.")
    if importing.untouched:
        console.print(f"Not worked on: {importing.untouched} texts.")
    if importing.problems:
        console.print(f"[red]Not imported:[/] {importing.problems} texts or items.")
    return 1 if importing.problems else 0


@dataclass(kw_only=True)
class _Importing:
    """One file being imported, item by item."""

    project: Project
    document: XliffDocument
    instance: dg.DagsterInstance
    dry_run: bool
    console: Console
    units: int = 0
    items: int = 0
    untouched: int = 0
    problems: int = 0
    _translators: dict[str, Translator] = field(default_factory=dict)

    def take(self, file: XliffFile) -> None:
        """Import one item; report a problem that concerns this item only."""
        try:
            items, output = self._place(file)
            translator = self._translators.setdefault(items.name, items.translator())
            row = items.languages[output]
            taking = TakeOver(translator=translator, target=row, source=self.document.source, dry_run=self.dry_run)
            judgement = taking.carry_out(file)
        except (PermanentError, ChangedMeanwhile) as error:
            self._report(file.name, str(error))
            return
        self._count(file, judgement)
        if judgement.fields and not self.dry_run:
            self._settle(items, output, file.item)

    def _place(self, file: XliffFile) -> tuple[Items, str]:
        """The collection and the language's output that the item belongs to."""
        for items in self._subjects:
            if items.name == file.collection:
                for output, row in items.languages.items():
                    if _tag_of(row.code) == self.document.target.lower():
                        return items, output
        raise PermanentError(f"'{file.collection}' is not translated into {self.document.target or 'no language'}.")

    @cached_property
    def _subjects(self) -> list[Items]:
        return chosen_items(self.project, (), ())

    def _count(self, file: XliffFile, judgement: Judgement) -> None:
        self.items += bool(judgement.fields)
        self.units += sum(len(each.units) for each in judgement.fields)
        self.untouched += judgement.untouched
        for problem in judgement.problems:
            unit = problem.unit
            self._report(f"{file.name}, unit {unit.id}, field {unit.field or '–'}", problem.reason)

    def _report(self, what: str, reason: str) -> None:
        self.problems += 1
        self.console.print(f"[red]{escape(what)}:[/] {escape(reason)}", soft_wrap=True)

    def _settle(self, items: Items, output: str, key: str) -> None:
        """Record that the item is current, or what still waits, without calling an engine."""
        found = read_items(self.project.directus, items.scope, [key])
        if not found or key not in self.instance.get_dynamic_partitions(items.partitions_name):
            return
        work = TranslationWork(items, replace(self._translators[items.name], payer=NoMoney()))
        made = adopt(work, found[0], output)
        if made is None:
            return  # Other fields lack a translation: the pipeline makes it and records the whole.
        self._tell(items, output, key, made.notice)
        record_output(
            self.instance,
            items.assets[output],
            key,
            replace(made, note=_IMPORTED),
            code_version=items.code_versions[output],
            source=items.source,
        )

    def _tell(self, items: Items, output: str, key: str, notice: Notice | None) -> None:
        """Resolve the item's comment in the Studio, or update it with what still waits."""
        desk = self.project.desk(items.collection, [key], warn=self._warn, notifies=False)
        title, warnings = items.titles[output], list[str]()
        if desk is None:
            return
        with noted(warnings):
            if notice:
                desk.waits(key, notice)
            else:
                desk.is_right(key, title)
        for warning in warnings:
            self._warn(warning)

    def _warn(self, text: str) -> None:
        self.console.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)


def _tag_of(code: str) -> str:
    """The tag as tools write it, whatever its case; empty if the code is not a language."""
    try:
        return language(code).tag.lower()
    except BadInput:
        return ""


def _write(data: bytes, file: IO[bytes]) -> None:
    file.write(data)


def _pages(items: Items, output: str, choice: HandOut, instance: dg.DagsterInstance) -> Iterator[list[str]]:
    """The keys of the selected items, page by page."""
    if not choice.waiting and not choice.items:
        yield from items.pages()
        return
    keys = list(choice.items)
    if choice.waiting:
        there = instance.get_dynamic_partitions(items.partitions_name)
        asked = [key for key in there if not keys or key in keys]
        found = latest_records(instance, {output: items.assets[output]}, asked)
        marked = {key for (_, key), record in found.items() if data_version(record).endswith(REVIEW_MARK)}
        keys = [key for key in asked if key in marked]
    for start in range(0, len(keys), _PAGE):
        yield keys[start : start + _PAGE]
