"""Rich-text editors' JSON documents, recognised by their structure: ProseMirror and TipTap, Slate, Lexical, Portable
Text, Quill and Editor.js.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from directus_assets.directus.models import JsonValue
from directus_assets.translation.segments.blocks import find_blocks, is_blocks
from directus_assets.translation.segments.json_document import Found, Kept, Path, children
from directus_assets.translation.segments.members import find_texts
from directus_assets.translation.segments.model import Ids
from directus_assets.translation.segments.rich_text import EditorDialect, cut_run
from directus_assets.translation.segments.styles import Attributes, Bits, Flags, Marks, is_code

_CODE: Final = re.compile(r"code(?:[-_]?(?:block|line|highlight))?|pre", re.IGNORECASE)
_HEADING: Final = re.compile(r"h(?:eading|eader|[1-6])", re.IGNORECASE)
_ITEM: Final = re.compile(
    r"li(?:st)?[-_]?item(?:[-_]?child)?|li|lic|check[-_]?list[-_]?item|task[-_]?item", re.IGNORECASE
)
_STYLES_OF_SLATE: Final = re.compile(
    r"(?:color|size|family|weight|height|align|style|background|highlight|id|key|class(?:name)?)$", re.IGNORECASE
)
"""Members of a Slate leaf that describe formatting in words; all its other formatting members are booleans."""
_MENTION: Final = re.compile("mention", re.IGNORECASE)


def _type(node: Any) -> str:
    return str(node.get("type") or node.get("_type") or "") if isinstance(node, dict) else ""


def _is_code(node: Any) -> bool:
    return bool(_CODE.fullmatch(_type(node)))


def _is_text_node(node: Any) -> bool:
    return isinstance(node, dict) and node.get("type") == "text" and isinstance(node.get("text"), str)


def _is_span(node: Any) -> bool:
    return isinstance(node, dict) and node.get("_type") == "span" and isinstance(node.get("text"), str)


def _is_slate_leaf(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and isinstance(node.get("text"), str)
        and "children" not in node
        and all(
            _STYLES_OF_SLATE.search(name) or value is None or isinstance(value, (bool, int, float))
            for name, value in node.items()
            if name != "text"
        )
    )


def _is_lexical_leaf(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("text"), str) and "format" in node and "children" not in node


PROSEMIRROR: Final = EditorDialect(
    children="content", styling=Marks(keeps_empty=False), is_leaf=_is_text_node, is_code=_is_code
)
PORTABLE_TEXT: Final = EditorDialect(
    children="children", styling=Marks(keeps_empty=True), is_leaf=_is_span, is_code=_is_code
)
SLATE: Final = EditorDialect(children="children", styling=Flags(), is_leaf=_is_slate_leaf, is_code=_is_code)
LEXICAL: Final = EditorDialect(children="children", styling=Bits(), is_leaf=_is_lexical_leaf, is_code=_is_code)
QUILL: Final = EditorDialect(
    children="ops",
    styling=Attributes(),
    is_leaf=lambda node: isinstance(node, dict) and isinstance(node.get("insert"), str),
    is_code=lambda _node: False,
    breaks=True,
)


def documents(value: JsonValue, path: Path, ids: Ids) -> Found | None:
    """The texts of `value` if it is an editor's document; else None."""
    if is_blocks(value) and isinstance(value, dict) and "entityMap" not in value:
        return find_blocks(value, path, ids, documents)
    dialect = _dialect(value)
    return _nodes(value, path, ids, dialect) if dialect else None


def find_documents(value: JsonValue, ids: Ids, path: Path) -> Found:
    """The texts of all editor documents in a value, and nothing else in it."""
    if (found := documents(value, path, ids)) is not None:
        yield from found
    elif below := children(value):
        for step, child in below:
            yield from find_documents(child, ids, (*path, step))
    else:
        yield Kept(path)


def _dialect(value: JsonValue) -> EditorDialect | None:
    """The editor of a document; None if it is not one."""
    if isinstance(value, dict):
        return _dialect_of_object(value)
    if not isinstance(value, list) or not value or not all(isinstance(node, dict) for node in value):
        return None
    if any(
        node.get("_type") == "block" and isinstance(node.get("children"), list)
        for node in value
        if isinstance(node, dict)
    ):
        return PORTABLE_TEXT
    if _holds(value, PROSEMIRROR) and all(_type(node) and not _is_text_node(node) for node in value):
        return PROSEMIRROR
    return (
        SLATE if all(isinstance(node, dict) and _is_element(node) for node in value) and _holds(value, SLATE) else None
    )


def _dialect_of_object(value: dict[str, Any]) -> EditorDialect | None:
    root = value.get("root")
    if isinstance(root, dict) and isinstance(root.get("children"), list) and _type(root) in ("root", ""):
        return LEXICAL if _holds([root], LEXICAL) or not _holds([root], SLATE) else SLATE
    if _type(value) == "doc" or (
        isinstance(value.get("content"), list) and _type(value) and _holds([value], PROSEMIRROR)
    ):
        return PROSEMIRROR if isinstance(value.get("content"), list) else None
    if isinstance(value.get("ops"), list) and all(isinstance(op, dict) and "insert" in op for op in value["ops"]):
        return QUILL
    if isinstance(value.get("children"), list) and _is_element(value):
        if _holds([value], LEXICAL):
            return LEXICAL
        if _holds([value], SLATE):
            return SLATE
    return None


def _is_element(node: dict[str, Any]) -> bool:
    return (
        isinstance(node.get("children"), list)
        and "text" not in node
        and ("type" in node or node.keys() <= {"children", "id", "key"})
    )


def _holds(nodes: list[Any], dialect: EditorDialect) -> bool:
    """Whether these nodes contain a leaf of this editor."""
    return any(
        dialect.is_leaf(node)
        or (
            isinstance(node, dict) and _holds(inner, dialect)
            if isinstance(inner := _inner(node, dialect), list)
            else False
        )
        for node in nodes
    )


def _inner(node: Any, dialect: EditorDialect) -> Any:
    return node.get(dialect.children) if isinstance(node, dict) else None


def _nodes(value: JsonValue, path: Path, ids: Ids, dialect: EditorDialect, context: str = "text") -> Found:
    """The texts of a node, or of a list of nodes."""
    if isinstance(value, list):
        yield from _list(value, path, ids, dialect, context)
    elif _is_code(value) or _MENTION.search(_type(value)):
        yield Kept(path)
    elif isinstance(value, dict):
        yield from _members(value, path, ids, dialect)
        inner = value.get(dialect.children)
        if isinstance(inner, list):
            yield from _list(inner, (*path, dialect.children), ids, dialect, _context(value, context))
        elif "root" in value:
            yield from _nodes(value["root"], (*path, "root"), ids, dialect)


def _list(nodes: list[Any], path: Path, ids: Ids, dialect: EditorDialect, context: str) -> Found:
    if not any(map(dialect.is_leaf, nodes)):
        for index, node in enumerate(nodes):
            yield from _nodes(node, (*path, index), ids, dialect, context)
        return
    if part := cut_run(nodes, path, dialect, ids, context):
        yield part
    yield from _inside(nodes, path, ids, dialect)


def _inside(nodes: list[Any], path: Path, ids: Ids, dialect: EditorDialect) -> Found:
    """Texts within a run that are not part of it: those of its elements' members, and of embedded nodes."""
    for index, node in enumerate(nodes):
        here = (*path, index)
        if dialect.is_leaf(node):
            if is_code(dialect.styling.styles(node)):
                yield Kept((*here, dialect.styling.text_key))
        elif (inner := dialect.inner(node)) is not None:
            yield from _members(node, here, ids, dialect)
            yield from _inside(inner, (*here, dialect.children), ids, dialect)
        else:
            yield from _nodes(node, here, ids, dialect)


def _members(node: dict[str, Any], path: Path, ids: Ids, dialect: EditorDialect) -> Iterator[Any]:
    """The texts in a node's own members."""
    for name, member in node.items():
        if name in (dialect.children, "root", "type", "_type"):
            continue
        if isinstance(member, list) and dialect is SLATE and member and all(map(_is_slate_leaf, member)):
            yield from _list(member, (*path, name), ids, dialect, name)
        else:
            yield from find_texts(member, (*path, name), ids, documents, is_new=True)


def _context(node: dict[str, Any], above: str) -> str:
    kind = _type(node)
    if _HEADING.fullmatch(kind) or _HEADING.fullmatch(str(node.get("style") or "")):
        return "heading"
    if _ITEM.fullmatch(kind) or node.get("listItem"):
        return "list item"
    return "table cell" if re.search("cell|^t[dh]$", kind, re.IGNORECASE) else above if kind == "paragraph" else "text"
