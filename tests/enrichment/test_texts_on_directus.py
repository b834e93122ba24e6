"""The default input of built-ins if fields are not named `title` and `body`, on the real Directus."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from directus_assets.commands.doctor.enrichments import check_declarations
from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.settings import Config
from tests.enrichment.conftest import create, field, fields
from tests.enrichment.pipeline import EnrichmentPipeline
from tests.translation import shapes
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

TEXTUAL = {
    "seo": {"result": {"description": {"min_length": 3}}},
    "summary": {},
    "tags": {"options": {"choices": ["food", "harbour"]}},
    "text_moderation": {},
    "analysis": {},
    "entities": {},
    "related": {"engine": "local"},
}
CONFIG: Mapping[str, Any] = {
    "translations": {"enabled": False, "prices": {"tiny": {"input": 1000, "output": 1000}}},
    "enrichments": {"stories": TEXTUAL, "recipes": {"summary": {}}},
}
ORIGINAL = {"title": "Rye", "description": "On bread", "content": "<p>Rye bread.</p>", "slug": "rye", "secret": "42"}


@pytest.fixture(scope="module")
def kitchen(directus: LocalDirectus, studio: DirectusClient) -> DirectusClient:
    """Stories, whose texts are all in their translations, and recipes with a title, a body and more."""
    create_collections(studio)
    shapes.create(studio, "stories", [shapes.text("status", interface="select-dropdown")])
    html = shapes.text("content", "text", "input-rich-text-html")
    rows = [shapes.text(), shapes.text("description", "text", "input-multiline"), html, shapes.text("slug")]
    hidden = field("secret", "integer")
    targets = fields(seo_title="string", seo_description="text", seo_keywords="json", summary="text", tags="json")
    shapes.translate(studio, "stories", [*rows, hidden, *targets])
    for own in fields(moderation="json", flagged="boolean", topics="json", entities="json", related="json"):
        studio.post("/fields/stories", own)
    create(studio, "recipes", *fields(title="string", body="text", teaser="text", summary="text"))
    create_bot(studio, token=directus.bot_token, config=Config.model_validate(CONFIG))
    return studio


def test_every_built_in_is_given_all_texts_and_doctor_says_which(
    directus: LocalDirectus, kitchen: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    with EnrichmentPipeline(directus, server, tmp_path, CONFIG) as pipeline:
        assert pipeline.tick("stories") == []
        rows = [{"language": "en-US", **ORIGINAL}, {"language": "de-DE", "title": "Roggen"}]
        item = str(kitchen.post("/items/stories", {"translations": rows})["id"])

        pipeline.settle("stories")

        assert server.asked
        for asked in server.asked:
            assert {name: asked.content[name] for name in asked.content} == {
                name: ORIGINAL[name] for name in ("title", "description", "content")
            }
        for name in TEXTUAL:
            assert pipeline.enriched(item, name, "stories"), name
        server.asked.clear()
        assert pipeline.tick("stories") == []
        assert server.asked == []

        found = {finding.what: finding for finding in check_declarations(Checkup(pipeline.project))}
    assert {finding.status for finding in found.values()} == {Status.OK}
    for name in TEXTUAL:
        assert found[f"enrichment stories.{name}"].text.startswith("title, content, description into ")
    # Where rights are per field, the token does not see the teaser.
    left = "; only read if named in `input`: teaser" if kitchen.version.major >= 12 else ""
    assert found["enrichment recipes.summary"].text == f"title, body into summary{left}"
