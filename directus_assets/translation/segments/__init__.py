"""Cuts the value of a field into segments, and puts their translations back.

>>> document = cut("<p>Hello <b>world</b>!</p>", Kind.HTML)
>>> [segment.text for segment in document.segments]
['Hello <g1>world</g1>!']
>>> document.splice({document.segments[0].id: "Hallo <g1>Welt</g1>!"})
'<p>Hallo <b>Welt</b>!</p>'

Nothing is ever parsed and written again as a whole: each cutter finds text by its position in the source, and all
other bytes are taken over. `model` and `notation` are what engines and checks need; `pieces` and `text_document` are
shared by the cutters; there is one module per kind of text.
"""

from collections.abc import Collection
from typing import assert_never

from directus_assets.directus.models import JsonValue
from directus_assets.errors import BadInput
from directus_assets.translation.segments.blocks import cut_blocks
from directus_assets.translation.segments.html import cut_html
from directus_assets.translation.segments.markdown import cut_markdown
from directus_assets.translation.segments.model import BadAnswer, Document, Ids, Kind, Placeholder, Segment
from directus_assets.translation.segments.notation import PLACEHOLDER
from directus_assets.translation.segments.plain import cut_plain
from directus_assets.translation.segments.repeater import cut_repeater, cut_tags
from directus_assets.translation.segments.slug import SlugDocument

__all__ = ["PLACEHOLDER", "BadAnswer", "Document", "Kind", "Placeholder", "Segment", "cut"]


def cut(value: JsonValue, kind: Kind, *, names: Collection[str] | None = None) -> Document:
    """The document for a field's value.

    Args:
        value: a string; for blocks, tags and repeaters also the JSON value. None is a document without segments.
        kind: how to read it.
        names: for repeaters, the members that hold text; None to tell by name and value.

    Raises:
        BadInput: the value is not of this kind. The caller knows the item and the field, and names them.
    """
    ids = Ids()
    if value is None or kind in (Kind.BLOCKS, Kind.TAGS, Kind.REPEATER):
        return _cut_json(value, kind, ids, names)
    if not isinstance(value, str):
        raise BadInput(
            f"A {kind} text must be a string, not {type(value).__name__}.",
            remedy="Name the field's kind in the configuration, or exclude the field.",
        )
    match kind:
        case Kind.PLAIN:
            return cut_plain(value, ids)
        case Kind.HTML:
            return cut_html(value, ids)
        case Kind.MARKDOWN:
            return cut_markdown(value, ids)
        case Kind.SLUG:
            return SlugDocument(value, ids)
        case _:
            assert_never(kind)


def _cut_json(value: JsonValue, kind: Kind, ids: Ids, names: Collection[str] | None) -> Document:
    if kind is Kind.BLOCKS:
        return cut_blocks(value, ids)
    if kind is Kind.TAGS:
        return cut_tags(value, ids)
    return cut_repeater(value, ids, names)
