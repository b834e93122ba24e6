"""HTML tokenizer: finds tags, comments and text by the tokenization rules of the HTML standard (section 13.2.5).

A custom tokenizer, because every byte must be accounted for by position, including attribute values, in linear time and
identically on every version of Python.
"""

import html
import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

_SPACE: Final = r"\t\n\f\r "
_ATTRIBUTE: Final = (
    rf"[{_SPACE}/]*+[^{_SPACE}/>][^{_SPACE}/>=]*+"
    rf"(?:[{_SPACE}]*+=[{_SPACE}]*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|(?![\"'])[^{_SPACE}>]*+))?+"
)
_TAG: Final = re.compile(
    rf"<(?P<slash>/?)(?P<name>[A-Za-z][^{_SPACE}/>]*+)(?:{_ATTRIBUTE})*[{_SPACE}]*+(?P<void>/?)[{_SPACE}/]*+(?P<end>>?)"
)
_NAMED_ATTRIBUTE: Final = re.compile(
    rf"[{_SPACE}/]*+(?P<name>[^{_SPACE}/>][^{_SPACE}/>=]*+)"
    rf"(?:[{_SPACE}]*+=[{_SPACE}]*+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>(?![\"'])[^{_SPACE}>]*+)))?+"
)
_COMMENT_END: Final = re.compile(r"--!?>")
_RAW: Final = frozenset({"script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp", "plaintext"})

REFERENCE: Final = re.compile(r"&(?:#[0-9]{1,8};?|#[xX][0-9A-Fa-f]{1,8};?|[A-Za-z][A-Za-z0-9]{0,40};?)")
"""Possible character references."""


class TokenKind(Enum):
    """The kind of an HTML token."""

    TEXT = "text"
    START = "start tag"
    END = "end tag"
    RAW = "the content of an element whose text is no HTML"
    OTHER = "a comment, a doctype, or what browsers drop"


class HtmlToken(NamedTuple):
    """A token of HTML; the tokens cover the whole text. `name` is the tag's, as written."""

    kind: TokenKind
    start: int
    end: int
    name: str = ""
    is_self_closing: bool = False

    @property
    def tag(self) -> str:
        """The name in lower case, as HTML compares it."""
        return self.name.lower()


class Attribute(NamedTuple):
    """An attribute with a value: its name in lower case, the position of the value, and its quote ("" if it has
    none).
    """

    name: str
    start: int
    end: int
    quote: str


def tokens(source: str, start: int, end: int) -> Iterator[HtmlToken]:
    """The contiguous tokens of `source[start:end]`."""
    position = text_start = start
    foreign = 0
    while (position := source.find("<", position, end)) >= 0:
        token = _markup(source, position, end, in_foreign=foreign > 0)
        if token is None:
            position += 1
            continue
        if text_start < position:
            yield HtmlToken(TokenKind.TEXT, text_start, position)
        yield token
        position = text_start = token.end
        if token.tag in ("svg", "math") and not token.is_self_closing:
            foreign = max(0, foreign + (1 if token.kind is TokenKind.START else -1))
        if token.kind is TokenKind.START and token.tag in _RAW and not foreign:
            position = text_start = _raw_end(source, token, end)
            if token.end < position:
                kind = TokenKind.TEXT if token.tag == "title" else TokenKind.RAW
                yield HtmlToken(kind, token.end, position)
    if text_start < end:
        yield HtmlToken(TokenKind.TEXT, text_start, end)


def attributes(source: str, token: HtmlToken) -> Iterator[Attribute]:
    """The attributes of a start tag that have a value; of equal names only the first, as in browsers."""
    position = token.start + 1 + len(token.name)
    seen: set[str] = set()
    while (match := _NAMED_ATTRIBUTE.match(source, position, token.end)) and match.end() > position:
        position = match.end()
        name = match["name"].lower()
        for group, quote in (("double", '"'), ("single", "'"), ("bare", "")):
            if match[group] is not None and name not in seen:
                yield Attribute(name, match.start(group), match.end(group), quote)
        seen.add(name)


def decode(reference: str, *, in_attribute: bool) -> str:
    """The characters for a match of `REFERENCE`; the match itself if it is not a reference."""
    if in_attribute and not reference.endswith(";"):
        # In an attribute `&copy=1` is a query string (13.2.5.73); the rare bare `&copy` is kept as well.
        return reference
    return html.unescape(reference)


def _markup(source: str, start: int, end: int, *, in_foreign: bool) -> HtmlToken | None:
    """The token that begins with the `<` at `start`; None if it is text."""
    following = source[start + 1 : start + 3]
    if match := _TAG.match(source, start, end):
        kind = TokenKind.END if match["slash"] else TokenKind.START
        if not match["end"]:
            return HtmlToken(TokenKind.OTHER, start, end)
        return HtmlToken(kind, start, match.end(), match["name"], bool(match["void"]))
    if source.startswith("<!--", start):
        return HtmlToken(TokenKind.OTHER, start, _comment_end(source, start, end))
    if in_foreign and source.startswith("<![CDATA[", start):
        return HtmlToken(TokenKind.OTHER, start, _after(source, "]]>", start, end))
    if following[:1] in ("!", "?") or (following[:1] == "/" and len(following) == 2):
        return HtmlToken(TokenKind.OTHER, start, _after(source, ">", start, end))
    return None


def _comment_end(source: str, start: int, end: int) -> int:
    for short in ("<!-->", "<!--->"):
        if source.startswith(short, start):
            return start + len(short)
    match = _COMMENT_END.search(source, start + 4, end)
    return match.end() if match else end


def _after(source: str, mark: str, start: int, end: int) -> int:
    found = source.find(mark, start, end)
    return end if found < 0 else found + len(mark)


def _raw_end(source: str, token: HtmlToken, end: int) -> int:
    if token.tag == "plaintext":
        return end
    match = re.compile(rf"</{token.tag}(?=[{_SPACE}/>])", re.IGNORECASE).search(source, token.end, end)
    return match.start() if match else end
