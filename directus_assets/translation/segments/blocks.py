"""The block editor of Directus (Editor.js): text by type of block, with inline HTML in it."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from directus_assets.directus.models import JsonValue
from directus_assets.translation.segments.html import cut_html
from directus_assets.translation.segments.json_document import CutText, JsonDocument, Path, cut_json
from directus_assets.translation.segments.model import Ids

# Members of a block's `data` that are text, by type of block, each with its context. `items` may nest; `*` is any
# index. Blocks of other types (code, raw, delimiter, and what extensions add) stay as they are.
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
}
_TEXTS_OF_ITEMS: Final = ("content", "text", "items")


def cut_blocks(value: JsonValue, ids: Ids) -> JsonDocument:
    """The document for `{"blocks": [{"type": …, "data": {…}}, …], …}`, as a value or as JSON text.

    Raises:
        BadInput: the text is no JSON, or nested too deeply.
    """
    return cut_json(value, _texts, ids)


def _texts(value: JsonValue) -> Iterator[tuple[Path, str, CutText]]:
    blocks = value.get("blocks") if isinstance(value, dict) else None
    for index, block in enumerate(blocks if isinstance(blocks, list) else []):
        if not isinstance(block, dict) or not isinstance(data := block.get("data"), dict):
            continue
        for name, context in _TEXTS.get(str(block.get("type")).lower(), {}).items():
            yield from _strings(data.get(name), ("blocks", index, "data", name), context)


def _strings(value: JsonValue, path: Path, context: str) -> Iterator[tuple[Path, str, CutText]]:
    """The texts of a string, or of lists (rows, cells) and list items in lists."""
    if isinstance(value, str):
        yield path, value, partial(cut_html, context=context)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index), context)
    elif isinstance(value, dict):
        for name in _TEXTS_OF_ITEMS:
            yield from _strings(value.get(name), (*path, name), context)
