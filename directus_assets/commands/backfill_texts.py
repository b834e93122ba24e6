"""The part of `backfill` that handles translations and enrichments: it prices them, then starts Dagster backfills."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.commands.backfill import WantedBackfill, carry_out
from directus_assets.commands.plan.prospects import prospects_of
from directus_assets.commands.plan.translations import money
from directus_assets.enrichment.declaration import FILES
from directus_assets.errors import ConfigurationError
from directus_assets.isolation import noted, readable
from directus_assets.orchestration.build import enriched_items, translated_items
from directus_assets.orchestration.kinds.enrichments import EnrichedItems
from directus_assets.orchestration.kinds.translations import Items
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.compare import grouped
from directus_assets.orchestration.webserver import Webserver
from directus_assets.run_tags import backfill_tags
from directus_assets.snapshot import take_snapshot
from directus_assets.spending.budget import Purse
from directus_assets.spending.usage import Usage
from directus_assets.translation.items import existing_keys, read_items

_PAGE = 200
_PROBLEMS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The texts to make; an empty field does not restrict them."""

    collections: Sequence[str] = ()
    languages: Sequence[str] = ()
    """If given, translations only."""
    items: Sequence[str] = ()
    """Keys of items, all in one collection."""
    missing_only: bool = False
    limit: Decimal | None = None
    """The most money to spend, as far as the cost can be estimated."""


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """One output of one item, with the estimated usage of the engine."""

    output: str
    item: str
    usage: Usage
    cost: Decimal | None
    is_source: bool = False
    """Whether this is the item's own language, in which nothing is made."""


@dataclass
class _Row:
    """The totals for one output of a collection."""

    name: str
    items: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = Decimal(0)

    def add(self, piece: _Piece) -> None:
        self.items += 1
        self.usage += piece.usage
        self.cost = None if self.cost is None or piece.cost is None else self.cost + piece.cost


@dataclass
class _Work:
    """The work to start now, and the work that the limit defers."""

    rows: dict[tuple[str, str], _Row] = field(default_factory=dict)
    outputs: list[tuple[Items | EnrichedItems, list[tuple[str, str]]]] = field(default_factory=list)
    left: int = 0
    sources: int = 0
    cost: Decimal = Decimal(0)
    problems: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(outputs) for _, outputs in self.outputs)

    @property
    def asks_an_engine(self) -> bool:
        return any(row.usage.requests or row.usage.characters for row in self.rows.values())


def run_text_backfill(
    console: Console,
    project: Project,
    choice: Choice,
    *,
    dry_run: bool,
    confirm: Callable[[], bool],
    instance: dg.DagsterInstance | None = None,
    webserver: Webserver | None = None,
) -> int:
    """Show the work and its cost, ask for confirmation, start it and wait; return the exit status.

    Args:
        console: where to write.
        project: provides Directus, the engines and the prices.
        choice: the texts to make.
        dry_run: show the work without starting it.
        confirm: asks whether to proceed when an engine would be called.
        instance: the Dagster instance; by default the one in DAGSTER_HOME.
        webserver: Dagster's webserver; by default the one at DAGSTER_WEBSERVER_URL.

    Raises:
        ConfigurationError: a chosen collection, language or item does not exist, or there is a limit but no price.
        DirectusAssetsError: Directus or Dagster does not answer.
    """
    subjects = _subjects(project, choice)
    with nullcontext(instance) if instance else dg.DagsterInstance.get() as records:
        with console.status("Comparing texts with the stored records"):
            work = _priced(records, subjects, choice)
        _show(console, work, choice)
        if dry_run or not work.count:
            return 0
        if work.asks_an_engine and not confirm():
            console.print("Nothing was started.")
            return 1
        webserver = webserver or Webserver(project.settings.environment.webserver_url)
        page = f"{webserver.url}/assets"
        return carry_out(console, webserver, _wanted(records, project, work, choice), page=page)


def _subjects(project: Project, choice: Choice) -> list[Items | EnrichedItems]:
    """The chosen collections in the order in which they are made: translations first.

    Raises:
        ConfigurationError: nothing is made of a chosen collection or language, or there is no such item.
    """
    snapshot = take_snapshot(project.directus, project.wanted)
    found: list[Items | EnrichedItems] = [*translated_items(project, snapshot)]
    found += [] if choice.languages else enriched_items(project, snapshot)
    known = {name for each in found for name in (each.collection, each.name)}
    codes = {row.code for each in found if isinstance(each, Items) for row in each.languages.values()}
    for what, wanted, there in (("collection", choice.collections, known), ("language", choice.languages, codes)):
        if unknown := [name for name in wanted if name not in there]:
            raise ConfigurationError(
                f"The {what} '{unknown[0]}' produces no texts.",
                remedy=f"Available: {', '.join(sorted(there)) or 'none'}.",
            )
    if choice.items and len(choice.collections) != 1:
        raise ConfigurationError("Items must belong to one collection.", remedy="Name it with --collection.")
    names = set(choice.collections)
    chosen = [each for each in found if not names or not names.isdisjoint({each.collection, each.name})]
    there = _existing(chosen[0], choice.items) if choice.items else set()
    if missing := [key for key in choice.items if key not in there]:
        raise ConfigurationError(
            f"There is no item '{missing[0]}' in '{chosen[0].collection}'.", remedy="Copy its key from Directus."
        )
    return chosen


def _existing(subject: Items | EnrichedItems, keys: Sequence[str]) -> set[str]:
    if isinstance(subject, Items):
        return existing_keys(subject.project.directus, subject.scope, keys)
    return subject.reader.existing(keys)


def _priced(instance: dg.DagsterInstance, subjects: Iterable[Items | EnrichedItems], choice: Choice) -> _Work:
    """Price the chosen items one by one, up to the limit.

    Raises:
        ConfigurationError: there is a limit, but no price for an engine that would be called.
    """
    work = _Work()
    for subject in subjects:
        outputs: list[tuple[str, str]] = []
        for piece in _pieces(instance, subject, choice, work.problems):
            if choice.limit is not None and not work.left and piece.cost is None:
                raise ConfigurationError(
                    f"--limit needs prices, and the model that makes '{subject.name}' has none.",
                    remedy="Add it to `engine.prices` in the YAML file, or leave out --limit.",
                )
            cost = piece.cost or Decimal(0)
            # Once one piece exceeds the limit, all later pieces that cost money are deferred too: what is made is then
            # a prefix of the whole.
            if choice.limit is not None and cost and (work.left or work.cost + cost > choice.limit):
                work.left += 1
                continue
            work.cost += cost
            work.sources += piece.is_source
            outputs.append((piece.output, piece.item))
            work.rows.setdefault((subject.collection, piece.output), _Row(_name(subject, piece.output))).add(piece)
        if outputs:
            work.outputs.append((subject, outputs))
    return work


def _pieces(
    instance: dg.DagsterInstance, subject: Items | EnrichedItems, choice: Choice, problems: list[str]
) -> Iterator[_Piece]:
    if isinstance(subject, Items):
        return _of_texts(instance, subject, choice, problems)
    return _of_enrichments(instance, subject, choice, problems)


def _of_texts(instance: dg.DagsterInstance, items: Items, choice: Choice, problems: list[str]) -> Iterator[_Piece]:
    project, translator = items.project, items.translator()
    targets = {
        name: row for name, row in items.languages.items() if not choice.languages or row.code in choice.languages
    }
    prospects = prospects_of(project, instance, items)
    # Identical requests are paid once and counted once, unless the limit defers the one that would pay.
    counted: set[tuple[str, str]] | None = set() if choice.limit is None else None
    pages = [list(choice.items)] if choice.items else _pages(instance, items)
    for page in readable(pages, partial(read_items, project.directus, items.scope), problems):
        by_key = {item.key: item for item in page}
        wanted = items.examine_items(by_key, list(by_key), targets).wanted
        for (output, key), prospect in prospects.of(wanted).items():
            if choice.missing_only and prospect.is_right:
                continue
            with noted(problems):
                usage = translator.forecast(by_key[key], targets[output], counted=counted).usage
                is_source = by_key[key].source_language == targets[output].code
                yield _piece(output, key, usage, project.purse, is_source=is_source)


def _of_enrichments(
    instance: dg.DagsterInstance, items: EnrichedItems, choice: Choice, problems: list[str]
) -> Iterator[_Piece]:
    prospects = prospects_of(items.project, instance, items)
    purses = {name: items.project.purse_of(enricher.model) for name, enricher in items.enrichers.items()}
    pages = [list(choice.items)] if choice.items else _pages(instance, items)
    for page in readable(pages, items.reader.read, problems):
        by_key = {item.key: item for item in page}
        for (output, key), prospect in prospects.of(items.examine_items(page, items.assets).wanted).items():
            if choice.missing_only and prospect.is_right:
                continue
            with noted(problems):
                usage = items.enrichers[output].forecast(by_key[key], anew=not choice.missing_only)
                yield _piece(output, key, usage, purses[output])


def _piece(output: str, key: str, usage: Usage, purse: Purse, *, is_source: bool = False) -> _Piece:
    is_free = not (usage.requests or usage.characters)
    cost = Decimal(0) if is_free else purse.cost(usage)
    return _Piece(output=output, item=key, usage=usage, cost=cost, is_source=is_source)


def _pages(instance: dg.DagsterInstance, subject: Items | EnrichedItems) -> Iterator[list[str]]:
    if subject.collection == FILES:
        # Pictures: each one already is a partition.
        keys = list(instance.get_dynamic_partitions(subject.partitions_name))
        yield from (keys[start : start + _PAGE] for start in range(0, len(keys), _PAGE))
        return
    page = 1
    while keys := subject.existing(page=page, size=_PAGE):
        yield keys
        page += 1


def _name(subject: Items | EnrichedItems, output: str) -> str:
    return output if isinstance(subject, Items) else subject.by_output[output].name


def _show(console: Console, work: _Work, choice: Choice) -> None:
    if work.rows:
        console.print(_table(work))
    if not work.count and not work.left:
        console.print("No texts to make.")
    for note in _notes(work, choice):
        console.print(note)
    for problem in work.problems[:_PROBLEMS_SHOWN]:
        console.print(f"[yellow]Left out:[/] {escape(problem)}")
    if len(work.problems) > _PROBLEMS_SHOWN:
        console.print(f"And {len(work.problems) - _PROBLEMS_SHOWN} more.")


def _table(work: _Work) -> Table:
    table = Table(title="Texts to make (nothing has been sent yet)")
    for name in ("collection", "output"):
        table.add_column(name)
    for name in ("items", "characters", "tokens in", "tokens out", "cost"):
        table.add_column(name, justify="right")
    for (collection, _), row in work.rows.items():
        used = row.usage
        figures = (row.items, used.characters, used.input_tokens, used.output_tokens)
        table.add_row(collection, row.name, *(f"{figure:,}" for figure in figures), money(row.cost))
    return table


def _notes(work: _Work, choice: Choice) -> Iterator[str]:
    if work.sources:
        yield f"{work.sources:,} of these: in the item's own language, recorded as the source, and not sent."
    if work.left and choice.limit is not None:
        yield f"{work.left:,} outputs were left out, because including them would exceed the limit of {choice.limit}."
    if any(row.cost is None for row in work.rows.values()):
        yield "'?': `engine.prices` in the YAML file has no price for it."


def _wanted(instance: dg.DagsterInstance, project: Project, work: _Work, choice: Choice) -> Iterator[WantedBackfill]:
    for subject, outputs in work.outputs:
        instance.add_dynamic_partitions(subject.partitions_name, list(dict.fromkeys(key for _, key in outputs)))
        for needed, keys in grouped(outputs).items():
            names = sorted(needed)
            yield WantedBackfill(
                what=f"{len(keys)} items of {subject.name} ({', '.join(names)})",
                assets=[subject.assets[name] for name in names],
                keys=keys,
                tags=backfill_tags(subject.name, names, skips_current=choice.missing_only) | project.names.tags,
            )
