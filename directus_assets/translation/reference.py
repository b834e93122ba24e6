"""What an engine is shown beside a segment, so that an edited sentence is not translated as if it stood alone.

None of it is translated, and none of it decides what is translated: it is no part of a fingerprint.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from typing import Final

from directus_assets.directus.field_kinds import TextField
from directus_assets.ownership.field_records import Remembered
from directus_assets.translation.engines.protocol import Wording
from directus_assets.translation.segments.layout import normal_markup
from directus_assets.translation.segments.model import Document, Segment, SegmentTag, segment_key

_MOST: Final = 120
"""Characters of a text that is shown: enough to tell what it is about, and few enough to cost little."""
_MOST_NEAR: Final = 60
"""The same of a neighbour: its end, or its beginning."""
_LONG: Final = 200
"""Characters of a segment that explains itself better than its neighbours do: half of the above is shown then."""
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
    """A segment that stands beside another."""

    key: str
    wording: Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """Where a segment stands.

    Attributes:
        field: the field's name, with the note that the Studio shows at it.
        before: what stands before it; None where it is the first.
        after: what stands behind it; None where it is the last.
        was: what it was, and how that was translated; None where it is new.
        longest: the most characters that the field takes, where that is the segment's own limit.
        legend: what its placeholders stand for.
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
    """Where the segments of a field stand, by key; the first place of those that occur more than once.

    Args:
        text_field: the field.
        document: its source.
        earlier: the segments of the source that was translated last.
        remembered: our translations by key.
        wordings: what people have made of some of them, by key.
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
    """The segment that an item is called by: that of its field of such a name."""
    for name in _TITLES:
        if name in documents and len(documents[name].segments) == 1:
            return documents[name].segments[0]
    return None


def _predecessors(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Which text each one that has changed was, where as many stand in the same place."""
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
    """What stood where a long text was edited, and about the same part of its translation."""
    start = next((at for at, (was, now) in enumerate(zip(old, new, strict=False)) if was != now), len(old))
    share = start / max(1, len(old))
    return Wording(source=_part(old, start), translation=_part(translation, int(share * len(translation))))


def _part(text: str, middle: int) -> str:
    """The words around a place in a text."""
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
