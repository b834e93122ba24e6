"""The result, or the forecast, of translating an item into one language."""

from dataclasses import dataclass, field

from directus_assets.directus.models import JsonValue
from directus_assets.directus.schema import LanguageRow
from directus_assets.ownership.field_records import canonical
from directus_assets.spending.usage import Usage
from directus_assets.translation.items import Item, target_value
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.shares import FieldDecision


@dataclass(frozen=True, kw_only=True)
class Review:
    """A field with a human text that stays although its source has changed: a person has to review it."""

    field: str
    old_source: str
    new_source: str
    human: str
    proposal: JsonValue


@dataclass(frozen=True, kw_only=True)
class Translated:
    """The result for one item in one language."""

    item: str
    language: str
    fingerprint: str
    written: tuple[str, ...] = ()
    """Fields that were written."""
    texts: tuple[tuple[str, str, str], ...] = ()
    """Name, source and translation of each of them."""
    kept: tuple[str, ...] = ()
    """Fields whose human text was kept and, as far as known, is correct for the current source."""
    reviews: tuple[Review, ...] = ()
    left: tuple[str, ...] = ()
    """The places of text that could not be segmented and was not translated: `body.blocks.data.html`."""
    has_duplicates: bool = False
    """Whether there are several rows of this language, all of whose texts are human."""
    row: str | None = None
    """The key of the row in the translations collection, if it exists."""
    is_source: bool = False
    """Whether this is the item's own language, so that there is nothing to translate."""
    usage: Usage = field(default_factory=Usage)
    reused: int = 0
    sent: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The estimated requests for bringing one item up to date in one language, without repairs."""

    segments: int
    usage: Usage


def reviews_of(
    name: str, earlier: TranslationRecord, item: Item, target: LanguageRow, decision: FieldDecision
) -> list[Review]:
    """The reviews due in one field: of segments, if they can be told apart, or of the whole field."""
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
