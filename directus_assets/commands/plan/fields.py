"""The first part of the command `plan`: the discovered text fields and how each one is treated."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.directus.field_kinds import Fate
from directus_assets.translation.discovered import discovered
from directus_assets.translation.scope import Scope


def show_fields(console: Console, scopes: Iterable[Scope], *, each_field: bool) -> None:
    """Show which fields are translated, copied and left alone; nothing if no collection is translated.

    Args:
        console: where to write.
        scopes: the translated collections.
        each_field: show one line per field, with the reason, instead of one per collection.
    """
    found = list(scopes)
    if not found:
        return
    console.print(_fields(found) if each_field else _collections(found))
    if not each_field:
        console.print("To see why each field is translated, copied or skipped: `directus-assets plan --fields`.")


def _collections(scopes: Iterable[Scope]) -> Table:
    table = Table(title="What was discovered")
    for name in ("collection", "from", "into", *(fate.value for fate in Fate)):
        table.add_column(name, overflow="fold")
    for scope in scopes:
        fields: dict[Fate, list[str]] = {fate: [] for fate in Fate}
        for each in discovered(scope):
            fields[each.fate].append(each.field)
        source = scope.source.code + (f", or as '{scope.source_field}' says" if scope.source_field else "")
        cells = (", ".join(names) for names in fields.values())
        targets = ", ".join(row.code for row in scope.targets)
        table.add_row(*map(escape, (scope.name, source, targets, *cells)))
    return table


def _fields(scopes: Iterable[Scope]) -> Table:
    table = Table(title="What was discovered, by field")
    for name in ("collection", "field", "is", "why"):
        table.add_column(name, overflow="fold")
    for scope in scopes:
        for each in discovered(scope):
            table.add_row(*map(escape, (scope.name, each.field, each.fate.value, each.why)))
        table.add_section()
    return table
