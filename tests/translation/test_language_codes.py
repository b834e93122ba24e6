"""Language codes in unusual fields, some of them invalid, on the real Directus."""

from pathlib import Path

import pytest

from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.commands.doctor.translations import check_collections
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import read_translated_collections
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from tests.translation import shapes
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration


def test_codes_beside_an_id_are_used_and_doctor_tells_the_doubtful_and_the_wrong(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    shapes.create(studio, "tongues", [shapes.text("name"), shapes.text("lang"), shapes.text("direction")])
    names = {"en": "English", "de": "German", "se": "Swedish", "cz": "Czech"}
    rows = [{"name": name, "lang": code, "direction": "ltr"} for code, name in names.items()]
    keys = {row["lang"]: row["id"] for row in studio.post("/items/tongues", rows)}
    shapes.create(studio, "menus")
    shapes.translate(studio, "menus", [shapes.text()], languages="tongues")
    shapes.create(studio, "moods", [shapes.text("name")])
    studio.post("/items/moods", [{"name": "good"}])
    shapes.create(studio, "songs")
    shapes.translate(studio, "songs", [shapes.text()], languages="moods")
    create_bot(studio, token=directus.bot_token)
    with Pipeline(directus, server, tmp_path, {"translations": {"source_language": None}}) as pipeline:
        assert pipeline.tick("menus") == []
        item = str(studio.post("/items/menus", {"translations": [{"language": keys["en"], "title": "Bread"}]})["id"])

        pipeline.tick("menus")

        condition = {"item": {"_eq": item}, "language": {"_eq": keys["de"]}}
        (german,) = studio.get("/items/menus_translations", filter=condition)
        assert german["title"] == pseudo("Bread", target=language("de"))
        assert "did you mean cs (Czech)?" in pipeline.reason(item, "cz", "menus")
        found = {finding.what: finding for finding in check_collections(Checkup(pipeline.project))}
    assert (found["language se"].status, found["language cz"].status) == (Status.WARNING, Status.FAILED)
    assert found["language se"].text == "'se' is Northern Sami; the code of Swedish is 'sv'."
    assert "did you mean cs (Czech)?" in found["language cz"].remedy
    by_name = {each.name: each for each in read_translated_collections(studio)}
    assert by_name["songs"].languages == ()
