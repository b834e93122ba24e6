"""Fields of an item, cut into segments as their kinds and rules say."""

from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.models import JsonValue
from directus_assets.directus.validation import Rule
from directus_assets.translation.segments import TextKind, cut
from directus_assets.translation.segments.model import Document


def cut_field(field: TextField, value: JsonValue) -> Document:
    """The value of a field, cut into segments.

    Raises:
        BadInput: it is not of the field's kind.
    """
    return cut(
        value,
        TextKind(field.kind),
        names=field.members,
        copied=field.copied,
        rule=rule_of(field),
        is_unique=field.is_unique,
        longest=field.longest,
    )


def rule_of(field: TextField) -> Rule | None:
    """The field's validation rule in Directus, where it has one."""
    return Rule(field.name, field.rule) if field.rule else None
