"""Rich text in JSON: a run of leaves and inline elements as one text, whose formatting becomes placeholders.

A run is written as a text with special marks, segmented like any other text, and the result is converted back to leaves
and elements. The marks are noncharacters, which no text contains.
"""

import copy
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from directus_assets.directus.models import JsonValue
from directus_assets.translation.segments.json_document import Path, at
from directus_assets.translation.segments.model import Ids
from directus_assets.translation.segments.pieces import Piece, Role
from directus_assets.translation.segments.styles import Style, Styling, is_code, renamed
from directus_assets.translation.segments.text_document import Builder, Chunk, TextDocument

_OPEN, _CLOSE, _IN, _OUT, _ATOM = "open", "close", "in", "out", "atom"
_MARK: Final = re.compile(r"\ufdd0(open|close|in|out|atom)(\d+)\ufdd1")
_NO_TEXT: Final = re.compile("[\ufdd0-\ufdef]")


@dataclass(frozen=True, kw_only=True)
class EditorDialect:
    """The format of one editor's rich text."""

    children: str
    """The member with a node's content."""
    styling: Styling
    is_leaf: Callable[[Any], bool]
    is_code: Callable[[Any], bool]
    """Whether a node, with its whole content, is code."""
    breaks: bool = False
    """Whether a line break in a leaf ends a block, as in Quill."""

    def inner(self, node: Any) -> list[Any] | None:
        """The content of an inline element; None if the node is not one."""
        found = node.get(self.children) if isinstance(node, dict) and not self.is_leaf(node) else None
        return found if isinstance(found, list) and not self.is_code(node) and any(map(self.is_leaf, found)) else None


@dataclass
class _Run:
    """A run, written as a text."""

    dialect: EditorDialect
    text: str = ""
    styles: list[Style] = field(default_factory=list)
    elements: list[Path] = field(default_factory=list)
    """Paths relative to the run's list; the same for atoms and leaves."""
    atoms: list[Path] = field(default_factory=list)
    leaves: list[Path] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    lines: list[list[Piece]] = field(default_factory=lambda: [[]])
    """The pieces of each block."""

    def write(self, nodes: Sequence[Any], path: Path = ()) -> "_Run":
        styling = self.dialect.styling
        for index, node in enumerate(nodes):
            here = (*path, index)
            if self.dialect.is_leaf(node) and not is_code(styles := styling.styles(node)):
                self.leaves.append(here)
                if node[styling.text_key]:
                    self._wear(styles, nodes[index + 1 :])
                    self._say(node[styling.text_key], styles)
            elif (inner := self.dialect.inner(node)) is not None:
                self._wear((), ())
                number = self._number(self.elements, here)
                self._add(Role.OPEN, _mark(_IN, number), name=f"element {number}")
                self.write(inner, (*here, self.dialect.children))
                self._wear((), ())
                self._add(Role.CLOSE, _mark(_OUT, number), name=f"element {number}")
            else:
                is_word = self.dialect.is_leaf(node) or not _is_break(node)
                self._add(Role.WORD if is_word else Role.BREAK, _mark(_ATOM, self._number(self.atoms, here)))
        if not path:
            self._wear((), ())
        return self

    def _say(self, text: str, styles: Sequence[Style]) -> None:
        if not self.dialect.breaks:
            self._add(Role.TEXT, text)
            return
        for part in re.split(r"(\n+)", text):
            if part.startswith("\n"):
                if any(style.name == "code-block" for style in styles):
                    self.lines[-1].clear()
                self.text += part
                self.lines.append([])
            elif part:
                self._add(Role.TEXT, part)

    def _wear(self, styles: Sequence[Style], following: Sequence[Any]) -> None:
        """Close and open styles until exactly these are open; those that stay open longer come first."""
        keep = 0
        while keep < len(self.opened) and self.styles[self.opened[keep]] in styles:
            keep += 1
        for number in reversed(self.opened[keep:]):
            self._add(Role.CLOSE, _mark(_CLOSE, number), name=f"style {number}")
        del self.opened[keep:]
        worn = [self.styles[number] for number in self.opened]
        for style in sorted((s for s in styles if s not in worn), key=lambda s: -self._reach(s, following)):
            number = self._number(self.styles, style)
            self._add(Role.OPEN, _mark(_OPEN, number), name=f"style {number}")
            self.opened.append(number)

    def _reach(self, style: Style, following: Sequence[Any]) -> int:
        for count, node in enumerate(following):
            if not self.dialect.is_leaf(node) or style not in self.dialect.styling.styles(node):
                return count
        return len(following)

    def _number(self, known: list[Any], new: Any) -> int:
        known.append(new)
        return len(known) - 1

    def _add(self, role: Role, text: str, name: str = "") -> None:
        start = len(self.text)
        self.text += text
        self.lines[-1].append(Piece(role, start, len(self.text), text if role is Role.TEXT else "", name=name))


@dataclass(frozen=True)
class RunPart:
    """A run as a part of a JSON document."""

    path: Path
    """The path of the list that contains the run."""
    document: TextDocument
    run: _Run
    is_new: bool = True

    @property
    def places(self) -> Iterable[Path]:
        """See `json_document.Part.places`."""
        key = self.run.dialect.styling.text_key
        return [(*self.path, *leaf, key) for leaf in self.run.leaves]

    def put(self, root: JsonValue, text: str) -> None:
        """See `json_document.Part.put`."""
        nodes = at(root, self.path)
        assert isinstance(nodes, list)  # noqa: S101 - the run was read from this list
        nodes[:] = _Reader(self.run, nodes).read(text)


class _Reader:
    """Parses the text of a run, or its translation, into leaves and elements."""

    def __init__(self, run: _Run, nodes: list[Any]) -> None:
        self._run = run
        self._nodes = nodes
        leaves: list[Any] = [copy.deepcopy(at(nodes, path)) for path in run.leaves]
        self._first: Any = leaves[0] if leaves else {}
        self._empty: Any = None
        self._like: dict[frozenset[Style], deque[Any]] = {}
        """The leaves with text by their styles: each is used once, the last one as often as needed."""
        for leaf in leaves:
            if leaf[run.dialect.styling.text_key]:
                self._like.setdefault(frozenset(run.dialect.styling.styles(leaf)), deque()).append(leaf)
            else:
                self._empty = self._empty or leaf
        self._used: set[int] = set()
        self._copies = 0

    def read(self, text: str) -> list[Any]:
        key = self._run.dialect.children
        worn: list[int] = []
        stack: list[list[Any]] = [[]]
        position = 0
        for match in [*_MARK.finditer(text), None]:
            if words := text[position : match.start() if match else len(text)]:
                stack[-1].append(self._leaf([self._run.styles[number] for number in worn], words))
            if match is None:
                break
            kind, number, position = match[1], int(match[2]), match.end()
            if kind == _OPEN:
                worn.append(number)
            elif kind == _CLOSE:
                worn.remove(number)
            elif kind == _IN:
                element = {**copy.deepcopy(self._node(self._run.elements[number])), key: []}
                stack[-1].append(element)
                stack.append(element[key])
            elif kind == _OUT:
                made = stack.pop()
                made[:] = self._padded(made, is_element=True)
            else:
                stack[-1].append(copy.deepcopy(self._node(self._run.atoms[number])))
        return self._padded(stack[0], is_element=False)

    def _node(self, path: Path) -> Any:
        return at(self._nodes, path)

    def _leaf(self, styles: Sequence[Style], text: str) -> dict[str, Any]:
        styling = self._run.dialect.styling
        found = self._like.get(frozenset(styles))
        like = (found.popleft() if len(found) > 1 else found[0]) if found else self._first
        made = styling.styled(like, styling.styles(like) if found else styles, text)
        if found and id(like) not in self._used:
            self._used.add(id(like))
            return made
        self._copies += 1
        return renamed(made, self._copies)

    def _padded(self, made: list[Any], *, is_element: bool) -> list[Any]:
        """Add the empty leaves that Slate requires around elements, if the run had them, and in empty elements."""
        styling = self._run.dialect.styling
        empty = self._empty
        if empty is None:
            if made or not is_element:
                return made
            empty = styling.styled(self._first, (), "")
        padded: list[Any] = []
        for node in [*made, None]:
            is_leaf = node is not None and self._run.dialect.is_leaf(node)
            if not is_leaf and (not padded or not self._run.dialect.is_leaf(padded[-1])):
                padded.append(copy.deepcopy(empty))
            if node is not None:
                padded.append(node)
        return padded


class _LeafSpelling:
    """Writes the texts of leaves, which need no escaping."""

    def __init__(self, source: str, pieces: Sequence[Piece]) -> None:
        pass

    def write(self, chunks: Sequence[Chunk]) -> str:
        """See `text_document.Spelling.write`."""
        return "".join(_NO_TEXT.sub("", chunk.text) if chunk.role is Role.TEXT else chunk.text for chunk in chunks)


def cut_run(nodes: Sequence[Any], path: Path, dialect: EditorDialect, ids: Ids, context: str) -> RunPart | None:
    """A run as one text; None if its texts contain our marks."""
    run = _Run(dialect).write(nodes)
    if any(_NO_TEXT.search(piece.text) for line in run.lines for piece in line):
        return None
    builder = Builder(run.text)
    for line in run.lines:
        builder.add(line, context, _LeafSpelling)
    return RunPart(path, TextDocument(run.text, builder.cuts(ids)), run)


def _mark(kind: str, number: int) -> str:
    return f"\ufdd0{kind}{number}\ufdd1"


def _is_break(node: Any) -> bool:
    """Whether a node replaces no word: a line break, a picture."""
    return not isinstance(node, dict) or bool(
        re.search(
            r"break|image|img|tab|embed|comment|media", str(node.get("type") or node.get("_type") or ""), re.IGNORECASE
        )
    )
