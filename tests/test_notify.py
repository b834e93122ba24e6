"""Who is told of what."""

import json

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.errors import NotFound
from directus_assets.notify import tell_role

ID = "1f6f3a5e-8a3e-4c51-9d2d-3a0c5f9a7b10"


def told(role: str, *users: str) -> tuple[dict[str, object], list[str]]:
    """What was asked for, and who was told."""
    asked: list[dict[str, object]] = []
    recipients: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            body = json.loads(request.content)
            if isinstance(body, list):  # Directus 10 on SQLite answers a list after a minute, or never
                raise httpx.ReadTimeout("timed out", request=request)
            recipients.append(body["recipient"])
            return httpx.Response(204)
        asked.append(json.loads(request.url.params["filter"]))
        return httpx.Response(200, json={"data": [{"id": user} for user in users]})

    with DirectusClient("http://directus", "token", transport=httpx.MockTransport(answer)) as client:
        tell_role(client, role, subject="s", message="m", collection="posts", item="1")
    return asked[0], recipients


@pytest.mark.parametrize(("role", "field"), [("Editors", "name"), (ID, "id")])
def test_only_users_of_the_role_are_asked_for_and_told_one_by_one(role: str, field: str) -> None:
    assert told(role, "a", "b") == ({"status": {"_eq": "active"}, "role": {field: {"_eq": role}}}, ["a", "b"])


def test_a_role_that_nobody_has_is_named() -> None:
    with pytest.raises(NotFound, match="'Editor'"):
        told("Editor")
