"""Markdown as events with positions: CommonMark with the extensions that CMS content uses, and protected spans.

Front matter, template expressions, shortcodes, directives and MDX are not Markdown, but a Markdown parser would
interpret some of it as markup. They are masked by letters before parsing, so that the parser sees a plain word in their
place.
"""

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

import pyromark

from directus_assets.translation.segments import protected

# Without definition lists: the parser treats every line with a leading colon as one, `:tada:` as well.
_OPTIONS: Final = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_FOOTNOTES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_MATH
    | pyromark.Options.ENABLE_GFM
)
_MARKDOWN: Final = pyromark.Markdown(options=_OPTIONS)

# A rule in the first line is not front matter, which begins with a key, a comment, or its own end.
_FRONT_MATTER: Final = re.compile(
    r"\ufeff?(?P<fence>---|\+\+\+|;;;)[ \t]*\r?\n(?=[ \t]*(?:[\w\"'.-]+[ \t]*[:=]|#|\{|(?P=fence)))"
    r"(?s:.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE,
)
# Container directives, Pandoc's fenced divs, MDX imports and exports: whole lines.
_LINES: Final = re.compile(
    r"^[ \t>]*(?::{2,}[ \t]*[\w{\[].*|:{3,}[ \t]*"
    r"|import[ \t](?:.*[ \t]from[ \t]+)?['\"].*|export[ \t]+(?:const|let|default|function)[ \t].*[={(].*)$",
    re.MULTILINE,
)
_COMPONENT: Final = re.compile(r"</?[A-Z][\w.]*+(?=[\s/>])")
_COMPONENT_SIGNS: Final = re.compile(r"[{}<>\"']")
_BLANK_LINE: Final = re.compile(r"\n[ \t>]*\n")
SPANS: Final = frozenset({"Emphasis", "Strong", "Strikethrough", "Link", "Image"})
"""The events of inline markup that contains text."""
_FILLED: Final = re.compile(r"[^\r\n]")


class Mask(NamedTuple):
    """A span that is not Markdown: `filler` is "x" if it replaces a word, " " if it covers whole lines."""

    start: int
    end: int
    filler: str


class MarkdownEvent(NamedTuple):
    """`name` is that of the event or the tag; `step` is 1 for a start, -1 for an end, 0 otherwise; `data` is the
    payload.
    """

    name: str
    step: int
    data: Any
    start: int
    end: int


def events(source: str, masked: Sequence[Mask]) -> Iterator[MarkdownEvent]:
    """The events of the Markdown text with `masked` hidden; positions count characters of `source`."""
    text = _mask(source, masked)
    position = _character_positions(text)
    for event, span in _MARKDOWN.events_with_range(text):
        name, data = _named(event)
        step = {"Start": 1, "End": -1}.get(name, 0)
        if step:
            name, data = _named(data)
        start, end = span["start"], span["end"]
        yield MarkdownEvent(
            name, step, data, position[start] if position else start, position[end] if position else end
        )


def _named(payload: Any) -> tuple[str, Any]:
    """Name and data of a parser payload `"Name"` or `{"Name": data}`."""
    return (payload, None) if isinstance(payload, str) else next(iter(payload.items()))


def reference_definitions(source: str, masked: Sequence[Mask]) -> Iterator[tuple[str, int, int]]:
    """Title, start and end of link reference definitions with a title."""
    if "]:" not in source:
        return
    text = _mask(source, masked)
    position = _character_positions(text)
    for definition in _MARKDOWN.reference_definitions(text).values():
        if definition["title"]:
            start, end = definition["span"]["start"], definition["span"]["end"]
            yield definition["title"], position[start] if position else start, position[end] if position else end


def masks(source: str) -> list[Mask]:
    """The sorted, non-overlapping spans that are not Markdown."""
    found = [Mask(*match.span(), " ") for match in _LINES.finditer(source)]
    if front_matter := _FRONT_MATTER.match(source):
        found.append(Mask(*front_matter.span(), " "))
    # Code may contain a single brace, so a span across a back-tick or a blank line is not an expression.
    found += [
        Mask(start, end, "x")
        for start, end in [*protected.template_spans(source), *_components(source)]
        if source.find("`", start, end) < 0 and not _BLANK_LINE.search(source, start, end)
    ]
    kept: list[Mask] = []
    for mask in sorted(found, key=lambda mask: (mask.start, -mask.end)):
        if not kept or mask.start >= kept[-1].end:
            kept.append(mask)
    return kept


def _components(source: str) -> Iterator[protected.Span]:
    """JSX tags with expressions in braces, which CommonMark does not recognise as HTML."""
    ends = protected.brace_ends(source)
    position = 0
    while match := _COMPONENT.search(source, position):
        end, has_braces = _component_end(source, match.end(), ends)
        position = max(match.end(), end)
        if end and has_braces:
            yield match.start(), end


def _component_end(source: str, position: int, brace_ends: Mapping[int, int]) -> tuple[int, bool]:
    """The end of the JSX tag whose name ends at `position` (0 if it has none), and whether it contains expressions."""
    has_braces = False
    limit = position + 5000
    while sign := _COMPONENT_SIGNS.search(source, position, limit):
        if sign[0] == ">":
            return sign.end(), has_braces
        if sign[0] == "{":
            position = brace_ends.get(sign.start(), 0)
            has_braces = True
        elif sign[0] in "\"'":
            position = source.find(sign[0], sign.end(), limit) + 1
        else:
            position = 0
        if not position:
            break
    return 0, False


def _mask(source: str, masked: Sequence[Mask]) -> str:
    """`source` with masked spans replaced by fillers; keeps the number of characters and lines."""
    parts: list[str] = []
    position = 0
    for start, end, filler in masked:
        parts += [source[position:start], _FILLED.sub(filler, source[start:end])]
        position = end
    parts.append(source[position:])
    # The parser accepts only UTF-8; a lone surrogate has as many bytes as the replacement character.
    return re.sub("[\ud800-\udfff]", "\ufffd", "".join(parts))


def _character_positions(text: str) -> "array[int] | None":
    """The character position for each UTF-8 byte position of `text`; None if they are the same."""
    if text.isascii():
        return None
    data = text.encode()
    # Every byte except a continuation byte (0b10xxxxxx) begins a character.
    counts = accumulate((byte & 0xC0 != 0x80 for byte in data), initial=0)
    return array("I", counts)
