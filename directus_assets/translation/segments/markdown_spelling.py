"""Writes answers in Markdown so that they parse as text, and the markup around them as before."""

import re
import unicodedata
from collections.abc import Sequence
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
)
_LINE_START: Final = re.compile(r"\A(?P<number>\d{1,9}(?=[.)](?:\s|\Z)))?(?P<sign>(?(number)[.)]|(?:[#>+=-]|:(?=:))))")
# Several breaks would end the paragraph.
_LINE_BREAKS: Final = re.compile(r"(?:(?<![ \t])[ \t]++)?[\r\n][\r\n \t]*+")
# Possible prefixes of a paragraph's first line: quotes and list markers.
_MARKERS: Final = re.compile(r"(?:[ \t>]|[-+*](?=\s)|\d{1,9}[.)](?=\s)|:(?=\s)|\[\^[^\]\n]*+\]:)*+")
_DELIMITERS: Final = frozenset({"*", "**", "_", "__", "~", "~~"})


class MarkdownSpelling:
    """Escapes only what could be parsed as markup in its place, by the rules of CommonMark 0.31 and GFM."""

    def __init__(self, source: str, pieces: Sequence[Piece], *, block: str) -> None:
        """Args: block: the parser's name for the block that contains the text."""
        self._line_breaks = [source[piece.start : piece.end] for piece in pieces if piece.text == "\n"]
        self._is_heading = block == "Heading"
        self._is_cell = block == "TableCell"
        self._starts_line = not self._is_cell and _starts_line(source, pieces[0].start)
        self._following = source[pieces[-1].end : pieces[-1].end + 1]
        self._spelled = _spelled_table(source, pieces)

    def write(self, chunks: Sequence[Chunk]) -> str:
        """See `text_document.Spelling.write`."""
        chunks = _with_spaces_outside(chunks)
        roles = [chunk.role for chunk in chunks]
        texts = [self._escape(text) if role is Role.TEXT else text for role, text in chunks]
        if sum(text.count("$") for text in texts) > 1:
            texts = [
                text.replace("$", "\\$") if role is Role.TEXT else text for role, text in zip(roles, texts, strict=True)
            ]
        starts_line = self._starts_line
        for index, (role, text) in enumerate(zip(roles, texts, strict=True)):
            if role is Role.TEXT:
                texts[index] = _escape_line_starts(text, starts_line=starts_line)
            starts_line = role is not Role.TEXT and "\n" in text and not text.rpartition("\n")[2].strip(" \t>")
        self._spell_line_breaks(roles, texts)
        _keep_delimiters_working(roles, texts)
        _keep_links_from_being_pictures(roles, texts, self._following)
        written = "".join(texts)
        # A heading may end in number signs that are not part of its text.
        needs_escape = self._is_heading and written.endswith("#") and not written.endswith("\\#")
        return f"{written[:-1]}\\#" if needs_escape else written

    def _escape(self, text: str) -> str:
        escaped = _SIGNS.sub(r"\\\g<0>", _LINE_BREAKS.sub("\n", text))
        if self._is_cell:
            escaped = escaped.replace("|", "\\|")
        return escaped.translate(self._spelled)

    def _spell_line_breaks(self, roles: Sequence[Role], texts: list[str]) -> None:
        """Start every line as in the source; like the first one if the number of lines differs; keep a single line
        single.
        """
        count = sum(text.count("\n") for role, text in zip(roles, texts, strict=True) if role is Role.TEXT)
        breaks = self._line_breaks if count == len(self._line_breaks) else (self._line_breaks[:1] or [" "]) * count
        spelled = iter(breaks)
        for index, role in enumerate(roles):
            if role is Role.TEXT:
                texts[index] = re.sub("\n", lambda _: next(spelled), texts[index])


def _escape_line_starts(text: str, *, starts_line: bool) -> str:
    """The lines of a text without white space around the breaks, which could create code or hard breaks."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        kept = line.rstrip(" \t") if index < len(lines) - 1 else line
        if index or starts_line:
            kept = _LINE_START.sub(r"\g<number>\\\g<sign>", kept.lstrip(" \t"), count=1)
        lines[index] = kept
    return "\n".join(lines)


class TitleSpelling:
    """Writes the title of a link or picture: a single line with its own quotes escaped."""

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
    """The characters that the source writes as references; ASCII is escaped by backslashes instead."""
    return {ord(sign): text for sign, text in spelled_references(source, pieces).items() if not sign.isascii()}


def _starts_line(source: str, start: int) -> bool:
    """Whether only quote and list markers precede `start` in its line, so that a `#` there makes a heading."""
    low = max(0, start - 200)
    line = max(source.rfind("\n", low, start), source.rfind("\r", low, start)) + 1
    if line == 0 and low > 0:
        return False
    match = _MARKERS.match(source, line, start)
    return match is not None and match.end() == start


def _with_spaces_outside(chunks: Sequence[Chunk]) -> list[Chunk]:
    """The chunks without white space just inside emphasis: `** a **` is not bold."""
    moved: list[Chunk] = []
    opens: list[Chunk] = []
    space = ""
    for role, text in chunks:
        is_closing = role is Role.CLOSE and text in _DELIMITERS
        if is_closing and moved and moved[-1].role is Role.TEXT:
            kept = moved[-1].text.rstrip()
            space = moved[-1].text[len(kept) :]
            moved[-1] = Chunk(Role.TEXT, kept)
        elif not is_closing and space:
            moved.append(Chunk(Role.TEXT, space))
            space = ""
        if role is Role.OPEN and text in _DELIMITERS:
            opens.append(Chunk(role, text))
            continue
        kept = text.lstrip() if opens and role is Role.TEXT else text
        if len(kept) < len(text):
            moved.append(Chunk(Role.TEXT, text[: len(text) - len(kept)]))
        moved += [*opens, Chunk(role, kept)]
        opens = []
    return moved


def _keep_delimiters_working(roles: Sequence[Role], texts: list[str]) -> None:
    """Replace letters beside emphasis by references where the delimiter would otherwise be parsed as text.

    CommonMark (6.2) requires punctuation or space outside of a delimiter with punctuation inside, and never allows a
    letter outside of `_`. Languages without spaces break that rule all the time: `**重要。**次` is not bold, but
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


def _keep_links_from_being_pictures(roles: Sequence[Role], texts: list[str], following: str) -> None:
    """Escape an exclamation mark that has ended up before a link; `following` is the text after `texts`."""
    for index, (text, after) in enumerate(zip(texts, [*texts[1:], following], strict=True)):
        if roles[index] is Role.TEXT and text.endswith("!") and after.startswith("["):
            texts[index] = f"{text[:-1]}\\!"


def _neighbour(texts: Sequence[str], index: int, step: int) -> tuple[int, str] | None:
    """The next character in a direction, and the index of its text."""
    at = index + step
    while 0 <= at < len(texts):
        if texts[at]:
            return at, texts[at][0 if step > 0 else -1]
        at += step
    return None


def _is_letter(sign: str) -> bool:
    """Whether CommonMark counts the character as neither white space nor punctuation."""
    return not sign.isspace() and unicodedata.category(sign)[0] not in "PS"
