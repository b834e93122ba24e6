"""Delivery `storage` into a bucket that a real Directus serves from."""

from collections.abc import Iterator

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import Preset
from directus_assets.directus.storage import S3Storage, open_storages
from directus_assets.images.make import Maker
from directus_assets.images.outcomes import Delivered
from directus_assets.local.pictures import landscape, upload
from directus_assets.local.server import LocalDirectus
from tests.buckets import s3_service

pytestmark = pytest.mark.integration

BUCKET = "served-pictures"
"""Of its own: all of moto's servers in one process share their buckets."""

PRESETS = [
    {"key": "card", "fit": "cover", "width": 120, "height": 90, "quality": 80, "format": "webp", "transforms": []},
    {"key": "any", "fit": "inside", "width": 100, "quality": 70, "format": "auto", "transforms": []},
]


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    """Directus' own variables for a bucket of an S3 service on this machine."""
    with s3_service(BUCKET) as url:
        yield {
            "STORAGE_LOCATIONS": "s3",
            "STORAGE_S3_DRIVER": "s3",
            "STORAGE_S3_KEY": "key",
            "STORAGE_S3_SECRET": "secret",
            "STORAGE_S3_BUCKET": BUCKET,
            "STORAGE_S3_REGION": "us-east-1",
            "STORAGE_S3_ENDPOINT": url,
            "STORAGE_S3_FORCE_PATH_STYLE": "true",
            "STORAGE_S3_ROOT": "media",
        }


def test_directus_serves_from_the_bucket_what_was_stored_there_and_renders_nothing(variables: dict[str, str]) -> None:
    with LocalDirectus(environment=variables) as directus, admin_of(directus) as admin:
        admin.patch("/settings", json={"storage_asset_presets": PRESETS}).raise_for_status()
        file_id = upload(admin, landscape(1, (800, 600)), filename="a.jpg", type="image/jpeg", title="A")
        storages = open_storages(variables)
        with DirectusClient(directus.url, directus.admin_token) as client:
            maker = Maker(client=client, storages=storages, export=unused, delivery_of=lambda _: "storage")
            work = {client.files_by_id([file_id])[0]: [Preset.parse(preset) for preset in PRESETS]}

            outcomes = list(maker.make(work))

        assert [outcome.delivery for outcome in outcomes if isinstance(outcome, Delivered)] == ["storage", "storage"]
        stored = {name: storages["s3"].read(name) for name, _ in storages["s3"].names(file_id) if "__" in name}
        assert len(stored) == 4  # card, and three formats of any
        assert admin.get(f"/assets/{file_id}", params={"key": "card"}).content in stored.values()
        for accept in ("image/avif", "image/webp", "*/*"):
            answer = admin.get(f"/assets/{file_id}", params={"key": "any"}, headers={"accept": accept})
            assert answer.content in stored.values()
        assert {name for name, _ in storages["s3"].names(file_id) if "__" in name} == stored.keys()


def admin_of(directus: LocalDirectus) -> httpx.Client:
    headers = {"authorization": f"Bearer {directus.admin_token}"}
    return httpx.Client(base_url=directus.url, headers=headers, timeout=60, trust_env=False)


def unused() -> S3Storage:
    raise AssertionError("nothing is exported here")
