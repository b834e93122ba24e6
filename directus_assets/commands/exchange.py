"""The command groups `memory` and `xliff`: their options and the functions they call."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from directus_assets.commands.options import console, of_one_project, settings_of


@click.group()
def memory() -> None:
    """Export and import the translation memory, and apply people's corrections everywhere."""


def _in_a_file(command: Callable[..., None]) -> Callable[..., None]:
    """Options shared by commands that write or read translations as a file."""
    for option in (
        click.option("--language", "languages", multiple=True, help="Only this target language; repeatable."),
        click.option(
            "--format", "named", type=click.Choice(["tmx", "csv"]), help="Needed if the suffix is another one."
        ),
        click.argument("file", type=click.Path(path_type=Path, dir_okay=False)),
    ):
        command = option(command)
    return command


@memory.command("export")
@of_one_project
@_in_a_file
def memory_export(*, project: str | None, file: Path, languages: Sequence[str], named: str | None) -> None:
    """Write the memory to FILE, as TMX 1.4 or CSV, for translation tools and spreadsheets."""
    from directus_assets.commands.memory import run_export
    from directus_assets.orchestration.project import Project

    sys.exit(run_export(console, Project(settings_of(project)), file, languages=languages, named=named))


@memory.command("import")
@of_one_project
@_in_a_file
@click.option("--dry-run", is_flag=True, help="Only check the file.")
def memory_import(
    *, project: str | None, file: Path, languages: Sequence[str], named: str | None, dry_run: bool
) -> None:
    """Import translations from FILE (TMX 1.4 or CSV) as written by people.

    Each unusable translation is reported with the reason and its number (of the unit in TMX, of the row in a table);
    the others are imported.
    """
    from directus_assets.commands.memory import run_import
    from directus_assets.orchestration.project import Project

    sys.exit(
        run_import(console, Project(settings_of(project)), file, languages=languages, named=named, dry_run=dry_run)
    )


@memory.command("apply")
@of_one_project
@click.option("--collection", "collections", multiple=True, help="Only this collection; repeatable.")
@click.option("--language", "languages", multiple=True, help="Only this target language; repeatable.")
@click.option("--yes", is_flag=True, help="Skip the confirmation prompt.")
@click.option("--dry-run", is_flag=True, help="Only show what would be replaced.")
def memory_apply(
    *, project: str | None, collections: Sequence[str], languages: Sequence[str], yes: bool, dry_run: bool
) -> None:
    """Apply each human correction to all other places where the pipeline wrote a different version.

    Human texts stay as they are, and no engine is called. `directus-assets revert` undoes it.
    """
    from directus_assets.commands.memory import run_apply
    from directus_assets.orchestration.project import Project

    status = run_apply(
        console,
        Project(settings_of(project)),
        collections=collections,
        languages=languages,
        dry_run=dry_run,
        confirm=lambda: yes or click.confirm("Replace these?"),
    )
    sys.exit(status)


@click.group()
def xliff() -> None:
    """Exchange translations with an agency as XLIFF 2.1."""


@xliff.command("export")
@of_one_project
@click.option("--language", "languages", multiple=True, help="Only into this language; repeatable.")
@click.option("--collection", "collections", multiple=True, help="Items of this collection; repeatable.")
@click.option("--item", "items", multiple=True, help="Only this item of the collection; repeatable.")
@click.option("--waiting", is_flag=True, help="Only what waits for a review.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default="translations.xlf",
    show_default=True,
    help="The file; with several language pairs, one file for each, named after them.",
)
def export_xliff(
    *,
    project: str | None,
    languages: Sequence[str],
    collections: Sequence[str],
    items: Sequence[str],
    waiting: bool,
    output: Path,
) -> None:
    """Export items with their translations, or everything waiting for review, for an agency."""
    from directus_assets.commands.xliff import HandOut, run_export
    from directus_assets.orchestration.project import Project

    if not (collections or waiting):
        raise click.UsageError("Choose what to export: --collection (with or without --item) or --waiting.")
    choice = HandOut(languages=languages, collections=collections, items=items, waiting=waiting)
    sys.exit(run_export(console, Project(settings_of(project)), choice, output))


@xliff.command("import")
@of_one_project
@click.option("--dry-run", is_flag=True, help="Only check the file, and show what would be imported.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def import_xliff(*, project: str | None, dry_run: bool, file: Path) -> None:
    """Import an agency's translations, which then count as written by people."""
    from directus_assets.commands.xliff import run_import
    from directus_assets.orchestration.project import Project

    sys.exit(run_import(console, Project(settings_of(project)), file, dry_run=dry_run))
