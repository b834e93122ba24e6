"""XLIFF 2.1, the exchange format of translation agencies: a `<file>` for each item, a `<group>` for each field, and a
`<unit>` for each segment.

A unit may come back split into sentences; its segments still form one text. Placeholders are inline codes: `<g1>…</g1>`
is `<pc id="1">`, and `<x2/>` is `<ph id="2"/>`. Source:
https://docs.oasis-open.org/xliff/xliff-core/v2.1/xliff-core-v2.1.html
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from itertools import groupby
from typing import Final
from urllib.parse import quote, unquote

from directus_assets.errors import BadInput
from directus_assets.translation.segments.model import SegmentTag
from directus_assets.translation.segments.notation import PLACEHOLDER

_CORE: Final = "urn:oasis:names:tc:xliff:document:2.0"
_METADATA: Final = "urn:oasis:names:tc:xliff:metadata:2.0"
_SIZES: Final = "urn:oasis:names:tc:xliff:sizerestriction:2.0"
_OURS: Final = "directus-assets"
"""The category of our own metadata."""

_DEEPEST: Final = 60
"""Maximum nesting of elements: more than any tool writes."""
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER: Final = re.compile("[0-9]{1,6}")


@dataclass(frozen=True, kw_only=True, slots=True)
class XliffUnit:
    """One segment.

    Attributes:
        id: the number of its field in the file, a dot, and the segment's own id.
        field: the name of its field.
        source: its text, with placeholders.
        codes: the content of the placeholders.
        target: its translation, with placeholders; empty if there is none.
        is_confirmed: whether a translator has marked the translation as done.
        digest: of the target text at export; empty if the file does not (or no longer) contain it.
        is_context: whether it is for reading only.
        longest: the maximum length of its translation in characters.
        notes: notes for the translator, each with its category.
        legend: the meaning of the codes, by names such as `g1` or `x2`.
        defect: why its translation cannot be read; empty if it can.
    """

    id: str
    field: str
    source: str = ""
    codes: tuple[SegmentTag, ...] = ()
    target: str = ""
    is_confirmed: bool = False
    digest: str = ""
    is_context: bool = False
    longest: int | None = None
    notes: tuple[tuple[str, str], ...] = ()
    legend: Mapping[str, str] = attribute(default_factory=dict)
    defect: str = ""

    @property
    def segment(self) -> str:
        """The segment's id."""
        return self.id.partition(".")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class XliffFile:
    """One item: the name of the translations (`posts`, `posts.seo`), its key, and its title."""

    collection: str
    item: str
    title: str = ""
    units: tuple[XliffUnit, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the XML."""
        return f"{quote(self.collection, safe='')}/{quote(self.item, safe='')}"


@dataclass(frozen=True, kw_only=True, slots=True)
class XliffDocument:
    """Items in one language, to be translated into another; both as BCP 47 tags."""

    source: str
    target: str
    files: tuple[XliffFile, ...]


def write_xliff(document: XliffDocument) -> bytes:
    """Serialise the document as XLIFF 2.1, in UTF-8."""
    root = ET.Element(
        "xliff",
        {
            "xmlns": _CORE,
            "xmlns:mda": _METADATA,
            "xmlns:slr": _SIZES,
            "version": "2.1",
            "srcLang": document.source,
            "trgLang": document.target,
        },
    )
    root.text = "\n"
    for number, file in enumerate(document.files, 1):
        _add_file(root, file, number)
    # A parser turns a bare carriage return into a line feed.
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written.replace(b"\r", b"&#13;")


def read_xliff(data: bytes) -> XliffDocument:
    """Parse an XLIFF 2.0 or 2.1 file that we exported, whoever has edited it since.

    Raises:
        BadInput: the file has a different format, declares a document type (entities), or is nested too deeply.
    """
    parser = ET.XMLParser(target=_SafeBuilder())  # noqa: S314 - see there
    try:
        parser.feed(data)
        root = parser.close()
    except (ET.ParseError, LookupError, ValueError) as error:
        raise BadInput(f"This is no well-formed XML: {error}.", remedy="Have it exported as XLIFF 2.1 again.") from None
    if root.tag != _in_core("xliff") or root.get("version") not in ("2.0", "2.1"):
        version = f"version {root.get('version')}" if root.tag.endswith("}xliff") else f"<{root.tag[:80]}>"
        raise BadInput(f"This is no XLIFF 2.0 or 2.1, but {version}.", remedy="Have it exported as XLIFF 2.1.")
    files = [_read_file(file) for file in root.findall(_in_core("file"))]
    return XliffDocument(source=root.get("srcLang", ""), target=root.get("trgLang", ""), files=tuple(files))


class _SafeBuilder(ET.TreeBuilder):
    """Rejects document types: without one there are no entities, neither external nor recursive ones."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002
        raise BadInput("The file declares a document type.", remedy="XLIFF has none; have it exported without.")

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadInput("The file is nested too deeply.", remedy="Have it exported as XLIFF 2.1 again.")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ET.Element:
        self._depth -= 1
        return super().end(tag)


def _in_core(name: str) -> str:
    return f"{{{_CORE}}}{name}"


def _add(parent: ET.Element, tag: str, /, **attributes: str) -> ET.Element:
    """Add an element on a new line."""
    element = ET.SubElement(parent, tag, attributes)
    element.tail = "\n"
    return element


def _add_file(root: ET.Element, file: XliffFile, number: int) -> None:
    element = _add(root, "file", id=str(number), original=file.name)
    element.set("xml:space", "preserve")
    element.text = "\n"
    _add(element, "slr:profiles", generalProfile="xliff:codepoints")
    if file.title:
        _add_notes(element, [("item", file.title)])
    for index, (name, units) in enumerate(groupby(file.units, key=lambda unit: unit.field), 1):
        group = _add(element, "group", id=str(index), name=_printable(name))
        group.text = "\n"
        for unit in units:
            _add_unit(group, unit)


def _add_unit(group: ET.Element, unit: XliffUnit) -> None:
    element = _add(group, "unit", id=unit.id)
    element.text = "\n"
    if unit.is_context:
        element.set("translate", "no")
    if unit.longest is not None:
        element.set("slr:sizeRestriction", str(unit.longest))
    metadata = ET.SubElement(_add(element, "mda:metadata"), "mda:metaGroup", category=_OURS)
    ET.SubElement(metadata, "mda:meta", type="target").text = unit.digest
    _add_notes(element, unit.notes)
    if unit.codes:
        _add_codes(_add(element, "originalData"), unit.codes)
    segment = _add(element, "segment", id="s1", state="initial")
    _fill(_add(segment, "source"), unit.source, unit)
    if unit.target:
        _fill(_add(segment, "target"), unit.target, unit)


def _add_notes(element: ET.Element, notes: Iterable[tuple[str, str]]) -> None:
    if found := list(notes):
        parent = _add(element, "notes")
        for category, text in found:
            _add(parent, "note", category=category).text = _printable(text)


def _printable(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


def _add_codes(element: ET.Element, codes: Iterable[SegmentTag]) -> None:
    for code in codes:
        _say(ET.SubElement(element, "data", id=f"d{code.number}"), code.opening)
        if code.paired:
            _say(ET.SubElement(element, "data", id=f"e{code.number}"), code.closing)


def _fill(element: ET.Element, text: str, unit: XliffUnit) -> None:
    """Set the text of an element; placeholders become inline codes."""
    within = [element]
    position = 0
    for mark in PLACEHOLDER.finditer(text):
        _say(within[-1], text[position : mark.start()])
        position = mark.end()
        number = mark["number"]
        fixed = {"id": number, "canCopy": "no", "canDelete": "no"}
        meaning = _printable(unit.legend.get(f"{mark['kind']}{number}", ""))
        if mark["single"]:
            shown = {"disp": meaning} if meaning else {}
            ET.SubElement(within[-1], "ph", {**fixed, "dataRef": f"d{number}", **shown})
        elif mark["slash"]:
            within.pop()
        else:
            shown = {"dispStart": meaning} if meaning else {}
            data = {"dataRefStart": f"d{number}", "dataRefEnd": f"e{number}"}
            within.append(ET.SubElement(within[-1], "pc", {**fixed, **data, **shown}))
    _say(within[-1], text[position:])


def _say(element: ET.Element, text: str) -> None:
    """Append text; characters that XML cannot represent become `<cp>`."""
    position = 0
    for match in _NO_XML.finditer(text):
        _say_plainly(element, text[position : match.start()])
        ET.SubElement(element, "cp", hex=f"{ord(match[0]):04X}")
        position = match.end()
    _say_plainly(element, text[position:])


def _say_plainly(element: ET.Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _read_file(file: ET.Element) -> XliffFile:
    collection, _, item = file.get("original", "").partition("/")
    units = tuple(_read_unit(unit, name) for unit, name in _units_in(file, ""))
    return XliffFile(collection=unquote(collection), item=unquote(item), units=units)


def _units_in(element: ET.Element, name: str) -> Iterator[tuple[ET.Element, str]]:
    """All units, each with the name of its group."""
    for child in element:
        if child.tag == _in_core("unit"):
            yield child, name
        elif child.tag == _in_core("group"):
            yield from _units_in(child, child.get("name", name))


def _read_unit(unit: ET.Element, name: str) -> XliffUnit:
    meta = unit.find(f".//{{{_METADATA}}}metaGroup[@category='{_OURS}']/{{{_METADATA}}}meta[@type='target']")
    segments = unit.findall(_in_core("segment"))
    target, defect = "", ""
    try:
        target = _target_of(unit, segments)
    except _Unreadable as error:
        defect = str(error)
    return XliffUnit(
        id=unit.get("id", ""),
        field=name,
        target=target,
        is_confirmed=all(segment.get("state", "initial") != "initial" for segment in segments),
        digest=(meta.text or "") if meta is not None else "",
        is_context=unit.get("translate") == "no",
        defect=defect,
    )


class _Unreadable(Exception):
    """A target that is not text with our codes."""


def _target_of(unit: ET.Element, segments: Sequence[ET.Element]) -> str:
    missing = [segment for segment in segments if segment.find(_in_core("target")) is None]
    if len(missing) == len(segments):
        return ""
    if missing:
        raise _Unreadable(f"{len(missing)} of its {len(segments)} segments have no translation.")
    parts = [part for part in unit if part.tag in (_in_core("segment"), _in_core("ignorable"))]
    texts: list[tuple[int, str]] = []
    for place, part in enumerate(parts, 1):
        target = part.find(_in_core("target"))
        text = target if target is not None else part.find(_in_core("source"))
        order = target.get("order") if target is not None else None
        if order and not _NUMBER.fullmatch(order):
            raise _Unreadable(f"A segment has the order '{order[:20]}', which is no number.")
        texts.append((int(order) if order else place, "" if text is None else _said(text)))
    return "".join(text for _, text in sorted(texts, key=lambda pair: pair[0]))


def _said(element: ET.Element) -> str:
    """The content of an element with text and inline codes, in our notation."""
    parts = [element.text or ""]
    for child in element:
        match child.tag.removeprefix(f"{{{_CORE}}}"):
            case "ph":
                parts.append(f"<x{_number(child, 'id')}/>")
            case "pc":
                number = _number(child, "id")
                parts.append(f"<g{number}>{_said(child)}</g{number}>")
            case "sc":
                parts.append(f"<g{_number(child, 'id')}>")
            case "ec":
                parts.append(f"</g{_number(child, 'startRef' if 'startRef' in child.attrib else 'id')}>")
            case "cp":
                parts.append(_character(child.get("hex", "")))
            case "mrk":
                parts.append(_said(child))
            case "sm" | "em":
                pass
            case other:
                raise _Unreadable(f"It holds <{other[:80]}>, which is no inline element of XLIFF.")
        parts.append(child.tail or "")
    return "".join(parts)


def _number(code: ET.Element, name: str) -> str:
    number = code.get(name, "")
    if not _NUMBER.fullmatch(number):
        raise _Unreadable(f"It holds the code '{number[:80]}', which the source does not have.")
    return number


def _character(digits: str) -> str:
    try:
        return chr(int(digits, 16))
    except (ValueError, OverflowError):
        raise _Unreadable(f"It holds the character '{digits[:20]}', which there is not.") from None
