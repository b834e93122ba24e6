"""Requests by a person beyond bringing an item up to date."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from directus_assets.directus.models import JsonValue
from directus_assets.ownership.field_records import FieldRecord, canonical, digest
from directus_assets.ownership.protection import Standing, standing
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.segments.model import Document, segment_key


class Reviews(Enum):
    """How to handle human texts whose source has changed since."""

    WAIT = "they stay, with a proposal"
    ACCEPT = "our proposal takes their place"
    KEEP = "they stay, and count as correct for the current source"


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One request.

    Attributes:
        anew: ask the engine for all texts that are ours, even if it has translated them before. Human texts stay, and
            an answer that was paid for but not used yet is used.
        reviews: how to handle texts that wait for a review.
        field: limits the request to this field; all fields if empty.
    """

    anew: bool = False
    reviews: Reviews = Reviews.WAIT
    field: str = ""

    def reviews_of(self, field: str) -> Reviews:
        """How to handle the reviews of a field."""
        return self.reviews if self.field in ("", field) else Reviews.WAIT

    def remembered(self, record: TranslationRecord, documents: Mapping[str, Document]) -> TranslationRecord:
        """The record without the translations to be made anew."""
        if not self.anew:
            return record
        named = [document for name, document in documents.items() if self.field in ("", name)]
        anew = {segment_key(segment) for document in named for segment in document.segments}
        return replace(record, segments={key: known for key, known in record.segments.items() if key not in anew})


def reviewed(known: FieldRecord, reviews: Reviews, *, source: JsonValue, target: JsonValue) -> FieldRecord:
    """The record of a field that waits as a whole, after its review has been resolved.

    Args:
        known: the field's record.
        reviews: how to handle its review.
        source: its value in the source language.
        target: its value in the target language.
    """
    if reviews is Reviews.WAIT or standing(known, source=source, target=target) is not Standing.OUTDATED:
        return known
    if reviews is Reviews.ACCEPT:
        return replace(known, written=digest(target), intended="")
    return replace(known, source=canonical(source), ours="", before=None)


NO_ORDER: Final = Order()
