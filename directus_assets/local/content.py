"""Fills a local Directus with the demo's content. Idempotent: adds what is missing and changes nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import names, pictures, upload
from directus_assets.local.presets import PRESETS
from directus_assets.local.progress import Say, shown
from directus_assets.local.schema import create_collections, create_enrichment_targets
from directus_assets.local.server import LocalDirectus
from directus_assets.settings import Config

PUBLIC_POLICY = "abf8a154-5b1c-4a46-ac9c-7300570f4f17"
"""The policy of callers without a token: its id is the same in every Directus (its migration 20240806A)."""

_TEXTS = Path(__file__).parent / "texts.yaml"
_PICTURE = re.compile(r"picture:([\w.-]+)")


@dataclass(frozen=True, kw_only=True)
class Content:
    """The existing content."""

    files: dict[str, str]
    """Ids of the seeded pictures, by file name."""


def seed(directus: LocalDirectus, *, landscapes: int = 6, config: Config | None = None) -> Content:
    """Add presets, languages, collections, pictures, texts, and the user with `directus.bot_token`.

    Existing content stays as it is, so changes that people made in the demo persist. Only deleted pictures are
    restored.

    Args:
        directus: must be running.
        landscapes: the number of generated pictures of 12 megapixels, in addition to the photographs.
        config: the pipeline's YAML settings, which determine the user's rights; the defaults if not given.

    Raises:
        DirectusAssetsError: Directus refused or did not answer.
    """
    with (
        shown("Filling Directus with content") as say,
        DirectusClient(directus.url, directus.admin_token, timeout_seconds=120) as admin,
    ):
        say("presets and collections")
        _add_presets(admin)
        create_collections(admin)
        create_enrichment_targets(admin)
        create_bot(admin, token=directus.bot_token, config=config)
        _publish_files(admin)
        files = _add_pictures(directus, admin, landscapes, say)
        say("texts")
        _add_texts(admin, files)
    return Content(files=files)


def _add_presets(admin: DirectusClient) -> None:
    """Store `PRESETS`, unless the project already has presets."""
    if not admin.project_settings().presets:
        admin.patch("/settings", {"storage_asset_presets": PRESETS})


def _publish_files(admin: DirectusClient) -> None:
    """Make files public, as on any website, so that links to derivatives open without a login."""
    # Directus 10 has no policies: there, permissions without a role are public.
    everybody = {"policy": PUBLIC_POLICY} if admin.version.has_policies else {"role": None}
    right = {**everybody, "collection": "directus_files", "action": "read"}
    condition = {field: {"_null": True} if value is None else {"_eq": value} for field, value in right.items()}
    if not admin.get("/permissions", filter=condition):
        admin.post("/permissions", {**right, "fields": ["*"], "permissions": {}, "validation": {}})


def _add_pictures(directus: LocalDirectus, admin: DirectusClient, landscapes: int, say: Say) -> dict[str, str]:
    """Upload missing pictures; return the ids of all of them, by file name."""
    rows = admin.get("/files", fields=["id", "filename_download"], limit=-1)
    ids = {row["filename_download"]: str(row["id"]) for row in rows}
    wanted = names(landscapes)
    headers = {"authorization": f"Bearer {directus.admin_token}"}
    with httpx.Client(base_url=directus.url, headers=headers, timeout=120, trust_env=False) as uploads:
        for picture in pictures(landscapes, without=frozenset(ids)):
            say(f"picture {wanted.index(picture.filename) + 1} of {len(wanted)}: {picture.filename}")
            ids[picture.filename] = upload(
                uploads,
                picture.content,
                filename=picture.filename,
                type=picture.type,
                title=picture.title,
                focal_point=picture.focal_point,
            )
    return {name: ids[name] for name in wanted}


def _add_texts(admin: DirectusClient, files: Mapping[str, str]) -> None:
    """Create the posts and pages of `texts.yaml` in empty collections."""

    def address(match: re.Match[str]) -> str:
        return f"{admin.url}/assets/{files[match[1]]}?key=card"

    texts: dict[str, list[dict[str, Any]]] = yaml.safe_load(_PICTURE.sub(address, _TEXTS.read_text("utf-8")))
    for collection, items in texts.items():
        if not admin.get(f"/items/{collection}", limit=1, fields="id"):
            rows = [{**item, "image": files.get(item["image"])} if "image" in item else item for item in items]
            admin.post(f"/items/{collection}", rows)
