"""The image part of the command `plan`: derives present and missing derivatives from file names alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from directus_assets.commands.plan.estimates import duration, seconds_per_file
from directus_assets.commands.plan.prospects import failed_note
from directus_assets.commands.prune.orphans import FoundOrphans, find_orphans, take_inventory
from directus_assets.commands.prune.undo import Orphan
from directus_assets.errors import Forbidden
from directus_assets.images.inventory import Inventory, Stock
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import failed_outputs, failures


def show_images(console: Console, project: Project) -> None:
    """Show present, missing and empty derivatives by preset, and orphans by reason. Makes and opens no file.

    Raises:
        DirectusAssetsError: Directus or its storage cannot be read.
    """
    with dg.DagsterInstance.get() as instance, console.status("Comparing files with what is stored"):
        inventory = take_inventory(project, instance)
        medians = seconds_per_file(instance, project.names, inventory.presets)
        try:
            orphans: FoundOrphans | str = find_orphans(project, instance, inventory)
        except Forbidden as error:
            orphans = f"Orphans could not be determined. {error}"
        failed = _failed(project, instance, inventory)
    console.print(_stocks(project, inventory, medians, failed))
    if counts := [len(tries) for tries in failed.values() if tries]:
        console.print(failed_note(sum(counts), sum(sum(tries) for tries in failed.values())))
    for note in _notes(project, inventory, medians):
        console.print(escape(note))
    if isinstance(orphans, str):
        console.print(escape(orphans))
    else:
        show_orphans(console, orphans.proven)
        if orphans.others:
            size = decimal(sum(each.entry.size for each in orphans.others))
            console.print(
                f"Derivatives without a preset: {len(orphans.others):,} ({size}). They are kept, because they may "
                "still be in use: by visitors with custom parameters, or by the Studio's built-in presets."
            )


def show_orphans(console: Console, orphans: Iterable[Orphan]) -> None:
    """A table of orphans by storage and reason; nothing if there are none."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for orphan in orphans:
        groups[orphan.place, orphan.reason].append(orphan.size)
    if not groups:
        return
    table = Table(title="Orphans that `directus-assets prune` would delete")
    for name in ("where", "why", "number", "bytes"):
        table.add_column(name, justify="left" if name in ("where", "why") else "right")
    for (place, reason), sizes in sorted(groups.items()):
        table.add_row(escape(place), escape(reason), f"{len(sizes):,}", decimal(sum(sizes)))
    if len(groups) > 1:
        table.add_section()
        table.add_row("all", "", f"{sum(map(len, groups.values())):,}", decimal(sum(map(sum, groups.values()))))
    console.print(table)


def _failed(project: Project, instance: dg.DagsterInstance, inventory: Inventory) -> dict[str, list[bool]]:
    """By preset: for each picture whose last attempt failed, whether it will be retried automatically."""
    assets = {preset.key: project.names.preset(preset.key) for preset in inventory.presets}
    name = str(project.names.files_partitions.name)
    failed = failed_outputs(instance, assets, instance.get_dynamic_partitions(name), partitions_name=name)
    tried = failures(instance, assets, sorted({key for _, key in failed}), first_wait_seconds=0)
    found: dict[str, list[bool]] = {preset: [] for preset in assets}
    for output in failed:
        found[output[0]].append(output not in tried or tried[output][1].is_transient)
    return found


def _stocks(
    project: Project, inventory: Inventory, medians: Mapping[str, float], failed: Mapping[str, Sequence[bool]]
) -> Table:
    pictures = sum(file.is_transformable for file in inventory.files.values())
    table = Table(title=f"Derivatives of {pictures:,} pictures, by name")
    for name in ("preset", "delivery", "wanted", "present", "missing", "empty", "failed", "bytes", "to make"):
        table.add_column(name, justify="left" if name in ("preset", "delivery") else "right")
    for key, stock in inventory.stocks.items():
        is_enabled = project.settings.config.images.is_enabled(key)
        counts = (stock.wanted, stock.present, stock.missing, stock.empty, len(failed.get(key, ())))
        table.add_row(
            escape(key),
            project.delivery_of(key) if is_enabled else "off",
            *(f"{count:,}" for count in counts),
            decimal(stock.bytes),
            _time(stock, medians.get(key), workers=project.maker.workers) if is_enabled else "–",
        )
    return table


def _time(stock: Stock, median: float | None, *, workers: int) -> str:
    if not stock.files_to_make:
        return "–"
    return "?" if median is None else duration(stock.files_to_make * median / workers)


def _notes(project: Project, inventory: Inventory, medians: Mapping[str, float]) -> Iterable[str]:
    files = [file for file in inventory.files.values() if file.is_transformable]
    presets = inventory.presets
    exported = [preset.key for preset in presets if project.delivery_of(preset.key) == "export"]
    unreached = sorted({file.storage for file in files if file.storage not in inventory.listings})
    if unreached:
        where = ", ".join(f"'{location}'" for location in unreached)
        yield (
            f"The storage {where} is not accessible from here (STORAGE_LOCATIONS), so its derivatives are counted "
            "from Dagster's records and its orphans are not listed."
        )
    if exported:
        yield f"Delivery `export` ({', '.join(exported)}) is counted from Dagster's records."
    if any(stock.files_to_make and key not in medians for key, stock in inventory.stocks.items()):
        yield "'?': nothing has been made with this preset yet, so the time cannot be estimated."
    if inventory.unresolved:
        yield (
            f"For {len(inventory.unresolved)} files, we could not determine what some presets produce (`doctor` says "
            "why); their replaced derivatives are left alone."
        )
