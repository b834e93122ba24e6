"""Turns a run of text and inline markup into segments: pairing, protecting, trimming, splitting, numbering.

A cutter parses one kind of text and describes each paragraph-like run as contiguous pieces of the source. Nothing here
depends on HTML or Markdown.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Final, NamedTuple

from directus_assets.translation.segments import protected

LONGEST: Final = 4000
"""Maximum characters of text per segment; longer paragraphs are split between sentences."""

_SENTENCE_END: Final = re.compile(r"[.!?…؟۔।][\"'”’»)\]]*+\s++|[。！？]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_FILE_NAME: Final = re.compile(
    r"[^\s/]+\.(?:jpe?g|png|gif|webp|avif|svg|tiff?|heic|bmp|ico|pdf|docx?|xlsx?|pptx?|zip|mp[34]|mov|webm|csv|json)",
    re.IGNORECASE,
)


class Role(Enum):
    """The role of a piece in its run."""

    TEXT = "text"
    WORD = "word"  # replaces a word: inline code, a variable, a URL; its place in the sentence matters
    BREAK = "break"  # replaces nothing readable: a line break, a picture, a comment
    OPEN = "open"
    CLOSE = "close"


class Piece(NamedTuple):
    """A stretch of the source, from `start` to `end`.

    `text` is the decoded text (only TEXT); it differs from the source if that is escaped or broken into lines. `name`
    matches OPEN and CLOSE. `retold` replaces the source once the segment has changed.
    """

    role: Role
    start: int
    end: int
    text: str = ""
    name: str = ""
    retold: str | None = None


def runs(source: str, pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """The pieces of each segment in the run: none if there is nothing to read, several if it is long.

    In the result, OPEN and CLOSE are properly nested, and `name` is the index of the pair.
    """
    given = list(pieces)
    if not any(_LETTER.search(piece.text) for piece in given):
        return
    run = _protect(source, given)
    if any(piece.role not in (Role.TEXT, Role.WORD) for piece in run):
        run = _without_empty_pairs(_pair(run))
    for part in _split(source, _trim(source, run)):
        segment = _trim(source, part)
        if _is_readable(segment):
            yield segment


def _protect(source: str, pieces: list[Piece]) -> list[Piece]:
    protected_pieces: list[Piece] = []
    position = 0
    while position < len(pieces):
        end = position
        while end < len(pieces) and pieces[end].role is Role.TEXT:
            end += 1
        if end == position:
            protected_pieces.append(pieces[position])
            position += 1
            continue
        text = "".join(piece.text for piece in pieces[position:end])
        found = protected.spans_to_keep(text)
        protected_pieces += _carve(source, pieces[position:end], found) if found else pieces[position:end]
        position = end
    return protected_pieces


def _carve(source: str, texts: Sequence[Piece], found: Sequence[protected.Span]) -> list[Piece]:
    """TEXT pieces with `found` (sorted positions in their joined text) converted to one WORD piece each."""
    edges = [edge for span in found for edge in span]
    carved: list[Piece] = []
    last: protected.Span | None = None
    offset = 0
    for piece in texts:
        for part in _cut_at(source, piece, offset, edges):
            span = _overlapping(found, offset, offset + len(part.text))
            if span is None:
                carved.append(part)
            elif span == last:
                carved[-1] = carved[-1]._replace(end=part.end)
            else:
                carved.append(Piece(Role.WORD, part.start, part.end))
            last = span
            offset += len(part.text)
    return carved


def _cut_at(source: str, piece: Piece, offset: int, edges: Sequence[int]) -> Iterator[Piece]:
    """Split the piece at the edges; keep it whole if its source is written differently."""
    length = len(piece.text)
    inner = edges[bisect_right(edges, offset) : bisect_left(edges, offset + length)]
    if not inner or not _is_verbatim(source, piece):
        yield piece
        return
    for start, end in pairwise([0, *(edge - offset for edge in inner), length]):
        if start < end:
            yield _part(piece, start, end)


def _overlapping(found: Sequence[protected.Span], start: int, end: int) -> protected.Span | None:
    index = bisect_right(found, start, key=itemgetter(0)) - 1
    if index >= 0 and start < found[index][1]:
        return found[index]
    return found[index + 1] if index + 1 < len(found) and found[index + 1][0] < end else None


def _is_verbatim(source: str, piece: Piece) -> bool:
    """Whether positions in the text of the piece are positions in the source."""
    return len(piece.text) == piece.end - piece.start and source.startswith(piece.text, piece.start)


def _part(piece: Piece, start: int, end: int) -> Piece:
    return piece._replace(start=piece.start + start, end=piece.start + end, text=piece.text[start:end])


def _pair(pieces: list[Piece]) -> list[Piece]:
    """Properly nested pairs, named by a number; unmatched markup becomes BREAK."""
    partners: dict[int, int] = {}
    opened: list[int] = []
    depths: dict[str, list[int]] = {}
    for index, piece in enumerate(pieces):
        if piece.role is Role.OPEN:
            depths.setdefault(piece.name, []).append(len(opened))
            opened.append(index)
        elif piece.role is Role.CLOSE and depths.get(piece.name):
            depth = depths[piece.name][-1]
            partners[opened[depth]] = index
            for unclosed in opened[depth:]:
                depths[pieces[unclosed].name].pop()
            del opened[depth:]
    names = {index: str(opening) for opening, closing in partners.items() for index in (opening, closing)}
    return [
        piece
        if piece.role not in (Role.OPEN, Role.CLOSE)
        else piece._replace(name=names[index])
        if index in names
        else Piece(Role.BREAK, piece.start, piece.end)
        for index, piece in enumerate(pieces)
    ]


def _without_empty_pairs(pieces: list[Piece]) -> list[Piece]:
    """Replace pairs without readable content, and adjacent BREAKs, by one BREAK each."""
    closings = {piece.name: index for index, piece in enumerate(pieces) if piece.role is Role.CLOSE}
    readable = [0, *accumulate(piece.role is Role.WORD or bool(piece.text.strip()) for piece in pieces)]
    merged: list[Piece] = []
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        closing = closings[piece.name] if piece.role is Role.OPEN else index
        if piece.role is Role.OPEN and readable[closing] == readable[index]:
            piece = Piece(Role.BREAK, piece.start, pieces[closing].end)
            index = closing
        last = merged[-1] if merged else None
        if last and last.role is Role.BREAK is piece.role and last.end == piece.start:
            merged[-1] = last._replace(end=piece.end)
        else:
            merged.append(piece)
        index += 1
    return merged


def _trim(source: str, pieces: list[Piece]) -> list[Piece]:
    """Remove white space and BREAK at the ends, and pairs around everything else."""
    first, last = 0, len(pieces) - 1
    closings = {piece.name: index for index, piece in enumerate(pieces) if piece.role is Role.CLOSE}
    while first <= last:
        head, tail = pieces[first], pieces[last]
        if _is_void(head):
            first += 1
        elif _is_void(tail):
            last -= 1
        elif head.role is Role.OPEN and closings[head.name] == last and not tail.retold:
            first, last = first + 1, last - 1
        else:
            break
    kept = pieces[first : last + 1]
    if kept and kept[0].role is Role.TEXT:
        kept[0] = _stripped(source, kept[0], left=True)
    if kept and kept[-1].role is Role.TEXT:
        kept[-1] = _stripped(source, kept[-1], left=False)
    return kept


def _is_void(piece: Piece) -> bool:
    return piece.role is Role.BREAK or (piece.role is Role.TEXT and not piece.text.strip())


def _stripped(source: str, piece: Piece, *, left: bool) -> Piece:
    if not _is_verbatim(source, piece):
        return piece
    text = piece.text.lstrip() if left else piece.text.rstrip()
    removed = len(piece.text) - len(text)
    return piece._replace(text=text, start=piece.start + removed * left, end=piece.end - removed * (not left))


def _split(source: str, pieces: list[Piece]) -> Iterator[list[Piece]]:
    """Split the pieces into parts of about `LONGEST` characters, never inside a pair, and between sentences if there
    are any.
    """
    if sum(len(piece.text) for piece in pieces) <= LONGEST:
        yield pieces
        return
    part: list[Piece] = []
    size = depth = 0
    for piece in _sentences(source, pieces):
        is_too_long = (
            size + len(piece.text) > LONGEST and (size > LONGEST or _ends_sentence(part[-1])) if part else False
        )
        if is_too_long and depth == 0:
            yield part
            part, size = [], 0
        part.append(piece)
        size += len(piece.text)
        depth += (piece.role is Role.OPEN) - (piece.role is Role.CLOSE)
    yield part


def _sentences(source: str, pieces: list[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        if piece.role is not Role.TEXT or not _is_verbatim(source, piece):
            yield piece
            continue
        ends = [match.end() for match in _SENTENCE_END.finditer(piece.text)]
        for start, end in pairwise([0, *ends, len(piece.text)]):
            yield from _words(piece, start, end)


def _words(piece: Piece, position: int, end: int) -> Iterator[Piece]:
    """One sentence; split up if it is too long: a list of words, a script without spaces, or noise."""
    while end - position > LONGEST:
        space = piece.text.rfind(" ", position, position + LONGEST) + 1
        stop = space if space > position else position + LONGEST
        yield _part(piece, position, stop)
        position = stop
    if position < end:
        yield _part(piece, position, end)


def _ends_sentence(piece: Piece) -> bool:
    return piece.text == "\n" or bool(re.search(r"[.!?…؟۔।。！？][\"'”’»)\]]*\s*$", piece.text[-20:]))


def _is_readable(pieces: list[Piece]) -> bool:
    has_letters = any(_LETTER.search(piece.text) for piece in pieces)
    return has_letters and not (len(pieces) == 1 and _FILE_NAME.fullmatch(pieces[0].text))
