"""A collection with several translations fields, and easily confused names, on the real Directus."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from directus_assets.commands.doctor.dagster import check_definitions
from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.commands.doctor.translations import check_collections
from directus_assets.directus.client import DirectusClient
from directus_assets.local import schema
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds, kinds_by_button
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.runs.history import latest_materialization
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from tests.translation import shapes
from tests.translation.pipeline import NAMES, Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

CONFIG: dict[str, Any] = {"translations": {"languages": ["en-US", "de-DE"]}}
PRESETS = [
    {"key": key, "fit": "cover", "width": 20, "height": 20} for key in ("card-small", "card_small", "card small")
]


@pytest.fixture(scope="module")
def shop(directus: LocalDirectus, studio: DirectusClient) -> DirectusClient:
    """Products have two translations fields, `runs` is named like a sensor, and `look_alikes` have none."""
    for collection in ("products", "runs", "look_alikes"):
        shapes.create(studio, collection)
    shapes.translate(studio, "products", [shapes.text()])
    shapes.translate(studio, "products", [shapes.text(), shapes.text("description", "text")], alias="seo")
    shapes.translate(studio, "runs", [shapes.text()])
    link_to_languages(studio, "look_alikes")
    studio.patch("/settings", {"storage_asset_presets": PRESETS})
    create_bot(studio, token=directus.bot_token)
    return studio


def link_to_languages(studio: DirectusClient, collection: str) -> None:
    """A many-to-many to languages whose field is called `translations`, and a title beside the link."""
    link = f"{collection}_languages"
    keys = [schema._field("item", "integer", hidden=True), schema._field("language", "string", hidden=True)]
    schema._create(studio, link, [shapes.serial(), *keys, shapes.text()])
    field = schema._field("translations", "alias", interface="list-m2m", special=["m2m"])
    studio.post(f"/fields/{collection}", {**field, "schema": None})
    schema._relate(studio, link, "item", collection, one_field="translations", junction_field="language")
    schema._relate(studio, link, "language", "languages", one_field=None, junction_field="item")


@pytest.fixture
def pipeline(
    directus: LocalDirectus, shop: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path, CONFIG) as pipeline:
        for collection in ("products", "runs"):
            assert pipeline.tick(collection) == []
        yield pipeline


def create(shop: DirectusClient, title: str, seo: str) -> str:
    body = {
        "translations": [{"language": "en-US", "title": title}],
        "seo": [{"language": "en-US", "title": seo, "description": f"About {seo}"}],
    }
    return str(shop.post("/items/products", body)["id"])


def german(shop: DirectusClient, field: str, item: str) -> dict[str, Any]:
    condition = {"item": {"_eq": item}, "language": {"_eq": "de-DE"}}
    (row,) = shop.get(f"/items/products_{field}", filter=condition)
    return {name: row[name] for name in row if name in ("title", "description")}


def in_german(text: str) -> str:
    return pseudo(text, target=language("de-DE"))


def made(pipeline: Pipeline, item: str, second: str) -> dg.AssetMaterialization | None:
    return latest_materialization(pipeline.instance, NAMES.translation("products", "de-DE", second=second), item)


def test_each_field_of_translations_is_translated_on_its_own(
    pipeline: Pipeline, shop: DirectusClient, server: ScriptedOpenAI
) -> None:
    item = create(shop, "Rye bread", "Rye bread, fresh from the oven")

    runs = pipeline.tick("products")

    assert all(run.success for run in runs)
    assert german(shop, "translations", item) == {"title": in_german("Rye bread")}
    assert german(shop, "seo", item) == {
        "title": in_german("Rye bread, fresh from the oven"),
        "description": in_german("About Rye bread, fresh from the oven"),
    }
    assert made(pipeline, item, "")
    assert made(pipeline, item, "seo")
    assert pipeline.tick("products") == []

    server.asked.clear()
    (row,) = shop.get("/items/products_seo", filter={"item": {"_eq": item}, "language": {"_eq": "en-US"}})
    shop.patch(f"/items/products_seo/{row['id']}", {"title": "Rye bread"})
    (run,) = pipeline.tick("products")

    assert run.success
    assert german(shop, "seo", item)["title"] == in_german("Rye bread")
    assert pipeline.tick("products") == []


def test_a_person_s_words_in_one_field_of_translations_are_no_ones_in_the_other(
    pipeline: Pipeline, shop: DirectusClient
) -> None:
    item = create(shop, "Bread", "Bread")
    pipeline.settle("products")
    (row,) = shop.get("/items/products_seo", filter={"item": {"_eq": item}, "language": {"_eq": "de-DE"}})
    shop.patch(f"/items/products_seo/{row['id']}", {"title": "Das Brot"})
    for field in ("translations", "seo"):
        (row,) = shop.get(f"/items/products_{field}", filter={"item": {"_eq": item}, "language": {"_eq": "en-US"}})
        shop.patch(f"/items/products_{field}/{row['id']}", {"title": "Loaf"})

    pipeline.settle("products")

    assert german(shop, "seo", item)["title"] == "Das Brot"
    assert german(shop, "translations", item) == {"title": in_german("Loaf")}


def test_the_reconcile_and_the_button_know_both(pipeline: Pipeline, shop: DirectusClient) -> None:
    create(shop, "Bread", "Bread")
    pipeline.settle("products")
    snapshot = take_snapshot(pipeline.project.directus, pipeline.project.wanted)

    targets = [each for each in all_kinds(pipeline.project, snapshot) if each.collection == "products"]
    assert [each.name for each in targets] == ["products", "products.seo"]
    assert len({each.job_name for each in targets}) == 2
    clicked = kinds_by_button(all_kinds(pipeline.project, snapshot))[Button.TRANSLATE, "products"]
    assert [each.job_name for each in clicked] == [each.job_name for each in targets]


def test_names_that_dagster_would_take_for_one_are_no_obstacle(pipeline: Pipeline, shop: DirectusClient) -> None:
    item = str(shop.post("/items/runs", {"translations": [{"language": "en-US", "title": "Run"}]})["id"])
    (run,) = pipeline.tick("runs")
    assert run.success
    assert pipeline.made(item, "de-DE", "runs")

    subject = Checkup(pipeline.project)
    (loaded,) = check_definitions(subject)
    assert loaded.status is Status.OK
    found = {finding.what: finding for finding in check_collections(subject)}
    assert {f.status for f in found.values()} == {Status.OK}
    assert found["collection products.seo"].text.startswith("en-US (a row of products_seo) into de-DE: title")
    assert found["collection products"].text.startswith("en-US (a row of products_translations) into de-DE: title")
    assert "collection look_alikes" not in found
