"""The titles of Markdown links and pictures: `[text](address "title")`, `[label]: address 'title'`."""

import re
from functools import partial
from typing import Final

from directus_assets.translation.segments.html_tokens import REFERENCE, decode
from directus_assets.translation.segments.markdown_spelling import TitleSpelling
from directus_assets.translation.segments.pieces import Piece, Role
from directus_assets.translation.segments.text_document import Builder

_ESCAPED: Final = re.compile(rf"\\(?P<sign>[!-/:-@\[-`{{-~])|{REFERENCE.pattern}")


def add_title(builder: Builder, title: str, start: int, end: int) -> None:
    """Pass the title between `start` and `end`, which includes quote and white space, to the builder.

    Nothing is added if the source writes `title` in a way that is not understood.
    """
    source = builder.source
    while end > start and source[end - 1].isspace():
        end -= 1
    quote = source[end - 1 : end]
    if quote not in ('"', "'", ")"):
        return
    opening = _opening(source, "(" if quote == ")" else quote, start, end - 1)
    pieces: list[Piece] = []
    position = opening + 1
    for match in _ESCAPED.finditer(source, position, end - 1):
        pieces.append(Piece(Role.TEXT, position, match.start(), source[position : match.start()]))
        pieces.append(Piece(Role.TEXT, *match.span(), match["sign"] or decode(match[0], in_attribute=False)))
        position = match.end()
    pieces.append(Piece(Role.TEXT, position, end - 1, source[position : end - 1]))
    pieces = [piece for piece in pieces if piece.text]
    # Compares lengths, not texts: template expressions within `title` are masked.
    if opening >= start and sum(len(piece.text) for piece in pieces) == len(title):
        builder.add(pieces, "link title", partial(TitleSpelling, quote=quote))


def _opening(source: str, quote: str, start: int, end: int) -> int:
    """The last unescaped quote before `end`; -1 if there is none."""
    while (end := source.rfind(quote, start, end)) >= 0:
        first = end
        while first > start and source[first - 1] == "\\":
            first -= 1
        if (end - first) % 2 == 0:
            break
    return end
