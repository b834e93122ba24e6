"""Plain text: one segment per paragraph, with line breaks kept."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from directus_assets.translation.segments.model import Ids
from directus_assets.translation.segments.pieces import Piece, Role
from directus_assets.translation.segments.text_document import Builder, Chunk, TextDocument

_LINE: Final = re.compile(r"(?P<text>[^\r\n]*+)(?P<end>\r\n|\r|\n|\Z)")
_BREAKS: Final = re.compile(r"[\r\n]++")


def cut_plain(source: str, ids: Ids, context: str = "text") -> TextDocument:
    """The document for plain text; engines see every line break as `\\n`."""
    builder = Builder(source)
    for paragraph in _paragraphs(source):
        builder.add(paragraph, context, PlainSpelling)
    return TextDocument(source, builder.cuts(ids))


def _paragraphs(source: str) -> Iterator[list[Piece]]:
    paragraph: list[Piece] = []
    for line in _LINE.finditer(source):
        if not line["text"].strip():
            yield paragraph
            paragraph = []
            continue
        paragraph.append(Piece(Role.TEXT, line.start("text"), line.end("text"), line["text"]))
        if line["end"]:
            paragraph.append(Piece(Role.TEXT, line.start("end"), line.end("end"), "\n"))
    yield paragraph


class PlainSpelling:
    """Plain text needs no escaping; line breaks are written as in the source, and a single line stays single."""

    def __init__(self, source: str, pieces: Sequence[Piece]) -> None:
        breaks = [piece for piece in pieces if piece.text == "\n"]
        self._newline = source[breaks[0].start : breaks[0].end] if breaks else " "

    def write(self, chunks: Sequence[Chunk]) -> str:
        """See `text_document.Spelling.write`."""
        return "".join(
            chunk.text if chunk.role is not Role.TEXT else _BREAKS.sub(lambda _: self._newline, chunk.text)
            for chunk in chunks
        )
