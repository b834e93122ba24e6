"""Builds the export for an agency: the segments of items, with the context that a translator needs."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.models import JsonValue
from directus_assets.directus.schema import LanguageRow
from directus_assets.errors import BadInput
from directus_assets.ownership.field_records import canonical, digest
from directus_assets.ownership.protection import is_empty
from directus_assets.translation.cut_fields import cut_field, cut_item
from directus_assets.translation.exchange.xliff import XliffFile, XliffUnit
from directus_assets.translation.items import Item, target_value
from directus_assets.translation.languages import language
from directus_assets.translation.reference import Surroundings
from directus_assets.translation.segments.layout import lay_out, normal_markup
from directus_assets.translation.segments.model import BadAnswer, Document, Segment, SegmentTag, segment_key
from directus_assets.translation.segments.notation import PLACEHOLDER
from directus_assets.translation.work import Translator

_MOST_SHOWN: Final = 1000
"""Maximum characters of an existing text that cannot be shown segment by segment."""
_WORDS: Final = re.compile(r"\"[^\"]*\"|'[^']*'|\[[^\[\]]*\]")
"""What may be translated in markup: attributes, titles and descriptions of pictures."""


@dataclass(frozen=True, kw_only=True)
class Present:
    """The content of a target field, matched with the segments of its source.

    Attributes:
        value: the field's value.
        texts: the text of each segment, by its id; empty if the two cannot be matched with certainty.
    """

    value: JsonValue
    texts: Mapping[str, str]

    @classmethod
    def of(cls, text_field: TextField, source: Document, value: JsonValue, *, tag: str) -> "Present":
        """Match the value of a field in the language with this tag to its source."""
        return cls(value=value, texts=_texts_by_segment(text_field, source, value, tag))

    def digest_of(self, segment: str) -> str:
        """The digest by which edits since the export are detected: of the segment's text, or of the whole field if the
        segment has none.
        """
        return digest(self.texts[segment]) if segment in self.texts else digest(self.value)


def hand_out(translator: Translator, item: Item, target: LanguageRow, *, only_waiting: bool) -> XliffFile | None:
    """The export of an item; None if there is nothing to translate.

    Args:
        translator: of the item's collection.
        item: the item.
        target: the target language.
        only_waiting: export only fields with segments that wait for review; their other segments are included as
            context.

    Raises:
        BadInput: a field's value does not fit its kind.
    """
    if item.source_language == target.code:
        return None
    record = translator.record_of(item, target)
    about = translator.shown(record, item, target)
    documents = cut_item(translator.scope, item)
    units: list[XliffUnit] = []
    for number, text_field in enumerate(translator.scope.schema.fields, 1):
        document = documents.get(text_field.name)
        if document is None or not document.segments:
            continue
        wanted = frozenset(map(segment_key, document.segments))
        if only_waiting:
            wanted &= translator.share(record, item, target, text_field.name).waiting
        value = target_value(item, target, text_field.name)
        sheet = _Sheet(
            number=number,
            text_field=text_field,
            present=Present.of(text_field, document, value, tag=language(target.code).tag),
            surroundings=about.surroundings,
            proposals={key: known.text for key, known in record.segments.items()},
            wanted=wanted,
        )
        units += map(sheet.unit, document.segments if wanted else ())
    if not units:
        return None
    title = PLACEHOLDER.sub("", about.title.wording.source) if about.title else ""
    return XliffFile(collection=translator.scope.name, item=item.key, title=title, units=tuple(units))


@dataclass(frozen=True, kw_only=True)
class _Sheet:
    """One field being exported; of its segments, those with keys in `wanted` are to be translated."""

    number: int
    text_field: TextField
    present: Present
    surroundings: Mapping[str, Surroundings]
    proposals: Mapping[str, str]
    wanted: Collection[str]

    def unit(self, segment: Segment) -> XliffUnit:
        about = self.surroundings.get(segment_key(segment))
        return XliffUnit(
            id=f"{self.number}.{segment.id}",
            field=self.text_field.name,
            source=segment.text,
            codes=segment.placeholders,
            target=self.present.texts.get(segment.id, ""),
            digest=self.present.digest_of(segment.id),
            is_context=segment_key(segment) not in self.wanted,
            longest=about.longest if about else None,
            notes=tuple(self._notes(segment, about)),
            legend=about.legend if about else {},
        )

    def _notes(self, segment: Segment, about: Surroundings | None) -> Iterator[tuple[str, str]]:
        target = self.present.texts.get(segment.id, "")
        yield "field", about.field if about else self.text_field.name
        if segment.context != "text":
            yield "kind", segment.context
        if self.text_field.longest:
            yield "length", f"The field takes at most {self.text_field.longest} characters, with its markup."
        if about and about.was:
            yield "earlier source", PLACEHOLDER.sub("", about.was.source)
        if not target and not is_empty(self.present.value):
            yield "present text", canonical(self.present.value)[:_MOST_SHOWN]
        proposal = self.proposals.get(segment_key(segment), "")
        if proposal and proposal != target:
            yield "proposal", PLACEHOLDER.sub("", proposal)


def _texts_by_segment(text_field: TextField, source: Document, value: JsonValue, tag: str) -> dict[str, str]:
    if is_empty(value):
        return {}
    try:
        there = cut_field(text_field, value).segments
        texts = {
            segment.id: text
            for segment, other in zip(source.segments, there, strict=True)
            if (text := _with_numbers_of(segment, other)) is not None
        }
        again = source.splice(texts, language=tag)
    except (BadInput, BadAnswer, ValueError):  # a different kind or form, or a different number of segments
        return {}
    is_whole = len(texts) == len(source.segments)
    return texts if is_whole and _reads_the_same(text_field, again, value) else {}


def _with_numbers_of(segment: Segment, other: Segment) -> str | None:
    """The text of `other` with the equivalent placeholders of `segment`; None if they differ."""
    left = list(segment.placeholders)
    numbers: dict[str, int] = {}
    for tag in other.placeholders:
        alike = (each for form in _FORMS for each in left if each.paired == tag.paired and form(each) == form(tag))
        if (found := next(alike, None)) is None:
            return None
        left.remove(found)
        numbers[str(tag.number)] = found.number
    if left:
        return None
    return PLACEHOLDER.sub(lambda m: f"<{m['slash']}{m['kind']}{numbers[m['number']]}{m['single']}>", other.text)


# How tags are compared: first by their full markup, then by meaning, then by the markup without human-readable words.
_FORMS: Final[tuple[Callable[[SegmentTag], str], ...]] = (
    lambda tag: tag.opening,
    lambda tag: normal_markup(tag.opening),
    lambda tag: _WORDS.sub("", tag.opening),
)


def _reads_the_same(text_field: TextField, one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are equal apart from the way an editor writes their markup."""
    if canonical(one) == canonical(other):
        return True
    first, second = (lay_out(cut_field(text_field, value)) for value in (one, other))
    if first is None or second is None:
        return False
    markup = [[normal_markup(gap) for gap in layout.gaps] for layout in (first, second)]
    return first.normals == second.normals and markup[0] == markup[1]
