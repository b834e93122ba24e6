"""What became of an item in one language, or would."""

from dataclasses import dataclass, field

from directus_assets.directus.models import JsonValue
from directus_assets.directus.schema import LanguageRow
from directus_assets.ownership.field_records import TranslationRecord, canonical
from directus_assets.spending.usage import Usage
from directus_assets.translation.items import Item, target_value
from directus_assets.translation.shares import FieldDecision


@dataclass(frozen=True, kw_only=True)
class Review:
    """One field whose human text stays although its source has changed: a human has to look at it."""

    field: str
    old_source: str
    new_source: str
    human: str
    proposal: JsonValue


@dataclass(frozen=True, kw_only=True)
class Translated:
    """What became of one item in one language."""

    item: str
    language: str
    fingerprint: str
    written: tuple[str, ...] = ()
    """Fields that were written."""
    texts: tuple[tuple[str, str, str], ...] = ()
    """Of each of them its name, its source and its translation."""
    kept: tuple[str, ...] = ()
    """Fields whose human text was kept, and is right for the present source as far as anybody knows."""
    reviews: tuple[Review, ...] = ()
    left: tuple[str, ...] = ()
    """Where text is that could not be cut, and was not translated: `body.blocks.data.html`."""
    has_duplicates: bool = False
    """Whether there is more than one row of this language, all of whose texts are people's."""
    row: str | None = None
    """The key of the row in the translations collection, where there is one."""
    is_source: bool = False
    """Whether this is the language that the item is written in: there is nothing to translate."""
    usage: Usage = field(default_factory=Usage)
    reused: int = 0
    sent: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What bringing one item up to date in one language would ask of the engine, without repairs."""

    segments: int
    usage: Usage


def reviews_of(
    name: str, earlier: TranslationRecord, item: Item, target: LanguageRow, decision: FieldDecision
) -> list[Review]:
    """What a human has to look at in one field: segments, where they can be told, or all of it."""
    if decision.conflicts:
        return [
            Review(
                field=name,
                old_source=each.old_source,
                new_source=each.new_source,
                human=each.human,
                proposal=each.proposal,
            )
            for each in decision.conflicts
        ]
    return [
        Review(
            field=name,
            old_source=earlier.fields[name].source if name in earlier.fields else "",
            new_source=canonical(item.source[name]),
            human=canonical(target_value(item, target, name)),
            proposal=decision.resolved,
        )
    ]
