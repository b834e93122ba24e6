"""A text with its segments, and how answers are put back into it."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from directus_assets.translation.segments.model import Ids, Segment, SegmentTag
from directus_assets.translation.segments.notation import Mark, read
from directus_assets.translation.segments.pieces import Piece, Role, runs


class Chunk(NamedTuple):
    """A part of an answer: TEXT still to be encoded, or markup exactly as it goes into the output."""

    role: Role
    text: str


class Spelling(Protocol):
    """Encodes a decoded answer for one kind of text, so that it parses as text and nothing else."""

    def write(self, chunks: Sequence[Chunk]) -> str:
        """The source text of an answer."""


Speller = Callable[[str, Sequence[Piece]], Spelling]
"""Creates the spelling for a segment from the source and the segment's pieces."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One segment and its position."""

    segment: Segment
    start: int
    end: int
    pieces: Mapping[Mark, Piece]
    spelling: Spelling


class Follow(Protocol):
    """Returns the new markup for a place once the text is in another language; both arguments are BCP 47 tags."""

    def __call__(self, *, source: str, target: str) -> str: ...


class Following(NamedTuple):
    """A place in the markup that depends on the language of the text."""

    start: int
    end: int
    follow: Callable[..., str]


class _Telling(NamedTuple):
    """The replacements for a text: answers by segment id, and new markup by the start of the old."""

    answers: Mapping[str, str]
    markup: Sequence[tuple[int, int, str]]


class TextDocument:
    """A segmented text. Segments may be within the markup of others, such as the `title` of a link within a
    paragraph.
    """

    def __init__(self, source: str, cuts: Sequence[Cut], following: Sequence[Following] = ()) -> None:
        self.source = source
        self._cuts = cuts
        self._following = following
        self._starts = [cut.start for cut in cuts]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in text order."""
        return tuple(cut.segment for cut in self._cuts)

    @property
    def cuts(self) -> Sequence[Cut]:
        """The positions of the segments, in text order; containing segments come first."""
        return self._cuts

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> str:
        """See `model.Document.splice`."""
        markup = []
        if language and self._cuts:
            for start, end, follow in self._following:
                told = follow(target=language)
                if told != self.source[start:end]:
                    markup.append((start, end, told))
        return self._render(0, len(self.source), 0, _Telling(translations, markup))

    def _render(self, start: int, end: int, first: int, telling: _Telling) -> str:
        """The source from `start` to `end`, with the cuts from index `first` on replaced."""
        parts: list[str] = []
        position = start
        index = bisect_left(self._starts, start, first)
        while index < len(self._cuts) and self._cuts[index].start < end:
            cut = self._cuts[index]
            answer = telling.answers.get(cut.segment.id, cut.segment.text)
            index += 1
            if answer == cut.segment.text:
                continue
            parts += [self._markup(position, cut.start, telling), self._retell(index, cut, answer, telling)]
            position = cut.end
            index = bisect_left(self._starts, cut.end, index)
        parts.append(self._markup(position, end, telling))
        return "".join(parts)

    def _retell(self, next_index: int, cut: Cut, answer: str, telling: _Telling) -> str:
        chunks: list[Chunk] = []
        for part in read(cut.segment, answer):
            if isinstance(part, str):
                chunks.append(Chunk(Role.TEXT, part))
                continue
            piece = cut.pieces[part]
            markup = piece.retold or self._render(piece.start, piece.end, next_index, telling)
            chunks.append(Chunk(piece.role, markup))
        return cut.spelling.write(chunks)

    def _markup(self, start: int, end: int, telling: _Telling) -> str:
        """The source from `start` to `end`, with language-dependent markup replaced."""
        parts: list[str] = []
        for place in range(bisect_left(telling.markup, (start,)), len(telling.markup)):
            first, last, told = telling.markup[place]
            if last > end:
                break
            parts += [self.source[start:first], told]
            start = last
        return "".join([*parts, self.source[start:end]])


class Builder:
    """Collects what a cutter finds in a text, in any order."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._found: list[tuple[list[Piece], str, Speller]] = []
        self._following: list[Following] = []

    def follow(self, start: int, end: int, follow: Follow) -> None:
        """Add a place in the markup that depends on the language of the text."""
        self._following.append(Following(start, end, follow))

    def following(self, ids: Ids) -> Sequence[Following]:
        """All such places, in text order; none if the language of the text is unknown."""
        found = sorted(self._following, key=lambda each: each.start) if ids.language else ()
        return [each._replace(follow=partial(each.follow, source=ids.language)) for each in found]

    def add(self, pieces: Iterable[Piece], context: str, speller: Speller) -> None:
        """Add one run of text and inline markup as contiguous pieces of the source."""
        self._found += [(run, context, speller) for run in runs(self.source, pieces)]

    def cuts(self, ids: Ids) -> list[Cut]:
        """All segments of the runs, in text order, containing ones first."""
        self._found.sort(key=lambda found: (found[0][0].start, -found[0][-1].end))
        return [self._cut(run, context, speller, ids) for run, context, speller in self._found]

    def _cut(self, run: list[Piece], context: str, speller: Speller, ids: Ids) -> Cut:
        pieces = _numbered(run)
        marks = {piece: mark for mark, piece in pieces.items()}
        text = "".join(piece.text if piece.role is Role.TEXT else str(marks[piece]) for piece in run)
        segment = Segment(
            id=ids.next(text), text=text, placeholders=_placeholders(self.source, pieces), context=context
        )
        return Cut(segment, run[0].start, run[-1].end, pieces, speller(self.source, run))


def _numbered(run: Iterable[Piece]) -> dict[Mark, Piece]:
    pieces: dict[Mark, Piece] = {}
    numbers: dict[str, int] = {}
    number = 0
    for piece in run:
        if piece.role is Role.CLOSE:
            pieces[Mark("close", numbers[piece.name])] = piece
        elif piece.role is not Role.TEXT:
            number += 1
            numbers[piece.name] = number
            pieces[Mark("open" if piece.role is Role.OPEN else "single", number)] = piece
    return pieces


def _placeholders(source: str, pieces: Mapping[Mark, Piece]) -> tuple[SegmentTag, ...]:
    return tuple(
        SegmentTag(
            number=mark.number,
            paired=mark.shape == "open",
            opening=source[piece.start : piece.end],
            closing=_source_of(source, pieces.get(Mark("close", mark.number))),
        )
        for mark, piece in pieces.items()
        if mark.shape != "close"
    )


def _source_of(source: str, piece: Piece | None) -> str:
    return source[piece.start : piece.end] if piece else ""
