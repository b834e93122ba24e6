"""The commands `memory …`: export and import the translation memory, and apply corrections everywhere."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.progress import track, wrap_file
from rich.table import Table

from directus_assets.commands.subjects import choose
from directus_assets.errors import BadInput, TransientError
from directus_assets.orchestration.build import translated_items
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.propagation import Propagation, Proposal
from directus_assets.orchestration.proposals import Proposals
from directus_assets.snapshot import Wanted, read_snapshot, take_snapshot
from directus_assets.translation.corrections import Correction
from directus_assets.translation.exchange import (
    BrokenOff,
    Exchanged,
    Languages,
    NotTaken,
    checked,
    format_of,
    read_units,
    unit_of,
    write_units,
)
from directus_assets.translation.memory import Memory, MemoryEntry, languages_of

_BATCH = 1000
"""Number of translations stored at once."""
_REFUSALS_SHOWN = 50
_CORRECTIONS_SHOWN = 20
_LONGEST_SHOWN = 60
_COUNTED = {"csv": "row", "tmx": "unit"}


def run_export(console: Console, project: Project, path: Path, *, languages: Sequence[str], named: str | None) -> int:
    """Write the translation memory to a file; return the exit status.

    Args:
        console: where to write.
        project: the project whose memory is exported.
        path: the file; an existing one is replaced once everything is written.
        languages: limits the export to these target languages; all if empty.
        named: the format, if the suffix does not tell it.

    Raises:
        BadInput: an unknown format or language, or a file that cannot be written.
        DirectusAssetsError: the memory cannot be read.
    """
    format_, memory = format_of(path, named), project.segments
    known = {languages_of(pair)[1] for pair in memory.pairs()}
    if unknown := [code for code in languages if code not in known]:
        raise BadInput(
            f"Nothing is remembered in '{unknown[0]}'.", remedy=f"There is: {', '.join(sorted(known)) or 'nothing'}."
        )
    entries = track(
        memory.entries(targets=languages),
        description="Writing",
        total=memory.count(targets=languages),
        console=console,
        transient=True,
    )
    by_whom: Counter[bool] = Counter()

    def units() -> Iterator[Exchanged]:
        for entry in entries:
            by_whom[entry.human] += 1
            yield unit_of(entry)

    write_units(units(), path, format_)
    console.print(escape(f"Written to {path}: {by_whom.total():,} translations, {by_whom[True]:,} of them by people."))
    return 0


def run_import(
    console: Console, project: Project, path: Path, *, languages: Sequence[str], named: str | None, dry_run: bool
) -> int:
    """Store the usable translations of a file as human translations; return the exit status.

    Args:
        console: where to write.
        project: the project whose memory receives them.
        path: the file.
        languages: limits the import to these target languages; all if empty.
        named: the format, if the suffix does not tell it.
        dry_run: only validate the file.

    Raises:
        BadInput: the file does not exist or has a different format.
        DirectusAssetsError: the memory cannot be written; what was stored before that stays.
    """
    format_ = format_of(path, named)
    importing = _Import(console, project.segments, _COUNTED[format_], dry_run=dry_run)
    project_languages = _languages(project)
    chosen = {project_languages.code_of(code) for code in languages}
    fault: BrokenOff | None = None
    try:
        with (
            path.open("rb") as raw,
            wrap_file(raw, path.stat().st_size, description="Reading", console=console, transient=True) as file,
        ):
            for unit in read_units(file, format_):
                found = unit if isinstance(unit, NotTaken) else checked(unit, project_languages)
                if isinstance(found, NotTaken) or not chosen or languages_of(found.pair)[1] in chosen:
                    importing.take(found)
    except BrokenOff as error:
        fault = error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", remedy="Name a file that is there.") from None
    importing.finish()
    if fault:
        console.print(f"[bold red]Broken off:[/] {escape(str(fault))}", soft_wrap=True)
    return 1 if fault or importing.refused else 0


class _Import:
    """The outcome for each unit of a file."""

    def __init__(self, console: Console, memory: Memory, counted: str, *, dry_run: bool) -> None:
        self._console = console
        self._memory = memory
        self._counted = counted
        self._dry_run = dry_run
        self._batch: list[MemoryEntry] = []
        self._taken = 0
        self.refused = 0

    def take(self, found: MemoryEntry | NotTaken) -> None:
        if isinstance(found, NotTaken):
            self.refused += 1
            if self.refused <= _REFUSALS_SHOWN:
                self._console.print(
                    escape(f"Not taken: {self._counted} {found.number}: {found.reason}"), soft_wrap=True
                )
            return
        self._taken += 1
        self._batch.append(found)
        if len(self._batch) == _BATCH:
            self._remember()

    def finish(self) -> None:
        self._remember()
        if self.refused > _REFUSALS_SHOWN:
            self._console.print(f"And {self.refused - _REFUSALS_SHOWN:,} more.")
        what = "Would be remembered" if self._dry_run else "Remembered"
        self._console.print(f"{what}: {self._taken:,} translations, as people's. Not taken: {self.refused:,}.")

    def _remember(self) -> None:
        if not self._dry_run:
            self._memory.remember(self._batch)
        self._batch.clear()


def _languages(project: Project) -> Languages:
    """The languages of the translated collections; the last known ones if Directus does not answer."""
    try:
        snapshot = take_snapshot(project.directus, Wanted(translations=True), faults={})
    except TransientError:
        environment = project.settings.environment
        snapshot = read_snapshot(environment.state_folder, url=environment.directus_url)
    return Languages({row.code for each in snapshot.collections for row in each.languages})


def run_apply(
    console: Console,
    project: Project,
    *,
    collections: Sequence[str],
    languages: Sequence[str],
    dry_run: bool,
    confirm: Callable[[], bool],
    instance: dg.DagsterInstance | None = None,
) -> int:
    """Apply human corrections wherever we wrote a different version; return the exit status.

    Args:
        console: where to write.
        project: provides Directus and the memory.
        collections: limits the changes to these; all if empty.
        languages: limits the changes to these target languages; all if empty.
        dry_run: show the changes without making them.
        confirm: asks whether to proceed.
        instance: the Dagster instance; that of DAGSTER_HOME by default.

    Raises:
        ConfigurationError: a collection or language that is not translated.
        DirectusAssetsError: Directus refuses or does not answer; what was written before that stays.
    """
    found = list(translated_items(project, take_snapshot(project.directus, Wanted(translations=True))))
    propagation = Propagation(found, choose(found, collections, languages), languages)
    with console.status("Comparing texts with what people have corrected"):
        proposals = propagation.proposals()
    _show(console, propagation, proposals)
    if not dry_run and (proposals or propagation.lessons) and confirm():
        # Directus may store whole seconds only.
        started = dt.datetime.now(dt.UTC).replace(microsecond=0, tzinfo=None)
        results = [
            *track(
                propagation.carry_out(proposals),
                description="Writing",
                total=len(proposals),
                console=console,
                transient=True,
            )
        ]
        left = [each for each, is_written in results if not is_written]
        with nullcontext(instance) if instance else dg.DagsterInstance.get() as records:
            Proposals(project, records).tell(left, about=propagation.assets)
        written = len(results) - len(left)
        console.print(f"Corrected: {written:,} translations.")
        if written:
            console.print(f"To take this back: directus-assets revert --since {started.isoformat()}", soft_wrap=True)
    for problem in propagation.problems[:_REFUSALS_SHOWN]:
        console.print(f"[yellow]Left as it is:[/] {escape(problem)}", soft_wrap=True)
    return 1 if propagation.problems else 0


def _show(console: Console, propagation: Propagation, proposals: Sequence[Proposal]) -> None:
    places: dict[tuple[str, Correction], list[Proposal]] = {}
    for proposal in proposals:
        for correction in proposal.corrections:
            places.setdefault((proposal.language, correction), []).append(proposal)
    table = Table(title="People's versions for what we wrote")
    for name in ("language", "source", "ours", "theirs", "translations"):
        table.add_column(name, justify="right" if name == "translations" else "left")
    by_count = sorted(places.items(), key=lambda each: -len(each[1]))
    for (code, each), own in by_count[:_CORRECTIONS_SHOWN]:
        texts = (_short(text) for text in (each.source, each.ours, each.theirs))
        table.add_row(escape(code), *map(escape, texts), f"{len(own):,}")
    if proposals:
        console.print(table)
    if len(places) > _CORRECTIONS_SHOWN:
        console.print(f"And {len(places) - _CORRECTIONS_SHOWN:,} more.")
    for versions in propagation.lessons.disputes[:_CORRECTIONS_SHOWN]:
        theirs = " or ".join(f"'{_short(each.text)}'" for each in versions)
        what = f"{languages_of(versions[0].pair)[1]}, '{_short(versions[0].source)}'"
        console.print(escape(f"People disagree, and nothing is done: {what}: {theirs}."), soft_wrap=True)
    segments = sum(len(each.corrections) for each in proposals)
    console.print(
        f"To correct: {segments:,} segments in {len(proposals):,} translations. To learn: {len(propagation.lessons):,}."
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
