"""The discovered fields of a translated collection: the treatment of each, with the reason."""

from collections.abc import Iterator
from dataclasses import dataclass

from directus_assets.directus.field_kinds import Fate, TextField
from directus_assets.translation.scope import Scope


@dataclass(frozen=True, kw_only=True)
class Discovered:
    """The treatment of one translations field, with a reason that completes "it is …"."""

    field: str
    fate: Fate
    why: str


def discovered(scope: Scope) -> Iterator[Discovered]:
    """All translations fields except those that reference the item and the language."""
    chosen = {field.name: field for field in scope.schema.fields}
    for name, reason in scope.schema.reasons:
        found, _, why = reason.partition(": ")
        text = chosen.get(name)
        fate = Fate.LEFT if text is None else Fate.COPIED if is_copied(text) else Fate.TRANSLATED
        if fate != found:
            why = "as set in the YAML file"
        yield Discovered(field=name, fate=fate, why=why + _begins(scope, name))


def is_copied(field: TextField) -> bool:
    """Whether a field consists of addresses, which are the same in all languages."""
    return field.copied == "always" or (field.is_copied and field.kind == "plain")


def _begins(scope: Scope, name: str) -> str:
    """The initial value of a field in a new row, if it is not the default."""
    if name in scope.carried:
        return "; new rows copy the source's value"
    return f"; new rows get '{scope.status}'" if name == "status" and scope.status is not None else ""
