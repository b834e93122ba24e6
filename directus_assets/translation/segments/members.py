"""Texts in arbitrary JSON, recognised by the names of members and by their values; rich-text documents anywhere in
it.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from directus_assets.directus.addresses import is_copied, is_prose, told_by_name
from directus_assets.directus.models import JsonValue
from directus_assets.translation.segments.html import cut_html
from directus_assets.translation.segments.json_document import Found, Kept, Path, StringPart, children
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
_DOUBTFUL_NAMES: Final = frozenset({"value", "item", "kind", "type", "status", "link", "image", "file", "video"})
"""Not segmented, but reported if they contain prose after all."""
_MEASURING: Final = re.compile(r"(?:ranges|spans|entities|annotations|facets)$", re.IGNORECASE)
_LONGEST_NAME: Final = 100
"""Maximum characters of a member's name shown to an engine."""
TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>|&[a-z]+;")
# One ASCII word: an option's value, a key, an icon, a file name, an address without scheme, a colour, an id, a date.
_TOKEN: Final = re.compile(r"[a-z0-9#./:_@?&=%+~-]+|[!-~]*[_/:.#@=\d][!-~]*|[a-z]+[A-Z][!-~]*")

Documents = Callable[[JsonValue, Path, Ids], "Found | None"]
"""Finds the texts of a value that is an editor's document; None if it is not one."""


def find_texts(value: JsonValue, path: Path, ids: Ids, documents: Documents, *, is_new: bool = False) -> Found:
    """All texts in `value` at `path`.

    Args:
        value: any JSON value.
        path: its location; the last name applies to strings in lists.
        ids: of the document.
        documents: finds the documents of known editors.
        is_new: see `Part.is_new`.
    """
    if isinstance(value, str):
        if _is_text(path, value):
            yield string_part(value, path, ids, is_new=is_new)
        elif not (name_of(path) in _DOUBTFUL_NAMES and is_prose(value)):
            yield Kept(path, is_new=_was_text(path, value) and any(map(str.isalpha, value)))
    elif (found := documents(value, path, ids)) is not None:
        yield from found
    else:
        is_measured = isinstance(value, dict) and any(map(_measures, value.items()))
        for step, child in children(value):
            # In another text the formatting would be at the wrong words; what is not segmented here is reported.
            if not (is_measured and step == "text"):
                yield from find_texts(child, (*path, step), ids, documents, is_new=is_new)


def _measures(member: tuple[str, JsonValue]) -> bool:
    """Whether this is formatting by character offsets into the text beside it, as in Draft.js and Prismic."""
    name, value = member
    return (
        _MEASURING.search(name) is not None
        and isinstance(value, list)
        and any(isinstance(each, dict) and any(type(count) is int for count in each.values()) for each in value)
    )


def string_part(text: str, path: Path, ids: Ids, *, is_new: bool = False) -> StringPart:
    """A text: HTML if it contains tags, plain otherwise."""
    cut = partial(cut_html if TAG.search(text) else cut_plain, context=name_of(path)[:_LONGEST_NAME] or "text")
    return StringPart(path, cut(text, ids), is_new)


def name_of(path: Path) -> str:
    """The name of the member that a path leads to or into."""
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _is_text(path: Path, value: str) -> bool:
    """Whether a member with this name and value is human-readable."""
    return _was_text(path, value) and not is_copied(value, told_by_name(name_of(path)))


def _was_text(path: Path, value: str) -> bool:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name_of(path)).lower()
    if name in _OTHER_NAMES or name.endswith(("_id", "_url", "_key", "_color", "_icon", "_class", "_slug")):
        return False
    return name in _TEXT_NAMES or not _TOKEN.fullmatch(value.strip())
