"""Discovery of translated collections, from responses as Directus returns them."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.project_schema import ProjectSchema, read_project_schema
from directus_assets.directus.schema import (
    LanguageRow,
    TextField,
    TranslatedCollection,
    read_translated_collections,
    read_unlinked,
)
from directus_assets.errors import Forbidden, Overloaded, PermanentError

LANGUAGES = [{"code": "en-US", "name": "English"}, {"code": "de-DE", "name": "German"}]
TITLE = {"field": "title", "type": "string", "meta": {"interface": "input"}}


def field(name: str, kind: str = "string", interface: str | None = "input", **meta: Any) -> dict[str, Any]:
    return {"field": name, "type": kind, "meta": {"interface": interface, **meta}}


def key(name: str = "id", kind: str = "integer") -> dict[str, Any]:
    return {"field": name, "type": kind, "schema": {"is_primary_key": True}, "meta": None}


def relations(
    parent: str = "posts",
    rows: str = "posts_translations",
    *,
    item: str = "posts_id",
    language: str = "languages_code",
    languages: str = "languages",
    alias: str = "translations",
) -> list[dict[str, Any]]:
    """Both relations of the pattern, as the Studio creates them."""
    return [
        {
            "collection": rows,
            "field": item,
            "related_collection": parent,
            "meta": {"one_field": alias, "junction_field": language},
        },
        {"collection": rows, "field": language, "related_collection": languages, "meta": {"junction_field": item}},
    ]


def alias_field(name: str = "translations", **options: Any) -> dict[str, Any]:
    return {"field": name, "type": "alias", "meta": {"special": ["translations"], "options": options}}


def discover(
    fields: Mapping[str, Sequence[Mapping[str, Any]]],
    related: Sequence[Mapping[str, Any]],
    *,
    languages: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    collections: Mapping[str, Mapping[str, Any]] | None = None,
    faults: dict[str, PermanentError] | None = None,
) -> tuple[TranslatedCollection, ...]:
    """What is discovered in a project with these fields, relations and languages, all by collection."""
    found = answers(fields, related, languages=languages, collections=collections)
    return read_translated_collections(
        client(lambda request: httpx.Response(200, json={"data": found.get(request.url.path, [])})), faults=faults
    )


def discover_schema(
    fields: Mapping[str, Sequence[Mapping[str, Any]]],
    related: Sequence[Mapping[str, Any]],
    *,
    faults: dict[str, PermanentError],
) -> ProjectSchema:
    """All collections of such a project."""
    found = answers(fields, related, collections={name: {} for name in fields})
    for row in found["/collections"]:
        row["schema"] = {"name": row["collection"]}
    return read_project_schema(
        client(lambda request: httpx.Response(200, json={"data": found.get(request.url.path, [])})), faults=faults
    )


def answers(
    fields: Mapping[str, Sequence[Mapping[str, Any]]],
    related: Sequence[Mapping[str, Any]],
    *,
    languages: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    collections: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Directus' responses."""
    return {
        "/relations": related,
        "/fields": [{"collection": name, **each} for name, own in fields.items() for each in own],
        "/collections": [{"collection": name, "meta": meta} for name, meta in (collections or {}).items()],
        **{f"/items/{name}": rows for name, rows in (languages or {"languages": LANGUAGES}).items()},
    }


def client(handler: Callable[[httpx.Request], httpx.Response]) -> DirectusClient:
    return DirectusClient("http://directus.test", "token", transport=httpx.MockTransport(handler))


def posts(*texts: Mapping[str, Any], own: Sequence[Mapping[str, Any]] = ()) -> dict[str, list[Mapping[str, Any]]]:
    return {
        "posts": [key(), *own, alias_field()],
        "posts_translations": [key(), field("posts_id", "integer"), field("languages_code"), *(texts or (TITLE,))],
        "languages": [key("code", "string"), field("name")],
    }


def test_the_pattern_of_the_studio_is_found() -> None:
    (found,) = discover(posts(), relations())

    assert found == TranslatedCollection(
        collection="posts",
        key_field="id",
        translations="posts_translations",
        translations_key_field="id",
        item_field="posts_id",
        language_field="languages_code",
        languages=(LanguageRow(key="en-US", code="en-US"), LanguageRow(key="de-DE", code="de-DE")),
        languages_collection="languages",
        fields=(TextField(name="title", kind="plain"),),
        reasons=(("id", "left: the primary key"), ("title", "translated: text, recognized by its interface")),
    )


def test_every_name_may_be_another_one() -> None:
    fields = {
        "artikel": [key("nummer"), alias_field("texte", defaultLanguage="de")],
        "artikel_texte": [key("uuid", "uuid"), field("artikel", "integer"), field("sprache", "integer"), TITLE],
        "sprachen": [key(), field("iso_code"), field("name")],
    }
    related = relations(
        "artikel", "artikel_texte", item="artikel", language="sprache", languages="sprachen", alias="texte"
    )

    (found,) = discover(
        fields, related, languages={"sprachen": [{"id": 1, "iso_code": "de"}, {"id": 2, "iso_code": "pt-BR"}]}
    )

    assert (found.collection, found.key_field, found.translations_key_field) == ("artikel", "nummer", "uuid")
    assert (found.item_field, found.language_field) == ("artikel", "sprache")
    assert found.languages == (LanguageRow(key="1", code="de"), LanguageRow(key="2", code="pt-BR"))
    assert found.default_language == "de"
    assert found.language("pt-BR") == LanguageRow(key="2", code="pt-BR")


def test_one_wrong_code_does_not_hide_where_the_codes_are() -> None:
    fields = {**posts(), "languages": [key(), field("code")]}
    rows = [{"id": 1, "code": "en"}, {"id": 2, "code": "klingonish"}, {"id": 3, "code": "de"}]

    (found,) = discover(fields, relations(), languages={"languages": rows})

    assert [row.code for row in found.languages] == ["en", "klingonish", "de"]


ENGLISH = {"name": "English", "direction": "ltr", "flag": "gb", "sort": 1}
SWEDISH = {"name": "Swedish", "direction": "ltr", "flag": "se", "sort": 2}


def codes_of(*rows: Mapping[str, Any]) -> list[str]:
    names = dict.fromkeys(name for row in rows for name in row)
    fields = {**posts(), "languages": [key(), *(field(name) for name in names)]}
    numbered = [{"id": number, **row} for number, row in enumerate(rows, start=1)]
    found = discover(fields, relations(), languages={"languages": numbered})
    return [row.code for each in found for row in each.languages]


@pytest.mark.parametrize(
    "name", ["lang", "tag", "culture", "short_code", "deepl_code", "language", "sprachkuerzel", "bcp47"]
)
def test_codes_are_found_in_a_field_of_any_name_beside_an_id(name: str) -> None:
    assert codes_of({**ENGLISH, name: "en-GB"}, {**SWEDISH, name: "sv-SE"}) == ["en-GB", "sv-SE"]


def test_of_several_fields_with_codes_the_one_with_most_of_them_counts() -> None:
    english = {**ENGLISH, "short_code": "en", "deepl_code": "EN-GB"}
    american = {**ENGLISH, "short_code": "en", "deepl_code": "EN-US"}

    assert codes_of(english, american) == ["EN-GB", "EN-US"]


def test_a_usual_field_counts_before_one_with_more_codes() -> None:
    klingon = {"name": "Klingon", "code": "klingonish", "short_code": "tlh"}

    assert codes_of({**ENGLISH, "code": "en", "short_code": "en"}, klingon) == ["en", "klingonish"]


def test_codes_of_countries_are_found_so_that_somebody_can_be_told() -> None:
    assert codes_of({**SWEDISH, "lang": "cz"}, {**ENGLISH, "lang": "us"}) == ["cz", "us"]


def test_a_collection_without_codes_holds_no_languages() -> None:
    assert (
        codes_of({"name": "Lao", "flag": "la", "mood": "good"}, {"name": "English", "flag": "gb", "mood": "good"}) == []
    )


def test_of_two_rows_with_the_same_code_the_first_counts_and_those_without_are_left_out() -> None:
    fields = {**posts(), "languages": [key(), field("code")]}
    rows = [{"id": 1, "code": "en"}, {"id": 2, "code": "de"}, {"id": 3, "code": "de"}, {"id": 4, "code": None}]

    (found,) = discover(fields, relations(), languages={"languages": rows})

    assert [row.key for row in found.languages] == ["1", "2"]


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        (field("a", "text", "input-multiline"), "plain"),
        (field("a", "text", "input-rich-text-html"), "html"),
        (field("a", "text", "input-rich-text-md"), "markdown"),
        (field("a", "string", None), "plain"),
        (field("a", "string", "input", options={"slug": True}), "slug"),
        (field("slug"), "slug"),
        (field("page_slug"), "slug"),
        (field("a", "json", "input-block-editor", special=["cast-json"]), "blocks"),
        (field("a", "json", "tags", special=["cast-json"]), "tags"),
        (field("a", "csv", "tags", special=["cast-csv"]), "tags"),
        (field("a", "json", "list", special=["cast-json"]), "repeater"),
    ],
)
def test_fields_with_text_are_taken_by_type_and_interface(described: dict[str, Any], kind: str) -> None:
    (found,) = discover(posts(described), relations())

    assert [each.kind for each in found.fields] == [kind]


@pytest.mark.parametrize(
    "described",
    [
        field("a", "integer"),
        field("a", "timestamp", "datetime"),
        field("a", "uuid", "file-image", special=["file"]),
        field("a", "string", "select-dropdown"),
        field("a", "string", "select-dropdown-m2o"),
        field("a", "uuid", "select-dropdown-m2o", special=["user-created"]),
        field("a", "text", "input-code"),
        field("a", "hash", "input-hash", special=["hash"]),
        {**field("a"), "schema": {"foreign_key_table": "authors"}},
    ],
)
def test_keys_dates_relations_and_choices_are_no_texts(described: dict[str, Any]) -> None:
    (found,) = discover(posts(TITLE, described), relations())

    assert [each.name for each in found.fields] == ["title"]


def test_the_text_members_of_a_repeater_are_those_that_its_interface_declares_as_text() -> None:
    members = [
        {"field": "question", "type": "string", "meta": {"interface": "input"}},
        {"field": "answer", "type": "text", "meta": {"interface": "input-rich-text-html"}},
        {"field": "icon", "type": "string", "meta": {"interface": "select-icon"}},
        {"field": "order", "type": "integer", "meta": {"interface": "input"}},
    ]
    faq = field("faq", "json", "list", special=["cast-json"], options={"fields": members})

    (found,) = discover(posts(faq), relations())

    assert found.fields == (TextField(name="faq", kind="repeater", members=("question", "answer")),)


def test_fields_that_the_item_has_as_well_are_told() -> None:
    (found,) = discover(posts(TITLE, field("body", "text"), own=[TITLE]), relations())

    assert found.item_fields == ("title",)


def pointing(collection: str, name: str, to: str = "languages") -> dict[str, Any]:
    return {"collection": collection, "field": name, "related_collection": to, "meta": None}


def test_the_fields_of_an_item_that_point_to_a_language_are_told() -> None:
    fields = posts(own=[field("original"), field("author"), field("draft_of"), field("note")])
    related = [
        *relations(),
        pointing("posts", "original"),
        pointing("posts", "author", "people"),
        pointing("posts", "hidden_from_the_token"),
        pointing("posts_translations", "made_from"),
    ]

    (found,) = discover(fields, related)

    assert found.source_language_fields == ("original",)
    assert "note" in found.code_fields


def test_a_language_that_points_to_another_is_not_written_in_it() -> None:
    fields = {
        "languages": [key("code", "string"), field("fallback"), alias_field()],
        "languages_names": [key(), field("language"), field("names_in"), TITLE],
    }
    related = [
        *relations("languages", "languages_names", item="language", language="names_in"),
        pointing("languages", "fallback"),
    ]

    (found,) = discover(fields, related)

    assert found.source_language_fields == ()


def test_singletons_and_versioned_rows_are_told() -> None:
    (found,) = discover(
        posts(), relations(), collections={"posts": {"singleton": True}, "posts_translations": {"versioning": True}}
    )

    assert found.is_singleton
    assert found.is_versioned


def test_several_collections_are_sorted_by_name_and_one_without_texts_is_none() -> None:
    fields = {
        **posts(),
        "notes": [key(), alias_field()],
        "notes_translations": [key(), field("notes_id", "integer"), field("languages_code"), TITLE],
        "dates": [key(), alias_field()],
        "dates_translations": [key(), field("dates_id"), field("languages_code"), field("day", "date", "datetime")],
    }
    related = [
        *relations(),
        *relations("notes", "notes_translations", item="notes_id"),
        *relations("dates", "dates_translations", item="dates_id"),
    ]

    assert [each.collection for each in discover(fields, related)] == ["notes", "posts"]


def with_seo(*, number: int | None, seo: int | None) -> dict[str, list[Mapping[str, Any]]]:
    """Posts with two translations fields, the older one with the lower id."""
    fields = posts()
    first, second = alias_field(), alias_field("seo")
    first["meta"]["id"], second["meta"]["id"] = number, seo
    fields["posts"] = [key(), second, first]
    fields["posts_seo"] = [key(), field("item", "integer"), field("language"), field("description")]
    return fields


SEO = relations("posts", "posts_seo", item="item", language="language", alias="seo")


@pytest.mark.parametrize(
    ("number", "seo", "names"),
    [
        (3, 9, {"posts": "translations", "posts.seo": "seo"}),
        (9, 3, {"posts": "seo", "posts.translations": "translations"}),
        (None, None, {"posts": "translations", "posts.seo": "seo"}),
    ],
)
def test_of_several_fields_of_translations_the_oldest_keeps_the_name_of_the_collection(
    number: int | None, seo: int | None, names: Mapping[str, str]
) -> None:
    for related in ([*relations(), *SEO], [*SEO, *relations()]):
        found = discover(with_seo(number=number, seo=seo), related)

        assert {each.name: each.alias_field for each in found} == names


def test_a_field_of_translations_without_texts_takes_no_name_from_another() -> None:
    fields = with_seo(number=9, seo=3)
    fields["posts_seo"].pop()

    (found,) = discover(fields, [*relations(), *SEO])

    assert found.name == "posts"


def test_of_several_fields_of_translations_none_is_renamed_because_another_cannot_be_described() -> None:
    fields, faults = with_seo(number=3, seo=9), dict[str, PermanentError]()
    fields["posts_translations"].append({"field": "odd"})

    assert discover(fields, [*relations(), *SEO], faults=faults) == ()
    assert list(faults) == ["posts"]


def test_a_link_to_something_that_is_not_one_collection_is_no_translation() -> None:
    related = relations()
    related[1] = {**related[1], "related_collection": None, "meta": {"one_allowed_collections": ["languages", "tags"]}}

    assert discover(posts(), related) == ()


@pytest.mark.parametrize(
    ("related", "expected"),
    [
        (relations(), []),
        (relations()[:1], ["posts.translations"]),
        ([{**relations()[0], "meta": {"one_field": "translations"}}], ["posts.translations"]),
        ([relations()[0], {**relations()[1], "related_collection": None}], ["posts.translations"]),
        ([{**relations()[0], "meta": {"one_field": "comments"}}], []),
        ([{**relations()[0], "meta": None}], []),
    ],
)
def test_translations_whose_rows_point_to_no_languages_are_named(
    related: list[dict[str, Any]], expected: list[str]
) -> None:
    found = answers(posts(), related)

    assert (
        read_unlinked(client(lambda request: httpx.Response(200, json={"data": found[request.url.path]}))) == expected
    )


def test_an_ordinary_relation_is_no_translation() -> None:
    fields = posts()
    fields["posts"] = [key(), {"field": "translations", "type": "alias", "meta": {"special": ["o2m"]}}]

    assert discover(fields, relations()) == ()
    assert discover(posts(), relations()[:1]) == ()


def test_translations_of_a_system_collection_are_left_alone() -> None:
    fields = {**posts(), "directus_files": [key("id", "uuid"), alias_field()]}

    assert discover(fields, relations("directus_files")) == ()


def test_a_right_that_lacks_is_named() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/relations":
            return httpx.Response(200, json={"data": relations()})
        if request.url.path == "/fields":
            rows = [{"collection": name, **each} for name, own in posts().items() for each in own]
            return httpx.Response(200, content=json.dumps({"data": rows}))
        if request.url.path == "/collections":
            return httpx.Response(200, json={"data": []})
        return httpx.Response(403, json={"errors": [{"message": "You don't have permission to access this."}]})

    with pytest.raises(Forbidden, match="'read on languages'"):
        read_translated_collections(client(answer))


def two(**changed: list[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Posts and pages, both translated; the fields of some collections as given."""
    pages = {"pages": posts()["posts"], "pages_translations": posts()["posts_translations"]}
    pages["pages_translations"] = [key(), field("pages_id", "integer"), field("languages_code"), TITLE]
    return {**posts(), **pages, **changed}


TWO = [*relations(), *relations("pages", "pages_translations", item="pages_id")]
ODD: list[dict[str, Any]] = [
    {"field": "odd"},
    {"field": "odd", "type": "json", "meta": {"interface": "list", "options": {"fields": [None]}}},
    {"field": "odd", "type": "string", "meta": {"interface": "input", "options": ["slug"]}},
    {"field": "odd", "type": "string", "meta": {"interface": {}}},
    {"field": "odd", "type": "string", "meta": {"interface": "input", "special": 7}},
]


@pytest.mark.parametrize("odd", ODD)
def test_a_collection_that_cannot_be_described_is_no_obstacle_to_the_others(odd: dict[str, Any]) -> None:
    fields = two(pages_translations=[key(), field("pages_id", "integer"), field("languages_code"), TITLE, odd])
    faults: dict[str, PermanentError] = {}

    found = discover(fields, TWO, faults=faults)

    assert [each.collection for each in found] == ["posts"]
    assert list(faults) == ["pages"]
    with pytest.raises(Exception, match=r"."):
        discover(fields, TWO)


def test_a_project_schema_leaves_out_what_cannot_be_described() -> None:
    fields = two(pages=[*posts()["posts"], {"field": "odd", "type": "string", "meta": {"options": ["choices"]}}])
    faults: dict[str, PermanentError] = {}

    found = discover_schema(fields, TWO, faults=faults)

    assert [each.name for each in found.collections] == [
        "languages",
        "pages_translations",
        "posts",
        "posts_translations",
    ]
    assert list(faults) == ["pages"]


def test_languages_that_may_not_be_read_are_the_fault_of_their_collection() -> None:
    related = [*relations(), *relations("pages", "pages_translations", item="pages_id", languages="locales")]
    faults: dict[str, PermanentError] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/items/locales":
            return httpx.Response(403, json={"errors": [{"message": "No permission."}]})
        return httpx.Response(200, json={"data": answers(two(), related)[request.url.path]})

    found = read_translated_collections(client(answer), faults=faults)

    assert [each.collection for each in found] == ["posts"]
    assert "'read on locales'" in faults["pages"].remedy


def test_a_directus_in_trouble_is_no_fault_of_a_collection() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/items/languages":
            return httpx.Response(503)
        return httpx.Response(200, json={"data": answers(two(), TWO)[request.url.path]})

    with pytest.raises(Overloaded):
        read_translated_collections(client(answer), faults={})


NOTE = {"field": "note", "type": "string", "meta": {"interface": "input"}}


def hidden(described: Mapping[str, Any]) -> dict[str, Any]:
    return {**described, "meta": {**described["meta"], "hidden": True}}


def test_what_is_hidden_on_the_item_is_withheld_where_the_item_is_the_source() -> None:
    (found,) = discover(posts(TITLE, NOTE, own=[TITLE, hidden(NOTE)]), relations())

    assert [each.name for each in found.fields] == ["title"]
    assert [each.name for each in found.withheld] == ["note"]
    assert found.item_fields == ("title", "note")


def test_an_item_all_of_whose_texts_are_hidden_is_no_source() -> None:
    (found,) = discover(posts(TITLE, NOTE, own=[hidden(TITLE), hidden(NOTE)]), relations())

    assert [each.name for each in found.fields] == ["title", "note"]
    assert found.item_fields == ()


def test_values_tell_what_a_name_does_not() -> None:
    place = {"field": "place", "type": "string", "meta": {"interface": "input"}}
    rows = [{"id": 1, "place": "about-us"}, {"id": 2, "place": "home"}, {"id": 3, "place": None}]

    (copied,) = discover(
        posts(TITLE, place), relations(), languages={"languages": LANGUAGES, "posts_translations": rows}
    )
    (text,) = discover(posts(TITLE, place), relations())

    assert copied.fields[1].copied == "unless prose"
    assert text.fields[1].copied == "addresses"
