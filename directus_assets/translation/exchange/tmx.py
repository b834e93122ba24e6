"""Translations as TMX 1.4, the common format of translation tools.

Our placeholders become TMX inline elements: `<g1>` a `bpt`, `</g1>` its `ept`, `<x2/>` a `ph`. A character that XML
cannot represent becomes a `ph` of the type `x-character`. In files from other tools, inline elements become
placeholders numbered in source order.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import IO, Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from directus_assets.errors import BadInput
from directus_assets.translation.exchange.units import BrokenOff, Exchanged, NotTaken
from directus_assets.translation.segments.notation import PLACEHOLDER

_NO_XML: Final = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_SPECIAL: Final = re.compile(f"{PLACEHOLDER.pattern}|(?P<character>{_NO_XML.pattern})")
_CHARACTER: Final = "x-character"
_KIND, _MADE_BY = "x-kind", "x-made-by"
_CHUNK: Final = 2**16
_ANY_SOURCE: Final = "*all*"
_PAIR: Final = "pair"

_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4">
<header creationtool="directus-assets" creationtoolversion={version} segtype="block" o-tmf="directus-assets" \
adminlang="en" srclang="*all*" datatype="plaintext"/>
<body>
"""
_TAIL: Final = "</body>\n</tmx>\n"


def write_tmx(units: Iterable[Exchanged], file: IO[bytes]) -> None:
    """Write the units as one document."""
    file.write(_HEAD.format(version=quoteattr(version("directus-assets"))).encode())
    for unit in units:
        file.write(_written(unit).encode())
    file.write(_TAIL.encode())


def read_tmx(file: IO[bytes]) -> Iterator[Exchanged | NotTaken]:
    """The translations in a document: one for each language besides the source's.

    Translation memories declare no entities; parsing stops at a document that does.

    Raises:
        BrokenOff: the file stops being valid XML at some point.
    """
    reader = _Reader()
    fault = ""
    is_done = False
    while not is_done:
        chunk = file.read(_CHUNK)
        try:
            reader.parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            fault = f"The file cannot be read from line {error.lineno} on: {expat.ErrorString(error.code)}."
        except (LookupError, ValueError) as error:  # an encoding that Python lacks, or with several bytes per character
            fault = f"The file is in an encoding that cannot be read: {error}."
        is_done = not chunk or bool(fault)
        yield from reader.units()
    if fault:
        raise BrokenOff(fault, remedy="Export it again, in UTF-8.")
    if not reader.is_tmx:
        raise BrokenOff("The file is no TMX.", remedy="Choose a file of that format, or name another with --format.")


def _written(unit: Exchanged) -> str:
    lines = [f"<tu srclang={quoteattr(unit.source_language)}>"]
    properties = {_KIND: unit.kind, _MADE_BY: unit.made_by}
    lines += [
        f'<prop type="{name}">{_escaped(value)}</prop>'
        for name, value in properties.items()
        if value and not _NO_XML.search(value)
    ]
    for code, text in ((unit.source_language, unit.source), (unit.target_language, unit.translation)):
        lines.append(f"<tuv xml:lang={quoteattr(code)}><seg>{_segment(text)}</seg></tuv>")
    return "\n".join([*lines, "</tu>\n"])


def _segment(text: str) -> str:
    parts, position = [], 0
    closed = {match["number"] for match in PLACEHOLDER.finditer(text) if match["kind"] == "g" and match["slash"]}
    opened: set[str] = set()
    for match in _SPECIAL.finditer(text):
        parts += [_escaped(text[position : match.start()]), _element(match, opened, closed)]
        position = match.end()
    return "".join([*parts, _escaped(text[position:])])


def _element(match: re.Match[str], opened: set[str], closed: set[str]) -> str:
    """The XML for a placeholder, or for a character that XML cannot represent."""
    if character := match["character"]:
        return f'<ph type="{_CHARACTER}">U+{ord(character):04X}</ph>'
    number, content = match["number"], escape(match[0])
    is_pair = match["kind"] == "g" and not match["single"]
    if is_pair and match["slash"] and number in opened:
        return f'<ept i="{number}">{content}</ept>'
    if is_pair and not match["slash"] and number in closed and number not in opened:
        opened.add(number)
        return f'<bpt i="{number}" x="{number}">{content}</bpt>'
    return f'<ph x="{number}">{content}</ph>'


def _escaped(text: str) -> str:
    # A carriage return would be read back as a line feed.
    return escape(text, {"\r": "&#13;"})


@dataclass
class _Inline:
    """An inline element: its name and its content."""

    name: str
    attributes: Mapping[str, str]
    content: str = ""


@dataclass
class _Variant:
    """A text in one language: characters and inline elements in sequence."""

    language: str
    parts: list[str | _Inline] = field(default_factory=list)


@dataclass
class _Group:
    """A `tu` element."""

    number: int
    source_language: str
    variants: list[_Variant] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    fault: str = ""


class _Reader:
    """Converts parser events to units."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._refuse_entity
        self.parser.SkippedEntityHandler = self._skip_entity
        self.is_tmx = False
        self._found: list[Exchanged | NotTaken] = []
        self._number = 0
        self._source_language = _ANY_SOURCE
        self._group: _Group | None = None
        self._property: str | None = None
        self._is_in_segment = False
        self._inline: list[_Inline] = []
        self._elements = 0

    def units(self) -> list[Exchanged | NotTaken]:
        """The units read since the last call."""
        found, self._found = self._found, []
        return found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "tmx":
            self.is_tmx = True
        elif name == "header":
            self._source_language = attributes.get("srclang", _ANY_SOURCE)
        elif name == "tu":
            self._number += 1
            self._group = _Group(self._number, attributes.get("srclang", self._source_language))
        elif self._group is None:
            return
        elif name == "tuv":
            self._group.variants.append(_Variant(attributes.get("xml:lang") or attributes.get("lang", "")))
        elif name == "prop" and not self._group.variants:
            self._property = attributes.get("type", "")
            self._group.properties[self._property] = ""
        elif name == "seg":
            self._is_in_segment = True
        elif self._is_in_segment:
            self._start_inline(name, attributes)

    def _start_inline(self, name: str, attributes: dict[str, str]) -> None:
        if self._group is None or not self._group.variants:
            return
        if name == "sub":
            self._group.fault = "It has a text inside of markup (sub)."
        self._elements += 1
        # An element around text carries no number to match its end by.
        inline = _Inline(name, {**attributes, "i": f"hi {self._elements}"} if name == "hi" else attributes)
        if self._is_between_elements:
            self._group.variants[-1].parts.append(inline)
        self._inline.append(inline)

    @property
    def _is_between_elements(self) -> bool:
        return not self._inline or self._inline[-1].name == "hi"

    def _end(self, name: str) -> None:
        if name == "tu" and self._group:
            self._found += _units_of(self._group)
            self._group = None
        elif name == "prop":
            self._property = None
        elif name == "seg":
            self._is_in_segment = False
            self._inline.clear()
        elif self._inline and self._group:
            inline = self._inline.pop()
            if inline.name == "hi":
                self._group.variants[-1].parts.append(_Inline("ept", inline.attributes))

    def _text(self, text: str) -> None:
        if self._group is None:
            return
        if self._property is not None:
            self._group.properties[self._property] += text
        elif self._is_in_segment and self._group.variants:
            if self._is_between_elements:
                self._group.variants[-1].parts.append(text)
            else:
                self._inline[-1].content += text

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise BrokenOff(
            f"The file declares an entity ('{name[:40]}'), which no translation memory needs.",
            remedy="Export it without a document type of its own.",
        )

    def _skip_entity(self, name: str, is_parameter: bool) -> None:
        if self._group and not is_parameter:
            self._group.fault = f"It has an entity that is not declared: &{name};."


def _units_of(group: _Group) -> Iterator[Exchanged | NotTaken]:
    """The translations of a group."""
    variants = group.variants
    wanted = group.source_language.lower()
    sources = [each for each in variants if each.language.lower() == wanted] or [
        each for each in variants if each.language.lower().partition("-")[0] == wanted.partition("-")[0]
    ]
    if group.source_language in ("", _ANY_SOURCE):
        sources = variants[:1]
    fault = group.fault
    if not fault and len(variants) < 2:
        fault = "It has fewer than two languages."
    elif not fault and not sources:
        fault = f"It has no text in its source language, '{group.source_language}'."
    if fault:
        yield NotTaken(group.number, fault)
        return
    source = sources[0]
    marks = _Marks.of(source)
    for each in variants:
        if each is source:
            continue
        try:
            text, translation = marks.text(source), marks.text(each)
        except BadInput as error:
            yield NotTaken(group.number, error.message)
            continue
        yield Exchanged(
            number=group.number,
            source_language=source.language,
            target_language=each.language,
            source=text,
            translation=translation,
            kind=group.properties.get(_KIND, ""),
            made_by=group.properties.get(_MADE_BY, ""),
        )


_Name = tuple[str, str, int]
"""Identifies an inline element in the other language: its type, its content, and its position among equal ones."""


@dataclass(frozen=True)
class _Marks:
    """The placeholders for the inline elements of a group."""

    numbers: Mapping[_Name, int]
    are_ours: bool

    @classmethod
    def of(cls, source: _Variant) -> "_Marks":
        found = [each for each in source.parts if isinstance(each, _Inline) and not _is_character(each)]
        are_ours = all(PLACEHOLDER.fullmatch(each.content) for each in found)
        names = [name for each, name in _named(source) if each.name != "ept"]
        return cls({name: number for number, name in enumerate(names, 1)}, are_ours)

    def text(self, variant: _Variant) -> str:
        """The text of a variant with placeholders.

        Raises:
            BadInput: it contains elements that its source does not have.
        """
        names = {id(each): name for each, name in _named(variant)}
        return "".join(
            part if isinstance(part, str) else self._placeholder(part, names.get(id(part))) for part in variant.parts
        )

    def _placeholder(self, inline: _Inline, name: _Name | None) -> str:
        if _is_character(inline):
            return _character(inline.content)
        if self.are_ours and PLACEHOLDER.fullmatch(inline.content):
            return inline.content
        number = self.numbers.get(name) if name else None
        if number is None or self.are_ours:
            raise BadInput(f"The translation has markup that the source does not have: {inline.content or inline.name}")
        if name and name[0] != _PAIR:
            return f"<x{number}/>"
        return f"</g{number}>" if inline.name == "ept" else f"<g{number}>"


def _named(variant: _Variant) -> Iterator[tuple[_Inline, _Name]]:
    """The inline elements with the name shared by both languages; an end is named like its start."""
    opened: dict[str, _Name] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for each in variant.parts:
        if isinstance(each, str) or _is_character(each):
            continue
        if each.name == "ept":
            if name := opened.get(each.attributes.get("i", "")):
                yield each, name
            continue
        sort = _PAIR if each.name in ("bpt", "hi") else "single"
        says = each.attributes.get("x") or f"{each.name} {each.content}"
        seen[sort, says] += 1
        name = (sort, says, seen[sort, says])
        if sort == _PAIR:
            opened[each.attributes.get("i", "")] = name
        yield each, name


def _is_character(inline: _Inline) -> bool:
    return inline.name == "ph" and inline.attributes.get("type") == _CHARACTER


def _character(named: str) -> str:
    """The character for `U+000B`.

    Raises:
        BadInput: the character does not exist.
    """
    try:
        return chr(int(named.strip().removeprefix("U+"), 16))
    except (ValueError, OverflowError):
        raise BadInput(f"There is no character '{named[:40]}'.") from None
