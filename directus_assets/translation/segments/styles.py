"""The formatting of text in editors' JSON: read from a leaf, and applied to a leaf with another text.

A leaf is the smallest object with text, such as `{"text": "bold", "marks": [{"type": "bold"}]}`. Its formatting is a
list of styles, each with a value of its own: bold, or a link with its address.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

Node: TypeAlias = Mapping[str, Any]

_IDENTITY: Final = ("id", "key", "_key")
"""Members that identify a leaf; they must be unique."""
_CODE: Final = frozenset({"code", "inlinecode", "inline_code", "code-inline", "kbd"})
_LEXICAL_CODE: Final = 16


class Style(NamedTuple):
    """One style of a leaf: its name, and its value as JSON."""

    name: str
    value: str


class Styling(Protocol):
    """The formatting of one editor."""

    @property
    def text_key(self) -> str:
        """The member with the text of a leaf."""

    def styles(self, leaf: Node) -> list[Style]:
        """The styles of a leaf."""

    def styled(self, leaf: Node, styles: Sequence[Style], text: str) -> dict[str, Any]:
        """The leaf with exactly these styles and this text."""


def is_code(styles: Sequence[Style]) -> bool:
    """Whether a leaf with these styles is code, which stays as it is."""
    return any(style.name.lower() in _CODE for style in styles)


def renamed(leaf: dict[str, Any], number: int) -> dict[str, Any]:
    """A copy of a leaf with an identity of its own."""
    for name in _IDENTITY:
        if isinstance(leaf.get(name), str):
            leaf[name] = f"{leaf[name]}-{number}"
    return leaf


@dataclass(frozen=True)
class Marks:
    """ProseMirror and TipTap: `marks: [{"type": "bold"}]`; Portable Text: `marks: ["strong", "<key of a link>"]`."""

    keeps_empty: bool
    text_key: str = "text"

    def styles(self, leaf: Node) -> list[Style]:
        marks = leaf.get("marks")
        return [Style(_name(mark), _spelled(mark)) for mark in (marks if isinstance(marks, list) else [])]

    def styled(self, leaf: Node, styles: Sequence[Style], text: str) -> dict[str, Any]:
        made = {**copy.deepcopy(dict(leaf)), "text": text}
        if self.styles(leaf) == list(styles):
            return made
        made["marks"] = [json.loads(style.value) for style in styles]
        if not styles and not self.keeps_empty:
            del made["marks"]
        return made


@dataclass(frozen=True)
class Flags:
    """Slate: `{"text": "…", "bold": true}`; every other member is a style."""

    text_key: str = "text"

    def styles(self, leaf: Node) -> list[Style]:
        return [
            Style(name, _spelled(value))
            for name, value in leaf.items()
            if name not in ("text", "type", *_IDENTITY) and value not in (None, False, "")
        ]

    def styled(self, leaf: Node, styles: Sequence[Style], text: str) -> dict[str, Any]:
        own = {style.name for style in self.styles(leaf)}
        made = {name: copy.deepcopy(value) for name, value in leaf.items() if name not in own}
        return {**made, "text": text, **{style.name: json.loads(style.value) for style in styles}}


@dataclass(frozen=True)
class Bits:
    """Lexical: `format` is a sum of powers of two, `style` is CSS, and `type` may be a text of another kind."""

    text_key: str = "text"

    def styles(self, leaf: Node) -> list[Style]:
        format_ = leaf.get("format")
        bits = format_ if isinstance(format_, int) else 0
        found = [
            Style("code" if 1 << bit == _LEXICAL_CODE else "format", str(1 << bit))
            for bit in range(bits.bit_length())
            if bits >> bit & 1
        ]
        return found + [
            Style(name, _spelled(leaf[name])) for name in ("style", "type") if leaf.get(name) not in (None, "", "text")
        ]

    def styled(self, leaf: Node, styles: Sequence[Style], text: str) -> dict[str, Any]:
        made = {**copy.deepcopy(dict(leaf)), "text": text}
        if self.styles(leaf) == list(styles):
            return made
        named = {style.name: json.loads(style.value) for style in styles}
        made["format"] = sum(int(style.value) for style in styles if style.name in ("format", "code"))
        return {**made, "style": named.get("style", ""), "type": named.get("type", "text")}


@dataclass(frozen=True)
class Attributes:
    """Quill: `{"insert": "…", "attributes": {"bold": true}}`."""

    text_key: str = "insert"

    def styles(self, leaf: Node) -> list[Style]:
        attributes = leaf.get("attributes")
        return [
            Style(name, _spelled(value)) for name, value in (attributes if isinstance(attributes, dict) else {}).items()
        ]

    def styled(self, leaf: Node, styles: Sequence[Style], text: str) -> dict[str, Any]:
        made = {**copy.deepcopy(dict(leaf)), "insert": text}
        if self.styles(leaf) == list(styles):
            return made
        made["attributes"] = {style.name: json.loads(style.value) for style in styles}
        if not styles:
            del made["attributes"]
        return made


def _name(mark: Any) -> str:
    return str(mark.get("type")) if isinstance(mark, dict) else str(mark)


def _spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
