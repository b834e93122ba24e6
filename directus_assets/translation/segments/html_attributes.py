"""HTML attributes that belong to the text: human-readable ones, and those that state its language.

The readable ones are listed in the HTML standard (3.2.6.4, `translate`) and in WAI-ARIA, except `download`, which is a
file name.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from directus_assets.errors import BadInput
from directus_assets.translation.languages import Language, language
from directus_assets.translation.segments.html_tokens import Attribute, HtmlToken

_OF_ALL: Final = {
    "alt": "alt text",
    "title": "tooltip",
    "placeholder": "form hint",
    "aria-label": "label",
    "aria-description": "description",
    "aria-roledescription": "label",
    "aria-valuetext": "label",
    "aria-placeholder": "form hint",
}
_OF_ELEMENTS: Final = {
    ("option", "label"): "option",
    ("optgroup", "label"): "option",
    ("track", "label"): "label",
    ("th", "abbr"): "table cell",
    ("table", "summary"): "description",
}
_BUTTONS: Final = frozenset({"button", "submit", "reset"})
_METADATA: Final = frozenset(
    (  # noqa: SIM905  # a list of words reads best as words
        "description keywords title headline alternativeheadline og:title og:description og:image:alt twitter:title "
        "twitter:description twitter:image:alt dc.title dc.description dcterms.title dcterms.description"
    ).split()
)
_METADATA_NAMES: Final = ("name", "property", "itemprop")

_LANGUAGES: Final = ("lang", "xml:lang")
# Phone numbers, addresses and codes are written from left to right in every language.
_FIXED_DIRECTION: Final = frozenset({"bdo", "bdi"})
_CODES: Final = frozenset(
    {"tel", "email", "url", "number", "password", "date", "time", "month", "week", "datetime-local"}
)


def readable(source: str, token: HtmlToken, attributes: Mapping[str, Attribute]) -> Iterator[tuple[Attribute, str]]:
    """The human-readable attributes of a start tag, each with its context."""
    # A name with a dash, a dot or capitals is a component, whose attributes are unknown.
    if token.name not in (token.tag, token.name.upper()) or not token.name.isalnum():
        return
    for name, attribute in attributes.items():
        context = _OF_ALL.get(name) or _OF_ELEMENTS.get((token.tag, name), "")
        if name == "value" and token.tag == "input" and _value(source, attributes, "type") in _BUTTONS:
            context = "button"
        if name == "content" and token.tag == "meta":
            names = {_value(source, attributes, each) for each in _METADATA_NAMES}
            context = "description" if names & _METADATA else ""
        if context:
            yield attribute, context


def languages(source: str, token: HtmlToken, attributes: Mapping[str, Attribute]) -> Iterator[tuple[Attribute, str]]:
    """The attributes of a start tag that state the language or the direction of its text.

    Each comes with the language stated by the tag; empty if there is none.
    """
    stated = {name: source[attributes[name].start : attributes[name].end] for name in _LANGUAGES if name in attributes}
    for name, tag in stated.items():
        yield attributes[name], tag
    is_code = token.tag in _FIXED_DIRECTION or _value(source, attributes, "type") in _CODES
    if "dir" in attributes and not is_code:
        yield attributes["dir"], next(iter(stated.values()), "")


def in_language(stated: str, of: str, *, source: str, target: str) -> str:
    """The value of a `languages` attribute in the translation; unchanged if it concerns another language.

    Args:
        stated: its current value.
        of: the language stated by the same tag; for `lang`, its own value. Empty if there is none.
        source: BCP 47 tag of the source.
        target: BCP 47 tag of the translation.
    """
    before, after = language(source), language(target)
    if of and not _is_same(of, before):
        return stated
    if stated.lower() not in ("ltr", "rtl"):
        return after.tag if of and not _is_right(stated, after) else stated
    return _direction(after) if stated.lower() == _direction(before) != _direction(after) else stated


def _is_same(tag: str, known: Language) -> bool:
    """Whether a tag states this language, in any country but in the same script."""
    try:
        stated = language(tag)
    except BadInput:
        return False
    return (stated.base, stated.script) == (known.base, known.script)


def _is_right(tag: str, known: Language) -> bool:
    return known.tag.lower().startswith(tag.lower()) and _is_same(tag, known)


def _direction(known: Language) -> str:
    return "rtl" if known.is_rtl else "ltr"


def _value(source: str, attributes: Mapping[str, Attribute], name: str) -> str:
    found = attributes.get(name)
    return source[found.start : found.end].strip().lower() if found else ""
