"""JSON with text in some of its members: repeaters (lists of objects), and tags (lists of strings)."""

import re
from collections.abc import Collection, Iterator
from functools import partial
from typing import Final

from directus_assets.directus.models import JsonValue
from directus_assets.errors import BadInput
from directus_assets.translation.segments.html import cut_html
from directus_assets.translation.segments.json_document import CutText, JsonDocument, Path, cut_json
from directus_assets.translation.segments.model import Ids
from directus_assets.translation.segments.plain import cut_plain

_TEXT_NAMES: Final = frozenset(
    (  # noqa: SIM905  # a list of words reads best as words
        "title subtitle headline heading subheading label text content body description summary question answer "
        "caption alt quote message note tagline button_text cta placeholder name"
    ).split()
)
_OTHER_NAMES: Final = frozenset(
    (  # noqa: SIM905  # as above
        "id key uuid slug url href link src path icon image file video color colour type kind variant style class "
        "target rel lang language locale code sort order status value date time email phone layout position align "
        "alignment size theme template component collection item width height"
    ).split()
)
_LONGEST_NAME: Final = 100
"""Characters of a member's name that an engine is told."""
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>|&[a-z]+;")
# One word of ASCII: an option's value, a key, an icon, a file name, an address without scheme, a colour, an id, a date.
_TOKEN: Final = re.compile(r"[a-z0-9#./:_@?&=%+~-]+|[!-~]*[_/:.#@=\d][!-~]*|[a-z]+[A-Z][!-~]*")


def cut_tags(value: JsonValue, ids: Ids) -> JsonDocument:
    """The document for a list of strings, each a segment.

    Raises:
        BadInput: the value is neither a list nor JSON text.
    """
    return cut_json(value, _tags, ids)


def cut_repeater(value: JsonValue, ids: Ids, names: Collection[str] | None = None) -> JsonDocument:
    """The document for a list of objects, or for any JSON.

    Args:
        value: the value, or JSON text.
        ids: of the document.
        names: the members that hold text, at any depth; None to tell them by their names and values.

    Raises:
        BadInput: the text is no JSON, or nested too deeply.
    """
    return cut_json(value, partial(_members, names=names, path=()), ids)


def _tags(value: JsonValue) -> Iterator[tuple[Path, str, CutText]]:
    if value is None:
        return
    if not isinstance(value, list):
        raise BadInput("Tags must be a list of strings.", remedy="Read this field as another kind of text.")
    for index, tag in enumerate(value):
        if isinstance(tag, str):
            yield (index,), tag, partial(cut_plain, context="tag")


def _members(value: JsonValue, names: Collection[str] | None, path: Path) -> Iterator[tuple[Path, str, CutText]]:
    if isinstance(value, dict):
        children: list[tuple[str | int, JsonValue]] = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    else:
        return
    for step, child in children:
        name = next((part for part in (step, *reversed(path)) if isinstance(part, str)), "")
        if not isinstance(child, str):
            yield from _members(child, names, (*path, step))
        elif name in names if names is not None else _is_text(name, child):
            cut = cut_html if _TAG.search(child) else cut_plain
            yield (*path, step), child, partial(cut, context=name[:_LONGEST_NAME] or "text")


def _is_text(name: str, value: str) -> bool:
    """Whether people read the value of a member with this name."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    if name in _OTHER_NAMES or name.endswith(("_id", "_url", "_key", "_color", "_icon", "_class", "_slug")):
        return False
    return name in _TEXT_NAMES or not _TOKEN.fullmatch(value.strip())
