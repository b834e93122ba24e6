"""Builds the pieces of one inline Markdown run from events with gaps between them: escapes, and line prefixes."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from operator import itemgetter

from directus_assets.translation import icu
from directus_assets.translation.segments.markdown_parse import Mask
from directus_assets.translation.segments.pieces import Piece, Role

_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


class MarkdownRun:
    """Collects pieces in text order and accounts for every character between them."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._pieces: list[Piece] = []
        self._hidden: set[Piece] = set()
        self._is_consistent = True

    @property
    def end(self) -> int:
        """The end of the last piece."""
        return self._pieces[-1].end

    @property
    def ends_with_line_break(self) -> bool:
        """Whether the last piece is a line break."""
        return bool(self._pieces) and self._pieces[-1].text == "\n"

    def add(self, piece: Piece, *, is_hidden: bool = False) -> None:
        """Add the next piece; TEXT must include its decoded text.

        `is_hidden` if nothing up to the matching CLOSE is readable.
        """
        if is_hidden:
            self._hidden.add(piece)
        if self._pieces and piece.start < self.end:
            self._is_consistent = False
            return
        if piece.role is not Role.TEXT or piece.text == "\n":
            self._fill_gap(piece.start)
            self._pieces.append(piece)
            return
        start, text = piece.start, piece.text
        is_verbatim = len(text) == piece.end - start and self._source.startswith(text, start)
        if is_verbatim and self._pieces and start == self.end and _is_verbatim(self._pieces[-1]):
            # The parser returns a separate piece for every character that might have been markup.
            self._pieces[-1] = self._pieces[-1]._replace(end=piece.end)
            return
        has_gap = start > (self.end if self._pieces else 0)
        if has_gap and text[0] in _PUNCTUATION and self._source[start - 1] == "\\":
            self._fill_gap(start - 1)
            self._pieces.append(Piece(Role.TEXT, start - 1, start + 1, text[0]))
            start, text = start + 1, text[1:]
        else:
            self._fill_gap(start)
        if text:
            self._pieces.append(Piece(Role.TEXT, start, piece.end, "" if is_verbatim else text))

    def pieces(self, masked: Sequence[Mask]) -> list[Piece]:
        """All pieces, with masked spans as in the source; none if the parser's positions contradict it."""
        if not self._is_consistent:
            return []
        read = (
            piece._replace(text=self._source[piece.start : piece.end]) if _is_verbatim(piece) else piece
            for piece in self._pieces
        )
        pieces = _unmask(self._source, read, masked)
        return _hide(pieces, self._hidden) if self._hidden else pieces

    def _fill_gap(self, start: int) -> None:
        if not self._pieces or start == self.end:
            return
        last = self._pieces[-1]
        gap = self._source[last.end : start]
        if last.text == "\n" or (last.role is Role.BREAK and last.name == "line"):
            # The prefix of the next line in a quote or list belongs to the line break.
            self._pieces[-1] = last._replace(end=start)
        elif gap.isspace():
            self._pieces.append(Piece(Role.TEXT, last.end, start, " "))
        else:
            self._pieces.append(Piece(Role.BREAK, last.end, start))


def _is_verbatim(piece: Piece) -> bool:
    """Whether the text equals the source, and is copied from it at the end."""
    return piece.role is Role.TEXT and not piece.text


def _hide(pieces: Sequence[Piece], hidden: AbstractSet[Piece]) -> list[Piece]:
    """The pieces with each hidden element as one WORD; one that is never closed extends to the end of the run."""
    shown: list[Piece] = []
    stream = iter(pieces)
    for piece in stream:
        if piece not in hidden:
            shown.append(piece)
            continue
        depth, end = 1, piece.end
        while depth and (inner := next(stream, None)):
            end = inner.end
            if inner.name == piece.name:
                depth += 1 if inner.role is Role.OPEN else -1
        shown.append(Piece(Role.WORD, piece.start, end))
    return shown


def _unmask(source: str, pieces: Iterable[Piece], masked: Sequence[Mask]) -> list[Piece]:
    unmasked: list[Piece] = []
    last: Mask | None = None
    for piece in pieces:
        position = piece.start
        index = max(0, bisect_right(masked, position, key=itemgetter(0)) - 1)
        while piece.role is Role.TEXT and index < len(masked) and masked[index].start < piece.end:
            mask = masked[index]
            index += 1
            if mask.end <= position:
                continue
            if position < mask.start:
                unmasked.append(Piece(Role.TEXT, position, mask.start, source[position : mask.start]))
            position = min(mask.end, piece.end)
            if mask == last:
                unmasked[-1] = unmasked[-1]._replace(end=position)
            else:
                unmasked.append(_unmasked(source, mask, max(mask.start, piece.start), position))
            last = mask
        if position == piece.start:
            unmasked.append(piece)
        elif position < piece.end:
            unmasked.append(Piece(Role.TEXT, position, piece.end, source[position : piece.end]))
    return unmasked


def _unmasked(source: str, mask: Mask, start: int, end: int) -> Piece:
    masked = source[start:end]
    if icu.spans(masked) == [(0, len(masked))]:
        return Piece(Role.TEXT, start, end, masked)
    return Piece(_role_of(source, mask), start, end)


def _role_of(source: str, mask: Mask) -> Role:
    """A shortcode on lines of its own is not part of a sentence."""
    before = source[max(0, mask.start - 100) : mask.start].rstrip(" \t>")
    after = source[mask.end : mask.end + 100].lstrip(" \t")
    stands_alone = (not before or before[-1] in "\r\n") and (not after or after[0] in "\r\n")
    return Role.BREAK if stands_alone else Role.WORD
