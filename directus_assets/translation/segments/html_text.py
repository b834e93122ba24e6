"""Text in HTML: decodes it, and encodes it so that it decodes to the same text."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from directus_assets.translation.segments.html_tokens import REFERENCE, decode
from directus_assets.translation.segments.pieces import Piece, Role
from directus_assets.translation.segments.text_document import Chunk

# Between words in HTML, all white space is one space; only white space other than a single space needs marking.
_SPECIAL: Final = re.compile(rf"(?P<space>[ \t\r\n\f]{{2,}}+|[\t\r\n\f])|{REFERENCE.pattern}")
_LINE_BREAKS: Final = re.compile(r"[\r\n\f]++")


def text_pieces(source: str, start: int, end: int, *, in_attribute: bool = False) -> Iterator[Piece]:
    """`source[start:end]` as decoded TEXT pieces."""
    position = start
    for match in _SPECIAL.finditer(source, start, end):
        text = " " if match["space"] else decode(match[0], in_attribute=in_attribute)
        if text == match[0]:
            continue
        if position < match.start():
            yield Piece(Role.TEXT, position, match.start(), source[position : match.start()])
        yield Piece(Role.TEXT, match.start(), match.end(), text)
        position = match.end()
    if position < end:
        yield Piece(Role.TEXT, position, end, source[position:end])


def spelled_references(source: str, pieces: Sequence[Piece]) -> dict[str, str]:
    """The characters that the source writes as references, each with that spelling: `{"\\xa0": "&nbsp;"}`."""
    spelled: dict[str, str] = {}
    for piece in pieces:
        if piece.role is Role.TEXT and len(piece.text) == 1 and source[piece.start] == "&" != piece.text:
            spelled.setdefault(piece.text, source[piece.start : piece.end])
    return spelled


class HtmlSpelling:
    """Encodes text for HTML: `&`, `<`, `>` as references, and likewise those characters that the source wrote so."""

    def __init__(self, source: str, pieces: Sequence[Piece], *, quote: str | None = None) -> None:
        """Args: quote: of the attribute with this value ("" for an unquoted one); None outside of attributes."""
        escapes = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
        if quote == "":
            escapes |= {sign: f"&#{ord(sign)};" for sign in " \t\n\f\r\"'=`"}
        elif quote is not None:
            escapes[quote] = "&quot;" if quote == '"' else "&#39;"
        self._table = str.maketrans(
            {sign: spelling for sign, spelling in spelled_references(source, pieces).items() if sign not in "<>"}
            | escapes
        )

    def write(self, chunks: Sequence[Chunk]) -> str:
        """See `text_document.Spelling.write`."""
        return "".join(
            chunk.text if chunk.role is not Role.TEXT else _LINE_BREAKS.sub(" ", chunk.text).translate(self._table)
            for chunk in chunks
        )
