"""What of a project is translated: the schema, the YAML file, and mistakes in it."""

from dataclasses import replace
from typing import Any

import pytest

from directus_assets.directus.schema import LanguageRow, TextField, TranslatedCollection
from directus_assets.errors import ConfigurationError
from directus_assets.settings import TranslationOptions
from directus_assets.translation.scope import Scope, plan_scopes

POSTS = TranslatedCollection(
    collection="posts",
    key_field="id",
    translations="posts_translations",
    translations_key_field="id",
    item_field="posts_id",
    language_field="languages_code",
    languages=tuple(LanguageRow(key=code, code=code) for code in ("en-US", "de-DE", "fr-FR")),
    languages_collection="languages",
    fields=(TextField(name="title", kind="plain"), TextField(name="body", kind="html")),
)


def scopes(found: TranslatedCollection = POSTS, *, default_language: str | None = None, **options: Any) -> list[Scope]:
    return plan_scopes([found], TranslationOptions.model_validate(options), default_language=default_language)


def posts(**options: Any) -> list[Scope]:
    return scopes(collections={"posts": options})


def test_without_configuration_everything_is_translated_from_the_first_language_into_all_others() -> None:
    (scope,) = scopes()

    assert scope.source.code == "en-US"
    assert [row.code for row in scope.targets] == ["de-DE", "fr-FR"]
    assert scope.schema.fields == POSTS.fields


@pytest.mark.parametrize(
    ("own", "common", "interface", "project", "source"),
    [
        ("fr-FR", "de-DE", "en-US", "en-US", "fr-FR"),
        (None, "de-DE", "en-US", "en-US", "de-DE"),
        (None, None, "fr-FR", "de-DE", "fr-FR"),
        (None, None, None, "de-DE", "de-DE"),
        (None, None, "xx-XX", "yy-YY", "en-US"),
    ],
)
def test_the_source_language_is_what_is_said_nearest(
    own: str | None, common: str | None, interface: str | None, project: str, source: str
) -> None:
    (scope,) = scopes(
        replace(POSTS, default_language=interface),
        default_language=project,
        source_language=common,
        collections={"posts": {"source_language": own}},
    )

    assert scope.source.code == source
    assert source not in [row.code for row in scope.targets]


def test_a_collection_can_have_languages_fields_kinds_and_a_filter_of_its_own() -> None:
    condition = {"status": {"_eq": "published"}}
    (scope,) = posts(
        languages=["fr-FR"], exclude=["title"], kinds={"body": "markdown", "teaser": "plain"}, filter=condition
    )

    assert [row.code for row in scope.targets] == ["fr-FR"]
    assert scope.schema.fields == (TextField(name="body", kind="markdown"), TextField(name="teaser", kind="plain"))
    assert scope.filter == condition


@pytest.mark.parametrize(
    "options",
    [
        {"enabled": False},
        {"collections": {"posts": {"enabled": False}}},
        {"languages": []},
        {"languages": ["en-US"]},
        {"collections": {"posts": {"fields": []}}},
    ],
)
def test_what_is_switched_off_or_leaves_nothing_to_do_is_no_scope(options: dict[str, Any]) -> None:
    assert scopes(**options) == []


def test_a_project_without_languages_has_no_scope() -> None:
    assert scopes(replace(POSTS, languages=())) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"collections": {"post": {}}}, "`translations.collections` .* names 'post', .* Did you mean 'posts'?"),
        ({"languages": ["de"]}, "`translations.languages` .* names 'de', .* Did you mean 'de-DE'?"),
        ({"source_language": "sw"}, "names 'sw', .* Directus has: en-US, de-DE, fr-FR"),
        ({"collections": {"posts": {"fields": ["tilte"]}}}, "posts.fields` .* 'tilte', .* Did you mean 'title'?"),
        ({"collections": {"posts": {"exclude": ["bod"]}}}, "posts.exclude` .* 'bod', .* Did you mean 'body'?"),
    ],
)
def test_a_name_that_directus_has_not_is_told_with_the_nearest_one(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        scopes(**options)


def test_the_original_is_on_the_item_only_where_the_item_has_every_field() -> None:
    assert not scopes()[0].source_on_item
    assert not scopes(replace(POSTS, item_fields=("title",)))[0].source_on_item
    assert scopes(replace(POSTS, item_fields=("title", "body")))[0].source_on_item


def test_naming_the_fields_that_the_item_has_makes_the_item_the_original() -> None:
    (scope,) = scopes(replace(POSTS, item_fields=("title",)), collections={"posts": {"fields": ["title"]}})

    assert scope.source_on_item


def test_the_code_version_changes_with_how_texts_are_read_and_not_with_the_languages() -> None:
    (scope,) = scopes()

    assert posts(languages=["fr-FR"])[0].code_version == scope.code_version
    assert posts(kinds={"body": "markdown"})[0].code_version != scope.code_version
    assert posts(source_language="de-DE")[0].code_version != scope.code_version
