"""Directus' block editor (Editor.js): text by type of block, with inline HTML in it."""

from typing import Any, Final

from directus_assets.directus.models import JsonValue
from directus_assets.translation.segments.html import cut_html
from directus_assets.translation.segments.json_document import Found, Kept, Path, StringPart
from directus_assets.translation.segments.members import Documents, find_texts
from directus_assets.translation.segments.model import Ids

# Text members of a block's `data`, by type of block, each with its context. `items` may nest. Other members of these
# blocks stay as they are.
_TEXTS: Final[dict[str, dict[str, str]]] = {
    "paragraph": {"text": "text"},
    "header": {"text": "heading"},
    "list": {"items": "list item"},
    "nestedlist": {"items": "list item"},
    "checklist": {"items": "list item"},
    "quote": {"text": "quote", "caption": "caption"},
    "table": {"content": "table cell"},
    "image": {"caption": "caption", "alt": "alt text"},
    "simpleimage": {"caption": "caption"},
    "embed": {"caption": "caption"},
    "attaches": {"title": "caption"},
    "alert": {"message": "text"},
    "warning": {"title": "heading", "message": "text"},
    "toggle": {"text": "heading"},
    "code": {},
    "delimiter": {},
}
_UNCUT: Final = frozenset({"raw"})
"""Blocks of handwritten HTML: not segmented, and reported if they contain text."""

_TEXTS_OF_ITEMS: Final = ("content", "text", "items")


def find_blocks(value: dict[str, Any], path: Path, ids: Ids, documents: Documents) -> Found:
    """The texts of `{"blocks": [{"type": …, "data": {…}}, …], …}`."""
    for name, member in value.items():
        if name != "blocks":
            yield from (
                find_texts(member, (*path, name), ids, documents, is_new=True)
                if isinstance(member, (dict, list))
                else iter([Kept((*path, name))])
            )
    blocks = value.get("blocks")
    for index, block in enumerate(blocks if isinstance(blocks, list) else []):
        if not isinstance(block, dict) or not isinstance(data := block.get("data"), dict):
            continue
        here = (*path, "blocks", index, "data")
        kind = str(block.get("type")).lower()
        if kind in _UNCUT:
            continue
        if kind not in _TEXTS:
            yield from find_texts(data, here, ids, documents, is_new=True)
            continue
        for name in data:
            if name not in _TEXTS[kind]:
                yield Kept((*here, name))
        for name, context in _TEXTS[kind].items():
            yield from _strings(data.get(name), (*here, name), context, ids)


def is_blocks(value: JsonValue) -> bool:
    """Whether a value is an Editor.js document: a list `blocks`, each with a type and data."""
    blocks = value.get("blocks") if isinstance(value, dict) else None
    return isinstance(blocks, list) and any(isinstance(b, dict) and "type" in b and "data" in b for b in blocks)


def _strings(value: JsonValue, path: Path, context: str, ids: Ids) -> Found:
    """The texts of a string, or of nested lists (rows, cells) and list items."""
    if isinstance(value, str):
        yield StringPart(path, cut_html(value, ids, context))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index), context, ids)
    elif isinstance(value, dict):
        for name in _TEXTS_OF_ITEMS:
            yield from _strings(value.get(name), (*path, name), context, ids)
