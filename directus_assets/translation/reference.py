"""The context shown to an engine with a segment, so that an edited sentence is not translated in isolation.

None of it is translated, and it does not affect what is translated: it is not part of a fingerprint.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from typing import Final

from directus_assets.directus.field_kinds import TextField
from directus_assets.translation.engines.protocol import Wording
from directus_assets.translation.records import Remembered
from directus_assets.translation.segments.layout import normal_markup
from directus_assets.translation.segments.model import Document, Segment, SegmentTag, segment_key

_MOST: Final = 120
"""Characters of a shown text: enough to tell its subject, at little cost."""
_MOST_NEAR: Final = 60
"""The same for a neighbour: its end, or its beginning."""
_LONG: Final = 200
"""A segment of this length explains itself better than its neighbours do: only half of the above is shown then."""
_TITLES: Final = ("title", "headline", "heading", "name", "subject")
_MEANINGS: Final = {
    "a": "a link",
    "br": "a line break",
    "strong": "bold",
    "em": "emphasis",
    "s": "struck out",
    "u": "underlined",
    "mark": "highlighted",
    "code": "code",
    "img": "a picture",
    "*": "emphasis",
    "**": "bold",
    "***": "bold and emphasis",
    "~~": "struck out",
    "[": "a link",
    "": "a line break",
    "\\": "a line break",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Near:
    """A neighbour of a segment."""

    key: str
    wording: Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """The surroundings of a segment.

    Attributes:
        field: the field's name, with the note that the Studio shows beside it.
        before: the preceding segment; None for the first.
        after: the following segment; None for the last.
        was: its earlier version with translation; None if it is new.
        longest: the field's maximum length in characters, if it applies to the segment itself.
        legend: explains its placeholders.
    """

    field: str
    before: Near | None = None
    after: Near | None = None
    was: Wording | None = None
    longest: int | None = None
    legend: Mapping[str, str]


def surroundings(
    text_field: TextField,
    document: Document,
    *,
    earlier: Sequence[Segment],
    remembered: Mapping[str, Remembered],
    wordings: Mapping[str, str],
) -> dict[str, Surroundings]:
    """The surroundings of a field's segments by key; for repeated segments those of the first occurrence.

    Args:
        text_field: the field.
        document: its source.
        earlier: the segments of the last translated source.
        remembered: our translations by key.
        wordings: human versions of some of them, by key.
    """

    def wording(segment: Segment, shorten: Callable[[str], str]) -> Wording:
        return Wording(source=shorten(segment.text), translation=shorten(known(segment)))

    def known(segment: Segment) -> str:
        key = segment_key(segment)
        return wordings.get(key) or (remembered[key].text if key in remembered else "")

    def near(index: int, shorten: Callable[..., str], most: int) -> Near | None:
        if not 0 <= index < len(segments):
            return None
        return Near(key=segment_key(segments[index]), wording=wording(segments[index], partial(shorten, most=most)))

    def was(segment: Segment, index: int) -> Wording | None:
        if index not in were:
            return None
        old = earlier[were[index]]
        if len(segment.text) < _LONG:
            return wording(old, _short)
        return _edited_part(old.text, segment.text, known(old))

    segments = document.segments
    were = _predecessors([each.text for each in earlier], [each.text for each in segments])
    found: dict[str, Surroundings] = {}
    for index, segment in enumerate(segments):
        most = _MOST_NEAR if len(segment.text) < _LONG else _MOST_NEAR // 2
        found.setdefault(
            segment_key(segment),
            Surroundings(
                field=f"{text_field.name}: {_beginning(text_field.note)}" if text_field.note else text_field.name,
                before=near(index - 1, _end, most),
                after=near(index + 1, _beginning, most),
                was=was(segment, index),
                longest=text_field.longest if text_field.kind == "plain" and len(segments) == 1 else None,
                legend={mark: meaning for each in segment.placeholders for mark, meaning in _meaning(each)},
            ),
        )
    return found


def title_of(documents: Mapping[str, Document]) -> Segment | None:
    """The segment with an item's title: from a field with a title-like name."""
    for name in _TITLES:
        if name in documents and len(documents[name].segments) == 1:
            return documents[name].segments[0]
    return None


def _predecessors(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """The earlier version of each changed text, if their numbers match."""
    found: dict[int, int] = {}
    for tag, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "replace" and end - start == last - first:
            found.update(zip(range(first, last), range(start, end), strict=True))
    return found


def _meaning(placeholder: SegmentTag) -> list[tuple[str, str]]:
    mark = f"g{placeholder.number}" if placeholder.paired else f"x{placeholder.number}"
    said = normal_markup(placeholder.opening)
    meaning = _MEANINGS.get(said) or _MEANINGS.get(said.split(" ", 1)[0])
    if meaning is None and "<" not in said and re.search(r"\w", said):
        meaning = f"the word {_short(placeholder.opening, most=60)}"
    return [(mark, meaning)] if meaning else []


def _edited_part(old: str, new: str, translation: str) -> Wording:
    """The part of a long text that was edited, and the approximate counterpart in its translation."""
    start = next((at for at, (was, now) in enumerate(zip(old, new, strict=False)) if was != now), len(old))
    share = start / max(1, len(old))
    return Wording(source=_part(old, start), translation=_part(translation, int(share * len(translation))))


def _part(text: str, middle: int) -> str:
    """The words around a position in a text."""
    most = _MOST // 2
    start = max(0, min(middle - most // 2, len(text) - most))
    end = start + most
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _beginning(text: str, *, most: int = _MOST_NEAR) -> str:
    return _short(text, most=most)


def _end(text: str, *, most: int = _MOST_NEAR) -> str:
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _short(text: str, *, most: int = _MOST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
