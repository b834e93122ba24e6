"""Declarations against a schema: their interpretation, and the errors for invalid ones."""

from typing import Any

import pytest

from directus_assets.directus.project_schema import CollectionSchema, FieldSchema, ProjectSchema
from directus_assets.directus.schema import LanguageRow, TextField, TranslatedCollection
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.declare import declare
from directus_assets.errors import ConfigurationError
from directus_assets.settings import Config


def collection(name: str, key: str = "integer", /, **fields: str) -> CollectionSchema:
    """A collection with fields of these types; `-> name` is a reference."""
    own = [
        FieldSchema(name=each, type="uuid" if "->" in kind else kind, related=kind.partition("-> ")[2] or None)
        for each, kind in fields.items()
    ]
    return CollectionSchema(name=name, fields=(FieldSchema(name="id", type=key, is_key=True), *own))


LANGUAGES = (LanguageRow(key="en", code="en-US"), LanguageRow(key="de", code="de-DE"))
SCHEMA = ProjectSchema(
    (
        collection("directus_files", "uuid", title="string", description="text", type="string"),
        collection("notes", title="string", body="text", score="float", flag="boolean", topics="json", status="string"),
        collection("entities", note="-> notes", name="string", kind="string"),
        collection("posts", image="-> directus_files", status="string"),
        collection("posts_translations", title="string", body="text", summary="text", topics="json"),
        collection("tags", name="string"),
    ),
    (
        TranslatedCollection(
            collection="posts",
            key_field="id",
            translations="posts_translations",
            translations_key_field="id",
            item_field="posts_id",
            language_field="languages_code",
            languages=LANGUAGES,
            languages_collection="languages",
            fields=(TextField(name="title", kind="plain"),),
            default_language="en-US",
        ),
    ),
)
NOTE: dict[str, Any] = {"prompt": "Rate it.", "input": ["title"], "result": {"score": "number"}, "target": "score"}


def declared(collection: str = "notes", name: str = "rating", **options: Any) -> Declaration:
    config = Config.model_validate({"enrichments": {collection: {name: options}}})
    (found,) = declare(config.enrichments, SCHEMA, default_language=None)
    return found


def test_a_declaration_knows_where_its_fields_are() -> None:
    found = declared("posts", "summary", picture="image")

    assert [(place.name, place.is_translated) for place in found.inputs] == [("title", True), ("body", True)]
    assert found.targets["summary"].is_translated
    assert found.source == LANGUAGES[0]
    assert found.languages == ()


def test_a_built_in_needs_no_more_than_its_name_and_can_be_overruled_in_parts() -> None:
    found = declared("posts", "summary", result={"summary": {"max_length": 90}}, input="body", languages="all")

    assert found.result["summary"].max_length == 90
    assert found.result["summary"].min_length == 1
    assert found.options.prompt.startswith("Summarise")
    assert [place.name for place in found.inputs] == ["body"]
    assert found.languages == LANGUAGES


def test_a_built_in_may_have_another_name() -> None:
    assert declared("posts", "teaser", builtin="summary").options.prompt.startswith("Summarise")


def test_what_is_switched_off_is_not_declared() -> None:
    config = Config.model_validate({"enrichments": {"gone": {"summary": {"enabled": False}}}})

    assert declare(config.enrichments, SCHEMA, default_language=None) == []


def test_results_can_become_rows_of_another_collection() -> None:
    entity = {"type": "object", "fields": {"name": "text", "kind": ["person", "place"]}}
    found = declared(
        prompt="Find them.",
        input=["body"],
        result={"entities": {"type": "list", "of": entity}},
        rows={"collection": "entities", "item_field": "note", "each": "entities", "fields": {"name": "name"}},
    )

    assert found.rows
    assert found.rows.collection.name == "entities"
    assert found.rows.fields["name"].type == "string"
    assert found.targets == {}


def test_a_changed_declaration_has_another_code_version() -> None:
    versions = {
        declared(**NOTE).code_version,
        declared(**{**NOTE, "prompt": "Judge it."}).code_version,
        declared(**{**NOTE, "input": ["title", "body"]}).code_version,
        declared(**{**NOTE, "result": {"score": {"type": "number", "max": 5}}}).code_version,
    }

    assert len(versions) == 4
    assert declared(**NOTE, backfill_on_start=True).code_version == declared(**NOTE).code_version


@pytest.mark.parametrize(
    ("collection", "name", "options", "says"),
    [
        ("postss", "summary", {}, "`enrichments` in the YAML file refers to 'postss'.*Did you mean 'posts'"),
        ("posts", "sumary", {}, "has no `prompt`, and is not built in.*Did you mean the built-in 'summary'"),
        ("posts", "x", {"builtin": "sumary"}, "builtin` .* refers to 'sumary'.*Did you mean 'summary'"),
        ("posts", "x", {"prompt": "y"}, "has no `result`"),
        (
            "notes",
            "x",
            {**NOTE, "input": ["titel"]},
            "x.input` .* refers to 'titel', which notes does not have.*'title'",
        ),
        ("notes", "x", {**NOTE, "input": []}, "neither `input` nor `picture`"),
        ("notes", "x", {**NOTE, "target": "scor"}, "targets.score` .* refers to 'scor'.*'score'"),
        (
            "notes",
            "x",
            {**NOTE, "target": "flag"},
            "type number, but the field 'flag' has the type boolean",
        ),
        ("notes", "x", {**NOTE, "target": "title"}, "'title' has the type string"),
        (
            "notes",
            "x",
            {**NOTE, "target": None, "targets": {"scores": "score"}},
            "refers to 'scores', which the result",
        ),
        (
            "notes",
            "x",
            {**NOTE, "result": {"a": "text", "b": "text"}},
            "works for results with one field; this one has a, b",
        ),
        ("notes", "x", {**NOTE, "result": {"t": "text"}, "target": "title"}, "'title' as input and as target"),
        ("notes", "x", {**NOTE, "picture": "title"}, "'title', which is not a file field"),
        ("notes", "x", {**NOTE, "languages": ["de-DE"]}, "languages` .*: notes has no translations"),
        ("posts", "summary", {"languages": ["de-AT"]}, "refers to 'de-AT'.*Did you mean 'de-DE'"),
        (
            "posts",
            "summary",
            {"target": "status", "languages": "all"},
            "'status', which posts_translations does not have",
        ),
        (
            "posts",
            "summary",
            {"result": {"summary": {"min": 3}}},
            "`min` does not apply to a result of the type `text`",
        ),
        (
            "notes",
            "x",
            {**NOTE, "rows": {"collection": "entitys", "item_field": "note"}},
            "rows.collection` .* refers to 'entitys'.*Did you mean 'entities'",
        ),
        (
            "notes",
            "x",
            {**NOTE, "rows": {"collection": "notes", "item_field": "title"}},
            "each new row would create more rows without end",
        ),
        (
            "posts",
            "summary",
            {"rows": {"collection": "entities", "item_field": "note"}},
            "'note', which refers to notes",
        ),
        (
            "notes",
            "x",
            {
                **NOTE,
                "result": {"a": {"type": "choice", "choices": {"collection": "tags", "field": "nam"}}},
                "target": "status",
            },
            "result.a.choices.field` .* refers to 'nam', which tags does not have.*'name'",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place_and_what_may_be_meant(
    collection: str, name: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        declared(collection, name, **options)


def test_a_text_is_no_longer_than_its_field() -> None:
    short = FieldSchema(name="title", type="string", max_length=60)
    schema = ProjectSchema((CollectionSchema(name="notes", fields=(short, FieldSchema(name="body", type="text"))),))
    options = {"prompt": "x", "input": ["body"], "result": {"t": {"type": "text", "max_length": 90}}, "target": "title"}
    config = Config.model_validate({"enrichments": {"notes": {"x": options}}})

    (found,) = declare(config.enrichments, schema, default_language=None)

    assert found.result["t"].max_length == 60


def test_texts_in_rows_are_no_longer_than_their_fields() -> None:
    short = FieldSchema(name="name", type="string", max_length=40)
    notes = collection("notes", body="text")
    schema = ProjectSchema(
        (notes, CollectionSchema(name="names", fields=(short, FieldSchema(name="note", type="text"))))
    )
    rows = {"collection": "names", "item_field": "note"}
    named = {"type": "object", "fields": {"name": "text", "kind": "text"}}
    options = {
        "whole": {"result": {"name": "text"}, "rows": {**rows, "fields": {"name": "name"}}},
        "members": {
            "result": {"all": {"type": "list", "of": named}},
            "rows": {**rows, "each": "all", "fields": {"name": "name"}},
        },
        "values": {
            "result": {"all": {"type": "list", "of": "text"}},
            "rows": {**rows, "each": "all", "fields": {"value": "name"}},
        },
    }
    declared_ones = {name: {"prompt": "x", "input": ["body"], **own} for name, own in options.items()}
    config = Config.model_validate({"enrichments": {"notes": declared_ones}})

    found = {each.name: each.result for each in declare(config.enrichments, schema, default_language=None)}

    elements = [found[name]["all"].of for name in ("members", "values")]
    assert elements[0]
    assert elements[1]
    assert found["whole"]["name"].max_length == 40
    assert {name: own.max_length for name, own in elements[0].fields.items()} == {"name": 40, "kind": None}
    assert elements[1].max_length == 40


def texts(name: str, **kinds: str) -> CollectionSchema:
    """A collection whose fields are as the schema was read; those of the type `address` are no texts."""
    own = [
        FieldSchema(name=each, type=kind.replace("address", "string"), is_text=kind in ("string", "text", "json"))
        for each, kind in kinds.items()
    ]
    return CollectionSchema(
        name=name, fields=(FieldSchema(name="id", type="integer", is_key=True, is_text=False), *own)
    )


def built_in(schema: ProjectSchema, collection: str, *names: str, **own: Any) -> dict[str, Declaration]:
    config = Config.model_validate({"enrichments": {collection: {name: own.get(name, {}) for name in names}}})
    return {each.name: each for each in declare(config.enrichments, schema, default_language=None)}


BLOG = ProjectSchema(
    (texts("blog", slug="address", views="integer", description="text", content="text", title="string"),)
)
NOTES = {"title": "string", "body": "text", "teaser": "text", "summary": "text", "related": "json"}


def test_a_built_in_reads_all_texts_that_there_are() -> None:
    (found,) = built_in(BLOG, "blog", "summary", summary={"targets": {"summary": "slug"}}).values()

    assert found.reads == ["title", "content", "description"]
    assert found.not_read == ()


def test_texts_of_translations_are_read_too_and_those_of_the_item_come_before_their_namesakes() -> None:
    rows = texts("posts_translations", title="string", content="text", permalink="address", summary="text")
    schema = ProjectSchema((texts("posts", title="string", note="text"), rows), SCHEMA.translated)

    (found,) = built_in(schema, "posts", "summary").values()

    assert [(place.name, place.is_translated) for place in found.inputs] == [
        ("title", False),
        ("content", True),
        ("note", False),
    ]


def test_what_one_enrichment_writes_none_reads_by_itself() -> None:
    schema = ProjectSchema((texts("blog", title="string", content="text", summary="text", seo_title="string"),))

    found = built_in(schema, "blog", "summary", "seo", seo={"enabled": False})
    assert found["summary"].reads == ["title", "content"]

    found = built_in(schema, "blog", "seo")
    assert found["seo"].reads == ["title", "content", "summary"]


def test_where_a_title_and_a_body_are_there_nothing_changes_for_those_who_have_them() -> None:
    schema = ProjectSchema((texts("notes", **NOTES),))

    found = built_in(schema, "notes", "summary", "related")

    assert {name: each.reads for name, each in found.items()} == {name: ["title", "body"] for name in found}
    assert found["summary"].not_read == ("teaser",)
    # As they were when these two fields were all that was ever read: items of that time ask for nothing.
    assert {name: each.code_version for name, each in found.items()} == {
        "summary": "618f9b6aed23dc01",
        "related": "dadab06e8a9ff306",
    }


def test_a_text_field_that_is_added_is_no_reason_to_ask_anew() -> None:
    fields = {"title": "string", "content": "text", "summary": "text"}
    (before,) = built_in(ProjectSchema((texts("blog", **fields),)), "blog", "summary").values()
    (after,) = built_in(ProjectSchema((texts("blog", **fields, teaser="text"),)), "blog", "summary").values()

    assert after.reads == ["title", "content", "teaser"]
    assert before.code_version == after.code_version == "b697157d19a9dd39"


def test_a_schema_of_which_nobody_knows_the_texts_is_read_as_before() -> None:
    assert declared("notes", "summary", targets={"summary": "status"}).reads == ["title", "body"]


def test_a_built_in_for_pictures_takes_no_texts() -> None:
    schema = ProjectSchema((texts("directus_files", title="string", description="text", notes="text"),))

    (found,) = built_in(schema, "directus_files", "alt_text").values()

    assert found.reads == ["title", "the picture in id"]
