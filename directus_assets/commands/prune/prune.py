"""The command `prune`: deletes files that are provably unused, and restores them on request."""

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape

from directus_assets.commands.plan.images import show_orphans
from directus_assets.commands.prune.orphans import find_orphans, places, take_inventory
from directus_assets.commands.prune.records import find_record_orphans
from directus_assets.commands.prune.undo import FOLDER, RECORDS, Orphan, Remover, put_back, read_undo_list
from directus_assets.directus.storage import Storage
from directus_assets.errors import Forbidden
from directus_assets.orchestration.project import Project

_LISTS = "pruned"
_NAMES_SHOWN = 20


def run_prune(
    console: Console, project: Project, *, confirm: Callable[[], bool], dry_run: bool = False, keep: bool = True
) -> int:
    """Show the proven orphans, ask for confirmation, and delete them; return the exit status.

    Args:
        console: where to write.
        project: the project to clean up.
        confirm: asks whether to proceed.
        dry_run: show the orphans without deleting them.
        keep: keep the contents, so that everything can be restored.

    Raises:
        DirectusAssetsError: Directus or a storage cannot be read; nothing more is deleted.
    """
    blind: list[str] = []
    with dg.DagsterInstance.get() as instance:
        with console.status("Looking for unused derivatives and records"):
            shown = _look(project, instance, blind)
        for reason in blind:
            console.print(f"[yellow]Left alone:[/] {escape(reason)}")
        status = 1 if blind else 0
        if not shown:
            console.print("Nothing to prune.")
            return status
        show_orphans(console, shown)
        _show_names(console, shown)
        if dry_run:
            return status
        if not confirm():
            console.print("Nothing was deleted.")
            return 1
        # Look again: a preset may have been changed back while the user read the list.
        still = set(map(_identity, _look(project, instance, [])))
    moment = dt.datetime.now(dt.UTC)
    undo_list = project.settings.environment.state_folder / _LISTS / f"{moment:%Y%m%dT%H%M%SZ}.jsonl"
    remover = Remover(places=_places(project), undo_list=undo_list, keep=keep, moment=moment)
    removed = []
    try:
        for orphan in remover.remove(orphan for orphan in shown if _identity(orphan) in still):
            removed.append(orphan)  # noqa: PERF402 (counted also if the storage fails half-way)
    finally:
        _summarise(console, shown, removed, undo_list if keep else None)
    return status


def run_undo(console: Console, project: Project, path: Path) -> int:
    """Restore everything on an undo list; return the exit status.

    Raises:
        DirectusAssetsError: the list cannot be read, or Directus or a storage does not answer.
    """
    lines = read_undo_list(path)
    rows = project.directus.files_by_id(line.file_id for line in lines if line.file_id)
    uploads = {row.id: _moment(row.uploaded_on) for row in rows if row.uploaded_on}
    found = _places(project)
    failed = 0
    # In reverse order: exported pictures come back before the manifest names them.
    for line in reversed(lines):
        if obstacle := put_back(line, found, replaced_on=uploads.get(line.file_id)):
            failed += 1
            console.print(f"[yellow]Not restored:[/] {escape(line.name)}: {obstacle}.")
    console.print(f"{len(lines) - failed} of {len(lines)} restored.")
    return 1 if failed else 0


def _look(project: Project, instance: dg.DagsterInstance, blind: list[str]) -> list[Orphan]:
    """All proven orphans; `blind` receives what could not be determined for want of a right."""
    orphans: list[Orphan] = []
    try:
        orphans += find_orphans(project, instance, take_inventory(project, instance)).proven
    except Forbidden as error:
        blind.append(f"derivatives. {error}")
    try:
        orphans += find_record_orphans(project)
    except Forbidden as error:
        blind.append(f"translation records. {error}")
    return orphans


def _identity(orphan: Orphan) -> tuple[str, str, int, str]:
    return orphan.place, orphan.name, orphan.size, orphan.file_id


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC)


def _places(project: Project) -> dict[str, Storage]:
    return {**places(project), RECORDS: project.memory}


def _show_names(console: Console, orphans: list[Orphan]) -> None:
    for orphan in orphans[:_NAMES_SHOWN]:
        entry = f" (the entry of {orphan.file_id})" if orphan.manifest_row is not None else ""
        console.print(escape(f"  {orphan.name}{entry}, {decimal(orphan.size)}: {orphan.reason}"), soft_wrap=True)
    if len(orphans) > _NAMES_SHOWN:
        console.print(f"  and {len(orphans) - _NAMES_SHOWN} more.")


def _summarise(console: Console, shown: list[Orphan], removed: Iterable[Orphan], undo_list: Path | None) -> None:
    sizes = [orphan.size for orphan in removed]
    console.print(f"{len(sizes)} deleted ({decimal(sum(sizes))}).")
    if len(sizes) < len(shown):
        console.print(f"{len(shown) - len(sizes)} were left alone, because they have changed in the meantime.")
    if sizes and undo_list:
        console.print(f"To restore them: directus-assets prune --undo {escape(str(undo_list))}", soft_wrap=True)
        console.print(f"To free the space permanently, delete the folder {FOLDER} in the storage.")
