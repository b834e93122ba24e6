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
from directus_assets.translation.segments.protected import spans_to_keep

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

_BULLET: Final = re.compile(r"\s*(?:[-*•–—+・·]\s|\d+[.)、．])")
_MARKS: Final = {
    "**": re.compile(r"\*\*(?=\S)"),
    "`": re.compile(r"(?<![\w`])`(?=[^`\n]+`)"),
    "#": re.compile(r"^#{1,6} (?=\D)", re.MULTILINE),
}
_QUOTES: Final = re.compile('[„“”«»‘’‚「『"]')
_NAMED: Final = re.compile(r"(?:^|(?<=[\s\"'(\[>«„“]))(?!:D\b):[A-Za-z_]\w+(?![\w-]*:)")
_BRACKETS: Final = re.compile(r"\[[^\[\]\n]*\]")
_ADDRESS: Final = re.compile(r"[a-z]{2,6}://|mailto:|tel:|www\.|[\w.+-]+@")

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
            if before and after and _has_words(before[1]) and not _has_words(after[1]):
                return f"There is no text within <g{placeholder.number}>. Put the words that belong to it there."
    for number, tag in _paired_tags(segment).items():
        if tag.role == "close":
            pair = re.compile(rf"<x{tag.partner}/>(.*?)<x{number}/>", re.DOTALL)
            before, after = pair.search(segment.text), pair.search(answer)
            if before and after and _has_words(before[1]) and not _has_words(after[1]):
                return f"<x{tag.partner}/> and <x{number}/> have lost the words between them. Put them back."
    return None


def swapped_pairs(segment: Segment, answer: str) -> str | None:
    """Nested markup stays nested or moves beside its parent; it never encloses it."""
    for outer, inner in _nested(answer) & {(inner, outer) for outer, inner in _nested(segment.text)}:
        return f"<g{inner}> has to stay around <g{outer}>, as in the source."
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


def lost_marks(segment: Segment, answer: str) -> str | None:
    """Bullets of lists, and the marks of headings, emphasis and code in a text without markup, stay."""
    if segment.text.count("\n") and _bullets(answer) < _bullets(segment.text):
        return "Each line that begins with a list mark keeps it."
    lost = [
        sign for sign, pattern in _MARKS.items() if len(pattern.findall(answer)) < len(pattern.findall(segment.text))
    ]
    if lost == ["`"] and _QUOTES.search(answer) and not _QUOTES.search(segment.text):
        return None
    return f"Keep {' and '.join(lost)} as in the source." if lost else None


def changed_variables(segment: Segment, answer: str) -> str | None:
    """Variables and blanks are those of the source: `:name`, `{name}`, `%s`, `[name]`."""
    before, after = (Counter(_variables(PLACEHOLDER.sub(" ", text))) for text in (segment.text, answer))
    wrong = [*(before - after), *(each for each in after - before if each not in before)]
    if wrong:
        return f"Variables have to be those of the source: {' '.join(wrong)[:80]}."
    brackets = len(_BRACKETS.findall(answer)) - len(_BRACKETS.findall(segment.text))
    if brackets > 0 and segment.text.count("(") <= answer.count("("):
        return f"There are brackets that the source does not have: {' '.join(_BRACKETS.findall(answer))[:80]}."
    return None


def escaped_characters(segment: Segment, answer: str) -> str | None:
    r"""Characters are written as themselves, not as `&nbsp;`, `\n` or `\u00fc`."""
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


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, PLACEHOLDER.sub("", text)))


def _nested(text: str) -> set[tuple[str, str]]:
    """The nesting of pairs by their numbers: (outer, inner)."""
    opened: list[str] = []
    found: set[tuple[str, str]] = set()
    for match in PLACEHOLDER.finditer(text):
        if match["kind"] == "g" and match["slash"]:
            del opened[-1:]
        elif match["kind"] == "g":
            found |= {(outer, match["number"]) for outer in opened}
            opened.append(match["number"])
    return found


def _bullets(text: str) -> int:
    return sum(_BULLET.match(line) is not None for line in text.split("\n"))


def _variables(text: str) -> Iterator[str]:
    yield from _NAMED.findall(text)
    for start, end in spans_to_keep(text):
        if not _ADDRESS.match(text, start, end):
            yield text[start:end]


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
