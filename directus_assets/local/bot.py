"""The user that the pipeline works as: the least rights that are enough for everything it does."""

from typing import Any

from directus_assets.directus.client import DirectusClient

BOT_EMAIL = "directus-assets@example.com"

_NAME = "Derived content"
_READ = (
    "directus_activity",
    "directus_files",
    "directus_settings",
    "directus_fields",
    "directus_relations",
    "directus_collections",
    "languages",
    "posts",
    "pages",
)
_WRITTEN = ("posts_translations", "pages_translations")


def create_bot(admin: DirectusClient, *, token: str) -> None:
    """Makes the user with its role and policy, unless it exists.

    Raises:
        DirectusAssetsError: Directus refused or did not answer.
    """
    if admin.get("/users", filter={"email": {"_eq": BOT_EMAIL}}, fields="id"):
        return
    policy = {
        "name": _NAME,
        "icon": "smart_toy",
        "description": "Reads files, texts and settings; writes translations only.",
        "admin_access": False,
        "app_access": False,
        "permissions": _permissions(),
    }
    user = {
        "email": BOT_EMAIL,
        "first_name": _NAME,
        "status": "active",
        "token": token,
        "role": {"name": _NAME, "icon": "smart_toy", "policies": [{"policy": policy}]},
    }
    admin.post("/users", user)


def _permissions() -> list[dict[str, Any]]:
    rights = [(collection, "read") for collection in _READ + _WRITTEN]
    rights += [(collection, action) for collection in _WRITTEN for action in ("create", "update")]
    return [
        {"collection": collection, "action": action, "fields": ["*"], "permissions": {}, "validation": {}}
        for collection, action in rights
    ]
