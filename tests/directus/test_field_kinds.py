# ruff: noqa: E501  # tables: a case to a line
"""Classification of fields, from rows as Directus returns them."""

from typing import Any

import pytest

from directus_assets.directus.field_kinds import Fate, FieldTreatment, TextField, classify, hidden_members, holds_text
from directus_assets.directus.field_rows import FieldRow, FieldRows
from directus_assets.directus.models import JsonValue

PATH = {"_and": [{"permalink": {"_regex": "^/(?:[a-z0-9]+(?:-[a-z0-9]+)*)?$"}}]}


def read(name: str, kind: str = "string", interface: str | None = "input", *, unique: bool = False, **meta: Any) -> FieldRow:  # fmt: skip
    row = {
        "collection": "c",
        "field": name,
        "type": kind,
        "meta": {"interface": interface, **meta},
        "schema": {"is_unique": unique},
    }
    return FieldRows([row])["c"][0]


def treatment(name: str, *arguments: Any, values: tuple[JsonValue, ...] = (), **meta: Any) -> FieldTreatment:
    return classify(read(name, *arguments, **meta), values)


@pytest.mark.parametrize(
    ("given", "fate"),
    [
        (treatment("title"), Fate.TRANSLATED),
        (treatment("body", "text", "input-rich-text-html"), Fate.TRANSLATED),
        (treatment("slug"), Fate.TRANSLATED),
        (treatment("permalink", validation=PATH), Fate.COPIED),
        (treatment("whatever", validation={"whatever": {"_regex": "^/[a-z/-]*$"}}), Fate.COPIED),
        (treatment("title", validation={"title": {"_regex": "^.{3,80}$"}}), Fate.TRANSLATED),
        (treatment("permalink", unique=True), Fate.LEFT),
        (treatment("cta_url"), Fate.COPIED), (treatment("url", values=("/about-us", None)), Fate.COPIED),
        (treatment("email"), Fate.COPIED), (treatment("css_class"), Fate.COPIED), (treatment("icon"), Fate.COPIED),
        (treatment("link", values=("Read all about it",)), Fate.TRANSLATED),
        (treatment("place", values=("about-us", "home", "contact-us")), Fate.COPIED),
        (treatment("place", values=("Berlin", "Paris")), Fate.TRANSLATED),
        (treatment("colour", "string", "select-color"), Fate.LEFT), (treatment("kind", "string", "select-dropdown"), Fate.LEFT),
        (treatment("code", "text", "input-code"), Fate.LEFT), (treatment("rich", "json", "tiptap-editor"), Fate.TRANSLATED),
        (treatment("rich", "text", "flexible-editor"), Fate.TRANSLATED), (treatment("place", "string", "phone-picker"), Fate.LEFT),
        (treatment("tracking_code", "text", "input-multiline"), Fate.COPIED), (treatment("custom_css", "text", "textarea"), Fate.COPIED),
        (treatment("address", "text", "input-multiline"), Fate.TRANSLATED), (treatment("link", "text", "input-multiline"), Fate.TRANSLATED),
        (treatment("robots", "text", "input-rich-text-md"), Fate.TRANSLATED),
        (treatment("note", options={"masked": True}), Fate.LEFT), (treatment("note", hidden=True), Fate.LEFT),
        (treatment("note", special=["conceal"]), Fate.LEFT),
        (treatment("token", "hash", "input-hash"), Fate.LEFT), (treatment("day", "date", "datetime"), Fate.LEFT),
    ],
)  # fmt: skip
def test_a_field_is_translated_copied_or_left_with_a_reason(given: FieldTreatment, fate: Fate) -> None:
    assert given.fate is fate
    assert given.why


def test_what_a_group_hides_is_hidden() -> None:
    rows = FieldRows(
        [
            {"collection": "c", "field": "note", "type": "string", "meta": {"interface": "input", "group": "inner"}},
            {"collection": "c", "field": "inner", "type": "alias", "meta": {"group": "outer"}},
            {"collection": "c", "field": "outer", "type": "alias", "meta": {"hidden": True}},
        ]
    )

    assert classify(rows["c"][0]).fate is Fate.LEFT


def test_what_a_condition_shows_is_not_hidden() -> None:
    shown = [{"name": "if external", "rule": {"kind": {"_eq": "a"}}, "hidden": False}]

    assert classify(read("note", hidden=True, conditions=shown)).fate is Fate.TRANSLATED
    assert classify(read("note", hidden=True, conditions=[{"required": True}])).fate is Fate.LEFT


def member(name: str, kind: str = "string", interface: str = "input", **meta: Any) -> dict[str, Any]:
    return {"field": name, "type": kind, "meta": {"interface": interface, **meta}}


def test_a_repeater_tells_what_each_of_its_members_is() -> None:
    fields = [
        member("label"),
        member("text", "text", "input-rich-text-md"),
        member("url"),
        member("slug"),
        member("css_class"),
        member("note", options={"masked": True}),
        member("kind", "string", "select-dropdown"),
        member("tags", "json", "tags"),
        member("rows", "json", "list", options={"fields": [member("heading"), member("inner", hidden=True)]}),
        member("private", "json", "list", hidden=True, options={"fields": [member("heading")]}),
    ]

    text = treatment("links", "json", "list", options={"fields": fields}).text

    assert text == TextField(
        name="links",
        kind="repeater",
        members=(
            "label", "text:markdown", "url:address", "slug:copied", "css_class:copied", "note:hidden", "tags:tags", "rows.heading",
            "rows.inner:hidden",
        ),
    )  # fmt: skip
    assert text.hidden == ("note", "rows.inner")
    assert text.first_members is not None
    assert text.first_members[:6] == ("label", "text", "url", "slug", "css_class", "note")


def test_the_hidden_members_of_a_repeater_are_known_at_any_depth() -> None:
    fields = [
        member("label"),
        member("token", "string", "input-hash"),
        member("rows", "json", "list", options={"fields": [member("note", options={"masked": True})]}),
        member("private", "json", "list", hidden=True, options={"fields": [member("heading")]}),
    ]

    found = read("links", "json", "list", options={"fields": fields})

    assert hidden_members(found) == ("token", "rows.note", "private")
    assert hidden_members(read("title")) == ()


def test_text_that_people_read_is_no_address_no_state_and_not_hidden() -> None:
    assert holds_text(read("title"))
    for other in (read("slug"), read("status"), read("note", hidden=True), read("cta_url"), read("day", "date")):
        assert not holds_text(other)
