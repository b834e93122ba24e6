"""Classifies the fields of a collection: translated, copied, or left alone in other languages.

A single pure decision, from the field's row in Directus: its type, interface, name, validation rule, whether it is
hidden, and, if available, its existing values. Nothing here reads Directus.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from enum import StrEnum
from typing import Any, Final

from directus_assets.directus.addresses import Copied, all_addresses, is_prose, told_by_name, words_of
from directus_assets.directus.field_rows import HIDING_SPECIALS, FieldRow, always_hidden
from directus_assets.directus.models import JsonValue
from directus_assets.directus.validation import accepts, spelled

_KIND_OF_INTERFACE: Final[Mapping[str | None, str]] = {
    "input": "plain",
    "input-multiline": "plain",
    "textarea": "plain",
    "input-rich-text-html": "html",
    "wysiwyg": "html",
    "input-rich-text-md": "markdown",
    "markdown": "markdown",
    "input-block-editor": "blocks",
    "tags": "tags",
    "list": "repeater",
    None: "plain",
}
_TEXT_TYPES: Final = frozenset({"string", "text"})
_JSON_TYPES: Final = frozenset({"json", "csv"})
_STRUCTURED_KINDS: Final = frozenset({"blocks", "tags", "repeater"})
_ONE_LINE: Final = frozenset({"input", None})
_LINES: Final = frozenset({"input-multiline", "textarea"})
_OTHER_INTERFACES: Final[Mapping[str | None, str]] = {
    "select-icon": "an icon",
    "select-color": "a colour",
    "input-code": "code",
    "input-autocomplete-api": "a choice from elsewhere",
    "select-dropdown": "a choice",
    "select-radio": "a choice",
    "select-multiple-dropdown": "a choice",
    "select-multiple-checkbox": "a choice",
    "select-multiple-checkbox-tree": "a choice",
    "collection-item-dropdown": "a reference to another item",
    "collection-item-multiple-dropdown": "a list of references",
    "select-dropdown-m2o": "a reference to another item",
    "file": "a file",
    "file-image": "a file",
    "boolean": "a switch",
    "toggle": "a switch",
    "datetime": "a date",
    "slider": "a number",
    "rating": "a number",
    "map": "a map location",
}
"""Directus' own interfaces without text; all others belong to extensions."""
_NO_TEXT: Final = frozenset(
    (  # noqa: SIM905  # a list of words reads best as words
        "barcode calendar checkbox choice choices code color colour computed country coordinates currency date "
        "datetime dropdown email file font generated hash icon icons id image key language link location map number "
        "password path phone picker qr qrcode radio rating relation secret select slider status tel time token toggle "
        "tree unit url uuid"
    ).split()
)
"""Words in the names of extensions' interfaces that indicate a value without text."""
_TEXT_NAMES: Final = frozenset(
    (  # noqa: SIM905  # as above
        "title subtitle headline heading subheading label text content body description summary name caption alt "
        "message tagline quote excerpt teaser intro question answer note placeholder help hint badge subject price"
    ).split()
)
_PROSE: Final = (
    "A sentence of a few words, which ends with a dot.",
    "a few words",
    "Some Words",
    "SOME WORDS",
    "Ein Satz über etwas",
    "What is it? " * 10,
    "Many words, one after the other. " * 20,
)
_ADDRESSES: Final = (
    *("/about-us/team", "/about", "/", "about-us", "about", "about_us", "about/us", "#about", "?about=us", "about-us/"),
    *("https://example.com", "https://example.com/about", "http://example.com", "www.example.com", "example.com"),
    *("info@example.com", "mailto:info@example.com", "+49 30 1234567", "+49301234567", "12345", "1", "1.0", "1.0.0"),
    *("#ffffff", "#fff", "ABC-123", "ABC123", "ABC", "AB", "A", "ab", "en-US", "a1", "A1", "AB_CD", "ab-cd", "abCd"),
    *("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "2024-01-01", "12:00", "9783161484100", "DE89370400440532013000"),
)


class Fate(StrEnum):
    """How a field is treated in other languages."""

    TRANSLATED = "translated"
    COPIED = "copied"
    LEFT = "left"


@dataclass(frozen=True, kw_only=True)
class TextField:
    """A field with text to translate, or with something copied along with it."""

    name: str
    kind: str
    """How its value is parsed: `plain`, `html`, `markdown`, `blocks`, `slug`, `tags`, `repeater`, `copied`, or `auto`,
    which depends on each value.
    """
    members: tuple[str, ...] | None = None
    """For repeaters: the members declared as text, such as `links.label` or, if the value does not determine how it is
    parsed, `links.label:markdown`; also those that stay, such as `secret:hidden`.

    None to decide by name and value. For `auto`: empty if only documents count as text.
    """
    copied: Copied = "addresses"
    """Which of its values are copied unchanged."""
    rule: str = ""
    """The field's validation rule, as JSON."""
    is_unique: bool = False
    """Whether no two rows may have the same value."""
    is_filterable: bool = attribute(default=False, compare=False)
    """Whether rows can be filtered by its value."""
    note: str = attribute(default="", compare=False)
    """The note shown with it in the Studio."""
    longest: int | None = attribute(default=None, compare=False)
    """Its maximum length in characters."""

    @property
    def is_copied(self) -> bool:
        """Whether it consists of addresses, as far as the schema tells."""
        return self.copied != "addresses"

    @property
    def hidden(self) -> tuple[str, ...]:
        """The members hidden from people."""
        return tuple(name for name, kind in map(_named, self.members or ()) if kind == "hidden")

    def showing(self, kinds: Mapping[str, str]) -> "TextField":
        """The field with these hidden members as text of these kinds."""
        if not kinds or self.members is None:
            return self
        shown = [_member(name, kinds.get(name, kind)) for name, kind in map(_named, self.members)]
        return replace(self, members=tuple(shown))

    @property
    def first_members(self) -> tuple[str, ...] | None:
        """The members as the first version of this package determined them; fingerprints have to agree with that."""
        if self.members is None:
            return None
        return tuple(
            name if kind in _KINDS_AT_FIRST and "." not in name else _member(name, kind)
            for name, kind in map(_named, self.members)
        )


_KINDS_AT_FIRST: Final = frozenset({"plain", "markdown", "address", "copied", "hidden"})


def _named(member: str) -> tuple[str, str]:
    name, _, kind = member.partition(":")
    return name, kind or "plain"


def _member(name: str, kind: str) -> str:
    return name if kind == "plain" else f"{name}:{kind}"


@dataclass(frozen=True, kw_only=True)
class FieldTreatment:
    """The treatment of one field, with a reason that completes "it is …"."""

    fate: Fate
    why: str
    text: TextField | None = None
    """How it is parsed; also set for a hidden field, in case the YAML file names it."""
    is_withheld: bool = False
    """Whether it is left alone because it is hidden from people."""

    def withheld(self, how: str) -> "FieldTreatment":
        """The treatment of a field that is hidden from people."""
        why = f"{how}; never sent unless the YAML file names it"
        return replace(self, fate=Fate.LEFT, why=why, is_withheld=True)


def classify(field: FieldRow, values: Sequence[JsonValue] = ()) -> FieldTreatment:
    """Classify a field.

    Args:
        field: the field.
        values: some of its values, if available. They matter only if nothing else decides.
    """
    if no_text := _no_text(field):
        return FieldTreatment(fate=Fate.LEFT, why=no_text)
    treatment = _of_text(field, values) if field.type in _TEXT_TYPES else _of_json(field)
    if field.name == "status" and treatment.text:
        treatment = FieldTreatment(fate=Fate.LEFT, why="a state, not a text", text=treatment.text)
    if treatment.text:
        told = replace(
            treatment.text,
            rule=spelled(field.validation),
            is_filterable=field.is_filterable,
            note=field.note,
            longest=field.longest,
        )
        treatment = replace(treatment, text=replace(told, is_unique=field.is_unique))
    if field.is_secret and treatment.text:
        how = "hidden in the Studio" if field.is_hidden else "masked in the Studio"
        return treatment.withheld(how)
    return treatment


def holds_text(field: FieldRow) -> bool:
    """Whether a field holds human-readable text; addresses, states and hidden fields do not count."""
    treatment = classify(field)
    is_address = treatment.text is not None and treatment.text.kind == "slug"
    return treatment.fate is Fate.TRANSLATED and not is_address and field.name != "status"


def is_told_by_values(field: FieldRow) -> bool:
    """Whether the treatment of a field depends on its values."""
    if field.type not in _TEXT_TYPES or field.interface not in _ONE_LINE or _no_text(field):
        return False
    treatment = classify(field)
    if treatment.text is None or treatment.text.kind != "plain" or treatment.text.copied == "always" or field.is_secret:
        return False
    return _TEXT_NAMES.isdisjoint(words_of(field.name)[-1:])


def _no_text(field: FieldRow) -> str:
    """Why it cannot hold text, whatever its interface; empty if it can."""
    if field.is_key:
        return "the primary key"
    if field.is_reference or field.special & {"m2o", "file"}:
        return "a reference to another item"
    if not field.holds_value:
        return "no value of its own"
    if field.type not in _TEXT_TYPES | _JSON_TYPES:
        return "a secret" if field.type == "hash" else f"not text, but of the type {field.type}"
    if filled := field.special - {"cast-json", "cast-csv"} - HIDING_SPECIALS:
        return f"filled in by Directus ({', '.join(sorted(filled))})"
    return ""


def _of_text(field: FieldRow, values: Sequence[JsonValue]) -> FieldTreatment:
    if field.interface not in _KIND_OF_INTERFACE:
        return _of_other_interface(field)
    kind = _KIND_OF_INTERFACE[field.interface]
    if kind in _STRUCTURED_KINDS:
        return _translated(TextField(name=field.name, kind="auto"), "text in JSON, recognized by its interface")
    if bool(field.options.get("slug")) or field.name == "slug" or field.name.endswith("_slug"):
        return _translated(TextField(name=field.name, kind="slug"), "a slug")
    which, why = _copied(field, values)
    text = TextField(name=field.name, kind=kind, copied=which)
    if not why:
        return _translated(
            text, "text, recognized by its interface" if field.interface else "text, recognized by its type"
        )
    fate = Fate.LEFT if field.is_unique else Fate.COPIED
    but = "; not copied, because its values must be unique" if field.is_unique else ""
    return FieldTreatment(fate=fate, why=f"{why}{but}", text=text)


def _copied(field: FieldRow, values: Sequence[JsonValue]) -> tuple[Copied, str]:
    """Which values of a text field are copied, with the reason if it consists of addresses; no reason if it is text."""
    if field.validation and (why := _rule_says(field.validation, field.name)):
        return "always", why
    named = told_by_name(field.name)
    if field.interface in _LINES and named == "always":
        return named, "an address or code, recognized by its name"
    if field.interface not in _ONE_LINE:
        return "addresses", ""
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    if named != "addresses" and not (named == "unless prose" and any(map(is_prose, texts))):
        return named, "an address, recognized by its name"
    if texts and _TEXT_NAMES.isdisjoint(words_of(field.name)[-1:]) and all_addresses(texts):
        return "unless prose", "an address, recognized by its values"
    return named, ""


def _rule_says(rule: Mapping[str, Any], name: str) -> str:
    """Why a field with this validation rule holds no text; empty if it may."""
    if any(accepts(rule, name, text) for text in _PROSE):
        return ""
    if any(accepts(rule, name, text) for text in _ADDRESSES):
        return "an address: its validation rule accepts no sentence"
    fixed = any(operator in json.dumps(rule) for operator in ('"_eq"', '"_in"'))
    return "limited to the values in its validation rule" if fixed else ""


def _of_other_interface(field: FieldRow) -> FieldTreatment:
    """Classify a text field with a non-text interface, or with an extension's, of which only the name is known."""
    if field.interface in _OTHER_INTERFACES:
        return FieldTreatment(fate=Fate.LEFT, why=_OTHER_INTERFACES[field.interface])
    words = set(words_of(field.interface or ""))
    if words & {"slug", "permalink", "wpslug"}:
        slug = TextField(name=field.name, kind="slug")
        return _translated(slug, f"a slug, recognized by its interface {field.interface}")
    if words & _NO_TEXT or (field.interface or "").startswith("system-"):
        return FieldTreatment(
            fate=Fate.LEFT,
            why=f"not text: its interface is {field.interface}",
            text=TextField(name=field.name, kind="auto"),
        )
    which, why = _copied(replace(field, interface=None), ())
    text = TextField(name=field.name, kind="auto", copied=which)
    if why:
        return FieldTreatment(fate=Fate.LEFT, why=why, text=text)
    return _translated(text, f"text in the extension {field.interface}, recognized by its values")


def _of_json(field: FieldRow) -> FieldTreatment:
    kind = _KIND_OF_INTERFACE.get(field.interface)
    if kind in _STRUCTURED_KINDS:
        text = TextField(name=field.name, kind=kind, members=_declared(field) if kind == "repeater" else None)
        return _translated(text, "text, recognized by its interface")
    if field.type == "csv":
        return FieldTreatment(fate=Fate.LEFT, why=_OTHER_INTERFACES.get(field.interface or "", "a list of values"))
    if field.interface == "input-code":
        return _translated(TextField(name=field.name, kind="auto", members=()), "code, except for the rich text in it")
    if field.interface in _OTHER_INTERFACES:
        return FieldTreatment(fate=Fate.LEFT, why=_OTHER_INTERFACES[field.interface])
    if (field.interface or "").startswith("system-"):
        return FieldTreatment(
            fate=Fate.LEFT,
            why=f"not text: its interface is {field.interface}",
            text=TextField(name=field.name, kind="auto"),
        )
    return _translated(TextField(name=field.name, kind="auto"), "JSON: rich text, or members that read as text")


def _translated(text: TextField, why: str) -> FieldTreatment:
    return FieldTreatment(fate=Fate.TRANSLATED, why=why, text=text)


def hidden_members(field: FieldRow) -> tuple[str, ...]:
    """The declared members of a repeater, at any depth, that are hidden from people."""
    return tuple(_hidden(field.options.get("fields") or (), "")) if field.interface == "list" else ()


def _hidden(declared: Iterable[Mapping[str, Any]], above: str) -> Iterable[str]:
    for row in map(_member_row, declared):
        if row.is_secret:
            yield f"{above}{row.name}"
        elif row.interface == "list":
            yield from _hidden(row.options.get("fields") or (), f"{above}{row.name}.")


def _declared(field: FieldRow) -> tuple[str, ...] | None:
    """The text members of a repeater, if its interface declares its members."""
    declared = field.options.get("fields")
    return tuple(_members(declared, "")) if declared else None


def _members(declared: Iterable[Mapping[str, Any]], above: str) -> Iterable[str]:
    for member in declared:
        row = _member_row(member)
        if not row.name:
            continue
        path = f"{above}{row.name}"
        nested = row.options.get("fields")
        if row.interface == "list" and nested:
            if not row.is_secret:
                yield from _members(nested, f"{path}.")
        elif kind := _member_kind(row):
            yield _member(path, kind)


def _member_row(member: Mapping[str, Any]) -> FieldRow:
    meta = member.get("meta") or {}
    interface, type_ = meta.get("interface"), member.get("type")
    structured = _KIND_OF_INTERFACE.get(interface) in _STRUCTURED_KINDS
    return FieldRow(
        name=str(member.get("field") or ""),
        type=type_ or ("json" if structured else "string"),
        interface=interface,
        special=frozenset(meta.get("special") or ()),
        options=meta.get("options") or {},
        is_hidden=always_hidden(meta),
        validation=meta.get("validation"),
    )


def _member_kind(row: FieldRow) -> str:
    """How a member of a repeater is parsed; empty if it is not text. The value decides between HTML and plain text."""
    treatment = classify(row)
    text = treatment.text
    if text is None or (treatment.fate is Fate.LEFT and not row.is_secret):
        return ""
    if row.is_secret:
        return "hidden"
    if text.kind == "auto" and text.members == ():
        return "documents"
    kind = {"addresses": text.kind, "unless prose": "address", "always": "copied"}[text.copied]
    return {"blocks": "auto", "repeater": "auto", "html": "plain", "slug": "copied"}.get(kind, kind)
