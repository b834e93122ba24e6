"""Orphaned translation records, on the real Directus."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from directus_assets.commands.prune.records import find_record_orphans
from directus_assets.directus.client import DirectusClient
from directus_assets.errors import Forbidden
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.project import Project
from directus_assets.ownership.record_store import record_name
from directus_assets.settings import Environment, Settings
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.scope import Scope

pytestmark = pytest.mark.integration


@pytest.fixture
def project(directus: LocalDirectus, bot: DirectusClient, tmp_path: Path) -> Project:
    variables = {
        "DIRECTUS_URL": directus.url,
        "DIRECTUS_TOKEN": directus.bot_token,
        "DAGSTER_HOME": str(tmp_path),
        "TRANSLATION_ENGINE": "pseudo",
    }
    project = Project(Settings(environment=Environment.read(variables)))
    project.__dict__["directus"] = bot
    return project


def create_post(studio: DirectusClient) -> str:
    return str(studio.post("/items/posts", {"translations": [{"languages_code": "en-US", "title": "A harbour"}]})["id"])


def remember(project: Project, item: str, *languages: str) -> None:
    for language in languages:
        project.records.save(TranslationRecord(collection="posts", item=item, language=language))


def orphans(project: Project) -> dict[str, str]:
    return {orphan.name: orphan.reason for orphan in find_record_orphans(project)}


def test_records_of_deleted_items_are_orphans_and_others_are_not(project: Project, studio: DirectusClient) -> None:
    kept, gone, never = create_post(studio), create_post(studio), "4711"
    for item in (kept, gone, never):
        remember(project, item, "de-DE", "fr-FR")
    studio.delete(f"/items/posts/{gone}")

    assert orphans(project) == {
        record_name("posts", gone, language): f"posts {gone} deleted" for language in ("de-DE", "fr-FR")
    }


def test_records_of_a_deleted_language_are_orphans(
    project: Project, studio: DirectusClient, scopes: Mapping[str, Scope]
) -> None:
    item = create_post(studio)
    studio.post("/items/languages", {"code": "nl-NL", "name": "Dutch"})
    remember(project, item, "nl-NL", "de-DE", "xx-XX")
    assert orphans(project) == {}

    studio.delete("/items/languages/nl-NL")

    assert orphans(project) == {record_name("posts", item, "nl-NL"): "language nl-NL deleted"}


def test_a_language_that_came_back_keeps_its_records(project: Project, studio: DirectusClient) -> None:
    item = create_post(studio)
    remember(project, item, "it-IT")
    studio.post("/items/languages", {"code": "it-IT", "name": "Italian"})
    studio.delete("/items/languages/it-IT")
    studio.post("/items/languages", {"code": "it-IT", "name": "Italian"})

    assert orphans(project) == {}

    studio.delete("/items/languages/it-IT")


def test_a_token_that_may_not_read_items_proves_nothing(
    project: Project, studio: DirectusClient, scopes: Mapping[str, Scope]
) -> None:
    item = create_post(studio)
    remember(project, item, "de-DE")
    studio.delete(f"/items/posts/{item}")
    (right,) = studio.get("/permissions", filter={"collection": {"_eq": "posts"}}, limit=-1)
    studio.delete(f"/permissions/{right['id']}")
    try:
        found = _unless_refused(project)
    finally:
        studio.post("/permissions", {name: value for name, value in right.items() if name != "id"})

    assert found == {}


def _unless_refused(project: Project) -> dict[str, str]:
    """Where the relation is not seen, there is no such collection; where it is, the right is missed by name."""
    try:
        return orphans(project)
    except Forbidden:
        return {}
