"""Checks that a translation keeps the form of its source: order of tags, words in links, lines, character escapes.

Each check takes a segment and its answer, and returns a sentence, or None if there is no defect.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from directus_assets.live_text import LiveKind, live_parts
from directus_assets.translation.segments.model import Segment
from directus_assets.translation.segments.notation import PLACEHOLDER

_SINGLE: Final = re.compile(r"<x([0-9]{1,6})/>")
_TAG: Final = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*+(?=[^<>]*>)")
_REFERENCE: Final = re.compile(r"&(?:amp;)*(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPE: Final = re.compile(r"\\(?:u\{?[0-9A-Fa-f]{4,6}\}?|x[0-9A-Fa-f]{2}|[nrt\"'])")

# Twig and Liquid, Handlebars, Svelte, shortcodes: the family, the name, and the role in its pair.
_CLOSING: Final = re.compile(
    r"\{(?P<twig>%)[-~+]?\s*end_?(\w+)|\{\{(?P<bars>/)\s*(\w+)|\{(?P<svelte>/)(\w+)|(?P<short>\[)/([\w-]+)"
)
_OPENING: Final = re.compile(
    r"\{(?P<twig>%)[-~+]?\s*(\w+)|\{\{(?P<bars>[#^])\s*(\w+)|\{(?P<svelte>#)(\w+)|(?P<short>\[)([\w-]+)"
)
_BETWEEN: Final = re.compile(r"\{%[-~+]?\s*(?:else|elif|elsif|elseif|when)\b|\{\{\s*(?:else|\^)|\{:else")

_WRAPPED: Final = range(55, 126)
_ITEM: Final = re.compile(r"\s*(?:[-*•–+]|\d+[.)])\s")


class _Tag(NamedTuple):
    """One tag of a pair: `partner` is the number of the opening placeholder, which is its own for the opening one."""

    role: str
    partner: int


def turned_inside_out(segment: Segment, answer: str) -> str | None:
    """Paired template tags and shortcodes have to open, close and nest as in the source."""
    tags = _paired_tags(segment)
    opened: list[int] = []
    for number in map(int, _SINGLE.findall(answer)):
        if (tag := tags.get(number)) is None:
            continue
        if tag.role == "open":
            opened.append(number)
        elif not opened or opened[-1] != tag.partner:
            return (
                f"<x{number}/> has to stand behind <x{tag.partner}/>, which it belongs to, and nest as in the source."
            )
        elif tag.role == "close":
            opened.pop()
    return None


def emptied_pair(segment: Segment, answer: str) -> str | None:
    """A link or a bold phrase has to keep words of its own."""
    for placeholder in segment.placeholders:
        if placeholder.paired:
            pair = re.compile(rf"<g{placeholder.number}>(.*?)</g{placeholder.number}>", re.DOTALL)
            before, after = pair.search(segment.text), pair.search(answer)
            if (
                before
                and after
                and PLACEHOLDER.sub("", before[1]).strip()
                and not PLACEHOLDER.sub("", after[1]).strip()
            ):
                return f"There is no text within <g{placeholder.number}>. Put the words there that belong to it."
    return None


def changed_lines(segment: Segment, answer: str) -> str | None:
    """A single line stays single; the number of lines stays the same unless they are a wrapped paragraph."""
    before, after = _lines(segment.text), _lines(answer)
    if len(before) == 1:
        return "The source is one line, the translation has several." if len(after) > 1 else None
    is_wrapped = all(len(line) in _WRAPPED for line in before[:-1]) and not any(map(_ITEM.match, before))
    if len(after) < len(before) and not is_wrapped:
        return f"The source has {len(before)} lines, the translation {len(after)}. Keep the line breaks."
    return None


def escaped_characters(segment: Segment, answer: str) -> str | None:
    """Characters are written literally, not as `&nbsp;`, `\

    ` or `\\u00fc`.
    """
    found = Counter(_REFERENCE.findall(answer)) - Counter(_REFERENCE.findall(segment.text))
    found += Counter(_ESCAPE.findall(answer)) - Counter(_ESCAPE.findall(segment.text))
    return f"Write characters as they are, not as {' '.join(found)[:80]}." if found else None


def lost_markup(segment: Segment, answer: str) -> str | None:
    """Markup, links and templates in a plain text stay."""
    lost = Counter(_TAG.findall(_bare(segment.text))) - Counter(_TAG.findall(_bare(answer)))
    if "[" in segment.text or "{" in segment.text:
        parts = live_parts(_bare(segment.text)) - live_parts(_bare(answer))
        lost += Counter(
            {part.text: count for part, count in parts.items() if part.kind in (LiveKind.LINK, LiveKind.TEMPLATE)}
        )
    return f"Markup of the source is missing: {' '.join(lost)[:200]}. Keep it." if lost else None


def _paired_tags(segment: Segment) -> dict[int, _Tag]:
    """The placeholders of tags that form pairs within this segment."""
    tags: dict[int, _Tag] = {}
    opened: list[tuple[str, int, list[int]]] = []
    for placeholder in segment.placeholders:
        text, number = placeholder.opening, placeholder.number
        if placeholder.paired:
            continue
        if _BETWEEN.match(text):
            if opened:
                opened[-1][2].append(number)
        elif name := _name(_CLOSING.match(text)):
            while opened and name in (known for known, _, _ in opened):
                known, first, between = opened.pop()
                if known == name:
                    tags |= {first: _Tag("open", first), number: _Tag("close", first)}
                    tags |= {middle: _Tag("between", first) for middle in between}
                    break
        elif name := _name(_OPENING.match(text)):
            opened.append((name, number, []))
    return tags


def _name(match: re.Match[str] | None) -> str:
    return next((f"{family}{name}" for family, name in _families(match) if name), "") if match else ""


def _families(match: re.Match[str]) -> Iterator[tuple[str, str | None]]:
    families = ("twig", "bars", "svelte", "short")
    names = [group for index, group in enumerate(match.groups()) if index % 2]
    return zip(families, names, strict=True)


def _lines(text: str) -> list[str]:
    return [line for line in text.strip().split("\n") if line.strip()] or [""]


def _bare(text: str) -> str:
    return PLACEHOLDER.sub("", text)
