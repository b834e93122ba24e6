"""`placeholder` on the real Directus: measured into fields of the file, without a model or a key."""

import base64
import io
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from PIL import Image

from directus_assets.directus.client import DirectusClient
from directus_assets.images.previews import placeholder
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.settings import Config
from tests.enrichment.conftest import fields
from tests.enrichment.pipeline import EnrichmentPipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

FILES = "directus_files"
CONFIG: Mapping[str, Any] = {"enrichments": {FILES: {"placeholder": {}}}}
FIELDS = {"blurhash": "string", "thumbhash": "string", "dominant_colour": "string", "aspect_ratio": "float"}


def picture(colour: str, size: tuple[int, int], *, clear: bool = False) -> bytes:
    image = Image.linear_gradient("L").resize(size).convert("RGBA")
    image.paste(colour, (0, 0, size[0] * 3 // 4, size[1]))
    if clear:
        image.putalpha(120)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def studio(empty_directus: LocalDirectus) -> Iterator[DirectusClient]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as client:
        for own in fields(**FIELDS):
            client.post(f"/fields/{FILES}", own)
        create_bot(client, token=empty_directus.bot_token, config=Config.model_validate(CONFIG))
        yield client
        for name in FIELDS:
            client.delete(f"/fields/{FILES}/{name}")


@pytest.fixture(scope="module")
def pipeline(
    directus: LocalDirectus, studio: DirectusClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EnrichmentPipeline]:
    with (
        ScriptedOpenAI() as server,
        EnrichmentPipeline(directus, server, tmp_path_factory.mktemp("state"), CONFIG) as pipeline,
    ):
        assert pipeline.tick("files") == []
        yield pipeline
        assert server.asked == [], "A model was asked."


def uploaded(admin: httpx.Client, content: bytes, *, replaces: str = "") -> str:
    method, path = ("PATCH", f"/files/{replaces}") if replaces else ("POST", "/files")
    answer = admin.request(method, path, files={"file": ("a.png", content, "image/png")})
    return str(answer.raise_for_status().json()["data"]["id"])


def row(studio: DirectusClient, file_id: str) -> dict[str, Any]:
    found: dict[str, Any] = studio.get(f"/files/{file_id}", fields=list(FIELDS))
    return found


def test_what_stands_in_for_a_picture_is_measured_and_measured_anew_when_it_is_replaced(
    pipeline: EnrichmentPipeline, studio: DirectusClient, admin: httpx.Client
) -> None:
    first, second = picture("orange", (300, 200)), picture("navy", (200, 300), clear=True)
    file_id = uploaded(admin, first)
    pipeline.settle("files")
    before = row(studio, file_id)

    uploaded(admin, second, replaces=file_id)
    pipeline.settle("files")
    after = row(studio, file_id)

    for content, found, ratio in ((first, before, 1.5), (second, after, 0.6667)):
        expected = placeholder(content)
        assert (found["blurhash"], found["dominant_colour"]) == (expected.blurhash, expected.colour)
        assert found["aspect_ratio"] == ratio
    assert before["dominant_colour"] == "#ffa500"
    assert not base64.b64decode(before["thumbhash"])[2] & 0x80
    assert base64.b64decode(after["thumbhash"])[2] & 0x80, "It is transparent."


def test_a_value_that_somebody_has_written_stays(
    pipeline: EnrichmentPipeline, studio: DirectusClient, admin: httpx.Client
) -> None:
    file_id = uploaded(admin, picture("green", (100, 100)))
    pipeline.settle("files")
    studio.patch(f"/files/{file_id}", {"dominant_colour": "#123456"})

    pipeline.settle("files")

    assert row(studio, file_id)["dominant_colour"] == "#123456"


def test_a_picture_that_is_damaged_fails_alone_and_with_its_reason(
    pipeline: EnrichmentPipeline, studio: DirectusClient, admin: httpx.Client
) -> None:
    damaged = uploaded(admin, picture("red", (400, 300))[:900])
    healthy = uploaded(admin, picture("red", (40, 30)))

    pipeline.settle("files")

    assert row(studio, healthy)["aspect_ratio"] == 1.3333
    assert row(studio, damaged)["blurhash"] is None
    assert "damaged" in pipeline.refusal(damaged, "placeholder", FILES)
