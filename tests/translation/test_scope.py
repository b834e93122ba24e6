"""The scopes of a project: the schema, the YAML file, and mistakes in it."""

from dataclasses import replace
from typing import Any

import pytest

from directus_assets.directus.models import GlossaryTerm
from directus_assets.directus.schema import LanguageRow, TextField, TranslatedCollection
from directus_assets.errors import ConfigurationError
from directus_assets.settings import TranslationOptions
from directus_assets.translation.fingerprints import fingerprint
from directus_assets.translation.glossary import Term
from directus_assets.translation.items import Item
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
        ({"collections": {"post": {}}}, "`translations.collections` .* refers to 'post', .* Did you mean 'posts'?"),
        ({"languages": ["de"]}, "`translations.languages` .* refers to 'de', .* Did you mean 'de-DE'?"),
        ({"source_language": "sw"}, "refers to 'sw', .* Directus has: en-US, de-DE, fr-FR"),
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


OWN = replace(POSTS, source_language_fields=("original",), code_fields=("locale",))


def test_the_only_field_of_an_item_that_points_to_a_language_names_its_own() -> None:
    (scope,) = scopes(OWN)

    assert scope.source_field == "original"
    assert scope.source.code == "en-US"
    assert [row.code for row in scope.targets] == ["en-US", "de-DE", "fr-FR"]
    assert scope.code_version == scopes()[0].code_version


@pytest.mark.parametrize(
    ("pointing", "said", "field"),
    [
        ((), None, None),
        (("original", "fallback"), None, None),
        (("original", "fallback"), "fallback", "fallback"),
        (("original",), "locale", "locale"),
        ((), "locale", "locale"),
        (("original",), False, None),
    ],
)
def test_yaml_can_name_the_field_of_the_own_language_or_none(
    pointing: tuple[str, ...], said: str | bool | None, field: str | None
) -> None:
    options = {"posts": {"source_language_field": said}}

    (scope,) = scopes(replace(OWN, source_language_fields=pointing), collections=options)

    assert scope.source_field == field
    assert ("en-US" in [row.code for row in scope.targets]) is (field is not None)


def test_only_the_languages_that_yaml_names_are_targets_of_items_in_another_language() -> None:
    (scope,) = scopes(OWN, languages=["de-DE", "fr-FR"])

    assert [row.code for row in scope.targets] == ["de-DE", "fr-FR"]


def test_one_language_alone_leaves_nothing_to_do() -> None:
    assert scopes(replace(OWN, languages=OWN.languages[:1])) == []


def test_a_field_of_the_own_language_that_there_is_not_is_told_with_the_nearest_one() -> None:
    with pytest.raises(ConfigurationError, match=r"source_language_field` .* 'orignal', .* Did you mean 'original'?"):
        scopes(OWN, collections={"posts": {"source_language_field": "orignal"}})


def item(source_language: str, title: str = "Bread") -> Item:
    return Item(key="1", source_language=source_language, source={"title": title, "body": "<p>Rye</p>"}, rows={})


def stamp(source_language: str, target: str, title: str = "Bread") -> str:
    (scope,) = scopes(OWN)
    terms = (Term.of(GlossaryTerm(term="Bread", translation_note="Brot")),)
    return fingerprint(
        scope, item(source_language, title), LanguageRow(key=target, code=target), terms, is_pseudo=False
    )


def test_fingerprints_of_items_in_the_language_of_the_project_are_what_they_have_always_been() -> None:
    assert scopes(OWN)[0].code_version == "e42d63d5a6c0aa4e"
    assert stamp("en-US", "de-DE") == "072302698759edf9"


def test_the_fingerprint_follows_the_language_that_an_item_is_written_in() -> None:
    assert len({stamp(source, "fr-FR") for source in ("en-US", "de-DE", "it-IT", "fr-FR")}) == 4
    assert stamp("fr-FR", "fr-FR", "Bread") == stamp("fr-FR", "fr-FR", "Pain")


SEO = replace(
    POSTS,
    alias_field="seo",
    is_first=False,
    translations="posts_seo",
    fields=(TextField(name="description", kind="plain"),),
)


def several(**collections: Any) -> dict[str, Scope]:
    options = TranslationOptions.model_validate({"collections": collections})
    return {scope.name: scope for scope in plan_scopes([POSTS, SEO], options, default_language=None)}


def test_a_second_field_of_translations_has_options_of_its_own_or_those_of_its_collection() -> None:
    both = several(posts={"fields": ["title"], "languages": ["de-DE"]})
    assert [field.name for field in both["posts"].schema.fields] == ["title"]
    assert [field.name for field in both["posts.seo"].schema.fields] == ["description"]
    assert [row.code for row in both["posts.seo"].targets] == ["de-DE"]

    assert list(several(**{"posts.seo": {"enabled": False}})) == ["posts"]
    assert several(posts={"enabled": False}) == {}
    with pytest.raises(ConfigurationError, match=r"posts\.sea"):
        several(**{"posts.sea": {}})


def test_a_field_that_a_second_field_of_translations_lacks_is_named_with_its_place() -> None:
    with pytest.raises(ConfigurationError, match=r"translations\.collections\.posts\.seo\.fields"):
        several(**{"posts.seo": {"fields": ["title"]}})


HIDDEN = replace(
    POSTS,
    fields=(
        *POSTS.fields,
        TextField(name="permalink", kind="plain", copied="always"),
        TextField(name="links", kind="repeater", members=("label", "url:address", "note:hidden")),
    ),
    withheld=(TextField(name="secret", kind="plain"),),
)


def field_of(name: str, **own: Any) -> TextField | None:
    (scope,) = scopes(HIDDEN, collections={"posts": own})
    return next((field for field in scope.schema.fields if field.name == name), None)


def test_what_is_hidden_is_translated_only_where_the_yaml_file_names_it() -> None:
    assert field_of("secret") is None
    assert field_of("secret", fields=["title"]) is None
    assert field_of("secret", fields=["title", "secret"]) == TextField(name="secret", kind="plain")
    assert field_of("secret", kinds={"secret": "html"}) == TextField(name="secret", kind="html")
    assert field_of("secret", kinds={"secret": "plain"}, exclude=["secret"]) is None


def test_a_hidden_member_of_a_repeater_is_translated_only_where_the_yaml_file_names_it() -> None:
    def members(**own: Any) -> tuple[str, ...] | None:
        field = field_of("links", **own)
        return field.members if field else None

    assert members() == ("label", "url:address", "note:hidden")
    assert members(fields=["links.note"]) == ("label", "url:address", "note")
    assert members(kinds={"links.note": "markdown"}) == ("label", "url:address", "note:markdown")


def test_addresses_are_translated_where_the_yaml_file_says_so() -> None:
    assert field_of("permalink", kinds={"permalink": "translate"}) == TextField(name="permalink", kind="path")
    assert field_of("title", kinds={"title": "translate"}) == TextField(name="title", kind="plain")
    assert field_of("title", kinds={"title": "copy"}) == TextField(name="title", kind="plain", copied="always")


OLD = replace(
    POSTS,
    fields=(
        TextField(name="title", kind="plain"),
        TextField(name="slug", kind="slug"),
        TextField(name="link", kind="plain", copied="unless prose"),
        TextField(name="blocks", kind="blocks"),
        TextField(name="items", kind="repeater", members=("label", "text:markdown", "url:address", "note:hidden")),
    ),
)
TEXTS: dict[str, Any] = {
    "title": "Hello",
    "slug": "hello-there",
    "link": "Read more here",
    "blocks": {"blocks": [{"type": "paragraph", "data": {"text": "One"}}]},
    "items": [{"label": "Size", "text": "**Big** one", "url": None}],
}


def fingerprint_of(**changed: Any) -> str:
    (scope,) = scopes(OLD)
    item = Item(key="1", source_language="en-US", source={**TEXTS, **changed}, rows={})
    return fingerprint(scope, item, scope.targets[0], (), is_pseudo=False)


@pytest.mark.parametrize(
    ("changed", "before"),
    [
        ({}, "5fe1bd85d0c94043"),
        ({"link": None}, "5705bcc77467eeab"),
        ({"link": "https://example.com/about"}, "39540ebeb1c36d2a"),
    ],
)
def test_fingerprints_of_the_first_version_stay(changed: dict[str, Any], before: str) -> None:
    assert fingerprint_of(**changed) == before


@pytest.mark.parametrize(
    ("changed", "before"),
    [
        ({"link": "/about-us"}, "70b2b845552a5a7e"),
        ({"blocks": {"blocks": [{"type": "odd", "data": {"text": "One two"}}]}}, "6d0d6368fc573744"),
        ({"items": [{"label": "Size", "url": "/about us"}]}, "b2a599f6abd84db6"),
        ({"items": [{"label": "Size", "note": "Secret words"}]}, "4cece7c596678745"),
    ],
)
def test_what_the_first_version_read_in_another_way_is_made_anew(changed: dict[str, Any], before: str) -> None:
    assert fingerprint_of(**changed) != before


GROWN = replace(
    POSTS,
    fields=(*POSTS.fields, TextField(name="rich", kind="auto")),
    withheld=(TextField(name="note", kind="plain"), TextField(name="secret", kind="auto")),
    reasons=tuple((name, "") for name in ("id", "title", "note", "body", "rich", "secret")),
)


def test_fields_that_are_withheld_or_known_now_leave_the_fingerprints_of_items_without_them() -> None:
    (scope,) = scopes(GROWN)
    item = Item(key="1", source_language="en-US", source={"title": "Hello", "body": "<p>Hi</p>", "rich": None}, rows={})
    other = replace(item, source={**item.source, "rich": [{"text": "More words"}]})
    target = scope.targets[0]

    assert [field.name for field in scope.schema.fields] == ["title", "body", "rich"]
    assert fingerprint(scope, item, target, (), is_pseudo=False) == "5d5020c9cc91ecad"
    assert fingerprint(scope, other, target, (), is_pseudo=False) != "5d5020c9cc91ecad"


def test_the_layout_is_what_it_was_whatever_is_withheld_or_known_now() -> None:
    title = ("title", "body")

    assert not scopes(replace(GROWN, item_fields=title))[0].source_on_item
    (scope,) = scopes(replace(GROWN, item_fields=(*title, "note")))
    assert scope.source_on_item
    assert [field.name for field in scope.schema.fields] == ["title", "body"]
    (scope,) = scopes(replace(GROWN, item_fields=(*title, "note", "rich")), collections={"posts": {"fields": ["rich"]}})
    assert [field.name for field in scope.schema.fields] == ["rich"]


@pytest.mark.parametrize(
    ("common", "own", "is_shared"),
    [
        (True, True, True),
        (False, True, False),
        (True, False, False),
        ({"propagate": True}, True, True),
        (None, True, True),
    ],
)
def test_the_memory_is_shared_unless_it_is_switched_off(common: object, own: bool, is_shared: bool) -> None:
    (scope,) = scopes(memory=common, collections={"posts": {"memory": own}})

    assert scope.shares_memory is is_shared
