"""Splits the value of a field into segments, and puts their translations back.

>>> document = cut("<p>Hello <b>world</b>!</p>", TextKind.HTML)
>>> [segment.text for segment in document.segments]
['Hello <g1>world</g1>!']
>>> document.splice({document.segments[0].id: "Hallo <g1>Welt</g1>!"})
'<p>Hallo <b>Welt</b>!</p>'

Nothing is ever parsed and serialised as a whole: each cutter finds text by its position in the source, and all other
bytes are copied. `model` and `notation` are what engines and checks need; `pieces` and `text_document` are shared by
the cutters; there is one module per kind of text.
"""

from collections.abc import Callable, Collection, Mapping

from directus_assets.directus.addresses import Copied, is_copied
from directus_assets.directus.models import JsonValue
from directus_assets.directus.validation import Rule
from directus_assets.errors import BadInput
from directus_assets.translation.segments.auto import cut_auto
from directus_assets.translation.segments.html import cut_html
from directus_assets.translation.segments.json_document import JsonDocument
from directus_assets.translation.segments.markdown import cut_markdown
from directus_assets.translation.segments.model import BadAnswer, Document, Ids, Segment, SegmentTag, TextKind
from directus_assets.translation.segments.notation import PLACEHOLDER
from directus_assets.translation.segments.plain import cut_plain
from directus_assets.translation.segments.repeater import cut_blocks, cut_repeater, cut_tags
from directus_assets.translation.segments.slug import PathDocument, SlugDocument
from directus_assets.translation.segments.whole import CopiedText, RuledDocument

__all__ = ["PLACEHOLDER", "BadAnswer", "Document", "Segment", "SegmentTag", "TextKind", "cut", "is_new", "left"]


_CUT: Mapping[TextKind, Callable[[str, Ids], Document]] = {
    TextKind.PLAIN: cut_plain,
    TextKind.HTML: cut_html,
    TextKind.MARKDOWN: cut_markdown,
}


def cut(
    value: JsonValue,
    kind: TextKind,
    *,
    names: Collection[str] | None = None,
    copied: Copied = "addresses",
    rule: Rule | None = None,
    is_unique: bool = False,
    longest: int | None = None,
    language: str = "",
) -> Document:
    """The document for a field's value.

    Args:
        value: a string; for blocks, tags, repeaters and `auto` also the JSON value. None is a document without
            segments.
        kind: how to parse it.
        names: as for `TextField.members`.
        copied: which values of a plain text, or of one that determines its own kind, are copied unchanged.
        rule: the field's validation rule, if it has one: texts pass it in every language.
        is_unique: whether no two rows may share the slug or path.
        longest: the field's maximum length in characters. If the source is longer, the database does not enforce it.
        language: the BCP 47 tag of the value; HTML attributes that state it follow the translation.

    Raises:
        BadInput: the value does not fit the kind. The caller adds the names of item and field.
    """
    ids = Ids(language)
    if value is None or kind in (TextKind.BLOCKS, TextKind.TAGS, TextKind.REPEATER):
        return _cut_json(value, kind, ids, names)
    if kind in (TextKind.PLAIN, TextKind.AUTO) and isinstance(value, str) and is_copied(value, copied):
        return CopiedText(value)
    if kind is TextKind.AUTO:
        return _ruled(cut_auto(value, ids, names), rule)
    if not isinstance(value, str):
        raise BadInput(
            f"Text of the kind {kind} must be a string, not {type(value).__name__}.",
            remedy="Set the field's kind in the YAML file, or exclude the field.",
        )
    most = longest if longest and len(value) <= longest else None
    if kind is TextKind.SLUG:
        return SlugDocument(value, ids, rule, is_unique=is_unique, longest=most)
    if kind is TextKind.PATH:
        return PathDocument(value, ids, rule, is_unique=is_unique)
    return _ruled(_CUT[kind](value, ids), rule, most)


def left(document: Document) -> tuple[str, ...]:
    """The places of prose in a JSON value that is not segmented although nothing requires it to stay."""
    return document.left if isinstance(document, JsonDocument) else ()


def is_new(document: Document) -> bool:
    """Whether the first version, with which fingerprints have to agree, extracted other texts from this value."""
    return isinstance(document, (JsonDocument, CopiedText)) and document.is_new


def _ruled(document: Document, rule: Rule | None, longest: int | None = None) -> Document:
    return RuledDocument(document, rule, longest) if rule or longest else document


def _cut_json(value: JsonValue, kind: TextKind, ids: Ids, names: Collection[str] | None) -> Document:
    if kind is TextKind.BLOCKS:
        return cut_blocks(value, ids)
    if kind is TextKind.TAGS:
        return cut_tags(value, ids)
    return cut_repeater(value, ids, names)
