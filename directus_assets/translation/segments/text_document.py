"""A text, the segments that were cut from it, and how answers are put back into it."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from directus_assets.translation.segments.model import Ids, Segment, SegmentTag
from directus_assets.translation.segments.notation import Mark, read
from directus_assets.translation.segments.pieces import Piece, Role, runs


class Chunk(NamedTuple):
    """A part of an answer: TEXT still to be spelled, or markup exactly as it goes into the output."""

    role: Role
    text: str


class Spelling(Protocol):
    """How a decoded answer is written in one kind of text, so that it is read as text and nothing else."""

    def write(self, chunks: Sequence[Chunk]) -> str:
        """The source text of an answer."""


Speller = Callable[[str, Sequence[Piece]], Spelling]
"""Makes the spelling for a segment from the source and the segment's pieces there."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One segment and the place that it was cut from."""

    segment: Segment
    start: int
    end: int
    pieces: Mapping[Mark, Piece]
    spelling: Spelling


class TextDocument:
    """A cut text. Segments may lie within the markup of others: the `title` of a link within a paragraph."""

    def __init__(self, source: str, cuts: Sequence[Cut]) -> None:
        self.source = source
        self._cuts = cuts
        self._starts = [cut.start for cut in cuts]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in the order of the text."""
        return tuple(cut.segment for cut in self._cuts)

    @property
    def cuts(self) -> Sequence[Cut]:
        """Where the segments are, in the order of the text; those that hold others come before them."""
        return self._cuts

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> str:  # noqa: ARG002  # slugs need it
        """See `model.Document.splice`."""
        return self._render(0, len(self.source), 0, translations)

    def _render(self, start: int, end: int, first: int, translations: Mapping[str, str]) -> str:
        """The source from `start` to `end`, with the cuts from index `first` on told anew."""
        parts: list[str] = []
        position = start
        index = bisect_left(self._starts, start, first)
        while index < len(self._cuts) and self._cuts[index].start < end:
            cut = self._cuts[index]
            answer = translations.get(cut.segment.id, cut.segment.text)
            index += 1
            if answer == cut.segment.text:
                continue
            parts += [self.source[position : cut.start], self._retell(index, cut, answer, translations)]
            position = cut.end
            index = bisect_left(self._starts, cut.end, index)
        parts.append(self.source[position:end])
        return "".join(parts)

    def _retell(self, next_index: int, cut: Cut, answer: str, translations: Mapping[str, str]) -> str:
        chunks: list[Chunk] = []
        for part in read(cut.segment, answer):
            if isinstance(part, str):
                chunks.append(Chunk(Role.TEXT, part))
                continue
            piece = cut.pieces[part]
            markup = piece.retold or self._render(piece.start, piece.end, next_index, translations)
            chunks.append(Chunk(piece.role, markup))
        return cut.spelling.write(chunks)


class Builder:
    """Collects what a cutter finds in a text, in any order."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._found: list[tuple[list[Piece], str, Speller]] = []

    def add(self, pieces: Iterable[Piece], context: str, speller: Speller) -> None:
        """One run of text and inline markup, whose pieces lie side by side in the source."""
        self._found += [(run, context, speller) for run in runs(self.source, pieces)]

    def cuts(self, ids: Ids) -> list[Cut]:
        """All segments of the runs, in the order of the text, those that hold others first."""
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
