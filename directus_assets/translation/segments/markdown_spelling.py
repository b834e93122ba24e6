"""How answers are written in Markdown, so that they are read as text, and the markup around them as before."""

import re
import unicodedata
from collections.abc import Sequence
from functools import partial
from typing import Final

from directus_assets.translation.segments.html_text import spelled_references
from directus_assets.translation.segments.pieces import Piece, Role
from directus_assets.translation.segments.text_document import Chunk

_SIGNS: Final = re.compile(
    r"[`*\[\]~]"
    r"|\\(?=[!-/:-@\[-`{-~\r\n]|\Z)"
    r"|<(?=[A-Za-z/!?]|\Z)"
    r"|&(?=#?[A-Za-z0-9]+;)"
    r"|(?<![^\W_])_|_(?![^\W_])"
    r"|!(?=\Z)"
)
_LINE_START: Final = re.compile(r"(?P<space>[ \t]*+)(?:(?P<number>\d{1,9})(?=[.)](?:\s|\Z))|(?P<sign>[#>+=:-]))?")
_LINE_BREAKS: Final = re.compile(r"[\r\n]+")
# What may stand before a paragraph in its first line: quotes and list markers.
_MARKERS: Final = re.compile(r"(?:[ \t>]|[-+*](?=\s)|\d{1,9}[.)](?=\s)|:(?=\s)|\[\^[^\]\n]*+\]:)*+")
_DELIMITERS: Final = frozenset({"*", "**", "_", "__", "~", "~~"})


class MarkdownSpelling:
    """Escapes no more than what could be taken for markup at its place, by the rules of CommonMark 0.31 and GFM."""

    def __init__(self, source: str, pieces: Sequence[Piece], *, block: str) -> None:
        """Args: block: the name of the block that the text stands in, as the parser calls it."""
        breaks = [piece for piece in pieces if piece.role is Role.TEXT and piece.text == "\n"]
        self._newline = source[breaks[0].start : breaks[0].end] if breaks else " "
        self._is_heading = block == "Heading"
        self._is_cell = block == "TableCell"
        self._starts_line = not self._is_cell and _starts_line(source, pieces[0].start)
        self._spelled = _spelled_table(source, pieces)

    def write(self, chunks: Sequence[Chunk]) -> str:
        """See `text_document.Spelling.write`."""
        texts: list[str] = []
        starts_line = self._starts_line
        for role, text in chunks:
            texts.append(self._escape(text, starts_line=starts_line) if role is Role.TEXT else text)
            starts_line = role is not Role.TEXT and "\n" in text and not text.rpartition("\n")[2].strip(" \t>")
        _keep_delimiters_working([chunk.role for chunk in chunks], texts)
        written = "".join(texts)
        if self._is_heading and written.endswith("#"):
            return f"{written[:-1]}\\#"
        return written

    def _escape(self, text: str, *, starts_line: bool) -> str:
        lines = _LINE_BREAKS.split(text)
        for index, line in enumerate(lines):
            stripped = line.lstrip() if index or starts_line else line
            stripped = stripped.rstrip() if index < len(lines) - 1 else stripped
            lines[index] = self._escape_line(stripped, starts_line=bool(index) or starts_line)
        kept = [line for index, line in enumerate(lines) if line or index in (0, len(lines) - 1)]
        return self._newline.join(kept)

    def _escape_line(self, line: str, *, starts_line: bool) -> str:
        escaped = _SIGNS.sub(lambda match: f"\\{match[0]}", line)
        if self._is_cell:
            escaped = escaped.replace("|", "\\|")
        if escaped.count("$") > 1:
            escaped = escaped.replace("$", "\\$")
        if starts_line and (match := _LINE_START.match(escaped)):
            if match["number"]:
                escaped = f"{escaped[: match.end()]}\\{escaped[match.end() :]}"
            elif match["sign"]:
                escaped = f"{escaped[: match.start('sign')]}\\{escaped[match.start('sign') :]}"
        return escaped.translate(self._spelled)


class TitleSpelling:
    """Writes the title of a link or picture: one line, its own quotes escaped."""

    def __init__(self, source: str, pieces: Sequence[Piece], *, quote: str) -> None:
        """Args: quote: the closing quote."""
        self._signs = re.compile(
            rf"[{re.escape('()' if quote == ')' else quote)}]|\\(?=[!-/:-@\[-`{{-~]|\Z)|&(?=#?\w+;)"
        )
        self._spelled = _spelled_table(source, pieces)

    def write(self, chunks: Sequence[Chunk]) -> str:
        """See `text_document.Spelling.write`."""
        return "".join(
            text if role is not Role.TEXT else self._signs.sub(r"\\\g<0>", _LINE_BREAKS.sub(" ", text))
            for role, text in chunks
        ).translate(self._spelled)


def _spelled_table(source: str, pieces: Sequence[Piece]) -> dict[int, str]:
    """The characters that the source spells as references; ASCII is escaped by backslashes instead."""
    return {ord(sign): text for sign, text in spelled_references(source, pieces).items() if not sign.isascii()}


def _starts_line(source: str, start: int) -> bool:
    """Whether only quote and list markers stand before `start` in its line, so that a `#` there makes a heading."""
    low = max(0, start - 200)
    line = max(source.rfind("\n", low, start), source.rfind("\r", low, start)) + 1
    if line == 0 and low > 0:
        return False
    match = _MARKERS.match(source, line, start)
    return match is not None and match.end() == start


def _keep_delimiters_working(roles: Sequence[Role], texts: list[str]) -> None:
    """Changes letters beside emphasis into references where the delimiter would otherwise be read as text.

    CommonMark (6.2) wants punctuation or space outside of a delimiter that has punctuation inside, and never a letter
    outside of `_`. Languages written without spaces break that rule all the time: `**重要。**次` is not bold, but
    `**重要。**&#x6b21;` is, and reads the same.
    """
    for index, role in enumerate(roles):
        delimiter = texts[index]
        if role not in (Role.OPEN, Role.CLOSE) or delimiter not in _DELIMITERS:
            continue
        outward = -1 if role is Role.OPEN else 1
        outside, inside = _neighbour(texts, index, outward), _neighbour(texts, index, -outward)
        if not outside or not inside or roles[outside[0]] is not Role.TEXT or not _is_letter(outside[1]):
            continue
        if delimiter.startswith("_") or not _is_letter(inside[1]):
            at, letter = outside
            reference = f"&#x{ord(letter):x};"
            texts[at] = texts[at][:-1] + reference if role is Role.OPEN else reference + texts[at][1:]


def _neighbour(texts: Sequence[str], index: int, step: int) -> tuple[int, str] | None:
    """The next character in a direction, and the text that it is in."""
    at = index + step
    while 0 <= at < len(texts):
        if texts[at]:
            return at, texts[at][0 if step > 0 else -1]
        at += step
    return None


def _is_letter(sign: str) -> bool:
    """Whether CommonMark counts the character neither as white space nor as punctuation."""
    return not sign.isspace() and unicodedata.category(sign)[0] not in "PS"


def markdown_speller(block: str) -> "partial[MarkdownSpelling]":
    """The speller for text in a block of this name."""
    return partial(MarkdownSpelling, block=block)
