"""Lists of objects with text in some members (repeaters), and lists of strings (tags)."""

import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Final

from directus_assets.directus.addresses import is_copied
from directus_assets.directus.models import JsonValue
from directus_assets.errors import BadInput
from directus_assets.translation.segments.blocks import find_blocks
from directus_assets.translation.segments.editors import documents, find_documents
from directus_assets.translation.segments.json_document import (
    Found,
    JsonDocument,
    Kept,
    Path,
    StringPart,
    children,
    cut_json,
)
from directus_assets.translation.segments.markdown import cut_markdown
from directus_assets.translation.segments.members import find_texts, string_part
from directus_assets.translation.segments.model import Ids
from directus_assets.translation.segments.plain import cut_plain

_LETTER: Final = re.compile(r"[^\W\d_]")


def cut_tags(value: JsonValue, ids: Ids) -> JsonDocument:
    """The document for a list of strings, each a segment.

    Raises:
        BadInput: the value is neither a list nor JSON text.
    """
    return cut_json(value, _tags, ids)


def cut_repeater(value: JsonValue, ids: Ids, members: Collection[str] | None = None) -> JsonDocument:
    """The document for a list of objects, or for any JSON.

    Args:
        value: the value, or JSON text.
        ids: of the document.
        members: those with text, each as in `TextField.members`; None to recognise them by names and values.

    Raises:
        BadInput: the text is not JSON, or nested too deeply.
    """
    if members is None:
        return cut_json(value, lambda root, ids: find_texts(root, (), ids, documents), ids)
    kinds = {name: kind for name, _, kind in (member.partition(":") for member in members)}
    return cut_json(value, partial(_declared, kinds=kinds, path=()), ids)


def cut_blocks(value: JsonValue, ids: Ids) -> JsonDocument:
    """The document for the block editor's output, as a value or as JSON text.

    Raises:
        BadInput: the text is not JSON, or nested too deeply.
    """
    return cut_json(value, _blocks, ids)


def cut_documents(value: JsonValue, ids: Ids) -> JsonDocument:
    """The document for JSON in which only an editor's rich text counts as text.

    Raises:
        BadInput: the text is not JSON, or nested too deeply.
    """
    return cut_json(value, partial(find_documents, path=()), ids)


def _blocks(value: JsonValue, ids: Ids) -> Found:
    return find_blocks(value, (), ids, documents) if isinstance(value, dict) else iter(())


def _tags(value: JsonValue, ids: Ids, path: Path = ()) -> Found:
    if value is None:
        return
    if not isinstance(value, list):
        raise BadInput("Tags must be a list of strings.", remedy="Set another kind for this field in the YAML file.")
    for index, tag in enumerate(value):
        if isinstance(tag, str):
            if is_copied(tag, "addresses"):
                yield Kept((*path, index), is_new=bool(_LETTER.search(tag)))
            else:
                yield StringPart((*path, index), cut_plain(tag, ids, context="tag"), is_new=bool(path))


def _declared(value: JsonValue, ids: Ids, *, kinds: Mapping[str, str], path: Path) -> Found:
    name = ".".join(step for step in path if isinstance(step, str))
    if name in kinds:
        yield from _member(value, path, ids, kinds[name])
    elif isinstance(value, list) or any(each.startswith(f"{name}." if name else "") for each in kinds):
        for step, child in children(value):
            yield from _declared(child, ids, kinds=kinds, path=(*path, step))
    else:
        # Members that a declared repeater does not show are leftovers, or not text according to their interface.
        yield Kept(path)


def _member(value: JsonValue, path: Path, ids: Ids, kind: str) -> Found:
    is_nested = sum(isinstance(step, str) for step in path) > 1
    if kind in ("copied", "hidden"):
        yield Kept(path, is_new=isinstance(value, str) and bool(_LETTER.search(value)))
    elif kind == "tags" and isinstance(value, list):
        yield from _tags(value, ids, path)
    elif kind == "documents":
        yield from find_documents(value, ids, path=path)
    elif not isinstance(value, str):
        yield from find_texts(value, path, ids, documents, is_new=True)
    elif is_copied(value, "unless prose" if kind == "address" else "addresses"):
        yield Kept(path, is_new=bool(_LETTER.search(value)))
    elif kind == "markdown":
        yield StringPart(path, cut_markdown(value, ids), is_new=is_nested)
    else:
        yield string_part(value, path, ids, is_new=is_nested)
