"""Values of fields whose interface does not determine their kind: extensions, and JSON without an interface."""

import re
from collections.abc import Collection
from typing import Final

from directus_assets.directus.models import JsonValue
from directus_assets.errors import BadInput
from directus_assets.translation.segments.html import cut_html
from directus_assets.translation.segments.json_document import parsed
from directus_assets.translation.segments.markdown import cut_markdown
from directus_assets.translation.segments.members import TAG
from directus_assets.translation.segments.model import Document, Ids
from directus_assets.translation.segments.plain import cut_plain
from directus_assets.translation.segments.repeater import cut_documents, cut_repeater

_MARKDOWN: Final = re.compile(r"^#{1,6} \S|^(?:[-*+]|\d+\.) +\S|\*\*\S|\]\([^\s)]+\)|^```|^> ", re.MULTILINE)


def cut_auto(value: JsonValue, ids: Ids, members: Collection[str] | None) -> Document:
    """The document for a value that determines its own kind.

    Args:
        value: JSON, or a text that contains JSON, HTML, Markdown or none of these.
        ids: of the document.
        members: empty if only rich-text documents count as text.

    Raises:
        BadInput: it is nested too deeply.
    """
    if not isinstance(value, str) or _is_json(value):
        return cut_repeater(value, ids) if members is None else cut_documents(value, ids)
    if TAG.search(value):
        return cut_html(value, ids)
    return cut_markdown(value, ids) if _MARKDOWN.search(value) else cut_plain(value, ids)


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        return isinstance(parsed(text), (dict, list))
    except BadInput:
        return False
