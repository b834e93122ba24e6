"""The collections of the local Directus, created like the Studio does, in both layouts of translations.

`posts` have their source language in a row of `posts_translations`. `pages` have it on the page itself, and only the
target languages are rows of `pages_translations`.
"""

from typing import Any

from directus_assets.directus.client import DirectusClient

LANGUAGES: list[dict[str, Any]] = [
    {"code": "en-US", "name": "English", "direction": "ltr"},
    {"code": "de-DE", "name": "German", "direction": "ltr"},
    {"code": "fr-FR", "name": "French", "direction": "ltr"},
    {"code": "ja-JP", "name": "Japanese", "direction": "ltr"},
    {"code": "ar-SA", "name": "Arabic", "direction": "rtl"},
]

LABELS = ("Astronomy", "Bicycle", "Bread", "Coffee", "Image", "Photograph", "Repair", "Website")
"""The labels for posts."""

_SERIAL = {"is_primary_key": True, "has_auto_increment": True}
_UUID = {"is_primary_key": True, "length": 36, "has_auto_increment": False}


def create_collections(admin: DirectusClient) -> None:
    """Create `languages`, `posts` and `pages` with their translations; existing ones stay as they are.

    Raises:
        DirectusAssetsError: Directus refused or did not answer.
    """
    existing = {row["collection"] for row in admin.get("/collections")}
    if "languages" not in existing:
        _create(admin, "languages", _language_fields(), icon="translate")
        admin.post("/items/languages", LANGUAGES)
    if "posts" not in existing:
        _create(admin, "posts", _post_fields(), icon="article", display_template="{{translations.title}}")
        _relate(admin, "posts", "image", "directus_files")
        _translate(admin, "posts", key=_field("posts_id", "integer", hidden=True), texts=[*_texts("html"), _tags()])
    if "pages" not in existing:
        _create(admin, "pages", _page_fields(), icon="web", display_template="{{title}}")
        _translate(admin, "pages", key=_field("pages_id", "uuid", hidden=True), texts=[*_texts("md"), _blocks()])


def create_enrichment_targets(admin: DirectusClient) -> None:
    """Add the targets of the demo's enrichments to `posts`: `labels`, from a list, and `related` posts.

    Raises:
        DirectusAssetsError: Directus refused or did not answer.
    """
    if "posts_related" in {row["collection"] for row in admin.get("/collections")}:
        return
    options = {"presets": list(LABELS), "allowCustom": False}
    labels = _field("labels", "json", interface="tags", special=["cast-json"], options=options)
    admin.post("/fields/posts", labels)
    columns = [_field("posts_id", "integer", hidden=True), _field("related_posts_id", "integer", hidden=True)]
    numbers = [_field("sort", "integer", hidden=True), _field("score", "float", interface="input", readonly=True)]
    identity = _field("id", "integer", hidden=True, schema=_SERIAL)
    _create(admin, "posts_related", [identity, *columns, *numbers], hidden=True, icon="import_export")
    related = _field("related", "alias", interface="list-m2m", special=["m2m"])
    admin.post("/fields/posts", {**related, "schema": None})
    own = {"one_field": "related", "junction_field": "related_posts_id", "sort_field": "sort"}
    _relate(admin, "posts_related", "posts_id", "posts", on_delete="CASCADE", **own)
    other = {"one_field": None, "junction_field": "posts_id"}
    _relate(admin, "posts_related", "related_posts_id", "posts", on_delete="CASCADE", **other)


def _language_fields() -> list[dict[str, Any]]:
    directions = [{"text": "Left to right", "value": "ltr"}, {"text": "Right to left", "value": "rtl"}]
    return [
        _field("code", "string", interface="input", schema={"is_primary_key": True, "length": 255}),
        _field("name", "string", interface="input"),
        _field(
            "direction",
            "string",
            interface="select-dropdown",
            options={"choices": directions},
            schema={"default_value": "ltr"},
        ),
    ]


def _post_fields() -> list[dict[str, Any]]:
    image = _field("image", "uuid", interface="file-image", special=["file"])
    published = _field("date_published", "timestamp", interface="datetime")
    return [_field("id", "integer", hidden=True, schema=_SERIAL), _status(), image, published, *_dates()]


def _page_fields() -> list[dict[str, Any]]:
    key = _field("id", "uuid", hidden=True, special=["uuid"], schema=_UUID)
    return [key, _status(), *_texts("md"), _blocks(), *_dates()]


def _texts(body: str) -> list[dict[str, Any]]:
    """Title, slug, summary and a body in `html` or `md`."""
    return [
        _field("title", "string", interface="input"),
        _field("slug", "string", interface="input", options={"slug": True}),
        _field("summary", "text", interface="input-multiline"),
        _field("body", "text", interface=f"input-rich-text-{body}"),
    ]


def _tags() -> dict[str, Any]:
    return _field("tags", "json", interface="tags", special=["cast-json"])


def _blocks() -> dict[str, Any]:
    return _field("notice", "json", interface="input-block-editor", special=["cast-json"])


def _status() -> dict[str, Any]:
    choices = [{"text": text.capitalize(), "value": text} for text in ("published", "draft", "archived")]
    return _field(
        "status", "string", interface="select-dropdown", options={"choices": choices}, schema={"default_value": "draft"}
    )


def _dates() -> list[dict[str, Any]]:
    return [
        _field(f"date_{what}", "timestamp", interface="datetime", readonly=True, special=[f"date-{what}"])
        for what in ("created", "updated")
    ]


def _field(field: str, kind: str, *, schema: dict[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
    return {"field": field, "type": kind, "schema": schema or {}, "meta": meta}


def _create(admin: DirectusClient, collection: str, fields: list[dict[str, Any]], **meta: Any) -> None:
    body = {"collection": collection, "schema": {}, "meta": meta, "fields": fields}
    admin.post("/collections", body)


def _translate(admin: DirectusClient, parent: str, *, key: dict[str, Any], texts: list[dict[str, Any]]) -> None:
    """Add the field `translations` to `parent`, with its collection and both relations."""
    rows, language = f"{parent}_translations", _field("languages_code", "string", hidden=True)
    identity = _field("id", "integer", hidden=True, schema=_SERIAL)
    _create(admin, rows, [identity, key, language, *texts], hidden=True, icon="import_export")
    options = {"languageField": "name", "languageDirectionField": "direction", "defaultLanguage": "en-US"}
    alias = _field("translations", "alias", interface="translations", special=["translations"], options=options)
    admin.post(f"/fields/{parent}", {**alias, "schema": None})
    _relate(
        admin,
        rows,
        key["field"],
        parent,
        one_field="translations",
        junction_field="languages_code",
        on_delete="CASCADE",
    )
    _relate(admin, rows, "languages_code", "languages", one_field=None, junction_field=key["field"])


def _relate(
    admin: DirectusClient, collection: str, field: str, related: str, *, on_delete: str = "SET NULL", **meta: Any
) -> None:
    relation = {
        "collection": collection,
        "field": field,
        "related_collection": related,
        "schema": {"on_delete": on_delete},
        "meta": {"sort_field": None, "one_deselect_action": "nullify", **meta},
    }
    admin.post("/relations", relation)
