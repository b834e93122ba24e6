"""Splits the fields of an item into segments according to their kinds and rules."""

from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.models import JsonValue
from directus_assets.directus.validation import Rule
from directus_assets.errors import BadInput
from directus_assets.translation.items import Item
from directus_assets.translation.languages import tag_of
from directus_assets.translation.scope import Scope
from directus_assets.translation.segments import TextKind, cut, left
from directus_assets.translation.segments.model import Document


def cut_field(field: TextField, value: JsonValue, *, language: str = "") -> Document:
    """Split the value of a field into segments; `language` is the BCP 47 tag of its language.

    Raises:
        BadInput: the value does not fit the field's kind.
    """
    return cut(
        value,
        TextKind(field.kind),
        names=field.members,
        copied=field.copied,
        rule=rule_of(field),
        is_unique=field.is_unique,
        longest=field.longest,
        language=language,
    )


def rule_of(field: TextField) -> Rule | None:
    """The field's validation rule in Directus, if it has one."""
    return Rule(field.name, field.rule) if field.rule else None


def cut_item(scope: Scope, item: Item) -> dict[str, Document]:
    """Split the fields of an item into segments.

    Raises:
        BadInput: a field's value does not fit its kind; names the item and the field.
    """
    documents: dict[str, Document] = {}
    tag = tag_of(item.source_language)
    for text_field in scope.schema.fields:
        if text_field.name not in item.source:
            continue
        try:
            documents[text_field.name] = cut_field(text_field, item.source[text_field.name], language=tag)
        except BadInput as error:
            raise BadInput(
                f"Field '{text_field.name}' of item {item.key} of {scope.collection}: {error.message}",
                remedy=error.remedy,
            ) from None
    return documents


def uncut(scope: Scope, item: Item) -> tuple[str, ...]:
    """The places in an item with text that cannot be segmented, and so stays the same in every language.

    Raises:
        BadInput: as for `cut_item`.
    """
    found = cut_item(scope, item).items()
    return tuple(f"{name}.{place}".rstrip(".") for name, document in found for place in left(document))
