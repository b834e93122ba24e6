"""The list of rights on the real Directus: all of them are needed, and no others."""

import pytest

from directus_assets.commands.setup.rights import (
    OWN_PERMISSIONS,
    Right,
    bound_reads,
    held_rights,
    missing_rights,
    needed_rights,
    surplus_rights,
)
from directus_assets.commands.setup.setup import rights_of_project
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.feed import FeedPosition, read_feed
from directus_assets.directus.models import TRANSFORMED_TYPES
from directus_assets.directus.version import Version
from directus_assets.errors import DirectusAssetsError, NotFound
from directus_assets.notify import Cause, last_editors, tell_editor
from directus_assets.orchestration.project import Project
from directus_assets.ownership.versions import save_proposals
from directus_assets.settings import CollectionOptions, Config, TranslationOptions, parse_config
from directus_assets.snapshot import Wanted, take_snapshot
from directus_assets.translation.items import read_items
from directus_assets.translation.row_writer import RowWriter
from directus_assets.translation.scope import Scope, plan_scopes
from tests.operations.conftest import Site

RIGHTS = (
    "read on directus_activity",
    "read on directus_files",
    "read on directus_settings",
    "read on directus_collections",
    "read on directus_fields",
    "read on directus_relations",
    "read on directus_versions",
    "create on directus_versions",
    "create on directus_notifications",
    "read on languages",
    "read on pages",
    "read on pages_translations",
    "create on pages_translations",
    "update on pages_translations",
    "read on posts",
    "read on posts_translations",
    "create on posts_translations",
    "update on posts_translations",
)


def do_the_work(bot: DirectusClient, site: Site, *, post: str, page: str) -> None:
    """Use every right: sensor ticks, a derivative, and a translation that is created, changed and proposed."""
    assert bot.latest_activity_id() > 0
    assert read_feed(bot, FeedPosition(last_id=0), collections=["directus_files", "posts"]).entries
    (file,) = bot.files_page(types=TRANSFORMED_TYPES, page=1, size=10)
    assert bot.count_files(types=TRANSFORMED_TYPES) == 1
    assert bot.head_asset(file.id, preset="card").content_length > 0
    assert bot.download(file.id)
    for collection, key in (("posts", post), ("pages", page)):
        scope = scope_of(bot, collection)
        german = next(row for row in scope.targets if row.code == "de-DE")
        for title in ("Brot", "Brote"):
            (item,) = read_items(bot, scope, [key])
            RowWriter(bot, scope).write(item, german, {"title": title})
        (item,) = read_items(bot, scope, [key])
        own = scope.schema
        key_of_row, proposal = item.rows["de-DE"].key, {"title": "Das Brot"}
        save_proposals(bot, own.translations, key_of_row, proposal, is_versioned=own.is_versioned, setting="review")
        (editor,) = last_editors(bot, collection, [key]).values()
        tell_editor(bot, editor, [Cause(collection=collection, item=key, text="It is too long.")])


def scope_of(bot: DirectusClient, collection: str) -> Scope:
    snapshot = take_snapshot(bot, Wanted(translations=True))
    scopes = plan_scopes(snapshot.collections, TranslationOptions(), default_language=None)
    found = next((scope for scope in scopes if scope.collection == collection), None)
    if found is None:
        raise NotFound(f"{collection} is not seen.")
    return found


def write_items(site: Site) -> dict[str, str]:
    return {"post": site.write_post(), "page": str(site.admin.post("/items/pages", {"title": "About"})["id"])}


@pytest.mark.integration
def test_with_the_rights_of_setup_all_work_is_done(site: Site, bot: DirectusClient) -> None:
    do_the_work(bot, site, **write_items(site))

    assert sorted(RIGHTS) == sorted(right.name for right in rights_of_project(Project(site.settings()), bot))


@pytest.mark.integration
@pytest.mark.parametrize("right", RIGHTS)
def test_without_any_one_of_them_some_work_fails(right: str, site: Site, bot: DirectusClient) -> None:
    items = write_items(site)

    with site.without(right), pytest.raises(DirectusAssetsError):
        do_the_work(bot, site, **items)


def test_without_translations_only_pictures_are_read() -> None:
    rights = needed_rights([], parse_config("translations: {review: version}"), translates=False)

    assert [right.name for right in rights] == [
        "read on directus_activity",
        "read on directus_files",
        "read on directus_settings",
    ]


@pytest.mark.integration
def test_of_an_item_only_what_the_filter_asks_about_is_read(site: Site, bot: DirectusClient) -> None:
    collections = take_snapshot(bot, Wanted(translations=True)).collections
    own = CollectionOptions(filter={"_and": [{"status": {"_eq": "published"}}, {"_or": [{"image": {"_nnull": True}}]}]})
    options = TranslationOptions(collections={"posts": own})
    scopes = plan_scopes(collections, options, default_language=None)

    rights = {r.name: r.fields for r in needed_rights(scopes, Config(), translates=True)}

    assert rights["read on posts"] == ("id", "translations", "status", "image")
    assert rights["read on pages"] == ("*",)


def test_a_right_on_some_fields_lacks_the_others() -> None:
    needed = [Right(collection="posts", action="read", fields=("id", "title"))]
    held = held_rights(
        {"posts": {"read": {"access": "partial", "fields": ["id"]}, "update": {"access": "none"}}, "secrets": {}}
    )

    assert [str(right) for right in missing_rights(needed, held)] == ["read on posts (title)"]


def test_all_fields_cover_any() -> None:
    needed = [Right(collection="posts", action="read", fields=("id",))]
    held = held_rights({"posts": {"read": {"access": "full", "fields": ["*"]}}})

    assert missing_rights(needed, held) == []
    assert surplus_rights(needed, held) == []


def test_an_action_that_nothing_needs_is_surplus() -> None:
    held = held_rights({"posts": {"delete": {"access": "full", "fields": ["*"]}}})

    assert [right.name for right in surplus_rights([], held)] == ["delete on posts"]


def test_of_the_permissions_of_a_directus_10_only_those_of_the_own_role_are_meant_to_be_seen() -> None:
    needed = needed_rights([], Config(), translates=False, directus=Version.parse("10.13.4"))
    held = {right.collection: {"read": {"access": "partial", "fields": ["*"]}} for right in needed}

    assert OWN_PERMISSIONS in needed
    assert bound_reads(needed, held) == ["directus_activity", "directus_files", "directus_settings"]


def test_where_uploads_come_in_chunks_the_field_is_read_that_directus_filters_by() -> None:
    def files(*, takes_chunked_uploads: bool) -> tuple[str, ...]:
        rights = needed_rights([], Config(), translates=False, takes_chunked_uploads=takes_chunked_uploads)
        return next(right.fields for right in rights if right.collection == "directus_files")

    assert "tus_id" in files(takes_chunked_uploads=True)
    assert "tus_id" not in files(takes_chunked_uploads=False)


def test_before_directus_12_no_right_to_a_glossary_is_asked_for() -> None:
    (right,) = [
        right
        for right in needed_rights([], Config(), translates=False, directus=Version.parse("11.17.4"))
        if right.collection == "directus_settings"
    ]

    assert not any("glossary" in name for name in right.fields)
