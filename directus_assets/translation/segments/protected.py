"""Text that translation must not change: template variables, format codes, shortcodes, URLs, control characters.

Only what can be recognised from the text alone belongs here; each cutter handles code and markup.
"""

import re
from collections.abc import Iterator
from typing import Final

from directus_assets.translation import icu
from directus_assets.translation.segments.notation import PLACEHOLDER, UNPRINTABLE

Span = tuple[int, int]

# URLs end before white space, quotes, angle brackets and CJK punctuation, which follows without a space.
_URL: Final = (
    r"(?<![A-Za-z0-9_])(?:(?:https?|ftps?|wss?)://|mailto:|tel:|www\.)[^\s<>\"“”«»`\u3000-\u303f\uff00-\uff65]++"
)
_PRINTF: Final = r"(?<!\d)%(?:\([\w.-]++\)|\d{1,2}\$)?[-+#0]{0,3}\d{0,3}(?:\.\d{1,3})?[sdifFeEgGxXoucrvq@](?!\w)"
_EMOJI: Final = r"(?<![\w:]):[a-z+-][a-z0-9_+-]*+:(?![\w:])"
# WordPress style: with attributes, closing, or with a name that is not a natural word.
_SHORTCODE: Final = (
    r"\[\[[^\[\]\n]++\]\]"
    r"|\[/?[A-Za-z][\w-]*+(?:\s++[\w-]++=(?:\"[^\"]{0,500}+\"|'[^']{0,500}+'|[^\s\[\]\"']++)){1,30}\s*+/?\]"
    r"|\[/[A-Za-z][\w-]*+\]"
    r"|\[(?:gallery|caption|embed|audio|video|playlist|toc|[a-z0-9]++[_-][\w-]++)\s?/?\]"
)
# Formulas of MathJax and KaTeX, merge tags of mailings, and calls of i18next.
_FORMULA: Final = r"\\\([^\n]{1,500}?\\\)|\\\[[^\n]{1,500}?\\\]"
_MERGE_TAG: Final = r"\*\|[A-Za-z0-9_:]{1,80}+\|\*"
_NESTED_TEXT: Final = r"\$t\([^()\n]{1,200}+\)"
_START: Final = re.compile(
    rf"(?P<brace>[$#%@]?\{{)|(?P<url>{_URL})|{PLACEHOLDER.pattern}|{_PRINTF}|{_EMOJI}|{_SHORTCODE}|{_FORMULA}"
    rf"|{_MERGE_TAG}|{_NESTED_TEXT}|<%[^%>]*+%>|{UNPRINTABLE}++"
)
_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+")
_BRACES: Final = re.compile(r"[{}]")
_CLOSING_SHORTCODE: Final = re.compile(r"\[/([A-Za-z][\w-]*+)\]")

_VARIABLE: Final = re.compile(r"\s*[\w$@./-]+(?:[!:|][^{}]*)?\s*")
_ICU: Final = re.compile(
    r"\s*[\w.-]+\s*,\s*(?:plural|select|selectordinal|number|date|time|spellout|ordinal|duration)\b"
)


def spans(text: str) -> list[Span]:
    """The positions of protected text in `text`: sorted, non-overlapping (start, end) pairs of characters.

    Runs in linear time on any text.
    """
    found = [*_starting_with_a_sign(text), *_openings_of_closed_shortcodes(text)]
    if "@" in text:
        found += [match.span() for match in _EMAIL.finditer(text)]
    found.sort(key=lambda span: (span[0], -span[1]))
    kept: list[Span] = []
    for span in found:
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def spans_to_keep(text: str) -> list[Span]:
    """The same without ICU messages that have arms to translate: their contents are part of each language's forms."""
    choices = icu.spans(text)
    return [each for each in spans(text) if not any(start <= each[0] < end for start, end in choices)]


def template_spans(text: str) -> list[Span]:
    """Only spans in braces, `<% %>` and `*| |*`, whose content could be parsed as Markdown."""
    return [
        span
        for span in _starting_with_a_sign(text)
        if text[span[1] - 1] == "}" or text.startswith(("<%", "*|"), span[0])
    ]


def brace_ends(text: str) -> dict[int, int]:
    """The position after the matching `}` for each `{` that has one."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACES.finditer(text):
        if match[0] == "{":
            opened.append(match.start())
        elif opened:
            ends[opened.pop()] = match.end()
    return ends


def _starting_with_a_sign(text: str) -> Iterator[Span]:
    ends = brace_ends(text)
    position = 0
    while match := _START.search(text, position):
        position = match.end()
        if match["brace"] is not None:
            brace = match.end() - 1
            end = ends.get(brace)
            if end is not None and (match["brace"] != "{" or _is_template(text, brace, end)):
                position = end
                yield match.start(), end
        elif match["url"] is not None:
            yield match.start(), match.start() + len(_without_trailing_punctuation(match["url"]))
        else:
            yield match.span()


def _is_template(text: str, start: int, end: int) -> bool:
    """Whether the braces around `text[start + 1 : end - 1]` belong to a template rather than to prose."""
    if text[start + 1] in "%#:./{" and not (text[start + 1] == "{" and text[end - 2] != "}"):
        return True
    # Prose in braces can have any length, names of variables cannot.
    inner = text[start + 1 : min(end - 1, start + 200)]
    return bool(_VARIABLE.fullmatch(inner) or _ICU.match(inner))


def _without_trailing_punctuation(url: str) -> str:
    """The URL without the surrounding sentence's punctuation; a bracket stays if it was opened in the URL."""
    end = len(url)
    while end and (url[end - 1] in ".,;:!?'’*_~" or (url[end - 1] in ")]" and not _opened(url, end))):
        end -= 1
    return url[:end]


def _opened(url: str, end: int) -> bool:
    # Bounded, since a run of closing brackets would be recounted for each of them.
    opening = "(" if url[end - 1] == ")" else "["
    part = url[max(0, end - 500) : end]
    return part.count(opening) >= part.count(url[end - 1])


def _openings_of_closed_shortcodes(text: str) -> Iterator[Span]:
    if names := set(_CLOSING_SHORTCODE.findall(text)):
        for match in re.finditer(r"\[([A-Za-z][\w-]*+)\]", text):
            if match[1] in names:
                yield match.span()
