"""A segmented text as units with markup between them, for the three-way merge to compare and reassemble."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from directus_assets.translation.segments.html_tokens import HtmlToken, TokenKind, attributes, tokens
from directus_assets.translation.segments.model import Document, Segment
from directus_assets.translation.segments.notation import PLACEHOLDER
from directus_assets.translation.segments.text_document import TextDocument
from directus_assets.translation.segments.whole import RuledDocument

# Tags that editors exchange for each other, and those that they add and drop at will.
_SAME_TAGS: Final = {"b": "strong", "i": "em", "strike": "s", "del": "s", "ins": "u"}
_NO_MEANING: Final = frozenset({"span", "font", "p", "div", "tbody", "colgroup", "col", "wbr"})
_MEANT: Final = ("href", "src", "data", "id", "name", "type", "value")
_EMPHASIS: Final = {"_": "*", "__": "**", "___": "***"}
_BULLET: Final = re.compile(r"(?m)^([ \t>]*)[*+-][ \t]+")


@dataclass(frozen=True)
class Unit:
    """A segment with those inside its markup, such as the title of a link: they are owned together.

    `raw` is its text as written. A unit that a person has removed is empty.
    """

    raw: str
    segments: tuple[Segment, ...] = ()
    normal: str = ""
    """Its content in a normal form: equal for equal texts, however an editor writes the markup."""


@dataclass(frozen=True)
class Layout:
    """A text as units, with `gaps` before, between and after them; one more gap than units."""

    units: tuple[Unit, ...]
    gaps: tuple[str, ...]

    @cached_property
    def text(self) -> str:
        """The whole text."""
        return self.gaps[0] + "".join(unit.raw + gap for unit, gap in zip(self.units, self.gaps[1:], strict=True))

    @cached_property
    def normals(self) -> list[str]:
        """The normal form of each unit."""
        return [unit.normal for unit in self.units]


def lay_out(document: Document) -> Layout | None:
    """The layout of a text; None for a value that is not text, or that is a single word to its readers (a slug)."""
    if isinstance(document, RuledDocument):
        return lay_out(document.document)
    if not isinstance(document, TextDocument):
        return None
    units: list[Unit] = []
    gaps: list[str] = []
    position = 0
    for start, end, segments in _top(document):
        gaps.append(document.source[position:start])
        said = " ".join(_said(segment) for segment in segments)
        units.append(Unit(document.source[start:end], segments, said))
        position = end
    return Layout(tuple(units), (*gaps, document.source[position:]))


def normal_markup(markup: str) -> str:
    """The normal form of markup: tags by their usual names, with the attributes that hold links."""
    if "<" not in markup:
        plain = _BULLET.sub(r"\1- ", markup)
        return _EMPHASIS.get(plain, " ".join(plain.split()))
    found = []
    for token in tokens(markup, 0, len(markup)):
        if token.kind in (TokenKind.TEXT, TokenKind.RAW):
            found += markup[token.start : token.end].split()
        elif token.kind is not TokenKind.OTHER and (name := _name(token)):
            found.append(" ".join([name, *_meant(markup, token)]))
    return " ".join(found)


def _top(document: TextDocument) -> Iterator[tuple[int, int, tuple[Segment, ...]]]:
    """Start, end and segments of each top-level cut."""
    start = end = -1
    inside: list[Segment] = []
    for cut in document.cuts:
        if cut.start >= end:
            if inside:
                yield start, end, tuple(inside)
            start, end, inside = cut.start, cut.end, []
        inside.append(cut.segment)
    if inside:
        yield start, end, tuple(inside)


def _said(segment: Segment) -> str:
    spelled: dict[str, str] = {}
    for placeholder in segment.placeholders:
        number, meaning = placeholder.number, normal_markup(placeholder.opening)
        if not placeholder.paired:
            # A line that ends in two spaces or a backslash has a hard break, like a tag.
            spelled[f"<x{number}/>"] = f"\0{'br' if meaning in ('', chr(92)) else meaning}\0"
            continue
        closing = "" if "<" in placeholder.closing else normal_markup(placeholder.closing)
        is_known = bool(meaning or closing)
        spelled[f"<g{number}>"] = f"\0{meaning}{closing}\0" if is_known else ""
        spelled[f"</g{number}>"] = "\0/\0" if is_known else ""
    return " ".join(PLACEHOLDER.sub(lambda match: spelled.get(match[0], match[0]), segment.text).split())


def _name(token: HtmlToken) -> str:
    name = _SAME_TAGS.get(token.tag, token.tag)
    if name in _NO_MEANING:
        return ""
    return name if token.kind is TokenKind.START else f"/{name}"


def _meant(markup: str, token: HtmlToken) -> list[str]:
    if token.kind is not TokenKind.START:
        return []
    return sorted(f"{a.name}={markup[a.start : a.end]}" for a in attributes(markup, token) if a.name in _MEANT)
